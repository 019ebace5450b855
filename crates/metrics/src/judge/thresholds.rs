//! Measured figures, held against a scenario's thresholds.

use pushbench_core::Contender;
use pushbench_core::scenario::{Point, Scenario, Threshold};

use crate::judge::figures::{Summary, summarise};
use crate::record::RunRecord;
pub use crate::record::outcome::{ThresholdOutcome, ThresholdStatus};

/// Each threshold of the run's scenario at each point, for each transport that it names: as the
/// run judged them, or where its record is older than that, as they are judged now.
#[must_use]
pub fn outcomes(record: &RunRecord) -> Vec<ThresholdOutcome> {
    if record.thresholds.is_empty() { judge(record) } else { record.thresholds.clone() }
}

/// Holds each threshold of the run's scenario against what was measured; none where nothing was
/// run. One that names what the run did not come to is not judged, and not left out.
#[must_use]
pub fn judge(record: &RunRecord) -> Vec<ThresholdOutcome> {
    let scenario: &Scenario = &record.scenario;
    if scenario.thresholds.is_empty() || record.trials.is_empty() {
        return Vec::new();
    }
    let summaries = summarise(record);
    let find = |point: &Point, contender: Contender| {
        summaries.iter().find(|row| row.point.id == point.id && row.contender == contender)
    };
    let mut outcomes = Vec::new();
    for threshold in scenario.thresholds.iter() {
        for point in &record.points {
            let run = Contender::all().filter(|it| scenario.contenders.contains(it));
            for contender in run.filter(|&contender| threshold.target.names(contender)) {
                let summary = find(point, contender);
                outcomes.push(outcome(threshold, point, contender, summary));
            }
        }
    }
    outcomes
}

fn outcome(
    threshold: &Threshold,
    point: &Point,
    contender: Contender,
    summary: Option<&Summary>,
) -> ThresholdOutcome {
    let figure = threshold.target.figure;
    let measured = summary.and_then(|row| row.figures.get(figure));
    let at_least = summary.and_then(|row| row.figures.at_least(figure));
    let status = match (measured, at_least) {
        (Some(measured), _) => ThresholdStatus::of(threshold.is_met_by(measured)),
        (None, Some(bound)) => ThresholdStatus::of_bound(threshold, bound),
        (None, None) => ThresholdStatus::NotJudged,
    };
    ThresholdOutcome {
        threshold: threshold.clone(),
        point: point.id,
        label: point.label.clone(),
        contender,
        measured,
        at_least,
        status,
    }
}
