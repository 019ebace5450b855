//! Doubts about the stamps along a message's way, and what they tell of the whole latency.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Above this share of a latency the load generator measures itself more than the server.
pub const LOAD_PART: f64 = 0.5;

/// Below this share of the arrivals that were to be stamped, what was stamped may differ from
/// what was not.
pub const STAMPS_WANTED: f64 = 0.9;

/// A latency that is mostly the load generator's own: what passed between its kernel and its
/// clients.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LoadPart {
    /// Whether that is so at the 99th percentile only; else at the median.
    pub at_p99: bool,
    /// The latency there, of the stamped samples, µs.
    pub latency_us: f64,
    /// The same up to the kernel of the clients, µs.
    pub without_us: f64,
}

impl fmt::Display for LoadPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at_p99 { "p99" } else { "p50" };
        let (latency, without) = (micros(self.latency_us), micros(self.without_us));
        write!(
            f,
            "most of the latency is the load generator's own: {latency} at {at}, but {without} \
             until its kernel had the message"
        )
    }
}

/// A time in the unit that reads best, from µs: `412 µs`, `7.3 ms`, `124 ms`.
pub(super) fn micros(us: f64) -> String {
    match us {
        us if us < 999.5 => format!("{us:.0} µs"),
        us if us < 99_950.0 => format!("{:.1} ms", us / 1e3),
        us => format!("{:.0} ms", us / 1e3),
    }
}

/// Why the breakdown of latency may not be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum StampsDoubt {
    /// The wall clock was set while the kernel took stamps by it.
    #[error("the wall clock was set meanwhile, so there is no breakdown")]
    ClockSet,
    /// Of the arrivals that were to be stamped not all were.
    #[error("the breakdown is of {samples} of {arrivals} stamped arrivals")]
    Missing {
        /// Those that were.
        samples: u64,
        /// All of them.
        arrivals: u64,
    },
    /// Stamps that cannot all be true: what came later has an earlier one.
    #[error("the stamps of {samples} samples contradict each other")]
    Contradict {
        /// Samples with such.
        samples: u64,
    },
}

impl StampsDoubt {
    /// The remedy.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::ClockSet => "see that nobody sets the time during a run; slewing it is harmless",
            Self::Missing { .. } => {
                "run.json says under `coverage` why; what was left out may differ from what was not"
            }
            Self::Contradict { .. } => "do not trust the breakdown; please report it",
        }
    }
}
