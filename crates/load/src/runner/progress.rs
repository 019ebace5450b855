//! The figures of a running trial, for a person who watches.

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::instant::saturating_nanos;

/// Latencies that a median is taken of.
const SAMPLES: usize = 1_000;

/// Messages so far, and the first latencies since the last news. To keep one is the least that can
/// be done for a message: a histogram of them would cost as much as that of the record.
#[derive(Debug)]
pub(super) struct ProgressSample {
    pub(super) messages: u64,
    /// In nanoseconds; never more than there was room for at first.
    latencies: Vec<u64>,
    /// News were planned for this instant and are not yet given.
    pub(super) due: Option<MonoInstant>,
}

impl ProgressSample {
    pub(super) fn new() -> Self {
        Self { messages: 0, latencies: Vec::with_capacity(SAMPLES), due: None }
    }

    /// A message arrived so long after it was due.
    #[inline]
    pub(super) fn arrived(&mut self, latency: Duration) {
        if self.latencies.len() < SAMPLES {
            self.latencies.push(saturating_nanos(latency));
        }
    }

    /// The median of the latencies since the last news, in microseconds; a new sample begins.
    pub(super) fn take_median_us(&mut self) -> Option<f64> {
        let middle = self.latencies.len().checked_sub(1)? / 2;
        let (_, &mut median, _) = self.latencies.select_nth_unstable(middle);
        self.latencies.clear();
        Some(Duration::from_nanos(median).as_secs_f64() * 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_of_what_came_since_the_last_look() {
        let mut sample = ProgressSample::new();
        assert_eq!(sample.take_median_us(), None);
        for micros in [9, 1, 5, 7] {
            sample.arrived(Duration::from_micros(micros));
        }
        assert_eq!(sample.take_median_us(), Some(5.0));
        (0..3 * SAMPLES as u64).for_each(|_| sample.arrived(Duration::from_micros(3)));
        assert_eq!(sample.take_median_us(), Some(3.0));
        assert_eq!(sample.take_median_us(), None);
    }
}
