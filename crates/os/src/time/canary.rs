//! Threads that should wake each millisecond, one on each core, and note when they did not.
//!
//! If a canary was late although it goes before everything else, the machine itself stood still:
//! a hypervisor gave the core to another guest, or the kernel held it. A trial on which that
//! happened says nothing about a transport.
//!
//! A canary that competes for its core on equal terms sees something else: how full the core is,
//! and that may be the very load that is measured. So it asks for real-time priority. Where that
//! is refused, what it waited behind other threads (the kernel's run delay) is taken off its
//! lateness; and where the kernel does not tell that either, its lateness stands as it is.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::disturbance::CoreWatch;

use crate::posix;
use crate::process::thread_time::own_cpu;
use crate::process::{precedence, scheduling};
use crate::time::clock;

/// How often a canary wakes, where that costs little enough.
pub const PERIOD: Duration = Duration::from_millis(1);

/// The longest time that a canary sleeps however dear its wake-ups are, a fifth of the stall that
/// makes a trial invalid.
const LONGEST_PERIOD: Duration = Duration::from_millis(20);

/// The share of one core that all canaries of the stalls together may take.
const BUDGET: f64 = 0.003;

/// Wake-ups from which the cost of one is told.
const TRIED: u32 = 16;

/// The most cores that are watched; of more, as many are chosen at equal distances.
const MOST_CORES: usize = 64;

/// The kind of lateness that is of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// Only the machine's own: what no priority helps against.
    Stalls,
    /// Lateness that a normal thread meets, such as a server's: other threads are part of it.
    Jitter,
}

/// The sightings of the canaries between their start and their stop.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CanaryReport {
    /// On each core that was watched.
    pub cores: Vec<CoreWatch>,
    /// Whether all of them had real-time priority.
    pub first: bool,
    /// Processor time that they took together.
    pub cpu: Duration,
}

/// Running canaries. Dropped without [`Canaries::stop`], they end by themselves, unread.
#[derive(Debug)]
pub struct Canaries {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<CoreReport>>,
}

/// The sightings on one core.
#[derive(Debug, Default)]
struct CoreReport {
    watch: CoreWatch,
    first: bool,
    cpu: Duration,
}

impl Canaries {
    /// Starts a thread on each of `cores`, which sleeps until `begin` and watches from then on.
    ///
    /// A wake-up costs a few microseconds of its core, on some virtual machines near to twenty,
    /// which would be two per cent of each core. So those of the stalls wake less often than each
    /// millisecond where they would take more than 0.3 % of one core together. What one costs is
    /// found out at the first call, which takes some 20 ms for it; under load it is up to twice that.
    ///
    /// # Errors
    ///
    /// The system's error where it cannot start a thread.
    pub fn start(kind: Canary, cores: &[u32], begin: MonoInstant) -> io::Result<Self> {
        let mut canaries = Self { stop: Arc::default(), threads: Vec::new() };
        let cores = spread(cores);
        let period = match kind {
            Canary::Stalls => affordable(*COST.get_or_init(cost_of_waking), cores.len()),
            Canary::Jitter => PERIOD,
        };
        for core in cores {
            let stop = Arc::clone(&canaries.stop);
            let builder = thread::Builder::new().name(format!("canary-{core}"));
            let thread = builder.spawn(move || watch(kind, core, period, begin, &stop))?;
            canaries.threads.push(thread);
        }
        Ok(canaries)
    }

    /// Stops the threads, each at the latest at its next wake-up, and tells what they saw.
    #[must_use]
    pub fn stop(mut self) -> CanaryReport {
        self.stop.store(true, Ordering::Relaxed);
        let mut report = CanaryReport { first: true, ..CanaryReport::default() };
        for thread in self.threads.drain(..) {
            // An empty report would claim that all was well.
            let core = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            report.first &= core.first;
            report.cpu += core.cpu;
            report.cores.push(core.watch);
        }
        report
    }
}

impl Drop for Canaries {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// At most [`MOST_CORES`] of `cores`, at equal distances.
fn spread(cores: &[u32]) -> Vec<u32> {
    let step = cores.len().div_ceil(MOST_CORES).max(1);
    cores.iter().copied().step_by(step).collect()
}

/// The cost of a wake-up on this machine.
static COST: OnceLock<Duration> = OnceLock::new();

/// Tries it on the calling thread.
fn cost_of_waking() -> Duration {
    let (start, before) = (clock::now(), own_cpu());
    for tried in 1..=TRIED {
        clock::sleep_until(start + PERIOD * tried);
    }
    own_cpu().saturating_sub(before) / TRIED
}

/// The shortest period that keeps within the budget, where a wake-up takes `cost` on each core.
fn affordable(cost: Duration, cores: usize) -> Duration {
    let all = cost.mul_f64(cores as f64 / BUDGET);
    all.clamp(PERIOD, LONGEST_PERIOD)
}

/// Wakes at `begin` and each period after, until `stop`. A stall that lasts over the stop is
/// still seen, since the flag is read only after a wake-up was noted.
fn watch(
    kind: Canary,
    core: u32,
    period: Duration,
    begin: MonoInstant,
    stop: &AtomicBool,
) -> CoreReport {
    // A core that went offline meanwhile is watched from another one: better than not at all.
    let _ = scheduling::stay_on(core);
    let first = kind == Canary::Stalls && posix::go_first(precedence::CANARY).is_ok();
    // The kernel may wake a normal thread 50 µs late to save power; a timerfd, which the server
    // waits on, knows no such slack.
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
    let mut waited = Waited::new(kind == Canary::Stalls && !first);
    let mut watch = CoreWatch { core, period, ..CoreWatch::default() };
    let cpu_before = own_cpu();
    // What it took to come here, behind whatever filled the core, is no stall.
    let mut due = begin.max(clock::now() + period);
    loop {
        clock::sleep_until(due);
        let now = clock::now();
        let stalled = now.saturating_since(due).saturating_sub(waited.since_last());
        due = note(&mut watch, due, now, stalled);
        if stop.load(Ordering::Relaxed) {
            return CoreReport { watch, first, cpu: own_cpu().saturating_sub(cpu_before) };
        }
    }
}

/// Notes a wake-up at `now` that was due at `due`, and late by `stalled` for the machine's sake;
/// returns when the next one is due.
///
/// Instants that passed meanwhile are left out: otherwise one stall of a second would be a
/// thousand late wake-ups.
fn note(
    watch: &mut CoreWatch,
    due: MonoInstant,
    now: MonoInstant,
    stalled: Duration,
) -> MonoInstant {
    watch.lateness.record(stalled);
    watch.worst = watch.worst.max(stalled);
    (due + watch.period).max(now)
}

/// How long this thread was ready to run and did not.
struct Waited {
    /// `None` where it is not asked for, or the kernel does not tell.
    file: Option<File>,
    last: Duration,
}

impl Waited {
    fn new(asked: bool) -> Self {
        let file = asked.then(scheduling::own_waits).and_then(Result::ok);
        let mut waited = Self { file, last: Duration::ZERO };
        waited.since_last();
        waited
    }

    fn since_last(&mut self) -> Duration {
        let Some(waited) = self.file.as_ref().and_then(scheduling::waited) else {
            return Duration::ZERO;
        };
        waited.saturating_sub(std::mem::replace(&mut self.last, waited))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUE: MonoInstant = MonoInstant(5_000_000);

    #[test]
    fn a_canary_on_time_keeps_its_pace() {
        let mut watch = CoreWatch { period: PERIOD, ..CoreWatch::default() };
        let late = Duration::from_micros(60);
        assert_eq!(note(&mut watch, DUE, DUE + late, late), DUE + PERIOD);
        assert_eq!((watch.worst, watch.lateness.count()), (late, 1));
    }

    #[test]
    fn a_stall_counts_once() {
        let mut watch = CoreWatch { period: PERIOD, ..CoreWatch::default() };
        let second = Duration::from_secs(1);
        let next = note(&mut watch, DUE, DUE + second, second);
        assert_eq!(next, DUE + second);
        note(&mut watch, next, next, Duration::ZERO);
        assert_eq!((watch.worst, watch.lateness.count()), (second, 2));
    }

    #[test]
    fn there_is_one_on_each_core_and_it_wakes_at_most_once_a_period() {
        let cores = scheduling::cores();
        for kind in [Canary::Stalls, Canary::Jitter] {
            let begin = clock::now();
            let canaries = Canaries::start(kind, &cores, begin).unwrap();
            clock::sleep_until(begin + LONGEST_PERIOD * 2);
            let report = canaries.stop();
            let elapsed = clock::now().saturating_since(begin);
            let watched: Vec<u32> = report.cores.iter().map(|watch| watch.core).collect();
            assert_eq!(watched, spread(&cores));
            for watch in &report.cores {
                assert!(watch.lateness.count() >= 1);
                assert!((PERIOD..=LONGEST_PERIOD).contains(&watch.period));
                let most = elapsed.as_nanos() / PERIOD.as_nanos();
                assert!(u128::from(watch.lateness.count()) <= most, "{watch:?}");
                assert!(watch.worst <= elapsed, "{watch:?}");
            }
            assert!(!report.cpu.is_zero());
            assert!(kind == Canary::Stalls || !report.first, "jitter is that of normal threads");
        }
    }

    #[test]
    fn nothing_is_seen_before_its_begin() {
        let canaries =
            Canaries::start(Canary::Stalls, &scheduling::cores()[..1], clock::now() + PERIOD * 30)
                .unwrap();
        let report = canaries.stop();
        assert_eq!(report.cores[0].lateness.count(), 1, "the wake-up at which it saw the stop");
    }

    #[test]
    fn a_dropped_one_ends() {
        let canaries = Canaries::start(Canary::Stalls, &scheduling::cores(), clock::now()).unwrap();
        let stop = Arc::clone(&canaries.stop);
        drop(canaries);
        // The threads held the other ones.
        while Arc::strong_count(&stop) > 1 {
            thread::yield_now();
        }
    }

    #[test]
    fn dear_wake_ups_are_had_less_often() {
        let micros = Duration::from_micros;
        assert_eq!(affordable(micros(1), 2), PERIOD);
        assert_eq!(affordable(micros(15), 2), Duration::from_millis(10));
        assert_eq!(affordable(micros(15), 64), LONGEST_PERIOD);
        assert_eq!(affordable(Duration::ZERO, 2), PERIOD);
    }

    #[test]
    fn of_many_cores_some_are_watched_at_equal_distances() {
        let cores: Vec<u32> = (0..200).collect();
        assert_eq!(spread(&cores).len(), 50);
        assert_eq!(spread(&cores)[1] - spread(&cores)[0], 4);
        assert_eq!(spread(&cores[..64]).len(), 64);
        assert_eq!(spread(&[3]), [3]);
        assert!(spread(&[]).is_empty());
    }
}
