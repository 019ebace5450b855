//! Texts that clients send: with escapes, variables, and what is known outside only.

use serde::{Deserialize, Serialize};

use super::RuleError;
use super::secret::Secrets;

/// A text with variables. It is written with `\r \n \0 \t \\ \xHH`, `\{ \$ \@` for these signs
/// themselves, `{client}` and `{cursor}`, `$1` for a group, `${NAME}` for a variable of the
/// environment; or it is `@FILE`, the bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(Vec<Part>);

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Bytes(Vec<u8>),
    Variable(Variable),
    /// A group of the expression that is answered, or all of it: 0.
    Group(usize),
    /// A variable of the environment.
    Environment(String),
    /// A file.
    File(String),
}

/// A variable that each client has a value of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// The number of the client among all of the trial's.
    Client,
    /// The place from which a poll goes on.
    Cursor,
}

impl Variable {
    const NAMES: [(&str, Self); 2] = [("client", Self::Client), ("cursor", Self::Cursor)];

    const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Cursor => "cursor",
        }
    }
}

/// A cursor's place in a path.
pub const CURSOR: &str = "{cursor}";

/// The world outside, as far as texts speak of it.
pub trait Outside {
    /// The value of a variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;

    /// The bytes of a file.
    fn file(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// The values of variables for one rendering.
#[derive(Debug, Clone, Copy, Default)]
pub struct Values<'a> {
    /// The client's number.
    pub client: u32,
    /// Where it goes on from.
    pub cursor: &'a [u8],
    /// The groups of what is answered, the whole of it first.
    pub groups: &'a [&'a [u8]],
}

impl Text {
    /// Appends the text with these values.
    pub fn render(&self, values: &Values<'_>, out: &mut Vec<u8>) {
        for part in &self.0 {
            match part {
                Part::Bytes(bytes) => out.extend_from_slice(bytes),
                Part::Variable(Variable::Cursor) => out.extend_from_slice(values.cursor),
                Part::Variable(Variable::Client) => {
                    out.extend_from_slice(values.client.to_string().as_bytes());
                }
                Part::Group(group) => {
                    out.extend_from_slice(values.groups.get(*group).copied().unwrap_or_default());
                }
                // Replaced before anything is rendered.
                Part::Environment(_) | Part::File(_) => {}
            }
        }
    }

    /// The text where all is known but the cursor, which is left as `{cursor}`; `None` where it is
    /// no text in Unicode, or has what only a client knows.
    #[must_use]
    pub fn plain(&self) -> Option<String> {
        let mut bytes = Vec::new();
        for part in &self.0 {
            match part {
                Part::Bytes(more) => bytes.extend_from_slice(more),
                Part::Variable(Variable::Cursor) => bytes.extend_from_slice(CURSOR.as_bytes()),
                _ => return None,
            }
        }
        String::from_utf8(bytes).ok()
    }

    /// Whether the text has a variable.
    #[must_use]
    pub fn has(&self, variable: Variable) -> bool {
        self.0.contains(&Part::Variable(variable))
    }

    /// Whether its values are all known outside only: what it says itself is the scheme before one, as
    /// `Bearer `, or its name, as `session=`.
    #[must_use]
    pub fn names_outside_alone(&self) -> bool {
        let is_name = |bytes: &[u8]| {
            let names =
                bytes.trim_ascii_start().strip_prefix(b";").unwrap_or(bytes).trim_ascii_start();
            let end = names.last().is_none_or(|last| b" =".contains(last));
            end && !names.trim_ascii_end().iter().any(|byte| b" ;".contains(byte))
        };
        let last = self.0.last();
        self.has_outside()
            && !matches!(last, Some(Part::Bytes(_)))
            && self.0.iter().all(|part| match part {
                Part::Bytes(bytes) => is_name(bytes),
                _ => true,
            })
    }

    /// Whether a part of it is known outside only.
    #[must_use]
    pub fn has_outside(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Environment(_) | Part::File(_)))
    }

    /// Checks that it has none but these variables, and no group beyond the number of those.
    ///
    /// # Errors
    ///
    /// A variable that does not exist where this text is.
    pub fn check(&self, variables: &[Variable], groups: Option<usize>) -> Result<(), RuleError> {
        for part in &self.0 {
            match part {
                Part::Variable(variable) if !variables.contains(variable) => {
                    return Err(RuleError::Variable(format!("{{{}}}", variable.name())));
                }
                Part::Group(group) if groups.is_none_or(|groups| *group > groups) => {
                    return Err(RuleError::Variable(format!("${group}")));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Replaces what is known outside only by its bytes. Values of the environment are secret.
    ///
    /// # Errors
    ///
    /// A variable that is not set, a file that cannot be read.
    pub fn resolve(
        &mut self,
        outside: &dyn Outside,
        secrets: &mut Secrets,
    ) -> Result<(), RuleError> {
        for part in &mut self.0 {
            let bytes = match part {
                Part::Environment(name) => {
                    let value = outside.variable(name);
                    let value = value.ok_or_else(|| RuleError::Environment(name.clone()))?;
                    secrets.add(&value);
                    value.into_bytes()
                }
                Part::File(path) => {
                    outside.file(path).map_err(|problem| RuleError::File(path.clone(), problem))?
                }
                _ => continue,
            };
            *part = Part::Bytes(bytes);
        }
        Ok(())
    }

    fn parse(text: &str) -> Result<Self, RuleError> {
        if let Some(path) = text.strip_prefix('@') {
            return Ok(Self(vec![Part::File(path.to_owned())]));
        }
        let (mut parts, mut bytes, mut rest) = (Vec::new(), Vec::new(), text);
        while let Some(next) = rest.chars().next() {
            let read = match next {
                '\\' => escape(rest)?,
                '{' => variable(rest)?,
                '$' => dollar(rest)?,
                _ => None,
            };
            let Some((part, length)) = read else {
                bytes.extend_from_slice(&rest.as_bytes()[..next.len_utf8()]);
                rest = &rest[next.len_utf8()..];
                continue;
            };
            rest = &rest[length..];
            if let Part::Bytes(more) = part {
                bytes.extend(more);
                continue;
            }
            push(&mut parts, std::mem::take(&mut bytes));
            parts.push(part);
        }
        push(&mut parts, bytes);
        Ok(Self(parts))
    }
}

fn push(parts: &mut Vec<Part>, bytes: Vec<u8>) {
    if !bytes.is_empty() {
        parts.push(Part::Bytes(bytes));
    }
}

/// A part, and how many bytes of the text it takes; `None` where the sign stands for itself.
type Read = Result<Option<(Part, usize)>, RuleError>;

fn escape(text: &str) -> Read {
    let unknown = || RuleError::Escape(text.chars().take(4).collect());
    let byte = match text.as_bytes().get(1) {
        Some(b'r') => b'\r',
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'0') => 0,
        Some(sign @ (b'\\' | b'{' | b'$' | b'@')) => *sign,
        Some(b'x') => {
            let digits = text.get(2..4).filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()));
            let digits = digits.ok_or_else(unknown)?;
            let byte = u8::from_str_radix(digits, 16).map_err(|_| unknown())?;
            return Ok(Some((Part::Bytes(vec![byte]), 4)));
        }
        _ => return Err(unknown()),
    };
    Ok(Some((Part::Bytes(vec![byte]), 2)))
}

/// A word in braces, which JSON has nowhere: its names are in quotes.
fn variable(text: &str) -> Read {
    let Some((name, _)) = text[1..].split_once('}') else { return Ok(None) };
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(None);
    }
    let known = Variable::NAMES.iter().find(|row| row.0 == name);
    let (_, known) = known.ok_or_else(|| RuleError::Variable(format!("{{{name}}}")))?;
    Ok(Some((Part::Variable(*known), name.len() + 2)))
}

/// A group or a variable of the environment.
fn dollar(text: &str) -> Read {
    let rest = &text[1..];
    if let Some(named) = rest.strip_prefix('{') {
        let name = named.split_once('}').map_or(named, |(name, _)| name);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || name.len() == named.len() || !name.chars().all(is_name) {
            return Err(RuleError::Variable(format!("${{{name}")));
        }
        return Ok(Some((Part::Environment(name.to_owned()), name.len() + 3)));
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Ok(None);
    }
    let unknown = |_| RuleError::Variable(format!("${}", &rest[..digits]));
    let group = rest[..digits].parse().map_err(unknown)?;
    Ok(Some((Part::Group(group), digits + 1)))
}

impl std::str::FromStr for Text {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Text {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        Self::parse(&text)
    }
}

/// The text as it may be written. What was resolved is bytes now.
impl From<Text> for String {
    fn from(text: Text) -> Self {
        let mut written = Self::new();
        // A digit behind a group would make it another.
        let mut behind_group = false;
        for part in text.0 {
            match &part {
                Part::Bytes(bytes) => bytes.iter().enumerate().for_each(|(at, &byte)| match byte {
                    b'0'..=b'9' if behind_group && at == 0 => {
                        written.push_str(&format!("\\x{byte:02x}"));
                    }
                    b'\\' | b'{' | b'$' | b'@' => written.extend(['\\', char::from(byte)]),
                    b' '..=b'~' => written.push(char::from(byte)),
                    _ => written.push_str(&format!("\\x{byte:02x}")),
                }),
                Part::Variable(variable) => written.extend(["{", variable.name(), "}"]),
                Part::Group(group) => written.push_str(&format!("${group}")),
                Part::Environment(name) => written.extend(["${", name, "}"]),
                Part::File(path) => written.extend(["@", path]),
            }
            behind_group = matches!(part, Part::Group(_));
        }
        written
    }
}
