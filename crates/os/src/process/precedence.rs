//! Precedence of a thread over others that want its core, and the bound that it keeps to.
//!
//! A real-time thread that does not sleep leaves its core to nobody, until the kernel stops all of them
//! there for the rest of a second (`sched_rt_runtime_us`, 950 ms unless set otherwise): 50 ms in which a
//! packet waits. So a thread here steps back before that, to where it shares its core as all others do,
//! and goes first again once it has less to do.

use std::time::Duration;

use pushbench_metrics::observe::attendance::Precedence;
use rustix::process::setpriority_process;

use crate::posix;

/// Real-time priorities: who watches over the machine goes before whom it watches.
const WORKER: i32 = 1;
pub(crate) const CANARY: i32 = 2;

/// Nice value of a thread that may not be real-time: it has nine tenths of a core that it shares with
/// another.
const NICE: i32 = -10;

/// The calling thread's precedence.
#[derive(Debug)]
pub struct Hold {
    precedence: Precedence,
    budget: Budget,
    stepped_back: Duration,
}

impl Hold {
    /// Takes as much precedence as the system gives the calling thread.
    #[must_use]
    pub fn take() -> Self {
        let precedence = if posix::go_first(WORKER).is_ok() {
            Precedence::RealTime
        } else if setpriority_process(None, NICE).is_ok() {
            Precedence::Nice
        } else {
            Precedence::Normal
        };
        Self { precedence, budget: Budget::default(), stepped_back: Duration::ZERO }
    }

    /// The precedence that the system gave.
    #[must_use]
    pub const fn precedence(&self) -> Precedence {
        self.precedence
    }

    /// For how long it has done without, having taken too much.
    #[must_use]
    pub const fn stepped_back(&self) -> Duration {
        self.stepped_back
    }

    /// Says that the thread, which is the calling one, ran for `cpu` of the time that has `elapsed`
    /// since it last said so. To be called each few milliseconds while it runs.
    pub fn spent(&mut self, elapsed: Duration, cpu: Duration) {
        if self.precedence != Precedence::RealTime {
            return;
        }
        if !self.budget.is_first {
            self.stepped_back += elapsed;
        }
        let was_first = self.budget.is_first;
        self.budget.spend(elapsed, cpu);
        match (was_first, self.budget.is_first) {
            // Neither takes a privilege that was not there before; who has lost it stays behind.
            (true, false) => drop(posix::go_with_others()),
            (false, true) => self.budget.is_first = posix::go_first(WORKER).is_ok(),
            _ => {}
        }
    }
}

/// Time that a thread may run for at real-time priority.
#[derive(Debug)]
struct Budget {
    is_first: bool,
    /// Time since the period began, and how much of it the thread ran for.
    elapsed: Duration,
    spent: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { is_first: true, elapsed: Duration::ZERO, spent: Duration::ZERO }
    }
}

impl Budget {
    /// A period is short beside the kernel's second, and long beside a burst.
    const PERIOD: Duration = Duration::from_millis(100);
    /// The most of a period that it runs for and goes first: together less than the kernel grants, also
    /// where other threads of that core are real-time.
    const MOST: Duration = Duration::from_millis(80);
    /// The most of a period that it ran for and goes first again.
    const LITTLE: Duration = Duration::from_millis(50);

    fn spend(&mut self, elapsed: Duration, cpu: Duration) {
        self.elapsed += elapsed;
        self.spent += cpu;
        if self.spent > Self::MOST {
            self.is_first = false;
        }
        if self.elapsed >= Self::PERIOD {
            let share = Self::PERIOD.as_secs_f64() / self.elapsed.as_secs_f64();
            self.is_first |= self.spent.mul_f64(share) <= Self::LITTLE;
            (self.elapsed, self.spent) = (Duration::ZERO, Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Milliseconds, of each second, for which a thread that runs for such a share of each goes first.
    fn first_of_each_second(mut cpu: impl FnMut(u32) -> Duration) -> Vec<Duration> {
        let mut budget = Budget::default();
        let first: Vec<Duration> = (0..10_000)
            .map(|at| {
                let (is_first, cpu) = (budget.is_first, cpu(at));
                budget.spend(MS, cpu);
                if is_first { cpu } else { Duration::ZERO }
            })
            .collect();
        first.windows(1_000).map(|second| second.iter().sum()).collect()
    }

    #[test]
    fn who_never_sleeps_steps_back_before_the_kernel_stops_it() {
        let saturated = first_of_each_second(|_| MS);
        assert!(saturated.iter().all(|first| *first < MS * 900));
        assert_eq!(saturated.last(), Some(&Duration::ZERO), "it has no pause to go first after");
        // Pauses that have it go first again as often as can be.
        let bursts = first_of_each_second(|at| if at % 200 < 100 { MS } else { MS / 4 });
        assert!(bursts.iter().all(|first| *first < MS * 900), "{:?}", bursts.iter().max());
    }

    #[test]
    fn who_leaves_a_third_of_its_core_goes_first_throughout() {
        let busy = first_of_each_second(|_| MS * 2 / 3);
        assert!(busy.iter().all(|first| *first > MS * 600), "{:?}", busy.iter().min());
        // After one period of too much it is back with the first that has little.
        let mut budget = Budget::default();
        (0..100).for_each(|_| budget.spend(MS, MS));
        assert!(!budget.is_first);
        (0..100).for_each(|_| budget.spend(MS, MS / 10));
        assert!(budget.is_first);
    }

    /// The scheduling class of the calling thread: 0 is normal, 1 is `SCHED_FIFO`.
    fn class() -> String {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        fields.split_ascii_whitespace().nth(38).unwrap().to_owned()
    }

    #[test]
    fn a_thread_that_is_told_to_step_back_leaves_its_core_to_others() {
        let tried = || {
            let mut hold = Hold::take();
            if hold.precedence() != Precedence::RealTime {
                assert_eq!(class(), "0");
                return eprintln!("SKIPPED, no real-time priority: {}", hold.precedence());
            }
            assert_eq!(class(), "1");
            hold.spent(MS * 90, MS * 85);
            assert_eq!(class(), "0");
            hold.spent(MS * 10, Duration::ZERO);
            hold.spent(MS * 100, MS);
            assert_eq!(class(), "1");
            assert_eq!(hold.stepped_back(), MS * 110);
        };
        // On a thread of its own, which takes its class with it.
        thread::spawn(tried).join().unwrap();
    }
}
