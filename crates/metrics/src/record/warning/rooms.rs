//! Doubts about rooms in which clients talk.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A thing that no room should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoomDoubt {
    /// Clients heard their room in another order than its first hearer did: so many.
    Disordered(u64),
    /// So many messages came to clients that are in another room than who said them.
    Strays(u64),
}

impl RoomDoubt {
    pub(super) const fn remedy(self) -> &'static str {
        match self {
            Self::Disordered(_) => "the server has no one order in a room; see trials.csv",
            Self::Strays(_) => "the server mixes rooms up; see its log",
        }
    }

    /// The weight that tells which of two is the worse.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "only their order counts")]
    pub const fn weight(self) -> f64 {
        match self {
            Self::Disordered(count) | Self::Strays(count) => count as f64,
        }
    }
}

impl fmt::Display for RoomDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disordered(hearers) => {
                write!(f, "{hearers} clients heard their room in another order than others did")
            }
            Self::Strays(messages) => {
                write!(f, "{messages} messages came to clients of other rooms")
            }
        }
    }
}
