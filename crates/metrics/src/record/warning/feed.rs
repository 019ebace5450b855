//! When a feed is not what its description says: what shows it, and what is likely wrong.

use std::fmt;

use pushbench_core::Seq;
use serde::{Deserialize, Serialize};

/// The likely fault where a message arrives before it was due.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likely {
    /// The instant from which the schedule counts is too late: messages are early by about the
    /// same.
    Origin,
    /// The feed is faster than described: messages come ever earlier.
    Rate {
        /// How many times as fast as described.
        pace: f64,
    },
    /// The clocks of server and load generator differ: both were started by this run.
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

impl fmt::Display for Likely {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin => f.write_str(
                "likely the feed's origin is later than the true one, or else its rate, schedule or clock \
                 is another",
            ),
            Self::Rate { pace } => write!(
                f,
                "likely the feed's rate is wrong, it runs {pace:.2} times as fast as described"
            ),
            Self::Clock => {
                f.write_str("likely the clock of this machine is not the same everywhere")
            }
        }
    }
}

/// Signs that a server publishes another feed than the one described.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misfit {
    /// Numbers came that are not due before the trial is over.
    Ahead {
        /// How many arrivals.
        messages: u64,
        /// The least of the numbers.
        first: Seq,
    },
    /// Numbers run ahead of the schedule ever further.
    Faster {
        /// How many times as fast as described.
        pace: f64,
    },
    /// Numbers are missing, the same at all clients.
    Gaps {
        /// How many clients.
        clients: u64,
        /// How many numbers each of them lacks.
        messages: u64,
        /// The first of these.
        first: Seq,
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ahead { messages, first } => write!(
                f,
                "{messages} messages came whose numbers are not due before the trial is over, the \
                 least of them {first}"
            ),
            Self::Faster { pace } => {
                write!(f, "its numbers run ahead of the schedule, {pace:.2} times as fast")
            }
            Self::Gaps { clients, messages, first } => write!(
                f,
                "all {clients} clients lack the same {messages} messages of the window though \
                 newer ones came, the first of them {first}"
            ),
        }
    }
}
