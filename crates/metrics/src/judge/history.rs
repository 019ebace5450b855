//! A figure over many runs: what each measured, how noisy it was, and what changed.
//!
//! Each run is held against the one before it, and against the first, by [`compare`] and so by the same tests:
//! a small change at each step, which no step shows, is found in the long run. Each comparison calls a
//! difference by luck as often as one of two runs does, so that of many runs some are called so.

use pushbench_core::scenario::Point;
use pushbench_core::{Contender, Figure};

use crate::judge::compare::{
    CompareError, ComparedFigure, Comparison, Rules, Verdict, WORTH, compare, settings_of,
};
use crate::judge::figures::{Figures, Summary, summarise};
use crate::judge::stats;
use crate::record::RunRecord;

/// How far the trials of a run lie from each other, as a share of their median.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noise {
    /// Fewer than three trials: nothing is known of it.
    Unknown,
    /// All trials are the same.
    None,
    /// Up to [`WORTH`], the least change that is told.
    Quiet,
    /// Up to [`NOISY`].
    Noisy,
    /// More: what one such run says of this figure is worth little.
    Wild,
}

/// The most of a noisy run.
pub const NOISY: f64 = 0.1;

/// The factor between the median absolute deviation and the standard deviation of normal numbers.
const NORMAL: f64 = 1.4826;

impl Noise {
    /// The class of trials: by the median distance from their median, as a standard deviation.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let Some(middle) = stats::median(values).filter(|_| values.len() >= 3) else {
            return Self::Unknown;
        };
        let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        let deviation = NORMAL * stats::median(&distances).unwrap_or_default();
        match () {
            () if distances.iter().all(|distance| *distance == 0.0) => Self::None,
            () if deviation <= WORTH * middle.abs() => Self::Quiet,
            () if deviation <= NOISY * middle.abs() => Self::Noisy,
            () => Self::Wild,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "not known",
            Self::None => "none",
            Self::Quiet => "quiet",
            Self::Noisy => "noisy",
            Self::Wild => "wild",
        }
    }
}

/// A run by the name that it has here.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The name.
    pub name: &'a str,
    /// The record.
    pub record: &'a RunRecord,
}

/// How a run's figure stands to that of an earlier one.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// There is no earlier one, or one of them has not this figure.
    Nothing,
    /// The runs cannot be compared, and why.
    Refused(String),
    /// The change, as a share of the figure before, and what is concluded; `None` where it is not judged.
    Change(Option<f64>, Option<Verdict>),
}

/// A figure in one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The place of its run among those given.
    pub run: usize,
    /// The median over the valid trials; `None` where it is not known.
    pub value: Option<f64>,
    /// Trials that have it.
    pub trials: usize,
    /// How far these lie from each other.
    pub noise: Noise,
    /// Held against the run before.
    pub since_last: Mark,
    /// Held against the first run, from the third on.
    pub since_first: Mark,
}

/// A figure of a transport at a point, run by run.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The point, as the first run that has it numbers it.
    pub point: Point,
    /// The transport.
    pub contender: Contender,
    /// The figure.
    pub figure: Figure,
    /// The runs that measured it, in their order.
    pub entries: Vec<Entry>,
}

/// Each of `figures` of each transport at each point, over `runs` in their order.
#[must_use]
pub fn history(runs: &[Run<'_>], figures: &[Figure], rules: Rules) -> Vec<Series> {
    let pairs = |from: &dyn Fn(usize) -> usize| -> Vec<Option<Outcome>> {
        (0..runs.len()).map(|at| (at > 0).then(|| held(runs[from(at)], runs[at], rules))).collect()
    };
    let (since_last, since_first) = (pairs(&|at| at - 1), pairs(&|_| 0));
    let mut all: Vec<Series> = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        for row in summarise(run.record) {
            for &figure in figures {
                let entry = Entry {
                    since_last: mark(since_last[at].as_ref(), &row, figure),
                    since_first: mark(since_first[at].as_ref().filter(|_| at > 1), &row, figure),
                    ..entry(at, run.record, &row, figure)
                };
                push(&mut all, &row, figure, entry);
            }
        }
    }
    all.sort_by_key(|series| {
        let place = figures.iter().position(|figure| *figure == series.figure);
        (place, series.point.id, place_of(series.contender))
    });
    all
}

fn place_of(contender: Contender) -> Option<usize> {
    Contender::all().position(|each| each == contender)
}

type Outcome = Result<Comparison, CompareError>;

fn held(before: Run<'_>, after: Run<'_>, rules: Rules) -> Outcome {
    compare(before.record, after.record, [before.name, after.name], rules)
}

fn entry(run: usize, record: &RunRecord, row: &Summary, figure: Figure) -> Entry {
    let ours = record.standing().filter(|trial| {
        trial.is_valid() && trial.id.point == row.point.id && trial.id.contender == row.contender
    });
    let values: Vec<f64> = ours.filter_map(|trial| Figures::of_trial(trial).get(figure)).collect();
    Entry {
        run,
        value: row.figures.get(figure),
        trials: values.len(),
        noise: Noise::of(&values),
        since_last: Mark::Nothing,
        since_first: Mark::Nothing,
    }
}

fn mark(outcome: Option<&Outcome>, row: &Summary, figure: Figure) -> Mark {
    let comparison = match outcome {
        None => return Mark::Nothing,
        Some(Err(error)) => return Mark::Refused(error.to_string()),
        Some(Ok(comparison)) => comparison,
    };
    let is_it = |compared: &&ComparedFigure| {
        compared.contender == row.contender
            && compared.figure == figure
            && settings_of(&compared.point) == settings_of(&row.point)
    };
    let found = comparison.rows.iter().find(is_it).map(|compared| &compared.change);
    let known = found.filter(|change| change.shift.is_some());
    known.map_or(Mark::Nothing, |change| Mark::Change(change.relative(), change.verdict))
}

fn push(all: &mut Vec<Series>, row: &Summary, figure: Figure, entry: Entry) {
    let is_it = |series: &&mut Series| {
        series.contender == row.contender
            && series.figure == figure
            && settings_of(&series.point) == settings_of(&row.point)
    };
    match all.iter_mut().find(is_it) {
        Some(series) => series.entries.push(entry),
        None => {
            let (point, contender) = (row.point.clone(), row.contender);
            all.push(Series { point, contender, figure, entries: vec![entry] });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_noise_is_that_of_the_trials_usual_distance() {
        for (values, noise) in [
            (&[][..], Noise::Unknown),
            (&[1.0, 9.0], Noise::Unknown),
            (&[5.0, 5.0, 5.0], Noise::None),
            // A deviation of 1.4826 × 1 of 100.
            (&[99.0, 100.0, 101.0, 100.0, 300.0, 99.0], Noise::Quiet),
            (&[95.0, 100.0, 105.0, 104.0, 96.0], Noise::Noisy),
            (&[50.0, 100.0, 150.0], Noise::Wild),
            (&[0.0, 0.0, 1.0], Noise::Quiet),
        ] {
            assert_eq!(Noise::of(values), noise, "{values:?}");
        }
    }
}
