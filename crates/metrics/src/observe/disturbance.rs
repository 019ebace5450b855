//! Disturbances of a trial from outside: what the machine and its other processes did in the
//! window, as found by those who asked the operating system.
//!
//! Three things look alike from within a benchmark and must be told apart. The *machine stood
//! still*: a hypervisor gave its processor to another guest, or the kernel held it. *Another
//! process* took a core for which the server or the load generator was ready. *The run's own
//! processes* filled the cores: that is load, and no disturbance. The first is seen by a canary
//! that goes before all normal threads; the second by the processor time that is nobody's of the
//! run, together with the time for which the run's processes had to wait; the third is neither.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observe::histogram::LatencyHistogram;
use crate::observe::lateness::{Lateness, of_window};

/// Disturbances of a window, or the watch that found none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Disturbance {
    /// The canary's sight of each core in use; empty where it could not run.
    pub cores: Vec<CoreWatch>,
    /// Whether the canary went before all normal threads, on every core. Where not, what it
    /// waited behind other threads was taken off, as far as the kernel tells.
    pub canary_first: bool,
    /// Processor time that the canary itself took, all cores.
    pub canary_cpu: Duration,
    /// Processes that were not of this run; `None` where that cannot be told.
    pub others: Option<Others>,
    /// How long the run's processes waited for a core; `None` where the kernel does not tell.
    pub waits: Option<Waits>,
    /// The share of the cores' time that a hypervisor gave to others, 0 to 1.
    pub stolen: f64,
    /// For how long a quota of processor time kept the run's processes from running; `None` where
    /// there is no group whose quota is told.
    pub throttled: Option<Throttled>,
    /// By how much the wall clock was set within the window, either way.
    pub clock_step: Duration,
    /// For how long the machine was suspended within the window.
    pub suspended: Duration,
}

/// The canary's sight of one core.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CoreWatch {
    /// The core's number.
    pub core: u32,
    /// How often the canary should wake: each millisecond, or as often as its cost allows.
    pub period: Duration,
    /// The longest time by which it woke later than it should.
    pub worst: Duration,
    /// How late each wake-up was: one for each period, less those that a stall took.
    pub lateness: LatencyHistogram,
}

impl CoreWatch {
    /// Delays on this core, as far as the canary's own instants tell.
    #[must_use]
    pub const fn delays(&self) -> Lateness<'_> {
        Lateness { period: self.period, samples: &self.lateness }
    }
}

/// The processor time on the cores in use that went to other processes than the run's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Others {
    /// Their part of the time that the cores in use had to give, 0 to 1.
    pub share: f64,
    /// The run's own part of it.
    pub own_share: f64,
    /// Those of one name that took most, where they stand out.
    pub busiest: Option<BusyProcesses>,
}

/// Processes of one name that are not of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusyProcesses {
    /// The name that they give themselves.
    pub name: String,
    /// How many of them took processor time.
    pub count: u32,
    /// How much they took together, from the start of warm-up to the window's end.
    pub cpu: Duration,
}

/// How long the server and the load generator were ready to run while a core ran something else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// For how long they ran, over all threads.
    pub ran: Duration,
    /// For how long they were ready and did not run.
    pub total: Duration,
    /// How often one of their threads was given a core.
    pub turns: u64,
}

/// Processor time that a control group's quota held back within a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Throttled {
    /// For how long its processes stood still, on all processors together.
    pub time: Duration,
    /// In how many of the quota's periods.
    pub periods: u64,
    /// How many processors' time the quota gives; `None` where there is none any more.
    pub quota: Option<f64>,
}

impl Throttled {
    /// The share of `window` that it stood still, at most 1.
    #[must_use]
    pub fn share(&self, window: Duration) -> f64 {
        of_window(self.time.as_secs_f64(), window)
    }

    /// How long it stood still in a period, on average.
    #[must_use]
    pub fn each(&self) -> Duration {
        self.time.div_f64(self.periods.max(1) as f64)
    }
}

impl Disturbance {
    /// The longest stall on any core; `None` where there was no canary.
    #[must_use]
    pub fn worst_stall(&self) -> Option<Duration> {
        self.cores.iter().map(|core| core.worst).max()
    }

    /// [`Lateness::share`] of the core where it is largest.
    #[must_use]
    pub fn share_late(&self, limit: Duration, window: Duration) -> f64 {
        self.cores.iter().map(|core| core.delays().share(limit, window)).fold(0.0, f64::max)
    }

    /// [`Lateness::share_at_least`] of the core where it is largest.
    #[must_use]
    pub fn share_late_at_least(&self, limit: Duration, window: Duration) -> f64 {
        let cores = self.cores.iter();
        cores.map(|core| core.delays().share_at_least(limit, window)).fold(0.0, f64::max)
    }

    /// For how long the run's processes waited behind others.
    ///
    /// The kernel tells how long they waited, but not behind whom; part of it was behind each
    /// other. It is split as the processor time was.
    #[must_use]
    pub fn behind_others(&self) -> Option<BehindOthers> {
        let (others, waits) = (self.others.as_ref()?, self.waits?);
        let busy = others.share + others.own_share;
        if waits.turns == 0 || busy <= 0.0 {
            return Some(BehindOthers::default());
        }
        let waited = waits.total.mul_f64(others.share / busy);
        let ready = waited + waits.ran;
        Some(BehindOthers {
            each_turn: waited.div_f64(waits.turns as f64),
            share: waited.as_secs_f64() / ready.as_secs_f64().max(f64::MIN_POSITIVE),
        })
    }
}

/// For how long the run's processes waited behind others.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BehindOthers {
    /// On average, each time that one of their threads was ready to run.
    pub each_turn: Duration,
    /// Of all the time in which they would have run, had they been alone.
    pub share: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn watch(lateness: &[Duration]) -> CoreWatch {
        let mut watch = CoreWatch { period: MS, ..CoreWatch::default() };
        for &late in lateness {
            watch.lateness.record(late);
            watch.worst = watch.worst.max(late);
        }
        watch
    }

    #[test]
    fn what_is_late_is_what_lies_beyond_the_limit() {
        // Of a stall of 30.5 ms whatever is due in the first 20.5 ms waits for more than 10 ms,
        // which is 21 of the instants that lie a millisecond apart.
        let core = watch(&[Duration::from_micros(30_500), MS / 20, MS * 9]);
        let share = core.delays().share(MS * 10, Duration::from_secs(1));
        assert!((share - 0.021).abs() < 1e-9, "{share}");
        assert_eq!(CoreWatch::default().delays().share(MS, MS), 0.0);
    }

    /// A stall of 1.4 s that began before a window of 200 ms, or went on behind it.
    #[test]
    fn a_stall_that_is_longer_than_the_window_is_all_of_it() {
        let core = watch(&[MS * 1_400]);
        let (limit, window) = (MS * 10, MS * 200);
        assert_eq!(core.delays().share(limit, window), 1.0);
        assert_eq!(core.delays().share_at_least(limit, window), 1.0);
        let throttled = Throttled { time: MS * 1_400, periods: 14, quota: Some(0.5) };
        assert_eq!(throttled.share(window), 1.0);
    }

    #[test]
    fn a_rarer_look_sees_the_same_share() {
        // Every 5 ms of a second are late by 2 ms; looked at each millisecond, each fifth is.
        let window = Duration::from_secs(1);
        let mut rare = watch(&[MS * 2; 40]);
        rare.period = MS * 5;
        assert!((rare.delays().share(MS, window) - 0.2).abs() < 1e-9);
    }

    /// One wake-up that is late by a millisecond stands for its period, and proves next to nothing;
    /// what was seen to be late is late.
    #[test]
    fn one_short_stall_proves_no_share_and_a_long_one_does() {
        let window = Duration::from_secs(1);
        let mut core = watch(&[MS * 3 / 2]);
        core.period = MS * 10;
        assert!((core.delays().share(MS, window) - 0.01).abs() < 1e-9);
        assert!(core.delays().share_at_least(MS, window) < 0.001);
        let mut core = watch(&[MS * 3 / 2; 20]);
        core.period = MS * 10;
        assert!((0.12..0.2).contains(&core.delays().share_at_least(MS, window)));
        let seen = watch(&[MS * 31]).delays().share_at_least(MS, window);
        assert!((seen - 0.03).abs() < 1e-4, "{seen}");
        assert_eq!(watch(&[]).delays().share_at_least(MS, window), 0.0);
    }

    #[test]
    fn the_worst_core_counts() {
        let cores = vec![watch(&[MS / 2 * 5]), watch(&[MS / 2 * 9]), watch(&[])];
        let disturbance = Disturbance { cores, ..Disturbance::default() };
        assert_eq!(disturbance.worst_stall(), Some(MS / 2 * 9));
        assert!((disturbance.share_late(MS, MS * 80) - 0.05).abs() < 1e-9);
        assert_eq!(Disturbance::default().worst_stall(), None);
    }

    #[test]
    fn waiting_is_split_as_the_processor_time_was() {
        let with = |share, own_share| {
            let disturbance = Disturbance {
                others: Some(Others { share, own_share, busiest: None }),
                waits: Some(Waits { ran: MS * 10, total: MS * 40, turns: 20 }),
                ..Disturbance::default()
            };
            disturbance.behind_others()
        };
        let behind = BehindOthers { each_turn: Duration::from_micros(1500), share: 0.75 };
        assert_eq!(with(0.75, 0.25), Some(behind));
        assert_eq!(with(0.0, 0.9), Some(BehindOthers::default()));
        assert_eq!(with(0.0, 0.0), Some(BehindOthers::default()));
        assert_eq!(Disturbance::default().behind_others(), None);
    }

    #[test]
    fn json_round_trips() {
        let disturbance = Disturbance { cores: vec![watch(&[MS])], ..Disturbance::default() };
        let text = serde_json::to_string(&disturbance).unwrap();
        assert_eq!(serde_json::from_str::<Disturbance>(&text).unwrap(), disturbance);
    }
}
