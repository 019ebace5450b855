//! The places of a trial's processes: how many there are, on which cores, at which addresses.

use std::net::{IpAddr, Ipv4Addr};

use pushbench_core::Contender;
use pushbench_core::contender::Connection;
use pushbench_core::proxy::Via;
use pushbench_core::scenario::Point;
use pushbench_metrics::record::Pinned;
use pushbench_metrics::record::control::{DEFAULT_RAMP, Place};
use pushbench_metrics::record::flags::Flags;
use pushbench_os::machine::affinity;
use pushbench_os::machine::limits::{Demand, LimitError, Limits, Room, fit};
use pushbench_os::machine::topology;
use pushbench_os::net::capture::PortFilter;
use pushbench_os::net::source::loopback_addresses;
use pushbench_os::process::scheduling;
use pushbench_os::system::SystemFiles;
use pushbench_protocol::contexts::Contexts;
use thiserror::Error;

/// Connections that the server lets wait to be accepted, if the system does.
const SERVER_BACKLOG: u64 = 4096;

/// A trial that has no place on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlaceError {
    /// A limit of the machine.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// So many clients, which need more server processes, here so many, than a capture follows.
    #[error(
        "--capture follows connections to at most {most} server processes, and {0} clients need \
         {1}; leave it out, or pass fewer `--clients`",
        most = PortFilter::MOST
    )]
    Capture(u32, u32),
    /// So many clients, whose proxies would have more connections than there are ports.
    #[error(
        "{0} clients are too many for a proxy, which has as many connections to a server process; \
         pass fewer `--clients`, or more `--server-processes`"
    )]
    Proxy(u32),
}

/// Wishes of the user: over how many processes a run is spread, and whether each keeps its core.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    /// Server processes; `None` where they follow from the limits.
    pub servers: Option<u64>,
    /// Load processes; `None` where they follow from the limits.
    pub loads: Option<u64>,
    /// Whether processes are kept on cores; else the system chooses.
    pub pins: bool,
}

impl Default for Spread {
    fn default() -> Self {
        Self { servers: None, loads: None, pins: true }
    }
}

/// The maker of places: limits and cores of the machine, and the user's wishes.
#[derive(Debug, Clone)]
pub struct Layout {
    limits: Limits,
    /// The address that the server listens on.
    target: IpAddr,
    own_server: bool,
    spread: Spread,
    /// The physical cores that there are, each with its threads.
    cores: Vec<Vec<u32>>,
}

/// The places of one trial's processes.
#[derive(Debug, Clone)]
pub struct Places {
    /// Of the server processes.
    pub servers: Vec<Place>,
    /// Of the load processes; each connects to the server process of its number, modulo theirs.
    pub loads: Vec<Place>,
    /// Of the router of a link, where there is one.
    pub router: Place,
    /// Of a proxy, where there is one.
    pub proxy: Option<Place>,
    /// The cores that they are kept on, where they are.
    pub pinned: Option<Pinned>,
    /// Local addresses that the clients of one server process connect from.
    pub source_addresses: u32,
    /// Connections that each load process may have under way at a time: together no more than wait
    /// in the backlog of the server that they share.
    pub ramp: u32,
}

impl Layout {
    /// Servers and clients on this machine's loopback.
    #[must_use]
    pub fn loopback(spread: Spread) -> Self {
        Self {
            limits: Limits::read(),
            target: Ipv4Addr::LOCALHOST.into(),
            own_server: true,
            spread,
            cores: topology::physical_cores(&SystemFiles::default(), &scheduling::cores()),
        }
    }

    /// The user's wishes.
    #[must_use]
    pub const fn spread(&self) -> Spread {
        self.spread
    }

    /// The same, where the user has no wish, with those of `flags`.
    #[must_use]
    pub fn or(mut self, flags: &Flags) -> Self {
        let Spread { servers, loads, pins } = &mut self.spread;
        *servers = servers.or(flags.server_processes);
        *loads = loads.or(flags.load_processes);
        *pins = *pins && !flags.no_pin;
        self
    }

    /// Clients of a server at `target` that runs already.
    #[must_use]
    pub fn against(target: IpAddr, spread: Spread) -> Self {
        let spread = Spread { servers: None, ..spread };
        Self { target, own_server: false, ..Self::loopback(spread) }
    }

    /// Whether more than one process is wished for on a side.
    #[must_use]
    pub fn is_spread(&self) -> bool {
        [self.spread.servers, self.spread.loads].into_iter().flatten().any(|many| many > 1)
    }

    /// The number of processes and local addresses of a trial of `contender` at `point`.
    ///
    /// # Errors
    ///
    /// The limit that leaves no room for it.
    pub fn room(&self, point: &Point, contender: Contender) -> Result<Room, LimitError> {
        let apart = point.talk.is_some() && !contender.transport.is_duplex();
        let clients = u64::from(point.clients) * if apart { 2 } else { 1 };
        let seconds = point.poll_interval.0.as_secs_f64();
        let opened_each_s = match contender.stack.connection {
            // Not negative, and what is too large saturates.
            Connection::Closed => (clients as f64 / seconds).ceil() as u64,
            Connection::Kept => 0,
        };
        let demand = Demand {
            clients,
            opened_each_s,
            bytes_each: self.context_bytes(point, contender),
            target: self.target,
            own_server: self.own_server,
            // Of somebody else's there is one, however many processes that is.
            server_processes: if point.subject.is_own() { self.spread.servers } else { Some(1) },
            load_processes: self.spread.loads,
        };
        fit(&demand, &self.limits)
    }

    /// Bytes that the contexts of compression take for each client, at the ends that are this run's.
    fn context_bytes(&self, point: &Point, contender: Contender) -> u64 {
        let settings = point.compression.deflate().unwrap_or_default();
        let server = Contexts::of_server(contender, settings).each;
        let load = Contexts::of_load(contender).each;
        if self.own_server { server + load } else { load }
    }

    /// Lays out the processes of `room`, with the router of a link between them where there is one, and
    /// a proxy where clients do not reach the server themselves.
    #[must_use]
    pub fn places(&self, room: &Room, has_router: bool, via: Via) -> Places {
        let pinned = self.pinned(room, has_router, via);
        let place = |cores: &[u32], index: u32, sources| Place {
            core: core(cores, index as usize),
            sources,
            ..Place::default()
        };
        let (on_server, on_load) =
            pinned.as_ref().map_or((&[][..], &[][..]), |p| (&p.server[..], &p.load[..]));
        let on_router = pinned.as_ref().and_then(|pinned| pinned.router).map(|router| router.core);
        let on_proxy = pinned.as_ref().map_or(&[][..], |p| &p.proxy[..]);
        let servers = (0..room.server_processes).map(|n| place(on_server, n, Vec::new()));
        let loads = (0..room.load_processes)
            .map(|n| place(on_load, n, sources(room, n % room.server_processes.max(1))));
        Places {
            servers: servers.collect(),
            loads: loads.collect(),
            router: place(on_router.as_slice(), 0, Vec::new()),
            proxy: via.proxy().map(|_| place(on_proxy, 0, Vec::new())),
            source_addresses: room.sources,
            ramp: self.ramp(room),
            pinned,
        }
    }

    /// The cores of a trial's processes. A server that is not this run's is left where it is, and
    /// still has its share of the cores to itself. A proxy has the last physical core, where the others
    /// have two without it; else it shares the server's, as it stands on the server's side.
    fn pinned(&self, room: &Room, has_router: bool, via: Via) -> Option<Pinned> {
        let cores = if self.spread.pins { &self.cores[..] } else { &[] };
        let (cores, own) = match cores.split_last() {
            Some((last, others)) if !via.is_direct() && others.len() > 1 => (others, last.first()),
            _ => (cores, None),
        };
        let divide = if has_router { affinity::divide_with_router } else { affinity::divide };
        let mut pinned = divide(cores, room.server_processes, room.load_processes)?;
        if !via.is_direct() {
            pinned.proxy = own.or(pinned.server.first()).copied().into_iter().collect();
        }
        let server = if self.own_server { pinned.server } else { Vec::new() };
        Some(Pinned { server, ..pinned })
    }

    /// Whether there is one physical core only, so that nothing keeps server and load generator
    /// apart.
    #[must_use]
    pub fn has_one_core(&self) -> bool {
        self.cores.len() == 1
    }

    fn ramp(&self, room: &Room) -> u32 {
        let sharing = u64::from(room.load_processes / room.server_processes.max(1)).max(1);
        let backlog = self.limits.backlog.unwrap_or(SERVER_BACKLOG).min(SERVER_BACKLOG);
        let each = u32::try_from(backlog / sharing).unwrap_or(DEFAULT_RAMP);
        each.clamp(1, DEFAULT_RAMP)
    }
}

/// The core of process `index` among those that its kind has.
fn core(cores: &[u32], index: usize) -> Option<u32> {
    cores.get(index % cores.len().max(1)).copied()
}

/// The addresses to connect to a server process from; none where the system may choose. Each
/// server process is reached from others, so that a client's address is met once in a trial.
fn sources(room: &Room, server: u32) -> Vec<IpAddr> {
    if room.sources.max(room.server_processes) == 1 {
        return Vec::new();
    }
    loopback_addresses(server * room.sources, room.sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_servers_are_reached_from_one_address() {
        let room = |server_processes, sources| {
            let room = Room { server_processes, load_processes: server_processes, sources };
            (0..server_processes).flat_map(move |server| self::sources(&room, server))
        };
        assert_eq!(room(1, 1).count(), 0);
        assert_eq!(room(1, 4).count(), 4);
        let all: std::collections::BTreeSet<IpAddr> = room(6, 2).collect();
        assert_eq!(all.len(), 12);
    }

    #[test]
    fn a_proxy_has_a_core_of_its_own_where_there_are_three() {
        let layout = |count: u32| {
            let cores = (0..count).map(|core| vec![core]).collect();
            Layout { cores, ..Layout::loopback(Spread::default()) }
        };
        let room = Room { server_processes: 1, load_processes: 1, sources: 1 };
        let proxy = Via::Proxy("nginx".parse().unwrap());
        for (cores, server, load, own) in [(2, 0, 1, 0), (3, 0, 1, 2), (8, 0, 4, 7)] {
            let pinned = layout(cores).places(&room, false, proxy).pinned.unwrap();
            let (server, load, proxy) = (vec![server], vec![load], vec![own]);
            let expected = Pinned { server, load, proxy, router: None };
            assert_eq!(pinned, expected);
        }
        let places = layout(3).places(&room, false, Via::Direct);
        assert!(places.proxy.is_none() && places.pinned.unwrap().proxy.is_empty());
    }

    #[test]
    fn processes_take_their_cores_in_turn() {
        assert_eq!(core(&[], 3), None);
        assert_eq!([0, 1, 2].map(|index| core(&[4, 6], index)), [Some(4), Some(6), Some(4)]);
    }
}
