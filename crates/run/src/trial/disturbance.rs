//! Disturbances of a window from outside: canaries on each core, the other processes, the clocks.

use std::collections::HashMap;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::instant::saturating_nanos;
use pushbench_metrics::observe::disturbance::{Disturbance, Others, Throttled, Waits};
use pushbench_os::machine::cgroup::{Cgroups, Throttling};
use pushbench_os::machine::load::MachineTimes;
use pushbench_os::machine::others::ProcessTimes;
use pushbench_os::net::rx_stamp::ClockOffset;
use pushbench_os::process::cpu::ProcessClock;
use pushbench_os::process::scheduling;
use pushbench_os::system::SystemFiles;
use pushbench_os::time::canary::{Canaries, Canary};
use pushbench_os::time::clock;

/// Processes that took less than this part of what all others took together are not named.
const STANDS_OUT: f64 = 0.3;

/// A watch over one window, from before its start.
#[derive(Debug)]
pub struct DisturbanceWatch {
    cores: Vec<u32>,
    /// The processes of the trial.
    own: Vec<u32>,
    /// CPU time that each of them had spent when that was last read, before some were to end.
    spent: HashMap<u32, Duration>,
    /// Spent by those of the trial that have ended.
    gone: Duration,
    canaries: Option<Canaries>,
    wall: ClockOffset,
    slept: Duration,
    processes: ProcessTimes,
    /// When that look was.
    looked: MonoInstant,
    groups: Cgroups,
    /// The counters at the window's start.
    before: Counters,
}

/// Counters at one moment.
#[derive(Debug, Default)]
struct Counters {
    throttling: Vec<Throttling>,
    waits: Option<Waits>,
    machine: Option<MachineTimes>,
    times: Option<Times>,
}

/// Processor time of the cores in use and of the run's own processes, at one moment.
#[derive(Debug, Clone, Copy)]
struct Times {
    at: MonoInstant,
    machine: MachineTimes,
    own: Duration,
}

impl DisturbanceWatch {
    /// Gets ready for a window that begins at `begin`; the steps that take milliseconds are done here.
    /// `own` are all processes of the trial, or `None` where some of them are not known.
    pub fn start(own: Option<Vec<u32>>, begin: MonoInstant) -> Self {
        let cores = scheduling::cores();
        Self {
            canaries: Canaries::start(Canary::Stalls, &cores, begin).ok(),
            wall: ClockOffset::now(),
            slept: clock::suspended(),
            processes: ProcessTimes::now(),
            looked: clock::now(),
            own: own.unwrap_or_default(),
            spent: HashMap::new(),
            gone: Duration::ZERO,
            cores,
            groups: Cgroups::of_self(&SystemFiles::default()),
            before: Counters::default(),
        }
    }

    /// Reads the counters at the window's start.
    pub fn begin(&mut self) {
        self.before = self.counters();
    }

    /// Some of the trial's processes are about to end: what each has spent is kept.
    pub(super) fn goes(&mut self) {
        let cpu = |pid: u32| ProcessClock::of(pid).ok()?.read().ok().map(|cpu| cpu.total);
        self.spent.extend(self.own.iter().filter_map(|&pid| Some((pid, cpu(pid)?))));
    }

    /// The processes `now` have come in the place of those of `before`, which have ended.
    pub(super) fn comes(&mut self, before: &[u32], now: &[u32]) {
        let known = self.own.len();
        self.own.retain(|pid| !before.contains(pid));
        if self.own.len() < known {
            self.own.extend_from_slice(now);
        }
        self.gone += before.iter().filter_map(|pid| self.spent.get(pid)).sum::<Duration>();
    }

    fn counters(&self) -> Counters {
        let (throttling, waits) = (self.groups.throttling(), self.waits_now());
        let machine = MachineTimes::read_cores(&self.cores).ok();
        let times = machine.and_then(|machine| self.times_now(machine));
        Counters { throttling, waits, machine, times }
    }

    /// Reads them again at the window's end, and ends the watch.
    pub fn end(self) -> Disturbance {
        let (now, before) = (self.counters(), &self.before);
        let throttled = self.throttled(&now);
        let report = self.canaries.map(Canaries::stop).unwrap_or_default();
        let wall = ClockOffset::now();
        let others = now.times.zip(before.times).map(|(now, before)| {
            let mut others = before.until(&now, self.cores.len());
            let busiest = ProcessTimes::now().busiest_since(&self.processes, &self.own);
            // The looks are further apart than the window is long, by what came before it.
            let looked = clock::now().saturating_since(self.looked);
            let all = looked.mul_f64(others.share * self.cores.len() as f64);
            others.busiest = busiest.filter(|busy| busy.cpu >= all.mul_f64(STANDS_OUT));
            others
        });
        Disturbance {
            cores: report.cores,
            canary_first: report.first,
            canary_cpu: report.cpu,
            others,
            waits: now.waits.zip(before.waits).map(|(now, before)| Waits {
                ran: now.ran.saturating_sub(before.ran),
                total: now.total.saturating_sub(before.total),
                turns: now.turns.saturating_sub(before.turns),
            }),
            stolen: now
                .machine
                .zip(before.machine)
                .map_or(0.0, |(now, before)| stolen(now, before)),
            throttled,
            clock_step: Duration::from_nanos(wall.nanos.abs_diff(self.wall.nanos)),
            suspended: clock::suspended().saturating_sub(self.slept),
        }
    }

    /// Time that the quota that bound most held back since the window's start.
    fn throttled(&self, now: &Counters) -> Option<Throttled> {
        let each = now.throttling.iter().zip(&self.before.throttling);
        let worst = each.map(|(now, before)| now.saturating_since(*before));
        let Throttling { time, periods } = worst.max_by_key(|spent| spent.time)?;
        let quota = self.groups.cpu_quota();
        (quota.is_some() || !time.is_zero()).then_some(Throttled { time, periods, quota })
    }

    /// `None` where the own processes are not known: they would be taken for others.
    fn times_now(&self, machine: MachineTimes) -> Option<Times> {
        if self.own.is_empty() {
            return None;
        }
        let cpu = |&pid: &u32| ProcessClock::of(pid).ok()?.read().ok().map(|cpu| cpu.total);
        let own = self.own.iter().map(cpu).sum::<Option<Duration>>()? + self.gone;
        Some(Times { at: clock::now(), machine, own })
    }

    /// Of the trial's children: what this process waits for is not measured.
    fn waits_now(&self) -> Option<Waits> {
        let this = std::process::id();
        let children = self.own.iter().filter(|&&pid| pid != this);
        let mut all = Waits::default();
        for &pid in children {
            let waits = scheduling::waits_of(pid)?;
            all.ran += waits.ran;
            all.total += waits.total;
            all.turns += waits.turns;
        }
        (all.turns > 0).then_some(all)
    }
}

impl Times {
    /// Who took how much between this reading and `later`.
    fn until(&self, later: &Self, cores: usize) -> Others {
        let given_ns = saturating_nanos(later.at.saturating_since(self.at)) * cores as u64;
        let given = given_ns as f64 / 1e9;
        let busy = later.machine.saturating_since(self.machine).busy_ns(given_ns) as f64 / 1e9;
        let own = later.own.saturating_sub(self.own).as_secs_f64();
        let share =
            |seconds: f64| if given > 0.0 { (seconds / given).clamp(0.0, 1.0) } else { 0.0 };
        Others { share: share(busy - own), own_share: share(own), busiest: None }
    }
}

fn stolen(now: MachineTimes, before: MachineTimes) -> f64 {
    let spent = now.saturating_since(before);
    spent.steal_ns as f64 / spent.total_ns.max(1) as f64
}

#[cfg(test)]
mod tests {
    use pushbench_metrics::record::warning::CLOCK_MOVED;

    use super::*;

    fn times(at_ms: u64, busy_ms: u64, own_ms: u64) -> Times {
        let total_ns = 2 * at_ms * 1_000_000;
        let idle_ns = total_ns - busy_ms * 1_000_000;
        let machine = MachineTimes { total_ns, idle_ns, ..MachineTimes::default() };
        Times { at: MonoInstant(at_ms * 1_000_000), machine, own: Duration::from_millis(own_ms) }
    }

    #[test]
    fn others_have_what_is_busy_and_not_the_runs_own() {
        let others = times(1_000, 1_000, 400).until(&times(2_000, 2_500, 900), 2);
        assert!((others.share - 0.5).abs() < 1e-9, "{others:?}");
        assert!((others.own_share - 0.25).abs() < 1e-9, "{others:?}");
        // One is told in ticks and the other is not: a difference below zero is none.
        let quiet = times(1_000, 1_000, 400).until(&times(2_000, 1_400, 900), 2);
        assert_eq!(quiet.share, 0.0);
    }

    /// A tick is charged to whoever runs as it comes: more than passed, or less.
    #[test]
    fn what_ticks_are_charged_to_is_nobodys_time() {
        let before = times(1_000, 1_000, 400);
        for charged_ms in [0, 1_500, 9_000] {
            let mut after = times(2_000, 2_500, 900);
            after.machine.total_ns = before.machine.total_ns + charged_ms * 1_000_000;
            let others = before.until(&after, 2);
            assert!((others.share - 0.5).abs() < 1e-9, "{charged_ms}: {others:?}");
        }
    }

    #[test]
    fn a_spinning_process_beside_the_trial_is_found_and_named() {
        let spinner = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn();
        let mut spinner = spinner.unwrap();
        let mut sleeper = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let own = vec![sleeper.id(), std::process::id()];
        let begin = clock::now();
        let mut watch = DisturbanceWatch::start(Some(own), begin);
        watch.begin();
        // It goes on until the spinner has had a quarter of a second of processor time.
        let clock = ProcessClock::of(spinner.id()).unwrap();
        let had = || clock.read().unwrap().total;
        while had() < Duration::from_millis(250) {
            clock::sleep_until(clock::now() + Duration::from_millis(10));
        }
        let disturbance = watch.end();
        for child in [&mut spinner, &mut sleeper] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let others = disturbance.others.unwrap();
        assert!(others.share > 0.0, "{others:?}");
        assert_eq!(disturbance.cores.len(), scheduling::cores().len());
        assert!(disturbance.suspended < CLOCK_MOVED && disturbance.clock_step < CLOCK_MOVED);
        let look = ProcessTimes::now().busiest_since(&ProcessTimes::default(), &[]);
        assert!(look.is_some());
    }

    #[test]
    fn without_all_processes_of_the_trial_nobody_is_called_another() {
        let mut watch = DisturbanceWatch::start(None, clock::now());
        watch.begin();
        let disturbance = watch.end();
        assert_eq!((disturbance.others, disturbance.waits), (None, None));
    }
}
