//! Remarks on standard error at a run's end, whatever else was asked for.

use pushbench_metrics::record::warning::Warning;
use pushbench_metrics::record::{RunRecord, TrialId, TrialRecord};

/// A line for each trial that was invalid and whose repeat stands in its place.
pub(super) fn repeated(record: &RunRecord) -> Vec<String> {
    let stands = |trial: &TrialRecord| {
        record.standing().any(|other| other.id == trial.id && other.is_valid())
    };
    let replaced = record.trials.iter().filter(|trial| !trial.is_valid() && stands(trial));
    let lines = replaced.map(|trial| {
        let reasons: Vec<String> = trial.invalid.iter().map(ToString::to_string).collect();
        let TrialId { point, contender, round } = trial.id;
        let at = if record.points.len() > 1 { format!(" at point {point}") } else { String::new() };
        let reasons = reasons.join("; ");
        format!("repeated: {contender}{at}, round {round}: {reasons}; its repeat is valid")
    });
    lines.collect()
}

/// A line for each point and transport whose server broke its protocol in a trial that stands.
pub(super) fn protocol_errors(record: &RunRecord) -> Vec<String> {
    let broken = |trial: &&TrialRecord| trial.measured.counters.protocol_errors > 0;
    let trials: Vec<&TrialRecord> = record.standing().filter(broken).collect();
    let mut subjects: Vec<_> =
        trials.iter().map(|trial| (trial.id.point, trial.id.contender)).collect();
    subjects.sort_by_key(|&(point, contender)| (point, contender.name()));
    subjects.dedup();
    let lines = subjects.into_iter().map(|(point, contender)| {
        let ours = trials.iter().filter(|t| (t.id.point, t.id.contender) == (point, contender));
        let count: u64 = ours.clone().map(|trial| trial.measured.counters.protocol_errors).sum();
        let first = ours.clone().find_map(|trial| first(trial)).unwrap_or_default();
        let at = if record.points.len() > 1 { format!(" at point {point}") } else { String::new() };
        let plural = |number: u64| if number == 1 { "" } else { "s" };
        let (trials, one_or_more) = (ours.count() as u64, plural(count));
        format!(
            "warning: {contender}{at}: {count} protocol error{one_or_more} in {trials} \
             trial{}{first}",
            plural(trials)
        )
    });
    lines.collect()
}

fn first(trial: &TrialRecord) -> Option<String> {
    trial.warnings.iter().find_map(|warning| match warning {
        Warning::ProtocolErrors { first, .. } => {
            Some(format!(", the first: {}", first.as_deref()?))
        }
        _ => None,
    })
}
