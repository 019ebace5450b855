//! What the machine allows, and whether a run fits into it.
//!
//! Asked before the first trial, so that a run fails at once and says what to change, instead
//! of failing at its largest point after an hour. Nothing but this process's own soft limit is
//! ever changed.

use std::ops::RangeInclusive;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;

use crate::procfs;

/// Linux's own default of `net.ipv4.ip_local_port_range`.
const DEFAULT_PORTS: RangeInclusive<u16> = 32_768..=60_999;

/// A limit of this process; `u64::MAX` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What holds now.
    pub soft: u64,
    /// What the process may raise `soft` to.
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
pub fn local_ports() -> RangeInclusive<u16> {
    read_local_ports().unwrap_or(DEFAULT_PORTS)
}

/// Bytes that could be allocated without swapping (`MemAvailable`); `None` where the kernel
/// does not tell. What a cgroup allows may be less.
#[must_use]
pub fn available_memory_bytes() -> Option<u64> {
    meminfo_bytes("MemAvailable")
}

/// Bytes that all TCP sockets of the machine may take (`net.ipv4.tcp_mem`, the third number);
/// `None` where the kernel does not tell.
#[must_use]
pub fn tcp_memory_bytes() -> Option<u64> {
    let pages = procfs::read("/proc/sys/net/ipv4/tcp_mem")?;
    let most: u64 = pages.split_ascii_whitespace().nth(2)?.parse().ok()?;
    most.checked_mul(rustix::param::page_size() as u64)
}

pub(crate) fn read_local_ports() -> Option<RangeInclusive<u16>> {
    parse_ports(&procfs::read("/proc/sys/net/ipv4/ip_local_port_range")?)
}

pub(crate) fn meminfo_bytes(key: &str) -> Option<u64> {
    procfs::field_in_bytes(&procfs::read("/proc/meminfo")?, key)
}

/// Reads two numbers with white space between them.
fn parse_ports(text: &str) -> Option<RangeInclusive<u16>> {
    let mut ports = text.split_ascii_whitespace().map(str::parse);
    Some(ports.next()?.ok()?..=ports.next()?.ok()?)
}

/// What a run asks of one process that holds all its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientDemand {
    /// Connections open at the same time, all from one address to one listener.
    pub clients: u64,
    /// File descriptors beside them: listener, pipes, timers, output files.
    pub extra_fds: u64,
}

/// The limits that a demand is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// File descriptors for each process. The hard limit counts where
    /// [`raise_open_files`] is called before connecting.
    pub open_files: u64,
    /// Ports for outgoing connections. Each connection from one address to one listener needs
    /// its own; what other programs hold of them is not known here.
    pub local_ports: RangeInclusive<u16>,
}

impl Limits {
    /// The limits of this machine, with the hard limit of open files.
    #[must_use]
    pub fn read() -> Self {
        Self { open_files: open_files().hard, local_ports: local_ports() }
    }

    fn port_count(&self) -> u64 {
        self.local_ports.len() as u64
    }

    /// The most clients that pass both checks, in two leading digits; `None` where that is none.
    fn suggestion(&self, extra_fds: u64) -> Option<u64> {
        let most = self.open_files.saturating_sub(extra_fds).min(self.port_count());
        Some(round_down(most)).filter(|&clients| clients > 0)
    }
}

/// Descriptors that a server or load process needs beside its connections.
pub const EXTRA_FDS: u64 = 64;

/// Memory that a client may take in server, load process and kernel together, roughly.
pub const BYTES_PER_CLIENT: u64 = 48 * 1024;

/// What clients are made of, and how much of each there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// What one process and one source address allow.
    pub limits: Limits,
    /// File descriptors that the whole machine has left; `None` where it does not tell.
    pub machine_files: Option<u64>,
    /// Bytes of memory that are free; `None` where the machine does not tell.
    pub memory_bytes: Option<u64>,
    /// Server processes, or load processes if there are fewer of those: each holds its part of
    /// the connections.
    pub processes: u64,
    /// Addresses that clients connect from.
    pub addresses: u64,
}

/// What allows no more clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// File descriptors of each process.
    OpenFiles,
    /// File descriptors of the machine.
    MachineFiles,
    /// Ports of each source address.
    LocalPorts,
    /// Memory.
    Memory,
}

impl Room {
    /// The room on this machine for one server process, one load process and one address.
    #[must_use]
    pub fn read() -> Self {
        Self {
            limits: Limits::read(),
            machine_files: read_machine_files(),
            memory_bytes: available_memory_bytes(),
            processes: 1,
            addresses: 1,
        }
    }

    /// The most clients for which there is room, and what allows no more.
    ///
    /// A client is one connection and so two descriptors, one at each end: one in a server
    /// process, one in a load process. It takes one port of its source address, and
    /// [`BYTES_PER_CLIENT`].
    #[must_use]
    pub fn most_clients(&self) -> (u64, Bound) {
        let each = self.limits.open_files.saturating_sub(EXTRA_FDS);
        let whole = self.machine_files.map(|files| files / 2);
        let memory = self.memory_bytes.map(|bytes| bytes / BYTES_PER_CLIENT);
        let bounds = [
            (Some(each.saturating_mul(self.processes)), Bound::OpenFiles),
            (whole, Bound::MachineFiles),
            (Some(self.limits.port_count().saturating_mul(self.addresses)), Bound::LocalPorts),
            (memory, Bound::Memory),
        ];
        let known = bounds.into_iter().filter_map(|(clients, bound)| Some((clients?, bound)));
        known.min_by_key(|(clients, _)| *clients).unwrap_or((0, Bound::OpenFiles))
    }
}

/// What `fs.file-max` leaves after the descriptors in use (`/proc/sys/fs/file-nr`).
fn read_machine_files() -> Option<u64> {
    parse_file_nr(&procfs::read("/proc/sys/fs/file-nr")?)
}

/// Reads `USED UNUSED MOST`.
fn parse_file_nr(text: &str) -> Option<u64> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse::<u64>);
    let (used, _, most) = (numbers.next()?.ok()?, numbers.next()?, numbers.next()?.ok()?);
    Some(most.saturating_sub(used))
}

/// A demand that this machine does not allow, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LimitError {
    /// Too few file descriptors.
    #[error(
        "cannot open {clients} connections: the limit of open files is {limit}{}; \
         raise it with `ulimit -n`{}", also_needed(.clients, .limit, .extra_fds), or_pass(.suggestion)
    )]
    OpenFiles {
        /// Connections asked for.
        clients: u64,
        /// File descriptors that the process may open.
        limit: u64,
        /// File descriptors needed beside the connections.
        extra_fds: u64,
        /// A number of clients that passes, if any does.
        suggestion: Option<u64>,
    },
    /// Too few ports on the client's side.
    #[error(
        "cannot open {clients} connections from one address: the local port range {}-{} has {} \
         ports; widen net.ipv4.ip_local_port_range{}",
        .ports.start(), .ports.end(), .ports.len(), or_pass(.suggestion)
    )]
    LocalPorts {
        /// Connections asked for.
        clients: u64,
        /// The ports that there are.
        ports: RangeInclusive<u16>,
        /// A number of clients that passes, if any does.
        suggestion: Option<u64>,
    },
}

/// Whether `limits` leave room for `request`.
///
/// # Errors
///
/// The first limit that does not. The number of clients it suggests, if any, passes all of them.
pub fn check_clients(request: ClientDemand, limits: &Limits) -> Result<(), LimitError> {
    let ClientDemand { clients, extra_fds } = request;
    let suggestion = limits.suggestion(extra_fds);
    if clients.saturating_add(extra_fds) > limits.open_files {
        let limit = limits.open_files;
        return Err(LimitError::OpenFiles { clients, limit, extra_fds, suggestion });
    }
    if clients > limits.port_count() {
        let ports = limits.local_ports.clone();
        return Err(LimitError::LocalPorts { clients, ports, suggestion });
    }
    Ok(())
}

/// Without this "cannot open 990 connections: the limit of open files is 1000" would read like a
/// mistake; where the connections alone break the limit it would only distract.
fn also_needed(clients: &u64, limit: &u64, extra_fds: &u64) -> String {
    if clients > limit { String::new() } else { format!(", and {extra_fds} are needed besides") }
}

fn or_pass(suggestion: &Option<u64>) -> String {
    suggestion.map_or_else(String::new, |clients| format!(" or pass `--clients {clients}`"))
}

/// `number` with all but its two leading digits zero: a number that a person would choose.
fn round_down(number: u64) -> u64 {
    let unit = 10_u64.pow(number.max(1).ilog10().saturating_sub(1));
    number / unit * unit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits(open_files: u64, local_ports: RangeInclusive<u16>) -> Limits {
        Limits { open_files, local_ports }
    }

    fn refusal(clients: u64, extra_fds: u64, limits: &Limits) -> String {
        check_clients(ClientDemand { clients, extra_fds }, limits).unwrap_err().to_string()
    }

    #[test]
    fn too_many_files_say_what_to_change() {
        let limits = limits(20_000, DEFAULT_PORTS);
        assert_eq!(
            refusal(25_000, 64, &limits),
            "cannot open 25000 connections: the limit of open files is 20000; raise it with \
             `ulimit -n` or pass `--clients 19000`"
        );
        assert_eq!(
            refusal(19_990, 64, &limits),
            "cannot open 19990 connections: the limit of open files is 20000, and 64 are needed \
             besides; raise it with `ulimit -n` or pass `--clients 19000`"
        );
    }

    #[test]
    fn too_few_ports_say_what_to_change() {
        assert_eq!(
            refusal(40_000, 64, &limits(100_000, DEFAULT_PORTS)),
            "cannot open 40000 connections from one address: the local port range 32768-60999 \
             has 28232 ports; widen net.ipv4.ip_local_port_range or pass `--clients 28000`"
        );
    }

    #[test]
    fn where_no_client_fits_none_is_suggested() {
        assert_eq!(
            refusal(1, 64, &limits(16, DEFAULT_PORTS)),
            "cannot open 1 connections: the limit of open files is 16, and 64 are needed \
             besides; raise it with `ulimit -n`"
        );
    }

    proptest! {
        #[test]
        fn what_is_suggested_passes(
            clients in prop_oneof![0_u64..100_000, any::<u64>()],
            extra_fds in prop_oneof![0_u64..1_000, any::<u64>()],
            open_files in prop_oneof![0_u64..100_000, any::<u64>()],
            (low, high) in any::<(u16, u16)>(),
        ) {
            let limits = limits(open_files, low..=high);
            let demand = ClientDemand { clients, extra_fds };
            let Err(error) = check_clients(demand, &limits) else { return Ok(()) };
            let (LimitError::OpenFiles { suggestion, .. }
            | LimitError::LocalPorts { suggestion, .. }) = error;
            let Some(suggested) = suggestion else { return Ok(()) };
            prop_assert!(0 < suggested && suggested < clients);
            let demand = ClientDemand { clients: suggested, ..demand };
            prop_assert_eq!(check_clients(demand, &limits), Ok(()));
        }

        #[test]
        fn rounding_keeps_two_digits(number in any::<u64>()) {
            let rounded = round_down(number);
            prop_assert!(rounded <= number);
            prop_assert!(number - rounded <= number / 10);
        }
    }

    fn room() -> Room {
        Room {
            limits: limits(20_064, DEFAULT_PORTS),
            machine_files: Some(1_000_000),
            memory_bytes: Some(BYTES_PER_CLIENT * 300_000),
            processes: 1,
            addresses: 1,
        }
    }

    #[test]
    fn the_scarcest_thing_bounds_the_clients() {
        assert_eq!(room().most_clients(), (20_000, Bound::OpenFiles));
        let processes = Room { processes: 4, ..room() };
        assert_eq!(processes.most_clients(), (28_232, Bound::LocalPorts));
        let addresses = Room { addresses: 2, ..processes };
        assert_eq!(addresses.most_clients(), (56_464, Bound::LocalPorts));
        let many = Room { processes: 100, addresses: 100, ..room() };
        assert_eq!(many.most_clients(), (300_000, Bound::Memory));
        let few = Room { machine_files: Some(300), ..many };
        assert_eq!(few.most_clients(), (150, Bound::MachineFiles));
        let none = Room { limits: limits(10, DEFAULT_PORTS), ..room() };
        assert_eq!(none.most_clients(), (0, Bound::OpenFiles));
    }

    #[test]
    fn for_as_many_clients_as_there_is_room_the_checks_pass() {
        let room = room();
        let (clients, _) = room.most_clients();
        let check =
            |clients| check_clients(ClientDemand { clients, extra_fds: EXTRA_FDS }, &room.limits);
        assert_eq!(check(clients), Ok(()));
        assert!(check(clients + 1).is_err());
    }

    #[test]
    fn file_nr_tells_what_is_left() {
        assert_eq!(parse_file_nr("960\t0\t1000\n"), Some(40));
        assert_eq!(parse_file_nr("960 0"), None);
    }

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

    #[test]
    fn this_machine_allows_something() {
        let limits = Limits::read();
        assert_eq!(check_clients(ClientDemand { clients: 1, extra_fds: 4 }, &limits), Ok(()));
        assert!(available_memory_bytes() > Some(0));
        assert!(tcp_memory_bytes() > Some(0));
    }
}
