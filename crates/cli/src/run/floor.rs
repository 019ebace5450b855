//! The floor of a point: a trial played by bare loops, in the place of server and load generator.

use std::time::Duration;

use pushbench_core::Contender;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::record::TrialId;
use pushbench_metrics::record::floor::FloorTrial;
use pushbench_metrics::record::warning::SATURATED_SHARE;

use super::ATTEMPTS;
use super::calm::Calm;
use super::subject::Source;
use super::trial::{self, Played, Trouble, Turn};
use crate::plan::Plan;
use crate::progress::Progress;

/// The share of messages that must not be late for writes to be in step with the feed, and how late
/// they may be, in gaps between messages. Where they are not, several messages go with one read,
/// which is cheaper.
const ON_TIME: f64 = 0.9;
const LATEST: f64 = 0.5;

/// Plays the floor at the point and in the round of trial `id`, and again where that cannot be
/// used. `keep` is given what came of each attempt, and whether it is the last.
pub(super) fn attempts<E: From<Trouble>>(
    plan: &Plan,
    id: TrialId,
    progress: &Progress,
    mut keep: impl FnMut(FloorTrial, bool) -> Result<(), E>,
) -> Result<(), E> {
    let plan = Plan { bare: true, capture: false, stamps: false, ..plan.clone() };
    let id = TrialId { contender: Contender::WEBSOCKET, ..id };
    for attempt in 1..=ATTEMPTS {
        let floor = run(&plan, Turn { id, order: 0, attempt }, progress)?;
        let last = floor.invalid.is_empty() || attempt == ATTEMPTS;
        progress.floor_done(&floor, last);
        keep(floor, last)?;
        if last {
            break;
        }
    }
    Ok(())
}

fn run(plan: &Plan, turn: Turn, progress: &Progress) -> Result<FloorTrial, Trouble> {
    let mut floor = FloorTrial {
        point: turn.id.point,
        round: turn.id.round,
        invalid: Vec::new(),
        messages: 0,
        server_cpu: None,
        load_cpu: None,
    };
    match trial::play(plan, &Source::Own, turn, progress) {
        Ok(played) => {
            let resources = &played.sample.resources;
            floor.messages = played.seen.load.measured.counters.messages_in_window;
            (floor.server_cpu, floor.load_cpu) = (resources.server_cpu, resources.load_cpu);
            if floor.cost().is_none() {
                floor.invalid.push("no message was read, or no CPU time".to_owned());
            }
            floor.invalid.extend(faults(plan, &played));
        }
        Err(Trouble::Invalid(reason)) => floor.invalid.push(reason.to_string()),
        Err(trouble) => return Err(trouble),
    }
    Ok(floor)
}

/// Why a floor cannot be used whose processes went through the trial.
fn faults(plan: &Plan, played: &Played) -> Vec<String> {
    let window = played.timing.window.duration();
    // Bare loops measure no latency that a stall could be held against.
    let latency = LatencyHistogram::default();
    let calm = played.sample.resources.disturbance.as_ref().map(|disturbance| Calm {
        disturbance,
        instrument: played.sample.resources.instrument.as_ref(),
        window,
        latency: &latency,
        allow_busy: plan.allow_busy,
        own_server: true,
    });
    let disturbed = calm.map_or_else(Vec::new, |calm| calm.invalid());
    let known = played.fallen.iter().chain(&disturbed);
    let mut faults: Vec<String> = known.map(ToString::to_string).collect();
    let gap_us = window.as_secs_f64() * 1e6 / played.timing.window.len() as f64;
    let server = played.seen.server.as_ref();
    let lag = server.and_then(|server| server.publish_lag.percentile_us(ON_TIME));
    if lag.is_none_or(|late| late >= gap_us * LATEST) {
        faults.push("the loop of writes did not keep the feed's pace".to_owned());
    }
    let busy = |cpu: Duration| cpu.as_secs_f64() / window.as_secs_f64() > SATURATED_SHARE;
    if played.sample.busiest_load.is_some_and(busy) {
        faults.push("the loop of reads used a whole core".to_owned());
    }
    faults
}
