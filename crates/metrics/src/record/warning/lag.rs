//! How late the instrument was for its own plans, and from when on that shows.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::way;
use crate::observe::histogram::LatencyHistogram;

/// A publisher this late shifts every latency visibly, µs.
pub const PUBLISHER_LATE_US: f64 = 1_000.0;

/// A load generator this late does the same, µs.
pub const LOAD_LATE_US: f64 = 5_000.0;

/// How late something was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lag {
    /// How late, µs.
    pub us: f64,
    /// Whether that is the 99th percentile; else there were too few samples for one, and it is
    /// the largest of them.
    pub at_p99: bool,
}

impl Lag {
    /// The lag that a histogram supports; `None` where it is empty.
    #[must_use]
    pub fn of(histogram: &LatencyHistogram) -> Option<Self> {
        match histogram.supported_percentile_us(0.99) {
            Some(us) => Some(Self { us, at_p99: true }),
            None => histogram.max_us().map(|us| Self { us, at_p99: false }),
        }
    }
}

impl Lag {
    /// Which latencies a load generator that is so late may have made longer: what it reads is stamped
    /// when it gets to it.
    pub(super) const fn reach(self) -> &'static str {
        if self.at_p99 {
            ", which latencies from the 99th percentile on may hold"
        } else {
            " at its worst moment, which the largest latencies may hold"
        }
    }
}

impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let late = way::micros(self.us);
        if self.at_p99 {
            write!(f, "{late} late or more in one of a hundred cases")
        } else {
            write!(f, "up to {late} late")
        }
    }
}
