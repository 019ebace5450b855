//! The state of a trial's measurements while it runs, for a person who watches.
//!
//! All of it is read from what is counted anyway, and nothing is reset by it: a trial that somebody
//! watched has the figures of one that nobody did.

use serde::{Deserialize, Serialize};

use crate::observe::ledger::Tally;
use crate::observe::measured::Measured;

/// Figures of a load process up to a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SoFar {
    /// Bytes at the sockets since the first connection, by direction and layer. Those of TCP and IP are
    /// asked of the kernel at the edges of phases alone.
    pub bytes: Tally,
    /// Median latency of the window's messages, µs.
    pub latency_p50_us: Option<f64>,
    /// The 99th percentile, µs; `None` below 1,000 messages.
    pub latency_p99_us: Option<f64>,
}

impl SoFar {
    /// A look at measurements that go on. It walks a histogram up to the percentiles, some ten
    /// microseconds, and so is not for each message.
    #[must_use]
    pub fn of(measured: &Measured) -> Self {
        Self {
            bytes: measured.ledger.total(),
            latency_p50_us: measured.latency.supported_percentile_us(0.5),
            latency_p99_us: measured.latency.supported_percentile_us(0.99),
        }
    }

    /// That of two load processes: their bytes together, and the latencies of the slower.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.bytes.merge(&other.bytes);
        self.latency_p50_us = slower(self.latency_p50_us, other.latency_p50_us);
        self.latency_p99_us = slower(self.latency_p99_us, other.latency_p99_us);
        self
    }
}

/// The longer of two latencies, as far as they are known.
#[must_use]
pub fn slower(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::observe::ledger::{Direction, Layer, Phase};

    #[test]
    fn it_reads_all_phases_and_leaves_everything_as_it_is() {
        let mut measured = Measured::default();
        let mut tally = Tally::default();
        tally.add(Direction::Up, Layer::Http, 100);
        tally.add(Direction::Down, Layer::Payload, 64);
        measured.ledger.add(Phase::Connect, &tally);
        measured.ledger.add(Phase::Window, &tally);
        (1..=999).for_each(|us| measured.latency.record(Duration::from_micros(us)));
        let before = measured.clone();
        let so_far = SoFar::of(&measured);
        assert_eq!(measured, before);
        assert_eq!(
            (so_far.bytes.layer(Layer::Http), so_far.bytes.layer(Layer::Payload)),
            (200, 128)
        );
        assert!((so_far.latency_p50_us.unwrap() / 500.0 - 1.0).abs() < 0.001);
        assert_eq!(so_far.latency_p99_us, None);
        measured.latency.record(Duration::from_millis(1));
        assert!((SoFar::of(&measured).latency_p99_us.unwrap() / 990.0 - 1.0).abs() < 0.001);
    }

    #[test]
    fn of_several_processes_bytes_add_up_and_the_slowest_is_told() {
        let mut bytes = Tally::default();
        bytes.add(Direction::Down, Layer::Framing, 2);
        let fast = SoFar { bytes, latency_p50_us: Some(3.0), latency_p99_us: None };
        let slow = SoFar { bytes, latency_p50_us: Some(7.0), latency_p99_us: Some(9.0) };
        let both = fast.with(&slow);
        assert_eq!(both.bytes.layer(Layer::Framing), 4);
        assert_eq!((both.latency_p50_us, both.latency_p99_us), (Some(7.0), Some(9.0)));
        assert_eq!(both, slow.with(&fast));
    }
}
