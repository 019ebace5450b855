//! Rules of two parts: what is answered how, what is said how often, a header field.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::RuleError;
use super::pattern::Pattern;
use super::secret::is_credentials;
use super::text::Text;
use crate::units::Span;

/// The sign between the parts of a rule that says something.
const ARROW: &str = "=>";

/// An answer: `REGEX=>TEXT`. Its expression matches from the start to the end of what came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reply {
    /// The text that is answered.
    pub to: Pattern,
    /// The answer, with the groups of that.
    pub text: Text,
}

/// A text that is said again and again: `TIME=>TEXT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Each {
    /// The pause before each.
    pub pause: Span,
    /// The text.
    pub text: Text,
}

/// A header field of requests: `Name: value`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Text,
}

impl FromStr for Reply {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (to, text) = text.split_once(ARROW).ok_or_else(|| RuleError::Reply(text.to_owned()))?;
        let (to, text): (Pattern, Text) = (to.parse()?, text.parse()?);
        text.check(&[super::Variable::Client], Some(to.groups()))?;
        Ok(Self { to, text })
    }
}

impl FromStr for Each {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let malformed = || RuleError::Each(text.to_owned());
        let (pause, said) = text.split_once(ARROW).ok_or_else(malformed)?;
        let pause: Span = pause.trim().parse().map_err(|_| malformed())?;
        if pause.0 < Self::SHORTEST {
            return Err(malformed());
        }
        let said: Text = said.parse()?;
        said.check(&[super::Variable::Client], None)?;
        Ok(Self { pause, text: said })
    }
}

impl Each {
    /// The shortest pause: more would be load of another kind.
    const SHORTEST: std::time::Duration = std::time::Duration::from_millis(1);
}

/// Fields that requests have anyway, or whose value is not the user's to say.
const TAKEN: [&str; 11] = [
    "Host",
    "Connection",
    "Content-Length",
    "Transfer-Encoding",
    "Upgrade",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Protocol",
    "Origin",
    "Accept-Encoding",
];

impl FromStr for Field {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        // Its value may be a secret, so an error shows its name at most.
        let (name, value) = text.split_once(':').ok_or(RuleError::Field)?;
        // A token (RFC 9110 §5.6.2).
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(is_token) {
            return Err(RuleError::Field);
        }
        if TAKEN.iter().any(|taken| name.eq_ignore_ascii_case(taken)) {
            return Err(RuleError::TakenField(name.to_owned()));
        }
        let value: Text = value.trim_start_matches(' ').parse()?;
        value.check(&[], None)?;
        Ok(Self { name: name.to_owned(), value })
    }
}

impl Field {
    /// Whether it has credentials in its text, rather than in a variable of the environment.
    #[must_use]
    pub fn keeps_credentials(&self) -> bool {
        is_credentials(&self.name) && !self.value.names_outside_alone()
    }

    /// Its value, once that is resolved.
    ///
    /// # Errors
    ///
    /// One that is no value of a field (RFC 9110 §5.5).
    pub fn value(&self) -> Result<String, RuleError> {
        let value = self.value.plain().ok_or(RuleError::Field)?;
        let is_value = |c: char| c == '\t' || (c.is_ascii() && !c.is_ascii_control());
        if value.chars().all(is_value) { Ok(value) } else { Err(RuleError::Field) }
    }
}

macro_rules! written {
    ($($type:ident: $value:ident => $text:expr),+) => {$(
        impl TryFrom<String> for $type {
            type Error = RuleError;

            fn try_from(text: String) -> Result<Self, RuleError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from($value: $type) -> Self {
                $text
            }
        }
    )+};
}

written! {
    Reply: it => format!("{}{ARROW}{}", it.to.as_str(), Self::from(it.text)),
    Each: it => format!("{}{ARROW}{}", it.pause, Self::from(it.text)),
    Field: it => format!("{}: {}", it.name, Self::from(it.value))
}
