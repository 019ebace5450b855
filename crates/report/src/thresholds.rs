//! Thresholds and what they came to, a line for each at each point.

use pushbench_metrics::judge::thresholds::{ThresholdOutcome, ThresholdStatus, outcomes};
use pushbench_metrics::record::RunRecord;

use crate::human::{self, NOTHING};
use crate::settings;

/// `✓ websocket.latency.p99 < 50ms: 7.91 ms`, for each; empty where there is no threshold.
#[must_use]
pub fn threshold_lines(record: &RunRecord) -> Vec<String> {
    let lines = lines(record).into_iter();
    lines
        .map(|Line { sign, threshold, measured }| format!("{sign} {threshold}: {measured}"))
        .collect()
}

/// A threshold and what it came to.
pub(crate) struct Line {
    /// `✓` or `✗`.
    pub(crate) sign: char,
    /// As it was written.
    pub(crate) threshold: String,
    /// The measured value, and of what.
    pub(crate) measured: String,
}

/// A line for each threshold, transport and point.
pub(crate) fn lines(record: &RunRecord) -> Vec<Line> {
    outcomes(record).iter().map(|outcome| line(record, outcome)).collect()
}

/// `threshold broken: quick: websocket.latency.p99 < 50ms: 71 ms`, for each that is not met.
pub(crate) fn failures(record: &RunRecord) -> Vec<String> {
    let outcomes = outcomes(record);
    let words = |outcome: &ThresholdOutcome| {
        let what = match outcome.status {
            ThresholdStatus::Met => return None,
            ThresholdStatus::Broken => "threshold broken",
            ThresholdStatus::NotJudged => "threshold not judged",
        };
        let Line { threshold, measured, .. } = line(record, outcome);
        Some(format!("{what}: {}: {threshold}: {measured}", record.scenario.name))
    };
    outcomes.iter().filter_map(words).collect()
}

fn line(record: &RunRecord, outcome: &ThresholdOutcome) -> Line {
    let threshold = &outcome.threshold;
    let whose = match threshold.target.contender {
        Some(_) => String::new(),
        None => format!("{} ", outcome.contender),
    };
    let point = record.points.iter().find(|point| point.id == outcome.point);
    let heading = point.map(|point| settings::heading(&record.points, point));
    let at = heading.filter(|heading| !heading.is_empty());
    let at = at.map(|heading| format!(" with {heading}")).unwrap_or_default();
    let value = |measured| human::quantity(threshold.target.figure.unit(), measured);
    let measured = match (outcome.measured, outcome.at_least) {
        (Some(measured), _) => value(measured),
        (None, Some(least)) => format!("more than {}", value(least)),
        (None, None) => format!("{NOTHING} (not measured)"),
    };
    Line {
        sign: if outcome.is_met() { '✓' } else { '✗' },
        threshold: threshold.to_string(),
        measured: format!("{whose}{measured}{at}"),
    }
}
