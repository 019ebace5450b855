//! Shares that polling has a model of.

use serde::{Deserialize, Serialize};

/// A share that polling has a model of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Share {
    /// Messages that a newer one superseded.
    Missed,
    /// Answers without news.
    Empty,
}

impl Share {
    /// Words for what it is a share of.
    pub(super) const fn told(self) -> &'static str {
        match self {
            Self::Missed => "of the messages were superseded",
            Self::Empty => "of the responses were empty",
        }
    }
}
