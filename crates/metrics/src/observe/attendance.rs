//! How a link's router kept hold of its core.
//!
//! A packet that comes while the router has no core waits unseen in its device: what came late to the
//! router is due late too, and no lateness has it. The kernel tells how long the router was ready to
//! run and did not, and that is what is kept here.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::histogram::LatencyHistogram;
use super::instrument::SHORTEST_STALL;
use super::lateness::Lateness;

/// Precedence of a thread over others that want its core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precedence {
    /// It goes before every thread that is not real-time (`SCHED_FIFO`).
    RealTime,
    /// It has a larger share than they have (nice).
    Nice,
    /// None.
    Normal,
}

impl fmt::Display for Precedence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RealTime => "at real-time priority",
            Self::Nice => "at a raised priority",
            Self::Normal => "at normal priority",
        })
    }
}

/// A router's hold on its core.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attendance {
    /// The precedence that the system gave it; `None` in records that are older than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precedence: Option<Precedence>,
    /// For how long it had stepped back from real-time priority, since it took too much of its core.
    pub stepped_back: Duration,
    /// The longest that it was ready to run within the window and did not.
    pub worst: Duration,
    /// All such times within the window, those beyond [`SHORTEST_STALL`].
    pub waits: LatencyHistogram,
}

impl Attendance {
    /// Time between two looks at how long it waited, at the least.
    pub const APART: Duration = Duration::from_millis(1);

    /// Notes that within the window, since the last look, it was ready to run and did not for so long.
    pub fn note(&mut self, waited: Duration) {
        self.worst = self.worst.max(waited);
        if waited > SHORTEST_STALL {
            self.waits.record(waited);
        }
    }

    /// Its waits, as what a packet was late by that came at any instant.
    #[must_use]
    pub const fn delays(&self) -> Lateness<'_> {
        Lateness { period: Self::APART, samples: &self.waits }
    }
}
