//! Whether a run's clients fit into this machine, and over how many processes.
//!
//! One place for the decision and for the refusal, so that what is planned is what was checked.
//! Everything here is a pure function of a [`Demand`] and the [`Limits`].

use std::net::{IpAddr, Ipv4Addr};

use super::{LimitError, Limits};

/// Descriptors that a process needs beside its connections: listener, pipes, timers.
pub const EXTRA_FDS: u64 = 64;

/// Memory that a client takes in server, load process and kernel together, bytes. Most take less:
/// at 15,000 WebSocket clients `MemAvailable` fell by 7 KiB for each, two sockets included. A long
/// poll takes some 18 KiB more in the server, and the rest is for messages under way.
pub const BYTES_PER_CLIENT: u64 = 32 * 1024;

/// Processes of a kind at most: beyond that something else is wrong than a limit.
pub const MAX_PROCESSES: u64 = 64;

/// How long a port stays taken after its connection (`TCP_TIMEWAIT_LEN` in Linux), seconds.
const TIME_WAIT_S: u64 = 60;

/// Of an address's ports this share is used, in per cent. Linux's `connect` tries all ports of one
/// parity before any of the other (`__inet_hash_connect`), so that beyond half of them each
/// connection searches the whole first half in vain: 14,000 connections from one address to one
/// port take a second or two, the next 2,000 minutes.
const PORTS_USED_PERCENT: u64 = 45;

/// Descriptors that the machine as a whole must have left for others.
const FILES_FOR_OTHERS: u64 = 1_000;

/// The demand of a run on the machine at its most demanding trial of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Clients, each with one connection.
    pub clients: u64,
    /// Connections opened each second beside those that stay, for polls that open one each.
    pub opened_each_s: u64,
    /// Bytes of memory that a client takes beside [`BYTES_PER_CLIENT`], at both ends together.
    pub bytes_each: u64,
    /// Where the server listens.
    pub target: IpAddr,
    /// Whether the server is part of the run, so that its half of each connection counts.
    pub own_server: bool,
    /// How many server processes the user wants; `None` leaves it to [`fit`].
    pub server_processes: Option<u64>,
    /// How many load processes the user wants.
    pub load_processes: Option<u64>,
}

/// How a demand is met. Load process *i* connects to server process *i* modulo their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Server processes; 1 where the server is not part of the run.
    pub server_processes: u32,
    /// Load processes, a multiple of the server processes, so that these have equal shares.
    pub load_processes: u32,
    /// Local addresses to connect from; 1 leaves the choice to the system.
    pub sources: u32,
}

/// The limit that allows no more clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// File descriptors of each process.
    OpenFiles,
    /// Ports of each address that clients connect from.
    LocalPorts,
    /// Memory.
    Memory,
    /// Memory of the control group, such as a container's.
    GroupMemory,
    /// Buffers of TCP sockets.
    TcpBuffers,
    /// File descriptors of the machine.
    MachineFiles,
    /// Descriptors that a user's processes may watch.
    EpollWatches,
    /// Connections that the packet filter can follow.
    TrackedConnections,
}

/// Something that all processes of the machine share.
struct Shared {
    bound: Bound,
    free: Option<u64>,
    each: u64,
    /// The divisor of `free` and `each` for a person to read.
    scale: u64,
    unit: &'static str,
    remedy: &'static str,
}

/// How the clients of `demand` are split over processes and local addresses: as few as the limits
/// allow, one of each where that is enough, unless the user wants more.
///
/// # Errors
///
/// The first limit that leaves no room. The number of clients it suggests, if any, passes all.
pub fn fit(demand: &Demand, limits: &Limits) -> Result<Room, LimitError> {
    let suggestion = || suggestion(demand, limits);
    let (servers, loads) = processes(demand, limits)?;
    let per_load = demand.clients.div_ceil(loads);
    let per_server = if demand.own_server { demand.clients.div_ceil(servers) } else { 0 };
    if per_load.max(per_server).saturating_add(EXTRA_FDS) > limits.open_files {
        let processes = if per_server > per_load { servers } else { loads };
        return Err(LimitError::OpenFiles {
            clients: demand.clients,
            limit: limits.open_files,
            processes,
            suggestion: suggestion(),
        });
    }
    let sources = sources(demand, limits, servers).ok_or_else(|| LimitError::LocalPorts {
        clients: demand.clients,
        address: demand.target,
        first: *limits.local_ports.start(),
        last: *limits.local_ports.end(),
        suggestion: suggestion(),
    })?;
    for shared in shared(demand, limits) {
        shared.check(demand.clients, suggestion)?;
    }
    let whole = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let (server_processes, load_processes) = (whole(servers), whole(loads));
    Ok(Room { server_processes, load_processes, sources })
}

/// Server and load processes: what the user wants, else as few as open files allow.
fn processes(demand: &Demand, limits: &Limits) -> Result<(u64, u64), LimitError> {
    let each = limits.open_files.saturating_sub(EXTRA_FDS).max(1);
    let needed = demand.clients.div_ceil(each).clamp(1, MAX_PROCESSES);
    let servers = match demand.server_processes {
        _ if !demand.own_server => 1,
        Some(servers) => servers.max(1),
        // The fewest that the load processes can share evenly.
        None => demand.load_processes.map_or(needed, |loads| {
            (needed..=loads).find(|count| loads.is_multiple_of(*count)).unwrap_or(loads.max(1))
        }),
    };
    let loads = demand.load_processes.unwrap_or_else(|| needed.next_multiple_of(servers)).max(1);
    if loads.is_multiple_of(servers) {
        return Ok((servers, loads));
    }
    Err(LimitError::Uneven { loads, servers })
}

/// How many local addresses are needed for connections to one port; `None` where only one is to
/// be had and its ports are too few.
fn sources(demand: &Demand, limits: &Limits, servers: u64) -> Option<u32> {
    let ports = limits.local_ports.len() as u64;
    let open = demand.clients.div_ceil(servers);
    let IpAddr::V4(address) = demand.target else { return (open <= ports).then_some(1) };
    if !address.is_loopback() {
        return (open <= ports).then_some(1);
    }
    let waiting = demand.opened_each_s.saturating_mul(TIME_WAIT_S).div_ceil(servers);
    let usable = (ports * PORTS_USED_PERCENT / 100).max(1);
    // A loopback of 2²⁴ addresses is enough for whatever memory can hold.
    (ports > 0).then(|| u32::try_from((open + waiting).div_ceil(usable).max(1)).unwrap_or(u32::MAX))
}

/// Resources that the whole machine shares, and a client's part of each.
fn shared(demand: &Demand, limits: &Limits) -> [Shared; 6] {
    let ends = if demand.own_server { 2 } else { 1 };
    let mib = 1 << 20;
    [
        Shared {
            bound: Bound::Memory,
            free: limits.memory_bytes,
            each: BYTES_PER_CLIENT.saturating_add(demand.bytes_each),
            scale: mib,
            unit: "MiB of memory",
            remedy: "end what else takes memory",
        },
        Shared {
            bound: Bound::GroupMemory,
            free: limits.group_memory_bytes,
            each: BYTES_PER_CLIENT.saturating_add(demand.bytes_each),
            scale: mib,
            unit: "MiB of this container's memory (cgroup)",
            remedy: "raise its limit: `docker run --memory`, systemd's MemoryMax, memory.max",
        },
        Shared {
            bound: Bound::TcpBuffers,
            free: limits.tcp_bytes,
            each: ends * limits.page_bytes,
            scale: mib,
            unit: "MiB of TCP buffers",
            remedy: "raise net.ipv4.tcp_mem",
        },
        Shared {
            bound: Bound::MachineFiles,
            free: limits.system_files.map(|free| free.saturating_sub(FILES_FOR_OTHERS)),
            each: ends,
            scale: 1,
            unit: "open files in the whole system",
            remedy: "raise fs.file-max",
        },
        Shared {
            bound: Bound::EpollWatches,
            free: limits.epoll_watches,
            each: ends,
            scale: 1,
            unit: "epoll watches",
            remedy: "raise fs.epoll.max_user_watches",
        },
        Shared {
            bound: Bound::TrackedConnections,
            free: limits.tracked_connections,
            each: 1,
            scale: 1,
            unit: "tracked connections",
            remedy: "raise net.netfilter.nf_conntrack_max",
        },
    ]
}

impl Demand {
    /// Clients of servers of this run on loopback, over as many processes as it takes.
    #[must_use]
    pub const fn own(clients: u64) -> Self {
        Self {
            clients,
            opened_each_s: 0,
            bytes_each: 0,
            target: IpAddr::V4(Ipv4Addr::LOCALHOST),
            own_server: true,
            server_processes: None,
            load_processes: None,
        }
    }
}

impl Shared {
    /// The most clients that it allows.
    fn most(&self) -> u64 {
        self.free.map_or(u64::MAX, |free| free / self.each.max(1))
    }

    fn check(&self, clients: u64, suggestion: impl Fn() -> Option<u64>) -> Result<(), LimitError> {
        if clients <= self.most() {
            return Ok(());
        }
        Err(LimitError::Shared {
            clients,
            needed: clients.saturating_mul(self.each).div_ceil(self.scale),
            free: self.free.unwrap_or(0) / self.scale,
            unit: self.unit,
            remedy: self.remedy,
            suggestion: suggestion(),
        })
    }
}

/// The most clients that there is room for, whatever number `demand` has, and what allows no more.
#[must_use]
pub fn most_clients(demand: &Demand, limits: &Limits) -> (u64, Bound) {
    let each = limits.open_files.saturating_sub(EXTRA_FDS);
    let loads = demand.load_processes.unwrap_or(MAX_PROCESSES);
    let servers = match demand.own_server {
        true => demand.server_processes.unwrap_or(MAX_PROCESSES),
        false => 1,
    };
    let holders = if demand.own_server { loads.min(servers) } else { loads };
    let shared = shared(demand, limits);
    let mut bounds = vec![(each.saturating_mul(holders), Bound::OpenFiles)];
    bounds.extend(shared.iter().map(|shared| (shared.most(), shared.bound)));
    let many_addresses = matches!(demand.target, IpAddr::V4(address) if address.is_loopback());
    if !many_addresses {
        let ports = limits.local_ports.len() as u64;
        bounds.push((ports.saturating_mul(servers), Bound::LocalPorts));
    }
    bounds.into_iter().min_by_key(|(clients, _)| *clients).unwrap_or((0, Bound::OpenFiles))
}

/// The most clients that pass all checks, in two leading digits; `None` where that is none.
fn suggestion(demand: &Demand, limits: &Limits) -> Option<u64> {
    let most = round_down(most_clients(demand, limits).0);
    // Processes that cannot be shared evenly pass nothing.
    let passes = |clients: &u64| fit(&Demand { clients: *clients, ..*demand }, limits).is_ok();
    Some(most).filter(|&clients| clients > 0 && clients < demand.clients).filter(passes)
}

/// `number` with all but its two leading digits zero: a number that a person would choose.
fn round_down(number: u64) -> u64 {
    let unit = 10_u64.pow(number.max(1).ilog10().saturating_sub(1));
    number / unit * unit
}

#[cfg(test)]
mod tests;
