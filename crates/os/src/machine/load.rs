//! How the whole machine spent its time.
//!
//! Two of these figures speak about every other one: what the hypervisor stole was given to
//! nobody here, and on loopback part of a receiver's work is done in soft interrupts that no
//! process is charged for.

use std::io;

use thiserror::Error;

use crate::procfs;

/// Why the machine's times could not be read.
#[derive(Debug, Error)]
pub enum MachineError {
    /// The operating system refused.
    #[error("cannot read the machine's CPU times from /proc/stat; check that /proc is mounted")]
    Unreadable(#[from] io::Error),
    /// The kernel's text is not one that this program knows.
    #[error(
        "cannot read the machine's CPU times: /proc/stat begins with no line of at least eight \
         times, as Linux has had since 2.6.11"
    )]
    Unexpected,
}

/// Time of some cores together, since boot or between two readings, in nanoseconds.
///
/// Told in ticks of usually 10 ms. The kernel notes to the nanosecond when a core falls idle and
/// when it wakes, but what else it does it charges to whoever runs as its own clock ticks, 1 to
/// 10 ms apart. Work that comes on a beat is then charged wholly or not at all: of a server that
/// took 6 % of its core with a message each 5 ms, 0 or 20 %, as its beat met the tick's. So what
/// was busy is what was not idle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MachineTimes {
    /// A core was ready to run, and the hypervisor ran something else.
    pub steal_ns: u64,
    /// Spent in soft interrupts, the network's above all.
    pub softirq_ns: u64,
    /// Nothing to do, or only waiting for disks.
    pub idle_ns: u64,
    /// The sum of all that is counted: elapsed time × cores, as far as ticks tell.
    pub total_ns: u64,
}

impl MachineTimes {
    /// Reads the times since boot from the first line of `/proc/stat`.
    ///
    /// # Errors
    ///
    /// Where that file cannot be read, or begins with another line.
    pub fn read() -> Result<Self, MachineError> {
        let text = procfs::try_read("/proc/stat")?;
        parse_stat(&text).ok_or(MachineError::Unexpected)
    }

    /// Reads the times since boot of `cores` alone, from their own lines in `/proc/stat`.
    ///
    /// # Errors
    ///
    /// Where that file cannot be read, or none of the cores has a line.
    pub fn read_cores(cores: &[u32]) -> Result<Self, MachineError> {
        let text = procfs::try_read("/proc/stat")?;
        parse_cores(&text, cores).ok_or(MachineError::Unexpected)
    }

    /// Of the `given_ns` that passed on all cores, those in which a core did something: neither
    /// idle nor stolen.
    #[must_use]
    pub const fn busy_ns(self, given_ns: u64) -> u64 {
        given_ns.saturating_sub(self.idle_ns).saturating_sub(self.steal_ns)
    }

    /// Processor time between the reading `earlier` and this one, each part at least 0: the
    /// kernel does not promise that its counts never go back.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Self {
        Self {
            steal_ns: self.steal_ns.saturating_sub(earlier.steal_ns),
            softirq_ns: self.softirq_ns.saturating_sub(earlier.softirq_ns),
            idle_ns: self.idle_ns.saturating_sub(earlier.idle_ns),
            total_ns: self.total_ns.saturating_sub(earlier.total_ns),
        }
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            steal_ns: self.steal_ns.saturating_add(other.steal_ns),
            softirq_ns: self.softirq_ns.saturating_add(other.softirq_ns),
            idle_ns: self.idle_ns.saturating_add(other.idle_ns),
            total_ns: self.total_ns.saturating_add(other.total_ns),
        }
    }
}

fn parse_stat(text: &str) -> Option<MachineTimes> {
    let (name, times) = parse_line(text.lines().next()?)?;
    (name == "cpu").then_some(times)
}

/// The sum of the lines `cpuN` whose number is in `cores`.
fn parse_cores(text: &str, cores: &[u32]) -> Option<MachineTimes> {
    let lines = text.lines().take_while(|line| line.starts_with("cpu")).filter_map(parse_line);
    let of_cores = lines.filter(|(name, _)| {
        name.strip_prefix("cpu")
            .and_then(|number| number.parse().ok())
            .is_some_and(|number: u32| cores.contains(&number))
    });
    of_cores.map(|(_, times)| times).reduce(MachineTimes::plus)
}

/// Reads `cpu  user nice system idle iowait irq softirq steal guest guest_nice` (proc_stat(5)),
/// and the line's name.
///
/// Guests' time is part of user and nice already, so the total ends with `steal`.
fn parse_line(line: &str) -> Option<(&str, MachineTimes)> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next()?;
    let mut ticks = [0_u64; 8];
    for count in &mut ticks {
        *count = words.next()?.parse().ok()?;
    }
    let [_user, _nice, _system, idle, iowait, _irq, softirq, steal] = ticks;
    let times = MachineTimes {
        steal_ns: procfs::ticks_to_ns(steal),
        softirq_ns: procfs::ticks_to_ns(softirq),
        idle_ns: procfs::ticks_to_ns(idle.saturating_add(iowait)),
        total_ns: procfs::ticks_to_ns(ticks.iter().fold(0, |sum, &n| sum.saturating_add(n))),
    };
    Some((name, times))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "cpu  100 20 30 4000 50 6 7 8 90 10\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 12345\n";

    #[test]
    fn the_first_line_is_the_whole_machine() {
        let times = parse_stat(TEXT).unwrap();
        assert_eq!(times.steal_ns, procfs::ticks_to_ns(8));
        assert_eq!(times.softirq_ns, procfs::ticks_to_ns(7));
        assert_eq!(times.idle_ns, procfs::ticks_to_ns(4050));
        assert_eq!(times.total_ns, procfs::ticks_to_ns(4221), "guests are not counted twice");
    }

    #[test]
    fn some_cores_are_the_sum_of_their_lines() {
        let text = format!("{TEXT}cpu1 9 9 9 9 9 9 9 9 9 9\n")
            .replace("intr 12345\n", "cpu10 1 1 1 7 1 1 1 1 1 1\n");
        let idle = |cores: &[u32]| parse_cores(&text, cores).map(|times| times.idle_ns);
        assert_eq!(idle(&[0]), Some(procfs::ticks_to_ns(9)));
        assert_eq!(idle(&[0, 10]), Some(procfs::ticks_to_ns(17)));
        assert_eq!(idle(&[7]), None);
        // Whatever the ticks were charged to: 40 have passed.
        let busy = parse_cores(&text, &[0]).unwrap().busy_ns(procfs::ticks_to_ns(40));
        assert_eq!(busy, procfs::ticks_to_ns(40 - 9 - 8));
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["", "cpu0 1 2 3 4 5 6 7 8 9 10\n", "cpu  1 2 3\n", "cpu  1 2 3 x 5 6 7 8\n"] {
            assert_eq!(parse_stat(text), None, "{text:?}");
        }
    }

    #[test]
    fn readings_subtract() {
        let early = MachineTimes { steal_ns: 5, softirq_ns: 1, idle_ns: 10, total_ns: 20 };
        let late = MachineTimes { steal_ns: 4, softirq_ns: 3, idle_ns: 30, total_ns: 60 };
        let between = MachineTimes { steal_ns: 0, softirq_ns: 2, idle_ns: 20, total_ns: 40 };
        assert_eq!(late.saturating_since(early), between);
    }

    #[test]
    fn this_machine_has_run_for_some_time() {
        let times = MachineTimes::read().unwrap();
        assert!(times.total_ns > 0);
        assert!(times.idle_ns <= times.total_ns);
    }
}
