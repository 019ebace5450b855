//! The floor of a point: a trial played by bare loops, in the place of server and load generator.

use std::time::Duration;

use pushbench_core::client::ClientKind;
use pushbench_core::proxy::Via;
use pushbench_core::subject::SubjectName;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::record::TrialId;
use pushbench_metrics::record::floor::FloorTrial;
use pushbench_metrics::record::warning::{Invalid, SATURATED_SHARE};

use crate::error::{RunError, TrialError};
use crate::event::Listener;
use crate::plan::Plan;
use crate::player::Players;
use crate::setup::{Attempt, Run};
use crate::trial::{self, Played};
use crate::validity::stability::Stability;

/// The run that plays the floor at the point of trial `id`.
pub(crate) fn in_place_of(run: &Run, id: TrialId) -> Run {
    let mut plan = Plan { capture: false, stamps: false, ..run.plan.clone() };
    // Neither a proxy nor another server nor a browser understands bare loops.
    for point in &mut plan.points {
        (point.via, point.subject) = (Via::Direct, SubjectName::default());
        point.client = ClientKind::Native;
    }
    Run { plan, players: Players::bare(run.plan.feed(id).payload), commands: run.commands.clone() }
}

/// Plays a trial of bare loops.
pub(crate) fn play(
    run: &Run,
    attempt: Attempt,
    listener: &mut Listener<'_>,
) -> Result<FloorTrial, RunError> {
    let mut floor = FloorTrial {
        point: attempt.id.point,
        round: attempt.id.round,
        invalid: Vec::new(),
        messages: 0,
        server_cpu: None,
        load_cpu: None,
    };
    match trial::play(run, attempt, listener) {
        Ok(played) => {
            let resources = &played.cost.resources;
            floor.messages = played.merged.load.measured.counters.messages_in_window;
            (floor.server_cpu, floor.load_cpu) = (resources.server_cpu, resources.load_cpu);
            if floor.cost().is_none() {
                floor.invalid.push("no message was read, or no CPU time".to_owned());
            }
            floor.invalid.extend(faults(&run.plan, &played));
        }
        Err(TrialError::Invalid(reason)) => floor.invalid.push(reason.to_string()),
        Err(TrialError::Found(found)) => floor.invalid.push(found.finding.to_string()),
        Err(TrialError::Run(error)) => return Err(error),
    }
    Ok(floor)
}

/// Why a floor cannot be used whose processes went through the trial.
fn faults(plan: &Plan, played: &Played) -> Vec<String> {
    let window = played.timing.window.duration();
    // Bare loops measure no latency that a stall could be held against.
    let latency = LatencyHistogram::default();
    let stability = Stability::of(played, &latency, plan.allow_busy);
    let disturbed: Vec<Invalid> = stability.iter().flat_map(Stability::invalid).collect();
    let known = played.ended_early.iter().chain(&disturbed);
    let mut faults: Vec<String> = known.map(ToString::to_string).collect();
    if !played.kept_pace() {
        faults.push("the loop of writes did not keep the feed's pace".to_owned());
    }
    let busy = |cpu: Duration| cpu.as_secs_f64() / window.as_secs_f64() > SATURATED_SHARE;
    if played.cost.busiest_load.is_some_and(busy) {
        faults.push("the loop of reads used a whole core".to_owned());
    }
    faults
}
