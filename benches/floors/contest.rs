//! Which contests there are, and the rounds of them.

use anyhow::{Context as _, ensure};
use pushbench_core::Contender;

use crate::role::Role;
use crate::setting::Args;
use crate::table;
use crate::trial::{self, Cost};

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
    /// What the ratio should not exceed.
    pub(crate) target: f64,
}

/// How often a trial is played before one that is out of step is taken.
const ATTEMPTS: u32 = 3;

const fn contest(contender: Contender, server: Role, load: Role) -> Contest {
    Contest { contender, server, load }
}

const WEBSOCKET: Contest = contest(Contender::WEBSOCKET, Role::Server, Role::Load);
const SSE: Contest = contest(Contender::SSE, Role::Server, Role::Load);
const LONG_POLL: Contest = contest(Contender::LONG_POLL, Role::Server, Role::Load);

/// All comparisons, in the order of the table.
const COMPARISONS: [Comparison; 7] = [
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

/// Plays every contest once in each round, and prints the ratios.
pub(crate) fn all(args: &Args) -> anyhow::Result<()> {
    let only = args.only.as_deref().unwrap_or("");
    let comparisons: Vec<_> = COMPARISONS.into_iter().filter(|c| c.name.contains(only)).collect();
    ensure!(!comparisons.is_empty(), "no comparison has `{only}` in its name");
    ensure!(args.repeats > 0, "at least one round is needed");
    let mut played = Vec::<(Contest, Vec<Cost>)>::new();
    for contest in comparisons.iter().flat_map(|comparison| [comparison.ours, comparison.floor]) {
        if !played.iter().any(|(known, _)| *known == contest) {
            played.push((contest, Vec::new()));
        }
    }
    for round in 1..=args.repeats {
        // Each round begins with another contest.
        let first = round as usize % played.len();
        for index in (first..played.len()).chain(0..first) {
            let (contest, costs) = &mut played[index];
            eprint!("\rround {round} of {}: {:<52}", args.repeats, contest.describe());
            costs.push(in_step(args, *contest).with_context(|| contest.describe())?);
        }
    }
    eprintln!("\r{:<76}", "");
    table::print(args, &comparisons, &played)
}

/// Plays a trial, and again where the machine was too busy for the server to keep its pace.
fn in_step(args: &Args, contest: Contest) -> anyhow::Result<Cost> {
    let mut cost = trial::play(args, contest)?;
    for _ in 1..ATTEMPTS {
        if cost.in_step {
            break;
        }
        cost = trial::play(args, contest)?;
    }
    Ok(cost)
}

impl Contest {
    /// For a person to read.
    pub(crate) fn describe(&self) -> String {
        format!("{} from {} to {}", self.contender, self.server.name(), self.load.name())
    }
}
