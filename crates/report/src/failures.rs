//! Why a run did not end with status 0, in lines for standard error: one for each trial that
//! cannot be used and each threshold that is not met.

use std::mem::{Discriminant, discriminant};

use pushbench_metrics::record::warning::Invalid;
use pushbench_metrics::record::{RunRecord, TrialRecord};

use crate::notes::{again, is_repeat};
use crate::{settings, thresholds};

/// `invalid: quick: sse, round 2 of 3: the machine stalled …`, and `threshold broken: quick: …`;
/// each a single line with the scenario's name, as several may have been run.
#[must_use]
pub fn failures(record: &RunRecord) -> Vec<String> {
    let invalid = record.standing().filter(|trial| !trial.is_valid());
    let mut lines: Vec<String> = invalid.map(|trial| line(record, trial)).collect();
    if record.trials.is_empty() {
        lines.push(format!("invalid: {}: no trial was run", record.scenario.name));
    }
    lines.extend(thresholds::failures(record));
    lines
}

fn line(record: &RunRecord, trial: &TrialRecord) -> String {
    let point = record.points.iter().find(|point| point.id == trial.id.point);
    let heading = point.map(|point| settings::heading(&record.points, point)).unwrap_or_default();
    let at = if heading.is_empty() { heading } else { format!(" with {heading}") };
    let again = if is_repeat(trial) { format!(", {}", again(1)) } else { String::new() };
    let text = format!(
        "invalid: {}: {}{at}, round {} of {} (trial {}{again}): {}{}",
        record.scenario.name,
        trial.id.contender,
        trial.id.round,
        record.scenario.runs,
        trial.order,
        reasons(trial),
        first_attempt(record, trial)
    );
    // What a process said before it died may have several lines.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn reasons(trial: &TrialRecord) -> String {
    let each = trial.invalid.iter().map(|invalid| format!("{invalid}; {}", invalid.remedy()));
    each.collect::<Vec<_>>().join("; ")
}

/// The reasons for which a repeated trial's first attempt could not be used, where they are others: a
/// server that died in it is merely out of reach in the repeat.
fn first_attempt(record: &RunRecord, trial: &TrialRecord) -> String {
    let earlier = |other: &&TrialRecord| other.id == trial.id && other.attempt < trial.attempt;
    let kinds = |trial: &TrialRecord| -> Vec<_> { trial.invalid.iter().map(kind).collect() };
    match record.trials.iter().find(earlier) {
        Some(first) if kinds(first) != kinds(trial) => {
            format!("; its first attempt was invalid for another reason: {}", reasons(first))
        }
        _ => String::new(),
    }
}

/// The kind of a reason. Of clients that have no attempt left what they met is a part of it, without its
/// numbers, such as which of them it was.
fn kind(reason: &Invalid) -> (Discriminant<Invalid>, Option<String>) {
    let met = match reason {
        Invalid::AttemptsUsed(used) => used.error.as_deref(),
        _ => None,
    };
    let words = |error: &str| error.chars().filter(|c| !c.is_ascii_digit()).collect();
    (discriminant(reason), met.map(words))
}
