//! What changed between two runs, and whether it is more than noise.
//!
//! Points are matched by their settings, transports by their names; of each figure the trials of
//! the one run are held against those of the other. Five figures of each transport are judged,
//! all of them together (see [`judge()`]); the others are shown.
//!
//! Two runs are two moments of a machine. What else changed between them is part of the
//! difference, and no statistic of two runs can tell it apart.

mod judge;
mod notes;
mod settings;

use pushbench_core::Transport;
use pushbench_core::scenario::Point;

pub use self::judge::{Change, DISCOVERY, PRIMARY, Power, Verdict, WORTH, judge};
pub use self::settings::Difference;
use crate::figures::{Figure, Figures, Summary, summarise};
use crate::record::{RunRecord, TrialRecord};

/// Two runs, figure by figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What is compared, in the order of points, transports and figures.
    pub rows: Vec<Row>,
    /// What so many trials can show.
    pub power: Power,
    /// What to know before believing it.
    pub notes: Vec<String>,
}

impl Comparison {
    /// The judged figures with that verdict.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.change.verdict == Some(verdict))
    }

    /// What is worse by more than `share`, by verdict too.
    pub fn worse_by(&self, share: f64) -> impl Iterator<Item = &Row> {
        let more = move |row: &&Row| row.change.relative().is_none_or(|change| change > share);
        self.with(Verdict::Worse).filter(more)
    }
}

/// One figure of one transport at one point, in both runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The point, as the first run numbers it.
    pub point: Point,
    /// The transport.
    pub transport: Transport,
    /// The figure.
    pub figure: Figure,
    /// What became of it.
    pub change: Change,
}

/// Why two runs cannot be compared.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CompareError {
    /// Their settings differ.
    #[error(
        "the runs are of different settings: {}; run both with the same, or pass --ignore-settings",
        settings::list(.0)
    )]
    Different(Vec<Difference>),
    /// A run has no valid trial.
    #[error("{0} has no valid trial, so there is nothing to compare; run it again")]
    NoTrial(String),
    /// No transport, or no valid trial of it, is in both.
    #[error("the runs have no transport in common, at no point; nothing can be compared")]
    NothingInCommon,
}

/// Compares `after` with `before`. `names` are what the two runs are called in notes and errors.
/// With `any_settings`, settings may differ, and points that no settings match go by their label.
///
/// # Errors
///
/// [`CompareError`], where a table would say nothing, or nothing that is so.
pub fn compare(
    before: &RunRecord,
    after: &RunRecord,
    names: [&str; 2],
    any_settings: bool,
) -> Result<Comparison, CompareError> {
    for (record, name) in [before, after].into_iter().zip(names) {
        if !record.standing().any(TrialRecord::is_valid) {
            return Err(CompareError::NoTrial(name.to_owned()));
        }
    }
    let points = settings::matched(before, after, any_settings);
    let differing = settings::differences(before, after, !settings::all_equal(&points));
    if !differing.is_empty() && !any_settings {
        return Err(CompareError::Different(differing));
    }
    let rows: Vec<(Summary, Summary)> = pairs(&points, before, after);
    let samples: Vec<Samples> =
        rows.iter().flat_map(|(one, other)| samples(one, other, before, after)).collect();
    if samples.is_empty() {
        return Err(CompareError::NothingInCommon);
    }
    let changes = judge(samples.iter().map(|each| (each.values.clone(), each.is_judged)));
    let power = Power::of(&changes);
    let rows_out = samples.into_iter().zip(changes).map(|(samples, change)| Row {
        point: samples.point,
        transport: samples.transport,
        figure: samples.figure,
        change,
    });
    let rows_out = rows_out.collect();
    let mut notes = notes::of_runs(before, after, names, &differing);
    notes.extend(notes::of_rows(&rows, names));
    Ok(Comparison { rows: rows_out, power, notes })
}

/// The summaries of each transport that both runs have at a point.
fn pairs(
    points: &[(&Point, &Point)],
    before: &RunRecord,
    after: &RunRecord,
) -> Vec<(Summary, Summary)> {
    let (before, after) = (summarise(before), summarise(after));
    let of = |rows: &[Summary], point: &Point, transport| {
        rows.iter().find(|row| row.point.id == point.id && row.transport == transport).cloned()
    };
    let each = points.iter().flat_map(|points| {
        Transport::ALL
            .map(|transport| of(&before, points.0, transport).zip(of(&after, points.1, transport)))
    });
    each.flatten().collect()
}

/// The values of a figure in both runs.
struct Samples {
    point: Point,
    transport: Transport,
    figure: Figure,
    values: [Vec<f64>; 2],
    is_judged: bool,
}

/// The figures that either run has, none where one of them has no valid trial.
fn samples(one: &Summary, other: &Summary, before: &RunRecord, after: &RunRecord) -> Vec<Samples> {
    let figures = [figures(before, one), figures(after, other)];
    if figures.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    // Latencies speak only of what was not superseded, ages of all.
    let superseded = one.counts.superseded + other.counts.superseded > 0;
    let is_latency = |figure| matches!(figure, Figure::LatencyP50 | Figure::LatencyP99);
    let each = Figure::ALL.map(|figure| {
        let values = figures.each_ref().map(|trials| {
            trials.iter().filter_map(|trial| trial.get(figure)).collect::<Vec<f64>>()
        });
        let in_both = values.iter().all(|values| !values.is_empty());
        Samples {
            point: one.point.clone(),
            transport: one.transport,
            figure,
            values,
            is_judged: PRIMARY.contains(&figure) && in_both && !(superseded && is_latency(figure)),
        }
    });
    each.into_iter().filter(|each| each.values.iter().any(|values| !values.is_empty())).collect()
}

fn figures(record: &RunRecord, row: &Summary) -> Vec<Figures> {
    let ours = record.standing().filter(|trial| {
        trial.is_valid() && trial.id.point == row.point.id && trial.id.transport == row.transport
    });
    let mut figures: Vec<Figures> = ours.map(Figures::of_trial).collect();
    Figures::retain_comparable(&mut figures);
    figures
}
