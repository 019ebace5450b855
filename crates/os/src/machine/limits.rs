//! Limits of the machine, and whether a run fits into them.
//!
//! Asked before the first trial, so that a run fails at once and says what to change, instead
//! of failing at its largest point after an hour. Nothing but this process's own soft limit is
//! ever changed.

mod error;
mod room;

use std::ops::RangeInclusive;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

pub use self::error::LimitError;
pub use self::room::{
    BYTES_PER_CLIENT, Bound, Demand, EXTRA_FDS, MAX_PROCESSES, Room, fit, most_clients,
};
use crate::machine::cgroup::Cgroups;
use crate::procfs;
use crate::system::SystemFiles;

/// Linux's own default of `net.ipv4.ip_local_port_range`.
const DEFAULT_PORTS: RangeInclusive<u16> = 32_768..=60_999;

/// A limit of this process; `u64::MAX` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The limit that holds now.
    pub soft: u64,
    /// The most that the process may raise `soft` to.
    pub hard: u64,
}

/// How many file descriptors this process may have open.
#[must_use]
pub fn open_files() -> Limit {
    let limit = getrlimit(Resource::Nofile);
    Limit { soft: limit.current.unwrap_or(u64::MAX), hard: limit.maximum.unwrap_or(u64::MAX) }
}

/// Raises this process's soft limit of open files to `wanted`, or to the hard limit if that is
/// less; never lowers it. Returns the soft limit that then holds.
pub fn raise_open_files(wanted: u64) -> u64 {
    let Limit { soft, hard } = open_files();
    let target = wanted.min(hard);
    if target <= soft {
        return soft;
    }
    // A refusal leaves the limit as it was, which is what the caller then learns.
    let maximum = Some(hard).filter(|&hard| hard != u64::MAX);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(target), maximum });
    open_files().soft
}

/// The ports that the kernel gives to outgoing connections
/// (`net.ipv4.ip_local_port_range`); Linux's default where they cannot be read.
#[must_use]
pub fn local_ports(system: &SystemFiles) -> RangeInclusive<u16> {
    read_local_ports(system).unwrap_or(DEFAULT_PORTS)
}

/// Bytes that could be allocated without swapping (`MemAvailable`); `None` where the kernel
/// does not tell. What a cgroup allows may be less ([`crate::machine::cgroup`]).
#[must_use]
pub fn available_memory_bytes(system: &SystemFiles) -> Option<u64> {
    meminfo_bytes(system, "MemAvailable")
}

pub(crate) fn read_local_ports(system: &SystemFiles) -> Option<RangeInclusive<u16>> {
    parse_ports(&system.read("proc/sys/net/ipv4/ip_local_port_range")?)
}

pub(crate) fn meminfo_bytes(system: &SystemFiles, key: &str) -> Option<u64> {
    procfs::field_in_bytes(&system.read("proc/meminfo")?, key)
}

/// Reads two numbers with white space between them.
fn parse_ports(text: &str) -> Option<RangeInclusive<u16>> {
    let mut ports = text.split_ascii_whitespace().map(str::parse);
    Some(ports.next()?.ok()?..=ports.next()?.ok()?)
}

/// The limits that a run is held against, as they are now. `None` is "not known", and bounds
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// File descriptors for each process. The hard limit counts where
    /// [`raise_open_files`] is called before connecting.
    pub open_files: u64,
    /// Ports for outgoing connections. Each connection from one address to one listener needs
    /// its own; what other programs hold of them is not known here.
    pub local_ports: RangeInclusive<u16>,
    /// Memory that could be allocated without swapping.
    pub memory_bytes: Option<u64>,
    /// Memory that this process's control group, or one above it, could still take.
    pub group_memory_bytes: Option<u64>,
    /// Bytes that all TCP sockets may buffer (the last of `net.ipv4.tcp_mem`).
    pub tcp_bytes: Option<u64>,
    /// Bytes of a page of memory, the least that a socket with anything in its buffers takes.
    pub page_bytes: u64,
    /// File descriptors that the whole system has left (`fs.file-max`).
    pub system_files: Option<u64>,
    /// Descriptors that all processes of this user may watch (`fs.epoll.max_user_watches`).
    pub epoll_watches: Option<u64>,
    /// Connections that the packet filter can still follow (`net.netfilter.nf_conntrack_max`);
    /// `None` too where it follows none.
    pub tracked_connections: Option<u64>,
    /// Connections that may wait for one listener to accept them (`net.core.somaxconn`).
    pub backlog: Option<u64>,
}

impl Limits {
    /// The limits of this machine, with the hard limit of open files.
    #[must_use]
    pub fn read() -> Self {
        Self::of(&SystemFiles::default())
    }

    /// The limits of the machine that `system` is of, with this process's limit of open files.
    #[must_use]
    pub fn of(system: &SystemFiles) -> Self {
        let sysctl = |name, index| sysctl(system, name, index);
        let page_bytes = rustix::param::page_size() as u64;
        let tcp_pages = sysctl("net/ipv4/tcp_mem", 2);
        let tracked = sysctl("net/netfilter/nf_conntrack_count", 0).filter(|&count| count > 0);
        let most_tracked = sysctl("net/netfilter/nf_conntrack_max", 0);
        let (taken, most) = (sysctl("fs/file-nr", 0), sysctl("fs/file-max", 0));
        let left = |(most, taken): (u64, u64)| most.saturating_sub(taken);
        Self {
            open_files: open_files().hard,
            local_ports: local_ports(system),
            memory_bytes: available_memory_bytes(system),
            group_memory_bytes: Cgroups::of_self(system).memory().map(|room| room.free),
            tcp_bytes: tcp_pages.map(|pages| pages.saturating_mul(page_bytes)),
            page_bytes,
            system_files: most.zip(taken).map(left),
            epoll_watches: sysctl("fs/epoll/max_user_watches", 0),
            tracked_connections: most_tracked.zip(tracked).map(left),
            backlog: sysctl("net/core/somaxconn", 0),
        }
    }
}

/// The number at `index`, from 0, in `/proc/sys/NAME`.
fn sysctl(system: &SystemFiles, name: &str, index: usize) -> Option<u64> {
    let text = system.read(format!("proc/sys/{name}"))?;
    text.split_ascii_whitespace().nth(index)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::tests::machine;

    #[test]
    fn a_port_range_is_two_numbers() {
        assert_eq!(parse_ports("32768\t60999\n"), Some(DEFAULT_PORTS));
        assert_eq!(parse_ports("32768"), None);
        assert_eq!(parse_ports("1 65536"), None);
    }

    #[test]
    fn the_soft_limit_rises_to_the_hard_one_and_never_falls() {
        let Limit { soft, hard } = open_files();
        let lowered = Rlimit { current: Some(soft.min(512)), maximum: Some(hard) };
        setrlimit(Resource::Nofile, lowered).unwrap();
        assert_eq!(raise_open_files(u64::MAX), hard);
        assert_eq!(raise_open_files(1), hard);
        assert_eq!(open_files(), Limit { soft: hard, hard });
    }

    /// A container's memory is no part of what the kernel says of the machine.
    #[test]
    fn a_group_is_bound_by_its_own_limit() {
        let (_folder, system) = machine(&[
            ("proc/meminfo", "MemTotal: 99999 kB\nMemAvailable: 8192 kB\n"),
            ("proc/sys/net/ipv4/tcp_mem", "1 2 3\n"),
            ("proc/self/cgroup", "0::/\n"),
            ("proc/self/mountinfo", "1 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
            ("sys/fs/cgroup/memory.max", "1048576"),
            ("sys/fs/cgroup/memory.current", "524288"),
        ]);
        let limits = Limits::of(&system);
        assert_eq!(limits.memory_bytes, Some(8 << 20));
        assert_eq!(limits.group_memory_bytes, Some(512 << 10));
        assert_eq!(limits.tcp_bytes, Some(3 * limits.page_bytes));
        assert_eq!((limits.epoll_watches, limits.local_ports), (None, DEFAULT_PORTS));
    }

    #[test]
    fn this_machine_allows_something() {
        let limits = Limits::read();
        assert!(limits.open_files > 0 && limits.page_bytes >= 4096);
        assert!(limits.memory_bytes > Some(0));
        assert!(limits.system_files > Some(0));
    }
}
