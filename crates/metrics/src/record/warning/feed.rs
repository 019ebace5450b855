//! When a feed is not what its description says: what shows it, and what is likely wrong.

use pushbench_core::Seq;
use serde::{Deserialize, Serialize};

/// The likely fault where a message arrives before it was due.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Likely {
    /// The instant from which the schedule counts is too late: messages are early by about the
    /// same.
    #[error(
        "likely the feed's origin is later than the true one, or else its rate, schedule or clock \
         is another"
    )]
    Origin,
    /// The feed is faster than described: messages come ever earlier.
    #[error("likely the feed's rate is wrong, it runs {pace:.2} times as fast as described")]
    Rate {
        /// How many times as fast as described.
        pace: f64,
    },
    /// The clocks of server and load generator differ: both were started by this run.
    #[error("likely the clock of this machine is not the same everywhere")]
    Clock,
}

impl Likely {
    /// The remedy.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Origin => "correct `origin` in the feed's description",
            Self::Rate { .. } => "correct the rate in the feed's description",
            Self::Clock => "see `pushbench doctor` for the clock; please report it with run.json",
        }
    }
}

/// Signs that a server publishes another feed than the one described.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Misfit {
    /// Numbers came that are not due before the trial is over.
    #[error(
        "{messages} messages came whose numbers are not due before the trial is over, the \
         least of them {first}"
    )]
    Ahead {
        /// How many arrivals.
        messages: u64,
        /// The least of the numbers.
        first: Seq,
    },
    /// Numbers run ahead of the schedule ever further.
    #[error("its numbers run ahead of the schedule, {pace:.2} times as fast")]
    Faster {
        /// How many times as fast as described.
        pace: f64,
    },
    /// Numbers are missing, the same at all clients.
    #[error(
        "all {clients} clients lack the same {messages} messages of the window though \
         newer ones came, the first of them {first}"
    )]
    Gaps {
        /// How many clients.
        clients: u64,
        /// How many numbers each of them lacks.
        messages: u64,
        /// The first of these.
        first: Seq,
    },
}
