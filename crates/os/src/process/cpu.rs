//! The CPU time of a process, read from outside it.
//!
//! The figure that counts is the process CPU clock: nanoseconds, over all threads, ended ones
//! too. How it splits into user and system comes from `/proc/PID/stat` in ticks of usually
//! 10 ms and is only indicative.
//!
//! The clock is exact for a thread that waits. Of a thread that is running on
//! another core at the moment of reading, the time since the kernel's last tick on that core
//! (1 to 10 ms, by the kernel's `HZ`) is not in it yet.

use std::io;
use std::time::Duration;

use pushbench_metrics::record::CpuTime;

use crate::posix::CpuClockId;
use crate::process::error::ProcessError;
use crate::procfs;

const WHAT: &str = "CPU time";

/// The CPU clock of one process. It takes no file descriptor, and nothing from the process.
#[derive(Debug, Clone)]
pub struct ProcessClock {
    pid: u32,
    id: CpuClockId,
    /// In ticks since boot: tells the process from a later one with the same pid.
    started: u64,
}

impl ProcessClock {
    /// The clock of the process with `pid`.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] where there is no such process (a thread's id is none), else
    /// what the system answers.
    pub fn of(pid: u32) -> io::Result<Self> {
        // Zero would mean the calling process to the kernel, a negative number nothing.
        let Some(raw) = i32::try_from(pid).ok().filter(|&pid| pid > 0) else {
            return Err(ProcessError::Ended { what: WHAT, pid }.into());
        };
        let id = CpuClockId::of(raw).map_err(|source| ProcessError::from_io(WHAT, pid, source))?;
        let started = read_stat(pid)?.started;
        Ok(Self { pid, id, started })
    }

    /// The process that this is the clock of.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// Processor time of the process until now. A process that has ended but was not yet waited for
    /// still tells its final figures.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] where the process is gone, even if another one has its pid
    /// by now; else what the system answers.
    pub fn read(&self) -> io::Result<CpuTime> {
        self.read_with_reaped().map(|(own, _)| own)
    }

    /// The process, also where another one has its number one day.
    pub(crate) const fn identity(&self) -> (u32, u64) {
        (self.pid, self.started)
    }

    /// The same, and what those of its children used that have ended and that it waited for, with
    /// all that they had waited for: in whole ticks.
    pub(crate) fn read_with_reaped(&self) -> io::Result<(CpuTime, CpuTime)> {
        let pid = self.pid;
        let total_ns =
            self.id.read_ns().map_err(|source| ProcessError::from_io(WHAT, pid, source))?;
        // Read after the clock: if this is still the same process, so was that.
        let stat = read_stat(pid)?;
        if stat.started != self.started {
            return Err(ProcessError::Ended { what: WHAT, pid }.into());
        }
        let [user, system, reaped_user, reaped_system] =
            [stat.user, stat.system, stat.reaped_user, stat.reaped_system].map(procfs::ticks);
        let total = reaped_user.saturating_add(reaped_system);
        let reaped = CpuTime { total, user: reaped_user, system: reaped_system };
        Ok((CpuTime { total: Duration::from_nanos(total_ns), user, system }, reaped))
    }
}

/// Figures of one process in a look at all.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: String,
    /// The process that it belongs to.
    pub(crate) parent: u32,
    /// In ticks since boot.
    pub(crate) started: u64,
    /// User and system time, in ticks.
    pub(crate) ticks: u64,
}

/// Reads it of process `pid`; `None` where there is no such process.
pub(crate) fn describe(pid: u32) -> Option<Known> {
    let text = procfs::read_of_process(pid, "stat", WHAT).ok()?;
    let stat = parse_stat(&text)?;
    let (before, _) = text.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let ticks = stat.user.saturating_add(stat.system);
    Some(Known { name: name.to_owned(), parent: stat.parent, started: stat.started, ticks })
}

/// Processor time by `/proc/PID/stat`, in ticks.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    user: u64,
    system: u64,
    /// Of children that were waited for.
    reaped_user: u64,
    reaped_system: u64,
    started: u64,
}

fn read_stat(pid: u32) -> Result<Stat, ProcessError> {
    let text = procfs::read_of_process(pid, "stat", WHAT)?;
    parse_stat(&text).ok_or(ProcessError::Absent { what: WHAT, pid, file: "stat" })
}

/// Reads fields 4, 14 to 17 and 22 (proc_pid_stat(5)) of the line in `/proc/PID/stat`.
///
/// Field 2 is the process's name in parentheses, which may itself hold spaces and parentheses;
/// only the last `)` is sure to end it.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, behind_name) = text.rsplit_once(')')?;
    let mut fields = behind_name.split_ascii_whitespace();
    // The first field behind the name has number 3, so number 14 has 9 between it and number 4.
    let parent = fields.nth(1)?.parse().ok()?;
    let mut next = |skipped| fields.nth(skipped)?.parse().ok();
    let (user, system): (u64, u64) = (next(9)?, next(0)?);
    let (reaped_user, reaped_system, started) = (next(0)?, next(0)?, next(4)?);
    Some(Stat { parent, user, system, reaped_user, reaped_system, started })
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    use rustix::time::{ClockId, clock_gettime};

    use super::*;

    fn thread_cpu() -> Duration {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    /// Computes until this thread has run for `time` more; returns for how long it has.
    fn burn(time: Duration) -> Duration {
        let start = thread_cpu();
        loop {
            let burnt = thread_cpu() - start;
            if burnt >= time {
                return burnt;
            }
        }
    }

    fn sleeping_child() -> Child {
        Command::new("sleep").arg("600").spawn().unwrap()
    }

    fn end(mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn burning_shows() {
        let clock = ProcessClock::of(std::process::id()).unwrap();
        let before = clock.read().unwrap();
        let burnt = burn(Duration::from_millis(30));
        let used = clock.read().unwrap().saturating_since(before);
        assert!(used.total >= burnt, "used {used:?}, burnt {burnt:?}");
        // Whole ticks: two of the three that were burnt are surely in the split.
        assert!(used.user + used.system > Duration::ZERO, "used {used:?}");
    }

    #[test]
    fn a_sleeping_child_uses_less_than_a_burning_parent() {
        let child = sleeping_child();
        let clock = ProcessClock::of(child.id()).unwrap();
        let before = clock.read().unwrap();
        let burnt = burn(Duration::from_millis(50));
        let used = clock.read().unwrap().saturating_since(before);
        assert_eq!(clock.pid(), child.id());
        assert!(used.total < burnt, "used {used:?}, burnt {burnt:?}");
        end(child);
    }

    #[test]
    fn a_process_that_is_gone_says_so() {
        let child = sleeping_child();
        let pid = child.id();
        let clock = ProcessClock::of(pid).unwrap();
        end(child);
        let error = clock.read().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains(&format!("CPU time of process {pid}")), "{error}");
    }

    #[test]
    fn a_process_not_yet_waited_for_tells_its_last() {
        let mut child = sleeping_child();
        let clock = ProcessClock::of(child.id()).unwrap();
        let before = clock.read().unwrap();
        child.kill().unwrap();
        let pid = Pid::from_child(&child);
        waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
        assert!(clock.read().unwrap().total >= before.total);
        child.wait().unwrap();
    }

    #[test]
    fn another_process_with_the_same_pid_is_not_taken_for_it() {
        let mut clock = ProcessClock::of(std::process::id()).unwrap();
        clock.started += 1;
        assert_eq!(clock.read().unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_cannot_be_a_process_is_none() {
        for pid in [0, u32::MAX, i32::MAX as u32] {
            assert_eq!(ProcessClock::of(pid).unwrap_err().kind(), io::ErrorKind::NotFound);
        }
    }

    #[test]
    fn the_name_in_a_stat_line_may_hold_anything() {
        let line = "4242 (tricky) S 1 (x) R 1 4242 4242 0 -1 4194304 103 0 0 0 57 13 8 2 20 0 \
                    1 0 126018 3133440 384 18446744073709551615";
        let stat = Stat {
            parent: 1,
            user: 57,
            system: 13,
            reaped_user: 8,
            reaped_system: 2,
            started: 126_018,
        };
        assert_eq!(parse_stat(line), Some(stat));
        assert_eq!(parse_stat("4242 (sleep) S 1 2 3"), None);
        assert_eq!(parse_stat(""), None);
    }
}
