//! Over which processes, cores and local addresses a trial is laid out.

use std::net::{IpAddr, Ipv4Addr};

use pushbench_core::Contender;
use pushbench_core::contender::Connection;
use pushbench_core::scenario::Point;
use pushbench_metrics::record::Pinned;
use pushbench_metrics::record::control::DEFAULT_RAMP;
use pushbench_os::machine::affinity;
use pushbench_os::machine::limits::{Demand, LimitError, Limits, Room, fit};
use pushbench_os::machine::topology;
use pushbench_os::process::scheduling;
use pushbench_os::system::SystemFiles;

use crate::args::ProcessArgs;

/// Connections that the server lets wait to be accepted, if the system does.
const SERVER_BACKLOG: u64 = 4096;

/// What the machine allows and the user wants.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    limits: Limits,
    /// Where the server listens.
    target: IpAddr,
    own_server: bool,
    server_processes: Option<u64>,
    load_processes: Option<u64>,
    /// The physical cores that there are, each with its threads.
    cores: Vec<Vec<u32>>,
    /// Whether processes are kept on some of them; else the system chooses.
    pins: bool,
}

impl Layout {
    /// For servers of this run, as many as `servers` says or are needed.
    pub(crate) fn own(args: &ProcessArgs, servers: Option<u64>) -> Self {
        Self {
            limits: Limits::read(),
            target: Ipv4Addr::LOCALHOST.into(),
            own_server: true,
            server_processes: servers,
            load_processes: args.load_processes,
            cores: topology::physical_cores(&SystemFiles::default(), &scheduling::cores()),
            pins: !args.no_pin,
        }
    }

    /// For a server at `target` that runs already.
    pub(crate) fn against(target: IpAddr, args: &ProcessArgs) -> Self {
        Self { target, own_server: false, ..Self::own(args, None) }
    }

    /// The processes and local addresses of a trial of `contender` at `point`.
    ///
    /// # Errors
    ///
    /// The limit that leaves no room for it.
    pub(crate) fn room(&self, point: &Point, contender: Contender) -> Result<Room, LimitError> {
        let clients = u64::from(point.clients);
        let seconds = point.poll_interval.0.as_secs_f64();
        let opened_each_s = match contender.stack.connection {
            // Not negative, and what is too large saturates.
            Connection::Closed => (clients as f64 / seconds).ceil() as u64,
            Connection::Kept => 0,
        };
        let demand = Demand {
            clients,
            opened_each_s,
            target: self.target,
            own_server: self.own_server,
            server_processes: self.server_processes,
            load_processes: self.load_processes,
        };
        fit(&demand, &self.limits)
    }

    /// The cores of a trial's processes. A server that is not this run's is left where it is, and
    /// still has its share of the cores to itself.
    pub(crate) fn pinned(&self, room: &Room) -> Option<Pinned> {
        let cores = if self.pins { &self.cores[..] } else { &[] };
        let pinned = affinity::divide(cores, room.server_processes, room.load_processes)?;
        let server = if self.own_server { pinned.server } else { Vec::new() };
        Some(Pinned { server, ..pinned })
    }

    /// Whether there is one physical core only, so that nothing keeps server and load generator
    /// apart.
    pub(crate) fn has_one_core(&self) -> bool {
        self.cores.len() == 1
    }

    /// How many connections each load process may have under way at a time: together no more than
    /// wait in the backlog of the server that they share.
    pub(crate) fn ramp(&self, room: &Room) -> u32 {
        let sharing = u64::from(room.load_processes / room.server_processes.max(1)).max(1);
        let backlog = self.limits.backlog.unwrap_or(SERVER_BACKLOG).min(SERVER_BACKLOG);
        let each = u32::try_from(backlog / sharing).unwrap_or(DEFAULT_RAMP);
        each.clamp(1, DEFAULT_RAMP)
    }
}
