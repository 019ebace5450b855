//! `--refine`: points that are added to a sweep after its rounds, where contenders cross.

use std::time::Duration;

use anyhow::anyhow;
use pushbench_core::scenario::{Axis, AxisUnit, MAX_POINTS};
use pushbench_metrics::judge::sweep::{self, Further};
use pushbench_metrics::record::RunRecord;
use pushbench_report::setting_in_words;
use pushbench_run::Plan;

use crate::exit::Failure;
use crate::progress::human;

/// How often gaps are halved.
pub(super) const STEPS: u32 = 3;

/// The points that are added at most, in one step and in all.
const POINTS_OF_A_STEP: usize = 3;
const POINTS: usize = 6;

/// Refuses a run in which nothing can be refined.
pub(super) fn check(plan: &Plan) -> Result<(), Failure> {
    let points: Vec<_> = plan.points.iter().collect();
    let varying = sweep::varying(&points);
    let Some(axis) = varying.iter().find(|axis| axis.unit() != AxisUnit::Name) else {
        return Err(Failure::usage(anyhow!(
            "--refine goes with a list of numbers, such as `--rate 0.5/s,1/s,5/s,20/s`"
        )));
    };
    if plan.scenario.contenders.len() < 2 {
        return Err(Failure::usage(anyhow!(
            "--refine looks for where two transports cross; name another with `-t`"
        )));
    }
    if varying.iter().any(|axis| axis.takes_further_values()) {
        return Ok(());
    }
    let known = Axis::ALL.into_iter().filter(|axis| axis.takes_further_values());
    let known: Vec<&str> = known.map(Axis::key).collect();
    let problem =
        format!("--refine adds no values of {}, only of {}", axis.key(), known.join(", "));
    Err(Failure::usage(anyhow!(problem)))
}

/// The time that it may take in addition, in words.
pub(super) fn describe(plan: &Plan) -> String {
    let estimates = plan.estimates();
    let trials = plan.scenario.contenders.len() * plan.scenario.runs as usize * POINTS;
    // Of the longest: where contenders cross is not known yet.
    let longest = estimates.iter().max().copied().unwrap_or(Duration::ZERO);
    let most = longest * u32::try_from(trials).unwrap_or(u32::MAX);
    format!("  refine      at most {POINTS} points more, at most {} more\n", human(most))
}

/// The plan of the points that say most about the crossings of what was measured so far, and a line
/// that announces it; `None` where there is no more to be had, beside the points that were `listed`.
pub(super) fn next(plan: &Plan, record: &RunRecord, listed: usize) -> Option<(Plan, String)> {
    let left = POINTS.saturating_sub(plan.points.len() - listed);
    let room = left.min(POINTS_OF_A_STEP).min(MAX_POINTS.saturating_sub(plan.points.len()));
    let further = sweep::further(record);
    let mut points = Vec::new();
    for Further { axis, like, value, between } in further.into_iter().take(room) {
        let id = u32::try_from(plan.points.len() + points.len() + 1).ok()?;
        let setting = (axis, value);
        let point = plan.scenario.further_point(id, like, setting, plan.trace.as_ref());
        points.extend(point.map(|point| (point, axis, between)));
    }
    if points.is_empty() {
        return None;
    }
    let words: Vec<String> = points
        .iter()
        .map(|(point, axis, (from, to))| {
            let [at, from, to] =
                [axis.value(point), *from, *to].map(|it| setting_in_words(*axis, it));
            format!("{at}, between {from} and {to}")
        })
        .collect();
    let next = plan.clone().with_further(points.into_iter().map(|it| it.0).collect());
    let time = human(next.total_estimate());
    let line = format!("refining: {}; about {time}", words.join("; "));
    Some((next, line))
}
