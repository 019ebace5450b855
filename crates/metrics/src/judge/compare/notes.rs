//! Notes to read before believing a comparison.

use pushbench_core::feed::stamp::LatencyFrom;

use super::settings::{self, Difference};
use super::{ComparedFigure, at};
use crate::judge::figures::Summary;
use crate::record::RunRecord;
use crate::record::environment::Environment;

/// Differences between the runs as a whole, and what is missing in one.
pub(super) fn of_runs(
    before: &RunRecord,
    after: &RunRecord,
    names: [&str; 2],
    differing: &[Difference],
) -> Vec<String> {
    let mut notes = Vec::new();
    if before == after {
        notes.push("Both are the same run: there is nothing to find.".to_owned());
    }
    if !differing.is_empty() {
        let list = settings::list(differing);
        notes.push(format!(
            "The runs are of different settings, which is part of any change: {list}."
        ));
    }
    let changed = changed(before, after);
    if !changed.is_empty() {
        let list = changed.join(", ");
        notes.push(format!("Not the same on both sides, and part of any change: {list}."));
    }
    for (record, name) in [before, after].into_iter().zip(names) {
        if record.partial {
            notes.push(format!("{name} is partial, it was cut short: rounds are missing."));
        }
    }
    for (one, other, name) in [(before, after, names[0]), (after, before, names[1])] {
        let missing = missing(one, other);
        if !missing.is_empty() {
            notes.push(format!("Only in {name}: {}.", missing.join(", ")));
        }
    }
    notes
}

/// Version, machine and seed, where they differ.
fn changed(before: &RunRecord, after: &RunRecord) -> Vec<String> {
    let known = |text: &str| if text.is_empty() { "not known" } else { text }.to_owned();
    let number = |number: Option<u64>| number.map_or_else(|| known(""), |n| n.to_string());
    let facts = |record: &RunRecord| {
        let Environment {
            kernel,
            architecture,
            cpu_model,
            cores,
            memory_bytes,
            congestion_control,
            clocksource,
            hypervisor,
            ..
        } = &record.environment;
        let virtual_machine = hypervisor.map(|is| if is { "yes" } else { "no" });
        [
            ("pushbench", known(&record.version)),
            ("kernel", known(kernel)),
            ("architecture", known(architecture)),
            ("processor", known(cpu_model)),
            ("cores", number(cores.map(u64::from))),
            ("memory in MiB", number(memory_bytes.map(|bytes| bytes >> 20))),
            ("virtual machine", known(virtual_machine.unwrap_or_default())),
            ("congestion control of TCP", known(congestion_control)),
            ("clock source", known(clocksource)),
            ("seed", record.scenario.seed.to_string()),
        ]
    };
    let pairs = facts(before).into_iter().zip(facts(after));
    let differing = pairs.filter(|(one, other)| one.1 != other.1);
    differing.map(|(one, other)| format!("{} ({} and {})", one.0, one.1, other.1)).collect()
}

/// Points and transports of `one` that `other` lacks.
fn missing(one: &RunRecord, other: &RunRecord) -> Vec<String> {
    let contenders = one.scenario.contenders.iter();
    let lacking = contenders.filter(|each| !other.scenario.contenders.contains(each));
    let mut missing: Vec<String> = lacking.map(ToString::to_string).collect();
    let matched = settings::matched(one, other, false);
    if matched.is_empty() {
        return missing;
    }
    let alone = one.points.iter().filter(|point| matched.iter().all(|(ours, _)| ours != point));
    missing.extend(alone.map(|point| {
        if point.label.is_empty() { format!("point {}", point.id) } else { point.label.clone() }
    }));
    missing
}

/// Trials left out and messages lost, of what is compared.
pub(super) fn of_rows(rows: &[(Summary, Summary)], names: [&str; 2]) -> Vec<String> {
    let sides = rows.iter().flat_map(|(one, other)| [(one, names[0]), (other, names[1])]);
    let mut notes = Vec::new();
    for (row, name) in sides {
        let of = format!("{}{} in {name}", row.contender, at(&row.point));
        if !row.valid {
            let reasons: Vec<String> = row.invalid.iter().map(ToString::to_string).collect();
            notes.push(format!("Invalid trials are left out of {of}: {}.", reasons.join("; ")));
        }
        if row.counts.audit.lost > 0 {
            let (lost, expected) = (row.counts.audit.lost, row.counts.audit.expected);
            notes.push(format!("Lost: {lost} of {expected} messages of {of}."));
        }
    }
    notes
}

/// Figures that are not judged, as messages that were late keep them from being known.
pub(super) fn of_bounds(bounded: &[String]) -> Option<String> {
    (!bounded.is_empty()).then(|| {
        let figures = bounded.join(", ");
        format!("Not judged, as messages were still under way at the end of trials: {figures}.")
    })
}

/// Latencies that are counted from different instants in the two runs.
pub(super) fn of_origins(rows: &[ComparedFigure], names: [&str; 2]) -> Option<String> {
    let differing = rows.iter().find(|row| row.latency_from[0] != row.latency_from[1])?;
    let from = differing.latency_from.map(LatencyFrom::name);
    Some(format!(
        "Latency and age are not judged: in {} they are counted from the {}, in {} from the {}.",
        names[0], from[0], names[1], from[1]
    ))
}
