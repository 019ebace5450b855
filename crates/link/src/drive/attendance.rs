//! Time that the router had its core, and that it waited for it.

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::attendance::Attendance;
use pushbench_os::process::precedence::Hold;
use pushbench_os::process::thread_time::ThreadTime;
use pushbench_os::time::clock;

use crate::router::Router;

/// The one who looks at how the router's thread fares, and has it step back where it takes too much.
pub(super) struct Attendant {
    time: ThreadTime,
    looked: MonoInstant,
    hold: Hold,
    cpu: Duration,
    longest_wait: Duration,
    attendance: Attendance,
}

impl Attendant {
    pub(super) fn since(start: MonoInstant, hold: Hold) -> Self {
        Self {
            time: ThreadTime::here(),
            looked: start,
            hold,
            cpu: Duration::ZERO,
            longest_wait: Duration::ZERO,
            attendance: Attendance::default(),
        }
    }

    /// Looks, where it is time to: each look is two system calls.
    pub(super) fn look(&mut self, router: &Router) {
        let now = clock::now();
        if now.saturating_since(self.looked) >= Attendance::APART {
            self.lap(now, router);
        }
    }

    pub(super) fn lap(&mut self, now: MonoInstant, router: &Router) {
        let spent = self.time.lap();
        self.hold.spent(now.saturating_since(self.looked), spent.cpu);
        self.cpu += spent.cpu;
        self.longest_wait = self.longest_wait.max(spent.waited);
        let is_within = router.window().is_some_and(|it| it.start <= now && self.looked < it.end);
        if is_within {
            self.attendance.note(spent.waited);
        }
        self.looked = now;
    }

    /// For how long the router ran.
    pub(super) const fn cpu(&self) -> Duration {
        self.cpu
    }

    /// The longest that it was ready to run and did not.
    pub(super) const fn longest_wait(&self) -> Duration {
        self.longest_wait
    }

    /// All that was seen.
    pub(super) fn end(self) -> Attendance {
        Attendance {
            precedence: Some(self.hold.precedence()),
            stepped_back: self.hold.stepped_back(),
            ..self.attendance
        }
    }
}
