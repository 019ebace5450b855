//! Headers that are well-formed, and lists of them.

use serde::{Deserialize, Serialize};

use pushbench_core::scenario::MAX_HEADER_BYTES;

use super::MAX_HEADERS;

/// A header that is not sent, with the reason.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum HeaderError {
    /// The name is no token.
    #[error(
        "`{name}` is no header name: it has {found}; a name has letters, digits and \
         !#$%&'*+-.^_`|~ (RFC 9110 §5.1)",
        name = .name.escape_debug()
    )]
    Name {
        /// As given.
        name: String,
        /// The character that no name has.
        found: String,
    },
    /// The value is no field value.
    #[error("the value of `{name}` has {found} (RFC 9110 §5.5)")]
    Value {
        /// The header.
        name: String,
        /// The character or space that no value has.
        found: String,
    },
    /// A list has too many headers.
    #[error("{0} headers are too many; a profile sends at most {MAX_HEADERS}")]
    TooMany(usize),
    /// A list takes too many bytes.
    #[error("headers of {0} bytes are too long; a profile sends at most {MAX_HEADER_BYTES} bytes")]
    TooLong(usize),
}

/// One header: a token as its name (RFC 9110 §5.1), a field value without space around it (§5.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(String, String)", into = "(String, String)")]
pub struct Header {
    name: String,
    value: String,
}

impl Header {
    /// Checks name and value.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Name`] or [`HeaderError::Value`].
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Result<Self, HeaderError> {
        let (name, value) = (name.into(), value.into());
        if name.is_empty() {
            return Err(HeaderError::Name { name, found: "no character".to_owned() });
        }
        if let Some(wrong) = name.chars().find(|&c| !is_token(c)) {
            let found = format!("`{}`", wrong.escape_debug());
            return Err(HeaderError::Name { name, found });
        }
        if let Some(wrong) = value.chars().find(|&c| c.is_ascii_control() && c != '\t') {
            let found = format!("`{}`, which no value may have", wrong.escape_debug());
            return Err(HeaderError::Value { name, found });
        }
        if value.trim_matches([' ', '\t']) != value {
            let found = "space at an end, which is no part of a value".to_owned();
            return Err(HeaderError::Value { name, found });
        }
        Ok(Self { name, value })
    }

    /// The name, in its case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value; what is in braces may be filled in when it is sent.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether this is the header called `name`, in any case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl TryFrom<(String, String)> for Header {
    type Error = HeaderError;

    fn try_from((name, value): (String, String)) -> Result<Self, HeaderError> {
        Self::new(name, value)
    }
}

impl From<Header> for (String, String) {
    fn from(header: Header) -> Self {
        (header.name, header.value)
    }
}

/// A character of a token (RFC 9110 §5.6.2).
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// Headers in the order in which they are sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Header>", into = "Vec<Header>")]
pub struct HeaderSet(Vec<Header>);

impl HeaderSet {
    /// The first header called `name`, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Header> {
        self.iter().find(|header| header.is(name))
    }

    /// The headers, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.0.iter()
    }

    /// Puts a `Host` first where there is none.
    pub(super) fn ensure_host(&mut self) -> Result<(), HeaderError> {
        if self.get("Host").is_none() {
            let host = Header { name: "Host".to_owned(), value: "{host}".to_owned() };
            self.0.insert(0, host);
        }
        check_limits(self.0.len(), self.lines_len())
    }

    /// Makes the value of `Cookie` longer by `bytes`, at least one: with a cookie called `p` where
    /// there is room for its name.
    pub(super) fn add_cookie(&mut self, bytes: usize) -> Result<(), HeaderError> {
        let present = self.0.iter().position(|header| header.is("Cookie"));
        // Before the filler is made, whose size the user chooses.
        let more = bytes.saturating_add(if present.is_some() { 0 } else { "Cookie: \r\n".len() });
        let count = self.0.len() + usize::from(present.is_none());
        check_limits(count, self.lines_len().saturating_add(more))?;
        let start = if present.is_some() { "; p=" } else { "p=" };
        let start = if bytes >= start.len() { start } else { "" };
        let filler = "x".repeat(bytes - start.len());
        let index = present.unwrap_or_else(|| {
            self.0.push(Header { name: "Cookie".to_owned(), value: String::new() });
            self.0.len() - 1
        });
        self.0[index].value.extend([start, &filler]);
        Ok(())
    }

    /// Bytes of the header lines, with what is in braces as it stands.
    fn lines_len(&self) -> usize {
        self.iter().map(|header| header.name.len() + header.value.len() + ": \r\n".len()).sum()
    }
}

fn check_limits(count: usize, bytes: usize) -> Result<(), HeaderError> {
    if count > MAX_HEADERS {
        return Err(HeaderError::TooMany(count));
    }
    if bytes > MAX_HEADER_BYTES {
        return Err(HeaderError::TooLong(bytes));
    }
    Ok(())
}

impl<'a> IntoIterator for &'a HeaderSet {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl TryFrom<Vec<Header>> for HeaderSet {
    type Error = HeaderError;

    fn try_from(headers: Vec<Header>) -> Result<Self, HeaderError> {
        let set = Self(headers);
        check_limits(set.0.len(), set.lines_len())?;
        Ok(set)
    }
}

impl From<HeaderSet> for Vec<Header> {
    fn from(set: HeaderSet) -> Self {
        set.0
    }
}
