//! The figures of a running trial, for a person who watches.

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::instant::saturating_nanos;

/// The most latencies that a median is taken of.
const SAMPLES: usize = 1_000;

/// Messages so far, and latencies since the last news: of so many messages one, spread over all of
/// them, since the first clients of a fan-out are the fastest. To keep one is the least that can be
/// done for a message: a histogram of them would cost as much as that of the record.
#[derive(Debug)]
pub(super) struct ProgressSample {
    pub(super) messages: u64,
    /// In nanoseconds; never more than there was room for at first.
    latencies: Vec<u64>,
    /// One of so many messages is kept.
    stride: u32,
    /// The next that is kept is so many messages ahead; never 0.
    ahead: u32,
    /// News were planned for this instant and are not yet given.
    pub(super) due: Option<MonoInstant>,
}

impl ProgressSample {
    pub(super) fn new() -> Self {
        let latencies = Vec::with_capacity(SAMPLES);
        Self { messages: 0, latencies, stride: 1, ahead: 1, due: None }
    }

    /// A message arrived so long after it was due.
    #[inline]
    pub(super) fn arrived(&mut self, latency: Duration) {
        self.ahead -= 1;
        if self.ahead == 0 {
            self.keep(latency);
        }
    }

    fn keep(&mut self, latency: Duration) {
        self.ahead = self.stride;
        if self.latencies.len() < SAMPLES {
            self.latencies.push(saturating_nanos(latency));
        }
    }

    /// The median of the latencies since the last news, in microseconds; a new sample begins, which has
    /// room for as many messages again as this one had, and more.
    pub(super) fn take_median_us(&mut self) -> Option<f64> {
        let kept = self.latencies.len();
        self.stride = stride_for(kept, self.stride);
        self.ahead = self.ahead.min(self.stride);
        let middle = kept.checked_sub(1)? / 2;
        let (_, &mut median, _) = self.latencies.select_nth_unstable(middle);
        self.latencies.clear();
        Some(Duration::from_nanos(median).as_secs_f64() * 1e6)
    }
}

/// The stride of the next sample, where this one has `kept` so many: for half of what it may hold. It has
/// no divisor with 10 in common, since numbers of clients do, and the same clients would be asked each
/// time.
fn stride_for(kept: usize, stride: u32) -> u32 {
    // One that was full says only that there were at least so many.
    let arrived = if kept < SAMPLES { kept } else { 4 * SAMPLES } as u64 * u64::from(stride);
    let wanted = u32::try_from(arrived.div_ceil(SAMPLES as u64 / 2)).unwrap_or(u32::MAX / 2);
    let wanted = if arrived < SAMPLES as u64 { 1 } else { wanted };
    (wanted..).find(|stride| stride % 2 != 0 && stride % 5 != 0).unwrap_or(wanted)
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

    /// A fan-out whose first clients are the fastest, as often a second as is said.
    #[test]
    fn the_median_is_of_all_clients_once_their_number_is_known() {
        for (clients, rate) in [(200, 2), (5_000, 10), (20_000, 20), (50, 1_000), (7, 1)] {
            let mut sample = ProgressSample::new();
            let medians = (0..6).map(|_| {
                for _ in 0..rate {
                    (1..=clients).for_each(|us| sample.arrived(Duration::from_micros(us)));
                }
                sample.take_median_us().unwrap()
            });
            let medians: Vec<f64> = medians.collect();
            let last = medians.last().unwrap();
            let off = (last / ((clients + 1) as f64 / 2.0) - 1.0).abs();
            assert!(off < 0.05, "{clients} clients, {rate}/s: {medians:?}");
        }
    }

    #[test]
    fn who_slows_down_is_asked_more_often_again() {
        let mut sample = ProgressSample::new();
        let mut second = |messages: u64| {
            (0..messages).for_each(|us| sample.arrived(Duration::from_micros(us)));
            sample.take_median_us()
        };
        assert!((0..9).all(|_| second(50_000).is_some()));
        let few: Vec<Option<f64>> = (0..9).map(|_| second(10)).collect();
        assert_eq!(few.last(), Some(&Some(4.0)), "{few:?}");
    }
}
