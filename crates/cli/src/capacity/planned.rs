//! A search that is planned as JSON, for `--dry-run --json`.

use pushbench_core::scenario::{Objective, Scenario};
use pushbench_core::{Contender, text};
use pushbench_metrics::record::capacity::Over;
use pushbench_run::capacity::CapacityRun;
use serde::Serialize;

/// A search that is planned, as programs read it.
#[derive(Debug, Serialize)]
struct Planned<'a> {
    /// With every flag that was given, at the least load.
    scenario: &'a Scenario,
    transports: Vec<Contender>,
    over: Over,
    objectives: Vec<Objective>,
    least: f64,
    most: f64,
    /// How far apart the ends of an interval are at most, as a share of the lower.
    within: f64,
    /// How long it takes at most on a calm machine.
    estimate_seconds: f64,
}

/// The search as one JSON object.
pub(super) fn json(search: &CapacityRun) -> serde_json::Result<String> {
    let capacity = search.capacity();
    let planned = Planned {
        scenario: &search.plan().scenario,
        transports: capacity.searches.iter().map(|search| search.contender).collect(),
        over: capacity.over,
        objectives: capacity.objectives,
        least: capacity.least,
        most: capacity.most,
        within: capacity.within,
        estimate_seconds: search.estimate().as_secs_f64(),
    };
    let json = serde_json::to_string_pretty(&planned)?;
    Ok(format!("{}\n", text::json(&json)))
}
