//! The name of a subject.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of the server that pushbench brings.
pub const OWN: &str = "pushbench";

/// The name of a subject, as users and files have it. Until a plan stands it may be the path of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectName(String);

impl SubjectName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is that of pushbench's own server.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.0 == OWN
    }

    /// Whether it is no path of a file.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=64).contains(&self.0.len()) && self.0.chars().all(plain)
    }
}

impl Default for SubjectName {
    fn default() -> Self {
        Self(OWN.to_owned())
    }
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for SubjectName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}
