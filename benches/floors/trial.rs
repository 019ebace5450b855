//! One trial of a contest, and its cost for each message.

use std::ops::ControlFlow;

use anyhow::{Context as _, bail};
use pushbench_metrics::observe::ledger::{Direction, Layer, Phase};
use pushbench_metrics::record::CpuTime;
use pushbench_run::trial::Played;
use pushbench_run::{Attempt, TrialError, trial};

use crate::contest::Contest;
use crate::setting::Args;

/// The cost of a trial.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) clients: u32,
    /// Messages that arrived in the window; of long polls, requests.
    pub(crate) units: u64,
    /// The server kept the feed's pace: each message was on its way before the next was due. Where
    /// it was not, several go with one write and one read, which is cheaper.
    pub(crate) in_step: bool,
    /// Payload of a message as it travels; 0 where the part at the clients' side does not say.
    pub(crate) payload_bytes: f64,
    pub(crate) server_us: f64,
    pub(crate) load_us: f64,
    /// Messages or requests for each turn that one of the two processes had on a core: whoever sleeps
    /// sooner is woken more often, for less each time, and both sides pay for that.
    pub(crate) per_turn: Option<f64>,
    /// Memory that each client took on connecting.
    pub(crate) server_bytes: f64,
    pub(crate) load_bytes: f64,
}

/// Plays a trial.
pub(crate) fn play(args: &Args, contest: Contest) -> anyhow::Result<Cost> {
    let run = args.run(contest);
    let attempt = Attempt { id: run.plan.trials[0], order: 1, number: 1 };
    match trial::play(&run, attempt, &mut |_| ControlFlow::Continue(())) {
        Ok(played) => cost(contest, run.plan.points[0].clients, &played),
        Err(TrialError::Invalid(reason)) => bail!("{reason}"),
        Err(TrialError::Found(found)) => bail!("{}", found.finding),
        Err(TrialError::Run(error)) => Err(error.into()),
    }
}

fn cost(contest: Contest, clients: u32, played: &Played) -> anyhow::Result<Cost> {
    let load = &played.merged.load;
    if load.connected_at_start < clients {
        bail!("{} of {clients} connected: {:?}", load.connected_at_start, load.errors.first());
    }
    let counters = &load.measured.counters;
    let waits = contest.contender.shape().waits();
    let units = if waits { counters.requests } else { counters.messages_in_window };
    if units == 0 {
        bail!("nothing arrived");
    }
    let us = |cpu: Option<CpuTime>| {
        let cpu = cpu.context("a child died in the window")?;
        anyhow::Ok(cpu.total.as_secs_f64() * 1e6 / units as f64)
    };
    let each = |bytes: Option<u64>| {
        let bytes = bytes.context("a child's memory is not known")?;
        anyhow::Ok(bytes as f64 / f64::from(clients))
    };
    let (resources, connecting) = (&played.cost.resources, played.cost.connecting);
    let waits = resources.disturbance.as_ref().and_then(|disturbance| disturbance.waits);
    let turns = waits.map(|waits| waits.turns).filter(|&turns| turns > 0);
    let payload = load.measured.ledger.phase(Phase::Window).get(Direction::Down, Layer::Payload);
    Ok(Cost {
        clients,
        units,
        payload_bytes: payload as f64 / units as f64,
        // What clients say to each other nobody publishes.
        in_step: contest.feed.is_said() || played.kept_pace(),
        server_us: us(resources.server_cpu)?,
        load_us: us(resources.load_cpu)?,
        per_turn: turns.map(|turns| units as f64 / turns as f64),
        server_bytes: each(connecting.server)?,
        load_bytes: each(connecting.load)?,
    })
}
