//! How late something was that should have come round with a period, and what share of a window
//! that spoils.

use std::time::Duration;

use crate::judge::stats;
use crate::observe::histogram::LatencyHistogram;

/// Latenesses of what should have come round once each period; those that fell into a stall are
/// not among them, but for the first.
#[derive(Debug, Clone, Copy)]
pub struct Lateness<'a> {
    pub(crate) period: Duration,
    pub(crate) samples: &'a LatencyHistogram,
}

impl Lateness<'_> {
    /// The share of `window` at whose instants anything that was due would have been late by more
    /// than `limit`.
    ///
    /// The instants that were looked at are a sample of all: each that was late by more stands for
    /// a period, and so do those that passed meanwhile, of which the first is recorded.
    #[must_use]
    pub fn share(&self, limit: Duration, window: Duration) -> f64 {
        let period = self.period.as_secs_f64();
        if period <= 0.0 {
            return 0.0;
        }
        let stalls = self.stalls(limit);
        let instants =
            stalls.map(|(beyond, count)| ((beyond / period).floor() + 1.0) * count as f64);
        of_window(instants.sum::<f64>() * period, window)
    }

    /// A lower bound of that share: the stalls that were seen, or what stalls as many as were
    /// seen prove of those between the instants that were looked at, if that is more.
    #[must_use]
    pub fn share_at_least(&self, limit: Duration, window: Duration) -> f64 {
        let seen: f64 = self.stalls(limit).map(|(beyond, count)| beyond * count as f64).sum();
        let count = self.stalls(limit).map(|(_, count)| count).sum();
        let proved = stats::poisson_least_95(count) * self.period.as_secs_f64();
        of_window(seen.max(proved), window)
    }

    /// The stalls longer than `limit`: by how many seconds, and how many.
    fn stalls(&self, limit: Duration) -> impl Iterator<Item = (f64, u64)> {
        let lengths = self.samples.hdr().into_iter().flat_map(|hdr| hdr.iter_recorded());
        let beyond = lengths.map(move |bucket| {
            let beyond = bucket.value_iterated_to() as f64 / 1e9 - limit.as_secs_f64();
            (beyond, bucket.count_since_last_iteration())
        });
        beyond.filter(|(beyond, _)| *beyond > 0.0)
    }
}

/// A time as a share of the window: at most all of it, also where it began before or goes on behind.
#[must_use]
pub fn of_window(seconds: f64, window: Duration) -> f64 {
    (seconds / window.as_secs_f64()).min(1.0)
}
