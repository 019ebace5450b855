//! The floor of a point: a trial played by bare loops, in the place of server and load generator.

use pushbench_core::Transport;
use pushbench_metrics::floor::FloorTrial;
use pushbench_metrics::histogram::LatencyHistogram;
use pushbench_metrics::record::TrialId;
use pushbench_metrics::warning::Invalid;

use super::calm::Calm;
use super::subject::Source;
use super::trial::{self, Played, Trouble, Turn};
use crate::plan::Plan;
use crate::progress::Progress;

/// Plays the floor at the point and in the round of trial `id`. One that fails is kept, with the
/// reason.
pub(super) fn run(plan: &Plan, id: TrialId, progress: &Progress) -> Result<FloorTrial, Trouble> {
    let plan = Plan { bare: true, capture: false, stamps: false, ..plan.clone() };
    let id = TrialId { transport: Transport::Websocket, ..id };
    let turn = Turn { id, order: 0, attempt: 1 };
    let floor = FloorTrial {
        point: id.point,
        round: id.round,
        invalid: Vec::new(),
        messages: 0,
        server_cpu: None,
        load_cpu: None,
    };
    match trial::play(&plan, &Source::Own, turn, progress) {
        Ok(played) => Ok(FloorTrial {
            invalid: disturbances(&plan, &played),
            messages: played.seen.load.measured.counters.messages_in_window,
            server_cpu: played.sample.resources.server_cpu,
            load_cpu: played.sample.resources.load_cpu,
            ..floor
        }),
        Err(Trouble::Invalid(reason)) => Ok(FloorTrial { invalid: vec![reason], ..floor }),
        Err(trouble) => Err(trouble),
    }
}

/// Why a floor cannot be used whose processes went through the trial.
fn disturbances(plan: &Plan, played: &Played) -> Vec<Invalid> {
    let calm = played.sample.resources.disturbance.as_ref().map(|disturbance| {
        Calm {
            disturbance,
            window: played.timing.window.duration(),
            // Bare loops measure no latency that a stall could be held against.
            latency: &LatencyHistogram::default(),
            allow_busy: plan.allow_busy,
            own_server: true,
        }
        .invalid()
    });
    calm.unwrap_or_default()
}
