//! Clients that are cut off while the feed runs: how long each is away, and what goes on meanwhile.

use std::time::Duration;

use pushbench_core::figure::SAMPLES_BEYOND;
use serde::{Deserialize, Serialize};

use crate::observe::histogram::LatencyHistogram;

/// The length of a [`Tenth`].
pub const TENTH: Duration = Duration::from_millis(100);

/// A tenth of a second of the window, by what happened in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tenth {
    /// Messages that arrived in it, whenever they were due.
    pub arrived: u64,
    /// Connections that were begun in it.
    pub opened: u64,
    /// Failures in it: attempts to connect that came to nothing, and refusals.
    pub failed: u64,
}

/// The clients that were cut off, and the window a tenth of a second at a time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Away {
    /// The window's tenths, and those of the drain behind it.
    pub tenths: Vec<Tenth>,
    /// How often a client was cut off.
    pub cut_off: u64,
    /// One sample for each time that one was back: how long it had been away.
    pub back: LatencyHistogram,
}

impl Away {
    /// Times that a client was cut off and not back by the trial's end.
    #[must_use]
    pub fn not_back(&self) -> u64 {
        self.cut_off.saturating_sub(self.back.count())
    }

    /// A quantile of how long clients were away, µs, those counted that are away still; `None` where it
    /// is of these, or has too few samples beyond it.
    #[must_use]
    pub fn back_us(&self, quantile: f64) -> Option<f64> {
        let (all, back) = (self.cut_off as f64, self.back.count() as f64);
        if all * (1.0 - quantile) < SAMPLES_BEYOND || all * quantile > back {
            return None;
        }
        self.back.percentile_us(all * quantile / back)
    }

    /// How long it took until all were back, µs; `None` where not all were, or nobody was away.
    #[must_use]
    pub fn all_back_us(&self) -> Option<f64> {
        self.back.max_us().filter(|_| self.not_back() == 0)
    }

    /// Connections begun per second, in the tenth of a second that had most of them.
    #[must_use]
    pub fn opened_peak(&self) -> f64 {
        let most = self.tenths.iter().map(|tenth| tenth.opened).max().unwrap_or_default();
        most as f64 / TENTH.as_secs_f64()
    }

    /// Connections that were begun.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.tenths.iter().map(|tenth| tenth.opened).sum()
    }

    /// Adds those of another load process of the same trial.
    pub fn merge(&mut self, other: &Self) {
        self.cut_off += other.cut_off;
        self.back.merge(&other.back);
        let tenths = self.tenths.len().max(other.tenths.len());
        self.tenths.resize(tenths, Tenth::default());
        for (own, theirs) in self.tenths.iter_mut().zip(&other.tenths) {
            own.arrived += theirs.arrived;
            own.opened += theirs.opened;
            own.failed += theirs.failed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_back_counts_as_away_for_longer_than_all_others() {
        let mut back = LatencyHistogram::default();
        (1..=60).for_each(|ms| back.record(Duration::from_millis(ms)));
        let away = Away { tenths: Vec::new(), cut_off: 100, back };
        let median_us = away.back_us(0.5).unwrap();
        assert!((median_us / 50_000.0 - 1.0).abs() < 0.01, "{median_us}");
        assert_eq!((away.back_us(0.7), away.all_back_us(), away.not_back()), (None, None, 40));
        let few = Away { cut_off: 12, ..away.clone() };
        assert_eq!(few.back_us(0.5), None);
    }
}
