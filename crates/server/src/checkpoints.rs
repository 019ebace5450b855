//! Checkpoints of a Poisson schedule that the publisher has come by, for those who join the feed.
//!
//! Each gap has to be added to all before it, which for a feed that has run for a week takes longer
//! than anybody waits. The publisher adds them anyway, so it keeps the sum now and then, and
//! `GET /feed` says the one from which all messages that a client may still be brought follow.

use std::collections::VecDeque;
use std::time::Duration;

use pushbench_core::feed::schedule::{Checkpoint, HORIZON};
use pushbench_core::instant::saturating_nanos;

/// The least time of the schedule from one checkpoint that is kept to the next.
const SPACING: Duration = Duration::from_secs(8);

/// Checkpoints kept: with their spacing they reach back twice as far as anybody asks.
const KEPT: usize = 16;

/// The last checkpoints, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    last: VecDeque<Checkpoint>,
    /// The sum that the next checkpoint to be kept has at least, in nanoseconds.
    next_ns: f64,
}

impl Checkpoints {
    /// The publisher is at `checkpoint`. Under other laws than Poisson's there is no sum and
    /// nothing to keep: two comparisons for each message published, whoever receives it.
    #[inline]
    pub(crate) fn pass(&mut self, checkpoint: Checkpoint) {
        if checkpoint.elapsed_ns > self.next_ns {
            self.keep(checkpoint);
        }
    }

    fn keep(&mut self, checkpoint: Checkpoint) {
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(checkpoint);
        self.next_ns = checkpoint.elapsed_ns + SPACING.as_secs_f64() * 1e9;
    }

    /// The last checkpoint before everything that a client may still be brought, `elapsed` after
    /// the feed's origin.
    pub(crate) fn before(&self, elapsed: Duration) -> Checkpoint {
        #[expect(clippy::cast_precision_loss, reason = "a checkpoint is seconds from the next")]
        let asked_ns = saturating_nanos(elapsed.saturating_sub(HORIZON)) as f64;
        let before = |checkpoint: &&Checkpoint| checkpoint.elapsed_ns <= asked_ns;
        self.last.iter().rev().find(before).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::feed::schedule::Schedule;
    use pushbench_core::units::Rate;

    use super::*;

    /// Those of a feed that has run for `seconds`.
    fn checkpoints(hz: f64, seconds: u64) -> Checkpoints {
        let schedule = Schedule::Poisson { rate: Rate::from_hz(hz).unwrap() };
        let mut offsets = schedule.offsets(3);
        let mut checkpoints = Checkpoints::default();
        while offsets.next().is_some_and(|offset| offset < seconds * 1_000_000_000) {
            checkpoints.pass(offsets.checkpoint());
        }
        // The publisher holds the message that comes next.
        checkpoints.pass(offsets.checkpoint());
        checkpoints
    }

    #[test]
    fn whoever_joins_has_the_horizon_and_little_more_to_add_up() {
        for (hz, seconds) in [(100.0, 1_000), (1.0, 4_000), (0.05, 40_000)] {
            let checkpoint = checkpoints(hz, seconds).before(Duration::from_secs(seconds));
            let ago = seconds as f64 - checkpoint.elapsed_ns / 1e9;
            let gap = 1.0 / hz;
            assert!((60.0..76.0 + 20.0 * gap).contains(&ago), "{hz}/s: {ago} s ago");
            let schedule = Schedule::Poisson { rate: Rate::from_hz(hz).unwrap() };
            let offset = schedule.offsets(3).nth(checkpoint.passed as usize - 1).unwrap();
            assert_eq!(offset, checkpoint.elapsed_ns as u64);
        }
    }

    #[test]
    fn a_young_feed_is_walked_from_its_start() {
        let young = checkpoints(100.0, 50);
        assert!(young.before(Duration::from_secs(50)).is_start());
        assert!(young.last.len() >= 4 && young.last.len() <= KEPT);
        assert!(Checkpoints::default().before(Duration::from_secs(900)).is_start());
    }
}
