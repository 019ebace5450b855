//! A plan as JSON, for `--dry-run --json`.

use pushbench_core::scenario::{Point, Scenario};
use pushbench_core::text;
use pushbench_metrics::record::TrialId;
use pushbench_run::Plan;
use serde::Serialize;

/// A plan, as programs read it.
#[derive(Debug, Serialize)]
struct Planned<'a> {
    /// With every flag that was given.
    scenario: &'a Scenario,
    /// The name of the header profile.
    headers: &'a str,
    points: &'a [Point],
    /// In the order in which they will run.
    trials: &'a [TrialId],
    /// Trials of bare loops beside them.
    floors: usize,
    /// How long it will take if all goes well.
    estimate_seconds: f64,
}

/// The plan as one JSON object.
pub(super) fn json(plan: &Plan) -> serde_json::Result<String> {
    let planned = Planned {
        scenario: &plan.scenario,
        headers: &plan.headers.name,
        points: &plan.points,
        trials: &plan.trials,
        floors: plan.trials.iter().filter(|id| plan.has_floor_behind(**id)).count(),
        estimate_seconds: plan.total_estimate().as_secs_f64(),
    };
    let json = serde_json::to_string_pretty(&planned)?;
    Ok(format!("{}\n", text::json(&json)))
}
