//! Doubts about rooms in which clients talk.

use serde::{Deserialize, Serialize};

/// A thing that no room should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum RoomDoubt {
    /// Clients heard their room in another order than its first hearer did: so many.
    #[error("{0} clients heard their room in another order than others did")]
    Disordered(u64),
    /// So many messages came to clients that are in another room than who said them.
    #[error("{0} messages came to clients of other rooms")]
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
