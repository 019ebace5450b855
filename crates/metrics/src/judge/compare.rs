//! Changes between two runs, and whether they are more than noise.
//!
//! Points are matched by their settings, transports by their names; of each figure the trials of
//! the one run are held against those of the other. Five figures of each transport are judged
//! together by the ranks of their trials, and three that have no noise by their ranges (see
//! [`changes`]); the others are shown. Whether a threshold holds is in [`gate`](Comparison::gate).
//!
//! Two runs are two moments of a machine. What else changed between them is part of the
//! difference, and no statistic of two runs can tell it apart.

mod change;
mod gate;
mod notes;
mod settings;

use pushbench_core::feed::stamp::LatencyFrom;
use pushbench_core::figure::Judging;
use pushbench_core::scenario::Point;
use pushbench_core::{Contender, Figure};

pub use self::change::{Change, DISCOVERY, Power, Verdict, WORTH, changes};
pub use self::gate::{Unbreakable, percent};
pub use self::settings::Difference;
pub(in crate::judge) use self::settings::settings as settings_of;
use crate::judge::figures::{Figures, Summary, summarise};
use crate::record::{RunRecord, TrialRecord};

/// Two runs, figure by figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The figures, in the order of points, transports and figures.
    pub rows: Vec<ComparedFigure>,
    /// The least that so many trials can show.
    pub power: Power,
    /// The share of a figure up to which a change is no difference.
    pub worth: f64,
    /// Figures that would be judged and are in one of the runs only, in words.
    pub lacking: Vec<String>,
    /// Figures that would be judged, and are known of a run only to be at least something: messages
    /// were still under way when its trials ended. In words.
    pub bounded: Vec<String>,
    /// Notes to read before believing it.
    pub notes: Vec<String>,
}

impl Comparison {
    /// The judged figures with that verdict.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &ComparedFigure> {
        self.rows.iter().filter(move |row| row.change.verdict == Some(verdict))
    }
}

/// How two runs are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Whether settings may differ; points that no settings match go by their label then.
    pub any_settings: bool,
    /// The share of a figure up to which a change is no difference.
    pub worth: f64,
}

impl Default for Rules {
    /// Of the same settings only, and a change counts above [`WORTH`].
    fn default() -> Self {
        Self { any_settings: false, worth: WORTH }
    }
}

impl Rules {
    /// With `threshold` as a gate: what breaks it must count as a difference.
    #[must_use]
    pub fn with_threshold(self, threshold: f64) -> Self {
        Self { worth: self.worth.min(threshold), ..self }
    }
}

/// One figure of one transport at one point, in both runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedFigure {
    /// The point, as the first run numbers it.
    pub point: Point,
    /// The transport.
    pub contender: Contender,
    /// The figure.
    pub figure: Figure,
    /// Its change.
    pub change: Change,
    /// The instants that latencies are counted from, before and after.
    pub latency_from: [LatencyFrom; 2],
}

impl ComparedFigure {
    /// The figure as people call it: of latency also what it is counted from, where that is a stamp.
    #[must_use]
    pub fn label(&self) -> String {
        let label = self.figure.label();
        if !self.latency_from.contains(&LatencyFrom::Stamp) {
            return label.to_owned();
        }
        label.replacen("latency", LatencyFrom::Stamp.latency(), 1)
    }

    /// `sse wire_bytes_per_msg at clients=10`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}{}", self.contender, self.figure.column(), at(&self.point))
    }
}

/// ` at clients=10`, empty where there is no other point.
fn at(point: &Point) -> String {
    if point.label.is_empty() { String::new() } else { format!(" at {}", point.label) }
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
///
/// # Errors
///
/// [`CompareError`], where a table would say nothing, or nothing that is so.
pub fn compare(
    before: &RunRecord,
    after: &RunRecord,
    names: [&str; 2],
    rules: Rules,
) -> Result<Comparison, CompareError> {
    for (record, name) in [before, after].into_iter().zip(names) {
        if !record.standing().any(TrialRecord::is_valid) {
            return Err(CompareError::NoTrial(name.to_owned()));
        }
    }
    let points = settings::matched(before, after, rules.any_settings);
    let differing = settings::differences(before, after, !settings::all_equal(&points));
    if !differing.is_empty() && !rules.any_settings {
        return Err(CompareError::Different(differing));
    }
    let rows: Vec<(Summary, Summary)> = pairs(&points, before, after);
    let samples: Vec<Samples> =
        rows.iter().flat_map(|(one, other)| samples(one, other, before, after)).collect();
    if samples.is_empty() {
        return Err(CompareError::NothingInCommon);
    }
    let judged = samples.iter().map(|each| (each.values.clone(), each.judging()));
    let changes = changes(judged, rules.worth);
    let power = Power::of(&changes);
    let mut lacking = without_trials(&points, before, after, names);
    lacking.extend(samples.iter().filter_map(|each| each.lacking(names)));
    let bounded: Vec<String> = samples.iter().filter_map(|each| each.bounded(names)).collect();
    let rows_out = samples.into_iter().zip(changes).map(|(samples, change)| ComparedFigure {
        point: samples.point,
        contender: samples.contender,
        figure: samples.figure,
        change,
        latency_from: samples.latency_from,
    });
    let rows_out: Vec<ComparedFigure> = rows_out.collect();
    let mut notes = notes::of_runs(before, after, names, &differing);
    notes.extend(notes::of_rows(&rows, names));
    notes.extend(notes::of_bounds(&bounded));
    notes.extend(notes::of_origins(&rows_out, names));
    Ok(Comparison { rows: rows_out, power, worth: rules.worth, lacking, bounded, notes })
}

/// The transports that both runs were to measure at a point, and one of them did not.
fn without_trials(
    points: &[(&Point, &Point)],
    before: &RunRecord,
    after: &RunRecord,
    names: [&str; 2],
) -> Vec<String> {
    let has = |record: &RunRecord, point: &Point, contender| {
        let is_it = |trial: &TrialRecord| {
            trial.is_valid() && trial.id.point == point.id && trial.id.contender == contender
        };
        record.standing().any(is_it)
    };
    let planned = |record: &RunRecord, contender| record.scenario.contenders.contains(&contender);
    let both = Contender::all().filter(|&it| planned(before, it) && planned(after, it));
    let each = both.flat_map(|contender| points.iter().map(move |points| (contender, points)));
    let of_one = each.filter_map(|(contender, points)| {
        let only = match (has(before, points.0, contender), has(after, points.1, contender)) {
            (true, false) => names[0],
            (false, true) => names[1],
            _ => return None,
        };
        Some(format!("a valid trial of {contender}{} ({only})", at(points.0)))
    });
    of_one.collect()
}

/// The summaries of each transport that both runs have at a point.
fn pairs(
    points: &[(&Point, &Point)],
    before: &RunRecord,
    after: &RunRecord,
) -> Vec<(Summary, Summary)> {
    let (before, after) = (summarise(before), summarise(after));
    let of = |rows: &[Summary], point: &Point, contender| {
        rows.iter().find(|row| row.point.id == point.id && row.contender == contender).cloned()
    };
    let each = points.iter().flat_map(|points| {
        Contender::all()
            .map(|contender| of(&before, points.0, contender).zip(of(&after, points.1, contender)))
    });
    each.flatten().collect()
}

/// The values of a figure in both runs.
struct Samples {
    point: Point,
    contender: Contender,
    figure: Figure,
    values: [Vec<f64>; 2],
    /// Whether a trial of the run knows only what it is at least.
    is_bounded: [bool; 2],
    /// How it is judged where both runs have it.
    judging: Judging,
    latency_from: [LatencyFrom; 2],
}

impl Samples {
    /// How it is judged: what one of the runs lacks is not.
    fn judging(&self) -> Judging {
        if self.values.iter().any(Vec::is_empty) { Judging::No } else { self.judging }
    }

    /// Whether it would be judged, had both runs a value.
    fn is_missed(&self) -> bool {
        self.judging != Judging::No && self.judging() == Judging::No
    }

    /// The figure that would be judged, had both runs it, and which of them has.
    fn lacking(&self, names: [&str; 2]) -> Option<String> {
        let lacks = self.is_missed() && self.is_bounded == [false; 2];
        let name = if self.values[0].is_empty() { names[1] } else { names[0] };
        lacks.then(|| self.name(name))
    }

    /// The figure that would be judged, were more than a bound of it known, and where it is not.
    fn bounded(&self, names: [&str; 2]) -> Option<String> {
        let of = match self.is_bounded {
            [true, true] => "both".to_owned(),
            [true, false] => names[0].to_owned(),
            [false, true] => names[1].to_owned(),
            [false, false] => return None,
        };
        self.is_missed().then(|| self.name(&of))
    }

    fn name(&self, of: &str) -> String {
        format!("{} {}{} ({of})", self.contender, self.figure.column(), at(&self.point))
    }
}

/// Circumstances that make a figure of a transport be judged otherwise than its kind is.
#[derive(Debug, Clone, Copy)]
struct Circumstances {
    /// Latencies speak only of what was not superseded.
    superseded: bool,
    /// How many messages share an answer, and its headers, is a matter of chance.
    shared_by_chance: bool,
    /// Latencies are counted from one thing before, from another after.
    other_origin: bool,
}

fn judging(figure: Figure, under: Circumstances) -> Judging {
    match figure {
        Figure::LatencyP50 | Figure::LatencyP99 if under.superseded || under.other_origin => {
            Judging::No
        }
        Figure::AgeMean if under.other_origin => Judging::No,
        Figure::FramingBytes | Figure::HttpBytes if under.shared_by_chance => Judging::Ranks,
        Figure::PayloadBytes if under.shared_by_chance && under.superseded => Judging::Ranks,
        _ => figure.judging(),
    }
}

/// Above this factor it is chance that makes the difference: of messages for each answer of a long
/// poll, or between the messages that were due in two windows.
const CHANCE: f64 = 1.02;

/// Whether it is chance how many messages share an answer. A long poll is answered with what came
/// while the one before was under way, which is a matter of timing. Polls on a period bring what
/// the period says, but of a feed with another seed other numbers may be due in it, and a window of
/// a single poll is as long as its edges cut it.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
fn are_shared_by_chance(contender: Contender, trials: &[&TrialRecord]) -> bool {
    if contender.shape().asks() {
        let due = || trials.iter().map(|trial| trial.measured.audit.published);
        let (least, most) = (due().min().unwrap_or(0), due().max().unwrap_or(0));
        let polls_once = |trial: &&TrialRecord| {
            trial.measured.counters.requests < 2 * u64::from(trial.connected)
        };
        return most as f64 > CHANCE * least as f64 || trials.iter().any(polls_once);
    }
    contender.shape().waits()
        && trials.iter().any(|trial| {
            let counters = &trial.measured.counters;
            let answers = counters.requests.saturating_sub(counters.empty_responses);
            counters.messages_in_window as f64 > CHANCE * answers as f64
        })
}

/// The figures of which either run knows anything, none where one of them has no valid trial.
fn samples(one: &Summary, other: &Summary, before: &RunRecord, after: &RunRecord) -> Vec<Samples> {
    let mut figures = [figures(before, one), figures(after, other)];
    if figures.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    let bounded = |figure| {
        let is_bounded = |trial: &Figures| trial.at_least(figure).is_some();
        figures.each_ref().map(|trials| trials.iter().any(is_bounded))
    };
    let bounded = Figure::ALL.map(bounded);
    figures.iter_mut().for_each(|trials| Figures::retain_comparable(trials));
    let both: Vec<&TrialRecord> = valid(before, one).chain(valid(after, other)).collect();
    let from =
        |record, row| valid(record, row).next().map(|trial| trial.latency_from).unwrap_or_default();
    let latency_from = [from(before, one), from(after, other)];
    let under = Circumstances {
        other_origin: latency_from[0] != latency_from[1],
        superseded: one.counts.audit.superseded + other.counts.audit.superseded > 0,
        shared_by_chance: are_shared_by_chance(one.contender, &both),
    };
    let medians = Figure::ALL.into_iter().filter(|figure| !figure.is_counted());
    let each = medians.map(|figure| {
        let values = figures.each_ref().map(|trials| {
            trials.iter().filter_map(|trial| trial.get(figure)).collect::<Vec<f64>>()
        });
        Samples {
            point: one.point.clone(),
            contender: one.contender,
            figure,
            values,
            is_bounded: bounded[figure as usize],
            judging: judging(figure, under),
            latency_from,
        }
    });
    let is_known = |each: &Samples| each.values.iter().any(|values| !values.is_empty());
    let is_told = |each: &Samples| is_known(each) || each.is_bounded.contains(&true);
    each.filter(is_told).collect()
}

fn figures(record: &RunRecord, row: &Summary) -> Vec<Figures> {
    valid(record, row).map(Figures::of_trial).collect()
}

/// The valid trials of a row.
fn valid<'a>(record: &'a RunRecord, row: &'a Summary) -> impl Iterator<Item = &'a TrialRecord> {
    record.standing().filter(|trial| {
        trial.is_valid() && trial.id.point == row.point.id && trial.id.contender == row.contender
    })
}
