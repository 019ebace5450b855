//! The loop's look at itself: whether it came when it was planned, and if not, whether it worked.

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::instrument::LoopWatch;
use pushbench_metrics::observe::observer::Window;
use pushbench_os::process::thread_time::ThreadTime;
use pushbench_os::time::clock::Clock;

/// How often the loop looks at itself: often enough for a percentile of a short window, and at a
/// cost that does not show. No round number, as what comes round with one would be met each time or
/// never.
pub(super) const CHECK_PERIOD: Duration = Duration::from_micros(9_700);

/// The looks of a trial.
#[derive(Debug)]
pub(super) struct LoopCheck {
    watch: LoopWatch,
    /// The loop's thread; made by it, once the trial begins.
    time: Option<ThreadTime>,
    /// The end of the last look.
    last: MonoInstant,
    window: Option<Window>,
    /// Whether nothing of the window was missing at the last look behind it, so that whatever
    /// stands still from then on delays nothing that counts.
    settled: bool,
}

impl LoopCheck {
    pub(super) fn new() -> Self {
        Self {
            watch: LoopWatch::each(CHECK_PERIOD),
            time: None,
            last: MonoInstant::default(),
            window: None,
            settled: false,
        }
    }

    /// A trial begins at `now`, on the calling thread.
    pub(super) fn begin(&mut self, window: Window, now: MonoInstant) {
        (self.time, self.last, self.window) = (Some(ThreadTime::here()), now, Some(window));
    }

    /// A look that was planned for `planned` and comes at `now`. `settled` says whether nothing of
    /// the window is missing.
    ///
    /// The time that the thread spent is read between `now` and the instant from which the next look counts,
    /// so that a wait which comes in between belongs to no delay, rather than to one that it does
    /// not explain.
    pub(super) fn look(
        &mut self,
        planned: MonoInstant,
        now: MonoInstant,
        clock: &impl Clock,
        settled: impl FnOnce() -> bool,
    ) {
        let (Some(time), Some(window)) = (&mut self.time, self.window) else { return };
        // Looks that were missed meanwhile are caught up with at once, and are late no more.
        let from = planned.max(self.last).max(window.start);
        let counts = now > window.start && (from < window.end || !self.settled);
        let spent = time.lap();
        if counts {
            let lag = now.saturating_since(from);
            self.watch.note(lag, spent.unexplained(lag));
        }
        self.last = clock.now();
        self.settled = now >= window.end && settled();
    }

    /// The record of all looks. Afterwards there are none.
    pub(super) fn finish(&mut self) -> LoopWatch {
        (self.time, self.window) = (None, None);
        std::mem::take(&mut self.watch)
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::Seq;

    use super::*;

    /// A clock on which a look takes no time.
    struct Stopped(MonoInstant);

    impl Clock for Stopped {
        fn now(&self) -> MonoInstant {
            self.0
        }
    }

    fn at(ms: u64) -> MonoInstant {
        MonoInstant(ms * 1_000_000)
    }

    /// Looks at a window from 1,000 to 2,000 ms, each planned and come at so many milliseconds.
    /// This thread does next to nothing, so that each lag is a stall.
    fn watched(looks: &[(u64, u64)], settled: bool) -> LoopWatch {
        let mut check = LoopCheck::new();
        let window = Window { start: at(1_000), end: at(2_000), first: Seq(1), last: Seq(9) };
        check.begin(window, at(900));
        for &(planned, now) in looks {
            check.look(at(planned), at(now), &Stopped(at(now)), || settled);
        }
        check.finish()
    }

    fn stood_still(looks: &[(u64, u64)], settled: bool) -> u64 {
        let worst = watched(looks, settled).worst_stall;
        // Rounded, as the test's own work is taken off.
        (worst.as_secs_f64() * 1e3).round() as u64
    }

    #[test]
    fn a_stall_counts_as_far_as_it_reaches_into_the_window() {
        assert_eq!(stood_still(&[(910, 990), (1_010, 1_010)], false), 0);
        assert_eq!(stood_still(&[(910, 1_200)], false), 200);
        assert_eq!(stood_still(&[(1_010, 1_510)], false), 500);
        assert_eq!(stood_still(&[(1_990, 2_490)], false), 500);
    }

    #[test]
    fn behind_the_window_a_stall_counts_while_something_is_missing() {
        let looks = [(2_000, 2_000), (2_010, 2_510)];
        assert_eq!(stood_still(&looks, false), 500);
        assert_eq!(stood_still(&looks, true), 0);
    }

    /// The thread may be preempted in the middle of a look: that delays no message that it reads
    /// before, and is in the time that it waited.
    #[test]
    fn a_look_that_takes_long_is_no_stall_of_the_next() {
        let mut check = LoopCheck::new();
        let window = Window { start: at(1_000), end: at(2_000), first: Seq(1), last: Seq(9) };
        check.begin(window, at(1_000));
        check.look(at(1_010), at(1_010), &Stopped(at(1_060)), || false);
        check.look(at(1_020), at(1_060), &Stopped(at(1_060)), || false);
        assert_eq!(check.finish().worst_stall, Duration::ZERO);
    }

    #[test]
    fn what_is_caught_up_with_is_late_once() {
        let looks: Vec<_> = (0..50).map(|n| (1_010 + n * 10, 1_510)).collect();
        let watch = watched(&looks, false);
        assert_eq!((watch.stalls.count(), watch.lags.count()), (1, 1));
    }
}
