//! A thread that should wake each millisecond, and notes when it did not.
//!
//! If the canary was late, so was everything else: the machine stood still, or was full. A
//! trial on which that happened says nothing about a transport.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pushbench_core::MonoInstant;

use crate::clock;

/// How often the canary should wake.
pub const PERIOD: Duration = Duration::from_millis(1);

/// From which lateness on a wake-up is counted as late.
pub const LATE: Duration = Duration::from_millis(10);

/// What the canary saw between its start and its stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CanaryReport {
    /// The longest time by which it woke later than it should.
    pub worst: Duration,
    /// How many times it woke more than 10 ms late. A stall counts once, whatever its length.
    pub late_over_10ms: u64,
    /// How many times it woke: about one for each millisecond, less what stalls took.
    pub wakeups: u64,
}

impl CanaryReport {
    /// Notes a wake-up at `now` that was due at `due`; returns when the next one is due.
    ///
    /// Instants that passed during a stall are left out: otherwise one stall of a second would
    /// be a thousand late wake-ups.
    fn woke(&mut self, due: MonoInstant, now: MonoInstant) -> MonoInstant {
        let lateness = now.saturating_since(due);
        self.wakeups += 1;
        self.worst = self.worst.max(lateness);
        if lateness > LATE {
            self.late_over_10ms += 1;
        }
        (due + PERIOD).max(now)
    }
}

/// A running canary. Dropped without [`Canary::stop`], it ends by itself, unread.
#[derive(Debug)]
pub struct Canary {
    stop: Arc<AtomicBool>,
    /// `None` only once it was stopped.
    thread: Option<JoinHandle<CanaryReport>>,
}

impl Canary {
    /// Starts the thread, whose thousand wake-ups a second cost one or two per cent of a core.
    ///
    /// # Errors
    ///
    /// What the system answers where it cannot start a thread.
    pub fn start() -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        // Taken here, so that a machine that stalls before the thread first runs shows too.
        let first = clock::now() + PERIOD;
        let thread =
            thread::Builder::new().name("canary".to_owned()).spawn(move || watch(first, &seen))?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Stops the thread, at the latest at its next wake-up, and tells what it saw.
    #[must_use]
    pub fn stop(mut self) -> CanaryReport {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(report)) => report,
            // Only this method takes the thread, and it takes the canary too.
            None => unreachable!("a canary is stopped once"),
            // An empty report would claim that all was well.
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Wakes at `first` and each period after, until `stop`. A stall that lasts over the stop is
/// still seen, since the flag is read only after a wake-up was noted.
fn watch(first: MonoInstant, stop: &AtomicBool) -> CanaryReport {
    let mut report = CanaryReport::default();
    let mut due = first;
    loop {
        clock::sleep_until(due);
        due = report.woke(due, clock::now());
        if stop.load(Ordering::Relaxed) {
            return report;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUE: MonoInstant = MonoInstant(5_000_000);

    #[test]
    fn a_canary_on_time_keeps_its_pace() {
        let mut report = CanaryReport::default();
        let next = report.woke(DUE, DUE + Duration::from_micros(60));
        assert_eq!(next, DUE + PERIOD);
        let worst = Duration::from_micros(60);
        assert_eq!(report, CanaryReport { worst, late_over_10ms: 0, wakeups: 1 });
    }

    #[test]
    fn a_stall_counts_once() {
        let mut report = CanaryReport::default();
        let end = DUE + Duration::from_secs(1);
        let next = report.woke(DUE, end);
        assert_eq!(next, end);
        report.woke(next, next);
        let worst = Duration::from_secs(1);
        assert_eq!(report, CanaryReport { worst, late_over_10ms: 1, wakeups: 2 });
    }

    #[test]
    fn ten_milliseconds_are_not_yet_late() {
        let mut report = CanaryReport::default();
        report.woke(DUE, DUE + LATE);
        assert_eq!(report.late_over_10ms, 0);
        report.woke(DUE, DUE + LATE + Duration::from_nanos(1));
        assert_eq!(report.late_over_10ms, 1);
    }

    #[test]
    fn a_real_one_wakes_at_most_once_a_period() {
        let start = clock::now();
        let canary = Canary::start().unwrap();
        clock::sleep_until(start + PERIOD * 20);
        let report = canary.stop();
        let elapsed = clock::now().saturating_since(start);
        assert!(report.wakeups >= 1);
        assert!(u128::from(report.wakeups) <= elapsed.as_nanos() / PERIOD.as_nanos());
        assert!(report.worst <= elapsed);
        assert!(report.late_over_10ms <= report.wakeups);
    }

    #[test]
    fn a_dropped_one_ends() {
        let canary = Canary::start().unwrap();
        let stop = Arc::clone(&canary.stop);
        drop(canary);
        // The thread held the other one.
        while Arc::strong_count(&stop) > 1 {
            thread::yield_now();
        }
    }
}
