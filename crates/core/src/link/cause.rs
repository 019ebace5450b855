//! Why a packet did not arrive.

use serde::{Deserialize, Serialize};

use crate::named::by_name;

/// Why a link dropped a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The line loses packets, and this was one of them.
    Loss,
    /// The queue in front of the line was full.
    Queue,
    /// It was larger than the line's MTU.
    TooBig,
    /// The instrument had no memory left to hold it: no link would have dropped it.
    NoRoom,
}

impl Cause {
    /// All causes, in the order of tables.
    pub const ALL: [Self; 4] = [Self::Loss, Self::Queue, Self::TooBig, Self::NoRoom];

    /// Whether the settings of the link demand such drops; any other spoils what was measured.
    #[must_use]
    pub const fn is_asked_for(self) -> bool {
        matches!(self, Self::Loss | Self::Queue)
    }
}

by_name!(Cause);
