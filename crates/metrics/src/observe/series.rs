//! Counts and latencies second by second, to see drift, stalls and warm-up that was too short.
//!
//! Messages belong to the second of the window in which they were due, whenever they arrived;
//! bytes and requests to the second in which they moved.

use std::time::Duration;

use pushbench_core::checked_when_read;
use pushbench_core::instant::saturating_nanos;
use serde::{Deserialize, Serialize};

use crate::observe::censored::{Bounded, Censored};
use crate::observe::histogram::Histogram;
use crate::observe::ledger::{Direction, Tally};
use crate::observe::observer::{LONGEST_WINDOW, Window};

/// A second of the window at a time. Several load processes' series of one trial add up.
///
/// Latencies are kept to two significant digits, within 1 %, in histograms that exist once a
/// second has a message. Seconds beyond the window's are ignored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent, remote = "Self")]
pub struct Series {
    seconds: Vec<Second>,
}

checked_when_read!(Series);

/// A series that is longer than any window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a series of {0} seconds is longer than a day")]
pub struct SeriesError(usize);

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Second {
    latency: Histogram<2>,
    /// Lower bounds of the latency of messages that were due in it and still under way.
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    late: Histogram<2>,
    /// Deliveries whose latency is not known.
    #[serde(default, skip_serializing_if = "is_zero")]
    untimed: u64,
    requests: u64,
    bytes_up: u64,
    bytes_down: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde has it so")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Series {
    /// A series with a row for each second of `window`, the last of which may be a part of one.
    #[must_use]
    pub fn new(window: &Window) -> Self {
        let whole = window.duration().as_secs();
        let seconds = whole + u64::from(window.duration().subsec_nanos() > 0);
        // A window too long for memory is one that no machine could have lived through.
        Self { seconds: vec![Second::default(); usize::try_from(seconds).unwrap_or(0)] }
    }

    fn check(&self) -> Result<(), SeriesError> {
        let seconds = self.seconds.len();
        if seconds as u64 <= LONGEST_WINDOW.as_secs() { Ok(()) } else { Err(SeriesError(seconds)) }
    }

    /// A message that was due in `second` arrived `latency` later.
    #[inline]
    pub fn delivered(&mut self, second: usize, latency: Duration) {
        if let Some(second) = self.seconds.get_mut(second) {
            second.latency.record(latency);
        }
    }

    /// A message that belongs to `second` arrived, and its latency is not known.
    pub fn delivered_untimed(&mut self, second: usize) {
        if let Some(second) = self.seconds.get_mut(second) {
            second.untimed += 1;
        }
    }

    /// `count` messages that were due in `second` took at least `latency`, and more.
    pub fn late(&mut self, second: usize, latency: Duration, count: u64) {
        if let Some(second) = self.seconds.get_mut(second) {
            second.late.record_many_ns(saturating_nanos(latency), count);
        }
    }

    /// A request was sent in `second`.
    #[inline]
    pub fn requested(&mut self, second: usize) {
        if let Some(second) = self.seconds.get_mut(second) {
            second.requests += 1;
        }
    }

    /// Bytes moved in `second`.
    #[inline]
    pub fn moved(&mut self, second: usize, bytes: &Tally) {
        if let Some(second) = self.seconds.get_mut(second) {
            second.bytes_up += bytes.total(Direction::Up);
            second.bytes_down += bytes.total(Direction::Down);
        }
    }

    /// Adds the figures of another load process of the same trial, second by second.
    pub fn merge(&mut self, other: &Self) {
        let seconds = self.seconds.len().max(other.seconds.len());
        self.seconds.resize_with(seconds, Second::default);
        for (own, theirs) in self.seconds.iter_mut().zip(&other.seconds) {
            own.latency.merge(&theirs.latency);
            own.late.merge(&theirs.late);
            own.untimed += theirs.untimed;
            own.requests += theirs.requests;
            own.bytes_up += theirs.bytes_up;
            own.bytes_down += theirs.bytes_down;
        }
    }

    /// The seconds in their order, as figures.
    pub fn rows(&self) -> impl Iterator<Item = SeriesRow> + '_ {
        (0..).zip(&self.seconds).map(|(index, second)| second.row(index))
    }
}

impl Second {
    fn row(&self, second: u64) -> SeriesRow {
        let latency = Censored::new(&self.latency, &self.late);
        let exact = |figure: Option<Bounded>| figure.and_then(Bounded::exact);
        SeriesRow {
            second,
            delivered: self.latency.count() + self.untimed,
            latency_p50_us: exact(latency.supported_percentile_us(0.5)),
            latency_p99_us: exact(latency.supported_percentile_us(0.99)),
            latency_max_us: exact(latency.max_us()),
            requests: self.requests,
            bytes_up: self.bytes_up,
            bytes_down: self.bytes_down,
        }
    }
}

/// One second of the window. What its samples do not support stays `None`, as does what messages
/// that were still under way at the end could move.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeriesRow {
    /// The second's number, from 0 at the window's start.
    pub second: u64,
    /// Deliveries of messages that were due in it.
    pub delivered: u64,
    /// Their median latency, in microseconds.
    pub latency_p50_us: Option<f64>,
    /// Their 99th percentile, in microseconds; `None` below 1,000 samples.
    pub latency_p99_us: Option<f64>,
    /// Their greatest latency, in microseconds.
    pub latency_max_us: Option<f64>,
    /// Requests sent in it.
    pub requests: u64,
    /// Bytes from clients to server in it, over all layers that are counted at the socket.
    pub bytes_up: u64,
    /// Bytes from server to clients in it.
    pub bytes_down: u64,
}

#[cfg(test)]
mod tests {
    use pushbench_core::{MonoInstant, Seq};

    use super::*;
    use crate::observe::ledger::Layer;

    fn series(nanos: u64) -> Series {
        let (start, end) = (MonoInstant(5), MonoInstant(5 + nanos));
        Series::new(&Window { start, end, first: Seq(1), last: Seq(9) })
    }

    #[test]
    fn a_part_of_a_second_is_a_row() {
        assert_eq!(series(0).rows().count(), 0);
        assert_eq!(series(2_000_000_000).rows().count(), 2);
        assert_eq!(series(2_000_000_001).rows().count(), 3);
    }

    #[test]
    fn processes_add_up_also_after_travelling() {
        let mut tally = Tally::default();
        tally.add(Direction::Down, Layer::Payload, 64);
        let (mut one, mut two) = (series(2_000_000_000), series(2_000_000_000));
        for n in 1..=500 {
            one.delivered(1, Duration::from_micros(n));
            two.delivered(1, Duration::from_micros(500 + n));
        }
        two.delivered(7, Duration::ZERO);
        two.requested(0);
        two.moved(0, &tally);

        let json = serde_json::to_string(&two).unwrap();
        one.merge(&serde_json::from_str(&json).unwrap());
        let rows: Vec<_> = one.rows().collect();
        assert_eq!((rows[0].delivered, rows[0].latency_p50_us), (0, None));
        assert_eq!((rows[0].requests, rows[0].bytes_up, rows[0].bytes_down), (1, 0, 64));
        assert_eq!((rows[1].second, rows[1].delivered), (1, 1_000));
        assert!((rows[1].latency_p50_us.unwrap() / 500.0 - 1.0).abs() < 0.01);
        assert!((rows[1].latency_p99_us.unwrap() / 990.0 - 1.0).abs() < 0.01);
        assert!((rows[1].latency_max_us.unwrap() / 1_000.0 - 1.0).abs() < 0.01);
    }

    #[test]
    fn few_samples_have_no_p99() {
        let mut series = series(1_000_000_000);
        (0..999).for_each(|_| series.delivered(0, Duration::from_micros(3)));
        let row = series.rows().next().unwrap();
        assert!(row.latency_p99_us.is_none() && row.latency_p50_us.is_some());
    }
}
