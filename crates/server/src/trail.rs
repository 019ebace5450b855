//! Places that the publisher has come by in a Poisson schedule, for those who join the feed.
//!
//! Each gap has to be added to all before it, which for a feed that has run for a week takes longer
//! than anybody waits. The publisher adds them anyway, so it keeps the sum now and then, and
//! `GET /feed` says the one from which all messages that a client may still be brought follow.

use std::collections::VecDeque;
use std::time::Duration;

use pushbench_core::feed::schedule::{Checkpoint, HORIZON};
use pushbench_core::instant::saturating_nanos;

/// The least time of the schedule from one place that is kept to the next.
const SPACING: Duration = Duration::from_secs(8);

/// Places kept: with their spacing they reach back twice as far as anybody asks.
const KEPT: usize = 16;

/// The last places, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    places: VecDeque<Checkpoint>,
    /// The sum that the next place to be kept has at least, in nanoseconds.
    next_ns: f64,
}

impl Trail {
    /// The publisher is at `place`. Under other laws than Poisson's there is no sum and nothing to
    /// keep: two comparisons for each message published, whoever receives it.
    #[inline]
    pub(crate) fn pass(&mut self, place: Checkpoint) {
        if place.elapsed_ns > self.next_ns {
            self.keep(place);
        }
    }

    fn keep(&mut self, place: Checkpoint) {
        if self.places.len() == KEPT {
            self.places.pop_front();
        }
        self.places.push_back(place);
        self.next_ns = place.elapsed_ns + SPACING.as_secs_f64() * 1e9;
    }

    /// The last place that is before everything that a client may still be brought, `elapsed` after
    /// the feed's origin.
    pub(crate) fn before(&self, elapsed: Duration) -> Checkpoint {
        #[expect(clippy::cast_precision_loss, reason = "a place is seconds from the next")]
        let asked_ns = saturating_nanos(elapsed.saturating_sub(HORIZON)) as f64;
        let before = |place: &&Checkpoint| place.elapsed_ns <= asked_ns;
        self.places.iter().rev().find(before).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::feed::schedule::Schedule;
    use pushbench_core::units::Rate;

    use super::*;

    /// The trail of a feed that has run for `seconds`.
    fn trail(hz: f64, seconds: u64) -> Trail {
        let schedule = Schedule::Poisson { rate: Rate::from_hz(hz).unwrap() };
        let mut offsets = schedule.offsets(3);
        let mut trail = Trail::default();
        while offsets.next().is_some_and(|offset| offset < seconds * 1_000_000_000) {
            trail.pass(offsets.checkpoint());
        }
        // The publisher holds the message that comes next.
        trail.pass(offsets.checkpoint());
        trail
    }

    #[test]
    fn whoever_joins_has_the_horizon_and_little_more_to_add_up() {
        for (hz, seconds) in [(100.0, 1_000), (1.0, 4_000), (0.05, 40_000)] {
            let place = trail(hz, seconds).before(Duration::from_secs(seconds));
            let ago = seconds as f64 - place.elapsed_ns / 1e9;
            let gap = 1.0 / hz;
            assert!((60.0..76.0 + 20.0 * gap).contains(&ago), "{hz}/s: {ago} s ago");
            let schedule = Schedule::Poisson { rate: Rate::from_hz(hz).unwrap() };
            let offset = schedule.offsets(3).nth(place.passed as usize - 1).unwrap();
            assert_eq!(offset, place.elapsed_ns as u64);
        }
    }

    #[test]
    fn a_young_feed_is_walked_from_its_start() {
        let young = trail(100.0, 50);
        assert!(young.before(Duration::from_secs(50)).is_start());
        assert!(young.places.len() >= 4 && young.places.len() <= KEPT);
        assert!(Trail::default().before(Duration::from_secs(900)).is_start());
    }
}
