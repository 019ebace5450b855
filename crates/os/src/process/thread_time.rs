//! Time of the calling thread on, and off, its core: why it came late, if it did.

use std::fs::File;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::process::scheduling;

/// Time of a thread between two readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// For how long it ran.
    pub cpu: Duration,
    /// For how long it was ready to run and did not; zero where the kernel does not tell.
    pub waited: Duration,
}

impl Spent {
    /// How much of a delay of `late` neither work nor waiting for a core explains: for so long the
    /// thread was stopped, traced or frozen.
    ///
    /// Nothing, where they explain half of it. What soft interrupts took from a busy thread is
    /// charged to nobody on many kernels, and a thread that is stopped does next to nothing.
    #[must_use]
    pub fn unexplained(self, late: Duration) -> Duration {
        let explained = self.cpu + self.waited;
        if explained * 2 > late { Duration::ZERO } else { late - explained }
    }
}

/// The time of the thread that made this, and that alone may read it.
#[derive(Debug)]
pub struct ThreadTime {
    /// `None` where the kernel does not tell.
    waits: Option<File>,
    last: Spent,
}

impl ThreadTime {
    /// Begins with the calling thread's time now.
    #[must_use]
    pub fn here() -> Self {
        let waits = scheduling::own_waits().ok();
        let mut time = Self { waits, last: Spent::default() };
        time.lap();
        time
    }

    /// The thread's time since the last call. Two system calls, a microsecond or two.
    pub fn lap(&mut self) -> Spent {
        let waited = self.waits.as_ref().and_then(scheduling::waited).unwrap_or_default();
        let now = Spent { cpu: own_cpu(), waited };
        let spent = Spent {
            cpu: now.cpu.saturating_sub(self.last.cpu),
            waited: now.waited.saturating_sub(self.last.waited),
        };
        self.last = now;
        spent
    }
}

/// The processor time of the calling thread.
pub(crate) fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // It starts at zero and has no negative part.
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::clock;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn work_and_waiting_explain_a_delay_and_sleep_does_not() {
        let mut time = ThreadTime::here();
        let start = clock::now();
        while own_cpu() < time.last.cpu + MS * 20 {}
        let late = clock::now().saturating_since(start);
        assert_eq!(time.lap().unexplained(late), Duration::ZERO, "however often it waited");
        let start = clock::now();
        clock::sleep_until(start + MS * 50);
        let late = clock::now().saturating_since(start);
        let spent = time.lap();
        // Beside other tests it may have waited for its core to wake up.
        assert_eq!(spent.unexplained(MS * 50 + late), MS * 50 + late - spent.cpu - spent.waited);
        assert!(spent.cpu < MS * 20, "{spent:?}");
    }

    #[test]
    fn what_is_explained_by_half_is_no_stall() {
        let spent = Spent { cpu: MS * 20, waited: MS * 5 };
        assert_eq!(spent.unexplained(MS * 40), Duration::ZERO);
        assert_eq!(spent.unexplained(MS * 60), MS * 35);
        assert_eq!(Spent::default().unexplained(MS), MS);
    }
}
