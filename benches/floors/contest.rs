//! Contests: who plays whom, and whose cost is held against which floor.

use pushbench_benches::in_tls;
use pushbench_core::Contender;

use crate::role::Role;

/// Who plays whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contest {
    pub(crate) contender: Contender,
    pub(crate) server: Role,
    pub(crate) load: Role,
}

/// One contest against another that differs from it on one side, whose CPU is compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison {
    pub(crate) name: &'static str,
    pub(crate) ours: Contest,
    pub(crate) floor: Contest,
    /// The most that the ratio should be.
    pub(crate) target: f64,
}

const fn contest(contender: Contender, server: Role, load: Role) -> Contest {
    Contest { contender, server, load }
}

const WEBSOCKET: Contest = contest(Contender::WEBSOCKET, Role::Server, Role::Load);
const SSE: Contest = contest(Contender::SSE, Role::Server, Role::Load);
const LONG_POLL: Contest = contest(Contender::LONG_POLL, Role::Server, Role::Load);

const SECURE_WEBSOCKET: Contest = Contest { contender: in_tls(Contender::WEBSOCKET), ..WEBSOCKET };
const SECURE_SSE: Contest = Contest { contender: in_tls(Contender::SSE), ..SSE };

/// The load generator against another part in its place.
const fn load(name: &'static str, ours: Contest, floor: Role, target: f64) -> Comparison {
    Comparison { name, ours, floor: Contest { load: floor, ..ours }, target }
}

/// The server against another part in its place.
const fn server(name: &'static str, ours: Contest, floor: Role, target: f64) -> Comparison {
    Comparison { name, ours, floor: Contest { server: floor, ..ours }, target }
}

/// All comparisons, in the order of the table.
pub(crate) const COMPARISONS: [Comparison; 10] = [
    load("websocket: load generator / bare receiver", WEBSOCKET, Role::BareReceiver, 1.25),
    load("sse: load generator / bare receiver", SSE, Role::BareReceiver, 1.4),
    load("long-poll: load generator / bare poller", LONG_POLL, Role::BarePoller, 1.4),
    server("websocket: server / bare writer", WEBSOCKET, Role::BareWriter, 1.10),
    server("websocket+tls: server / bare sealing writer", SECURE_WEBSOCKET, Role::BareWriter, 1.15),
    server("sse+tls: server / bare sealing writer", SECURE_SSE, Role::BareWriter, 1.15),
    load(
        "websocket+tls: load generator / bare opening receiver",
        SECURE_WEBSOCKET,
        Role::BareReceiver,
        1.25,
    ),
    load("websocket: load generator / without ledger", WEBSOCKET, Role::LoadWithoutLedger, 1.05),
    load("websocket: load generator / without stamps", WEBSOCKET, Role::LoadWithoutStamps, 1.10),
    load("websocket: load generator / that only counts", WEBSOCKET, Role::LoadThatCounts, 1.10),
];

impl Contest {
    /// For a person to read.
    pub(crate) fn describe(&self) -> String {
        format!("{} from {} to {}", self.contender, self.server.name(), self.load.name())
    }
}
