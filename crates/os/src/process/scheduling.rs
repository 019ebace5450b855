//! Which cores a process may use, and how long its threads waited for one.

use std::fs::{self, File};
use std::io;
use std::time::Duration;

use pushbench_metrics::observe::disturbance::Waits;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::system::SystemFiles;

/// The numbers of the cores that this process may use, ascending; its children may use the same.
///
/// Only core 0 where the kernel does not tell, as on one with more than 1,024 of them.
#[must_use]
pub fn cores() -> Vec<u32> {
    sched_getaffinity(None).map_or_else(|_| vec![0], |set| numbers(&set))
}

/// The numbers of the cores that process `pid` may use, ascending; none where that is not known.
pub(crate) fn cores_of(pid: u32) -> Vec<u32> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let set = pid.and_then(|pid| sched_getaffinity(Some(pid)).ok());
    set.map_or_else(Vec::new, |set| numbers(&set))
}

fn numbers(set: &CpuSet) -> Vec<u32> {
    (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).map(|core| core as u32).collect()
}

/// Keeps the calling thread on `core`.
pub(crate) fn stay_on(core: u32) -> io::Result<()> {
    Ok(sched_setaffinity(None, &only(core)?)?)
}

/// The set that holds `core` alone.
pub(crate) fn only(core: u32) -> io::Result<CpuSet> {
    let mut set = CpuSet::new();
    let core = usize::try_from(core).ok().filter(|&core| core < CpuSet::MAX_CPU);
    set.set(core.ok_or(io::ErrorKind::InvalidInput)?);
    Ok(set)
}

/// How long all living threads of process `pid` have waited for a core since they began.
///
/// `None` where there is no such process, or the kernel was built without `SCHED_INFO`.
#[must_use]
pub fn waits_of(pid: u32) -> Option<Waits> {
    let all = books_of(pid).map(|(_, waits)| waits);
    all.reduce(|sum, waits| Waits {
        ran: sum.ran + waits.ran,
        total: sum.total + waits.total,
        turns: sum.turns + waits.turns,
    })
}

/// The living threads of process `pid`, and for how long each has run.
pub(crate) fn threads(pid: u32) -> impl Iterator<Item = (u32, Duration)> {
    books_of(pid).map(|(thread, waits)| (thread, waits.ran))
}

/// The kernel's books of each living thread of process `pid`.
fn books_of(pid: u32) -> impl Iterator<Item = (u32, Waits)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks.filter_map(|task| {
        let thread = task.file_name().to_str()?.parse().ok()?;
        // A thread may end between the listing and the reading.
        let text = fs::read(task.path().join("schedstat")).ok()?;
        Some((thread, parse(&text)?))
    })
}

/// The file in which the kernel tells how long the calling thread has waited.
pub(crate) fn own_waits() -> io::Result<File> {
    File::open("/proc/thread-self/schedstat")
}

/// How long the thread has waited for a core by now, as that file says. Without a buffer that grows
/// and without a look at the other figures, as a load generator's loop reads it all along, beside
/// its messages.
pub(crate) fn waited(file: &File) -> Option<Duration> {
    let mut text = [0; 64];
    let length = rustix::io::pread(file, &mut text, 0).ok()?;
    let mut figures = text.get(..length)?.split(|&byte| byte == b' ').skip(1);
    figures.next().and_then(number).map(Duration::from_nanos)
}

/// Reads `RUN_NS WAITED_NS TURNS` (Documentation/scheduler/sched-stats.rst).
fn parse(text: &[u8]) -> Option<Waits> {
    let mut figures = text.trim_ascii_end().split(|&byte| byte == b' ').map(number);
    let mut next = || figures.next()?;
    let (ran, total) = (Duration::from_nanos(next()?), Duration::from_nanos(next()?));
    Some(Waits { ran, total, turns: next()? })
}

fn number(digits: &[u8]) -> Option<u64> {
    let add = |sum: u64, &digit: &u8| {
        let digit = Some(digit.wrapping_sub(b'0')).filter(|&digit| digit <= 9)?;
        sum.checked_mul(10)?.checked_add(digit.into())
    };
    digits.iter().try_fold(0, add).filter(|_| !digits.is_empty())
}

/// Whether two threads share a core (`SMT`); `None` where the kernel does not tell.
#[must_use]
pub fn threads_share_cores(system: &SystemFiles) -> Option<bool> {
    Some(system.read("sys/devices/system/cpu/smt/active")? == "1")
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_stays_where_it_is_told_to() {
        let cores = cores();
        assert!(!cores.is_empty() && cores.is_sorted());
        let last = *cores.last().unwrap();
        // On a thread of its own, so that the other tests keep their cores.
        let running = thread::spawn(move || {
            stay_on(last).unwrap();
            (super::cores(), rustix::thread::sched_getcpu())
        });
        assert_eq!(running.join().unwrap(), (vec![last], last as usize));
        assert!(stay_on(u32::MAX).is_err());
    }

    #[test]
    fn who_shares_a_core_waits_for_it() {
        let core = cores()[0];
        // Two threads on one core, each busy for 30 ms of its own: one waits for the other.
        let busy = move || {
            stay_on(core).unwrap();
            let file = own_waits().unwrap();
            let before = waited(&file).unwrap();
            let used = || {
                let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
                Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
            };
            let start = used();
            while used() - start < Duration::from_millis(30) {}
            waited(&file).unwrap() - before
        };
        let (one, two) = (thread::spawn(busy), thread::spawn(busy));
        let waited = one.join().unwrap() + two.join().unwrap();
        // The later to begin may find the other at its end, but then begins behind it.
        assert!(waited > Duration::ZERO, "{waited:?}");
        assert!(waits_of(std::process::id()).unwrap().turns > 0);
        assert_eq!(waits_of(u32::MAX), None);
    }

    #[test]
    fn the_second_figure_is_the_wait() {
        let (ran, total) = (Duration::from_nanos(43_467_339), Duration::from_nanos(17_469_532));
        let waits = Waits { ran, total, turns: 140 };
        assert_eq!(parse(b"43467339 17469532 140\n"), Some(waits));
        assert_eq!(parse(b"43467339 17469532"), None);
        assert_eq!(parse(b"a b c"), None);
    }
}
