//! Contests: who plays whom, and whose cost is held against which floor.

use pushbench_core::Contender;

use crate::role::Role;

/// Who plays whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contest {
    pub(crate) contender: Contender,
    pub(crate) server: Role,
    pub(crate) load: Role,
}

/// Whose CPU is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Load,
}

/// One contest against another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison {
    pub(crate) name: &'static str,
    pub(crate) side: Side,
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

/// All comparisons, in the order of the table.
pub(crate) const COMPARISONS: [Comparison; 7] = [
    Comparison {
        name: "websocket: load generator / bare receiver",
        side: Side::Load,
        ours: WEBSOCKET,
        floor: Contest { load: Role::BareReceiver, ..WEBSOCKET },
        target: 1.25,
    },
    Comparison {
        name: "sse: load generator / bare receiver",
        side: Side::Load,
        ours: SSE,
        floor: Contest { load: Role::BareReceiver, ..SSE },
        target: 1.4,
    },
    Comparison {
        name: "long-poll: load generator / bare poller",
        side: Side::Load,
        ours: LONG_POLL,
        floor: Contest { load: Role::BarePoller, ..LONG_POLL },
        target: 1.4,
    },
    Comparison {
        name: "websocket: server / bare writer",
        side: Side::Server,
        ours: WEBSOCKET,
        floor: Contest { server: Role::BareWriter, ..WEBSOCKET },
        target: 1.10,
    },
    Comparison {
        name: "websocket: load generator / without ledger",
        side: Side::Load,
        ours: WEBSOCKET,
        floor: Contest { load: Role::LoadWithoutLedger, ..WEBSOCKET },
        target: 1.05,
    },
    Comparison {
        name: "websocket: load generator / without stamps",
        side: Side::Load,
        ours: WEBSOCKET,
        floor: Contest { load: Role::LoadWithoutStamps, ..WEBSOCKET },
        target: 1.10,
    },
    Comparison {
        name: "websocket: load generator / that only counts",
        side: Side::Load,
        ours: WEBSOCKET,
        floor: Contest { load: Role::LoadThatCounts, ..WEBSOCKET },
        target: 1.10,
    },
];

impl Contest {
    /// For a person to read.
    pub(crate) fn describe(&self) -> String {
        format!("{} from {} to {}", self.contender, self.server.name(), self.load.name())
    }
}
