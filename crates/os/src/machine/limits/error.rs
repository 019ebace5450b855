//! Why a run's clients do not fit into this machine, and what to do about it.

use std::net::IpAddr;

use thiserror::Error;

use super::EXTRA_FDS;

/// A demand that this machine does not allow, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LimitError {
    /// Too few file descriptors for a process.
    #[error(
        "cannot open {clients} connections: the limit of open files is {limit}{}{}; \
         raise it with `ulimit -n`{}",
        in_each(.processes), also_needed(.clients, .limit, .processes), or_pass(.suggestion)
    )]
    OpenFiles {
        /// Connections asked for.
        clients: u64,
        /// File descriptors that a process may open.
        limit: u64,
        /// Processes of a kind that the clients are split over at most.
        processes: u64,
        /// A number of clients that passes, if any does.
        suggestion: Option<u64>,
    },
    /// Too few ports on the client's side.
    #[error(
        "cannot open {clients} connections from one address: {address} is {}, and the local port \
         range {first}-{last} has {} ports; widen net.ipv4.ip_local_port_range{}",
        only_one(.address), u32::from(*.last) + 1 - u32::from(*.first), or_pass(.suggestion)
    )]
    LocalPorts {
        /// Connections asked for.
        clients: u64,
        /// The target that they lead to.
        address: IpAddr,
        /// The first port.
        first: u16,
        /// The last.
        last: u16,
        /// A number of clients that passes, if any does.
        suggestion: Option<u64>,
    },
    /// Too little of what the whole machine shares.
    #[error("cannot hold {clients} clients: they need {needed} {unit} and {free} are free; {remedy}{}",
        or_pass(.suggestion))]
    Shared {
        /// Clients asked for.
        clients: u64,
        /// The amount that they need.
        needed: u64,
        /// The amount there is.
        free: u64,
        /// Of what.
        unit: &'static str,
        /// The change that helps.
        remedy: &'static str,
        /// A number of clients that passes, if any does.
        suggestion: Option<u64>,
    },
    /// Numbers of processes that cannot be divided evenly.
    #[error(
        "{loads} load processes cannot share {servers} server processes evenly; pass \
         `--load-processes {}`", loads.next_multiple_of(*servers)
    )]
    Uneven {
        /// Load processes asked for.
        loads: u64,
        /// Server processes asked for, or needed.
        servers: u64,
    },
}

impl LimitError {
    /// The same for whoever cannot have another number of clients.
    #[must_use]
    pub fn without_suggestion(mut self) -> Self {
        match &mut self {
            Self::OpenFiles { suggestion, .. }
            | Self::LocalPorts { suggestion, .. }
            | Self::Shared { suggestion, .. } => *suggestion = None,
            Self::Uneven { .. } => {}
        }
        self
    }
}

/// Without this "cannot open 990 connections: the limit of open files is 1000" would read like a
/// mistake; where the connections alone break the limit it would only distract.
fn also_needed(clients: &u64, limit: &u64, processes: &u64) -> String {
    if clients.div_ceil(*processes) > *limit {
        return String::new();
    }
    format!(", and {EXTRA_FDS} are needed besides")
}

fn in_each(processes: &u64) -> String {
    match processes {
        0 | 1 => String::new(),
        more => format!(" in each of {more} processes"),
    }
}

/// Why there are no more local addresses.
fn only_one(address: &IpAddr) -> &'static str {
    if address.is_loopback() {
        "the only IPv6 loopback address"
    } else {
        "reached from one address"
    }
}

fn or_pass(suggestion: &Option<u64>) -> String {
    suggestion.map_or_else(String::new, |clients| format!(" or pass `--clients {clients}`"))
}
