//! The rows that users read: one for each trial, and one for each point and transport.
//!
//! In a summary, counts are sums over the valid trials and figures are medians over them; the
//! clients that were connected are those of one trial. A percentile is never averaged with
//! another: the median picks one, or halves the two middle.
//!
//! What messages that were still under way at the end could move is no figure: of it is known only
//! what it is [at least](Figures::at_least).

mod counts;
mod read;

use pushbench_core::scenario::Point;
use pushbench_core::{Contender, Figure};

pub use self::counts::Counts;
use self::read::Reader;
pub use self::read::of_layer;
use crate::judge::stats;
use crate::observe::censored::Bounded;
use crate::observe::ledger::Layer;
use crate::record::warning::Invalid;
use crate::record::{RunRecord, TrialRecord};

/// A value for each [`Figure`]; `None` is "not measured".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures([Option<Bounded>; Figure::ALL.len()]);

impl Default for Figures {
    fn default() -> Self {
        Self([None; Figure::ALL.len()])
    }
}

impl Figures {
    /// The value of `figure`.
    #[must_use]
    pub fn get(&self, figure: Figure) -> Option<f64> {
        self.0[figure as usize]?.exact()
    }

    /// The lower bound of `figure`, where messages that were still under way keep its value from
    /// being known.
    #[must_use]
    pub fn at_least(&self, figure: Figure) -> Option<f64> {
        self.0[figure as usize]?.at_least()
    }

    /// Takes away each figure of which any of `trials` knows only what it is at least: the others'
    /// values would speak for the better trials alone.
    pub fn retain_comparable(trials: &mut [Self]) {
        for figure in Figure::ALL {
            if trials.iter().any(|trial| trial.at_least(figure).is_some()) {
                trials.iter_mut().for_each(|trial| trial.set(figure, None));
            }
        }
    }

    /// All layers but TCP and IP, per message: what the sockets moved.
    #[must_use]
    pub fn socket_bytes(&self) -> Option<f64> {
        Layer::AT_SOCKET.into_iter().map(|layer| self.get(of_layer(layer))).sum()
    }

    const fn set(&mut self, figure: Figure, value: Option<Bounded>) {
        self.0[figure as usize] = value;
    }

    /// The figures of one trial.
    #[must_use]
    pub fn of_trial(trial: &TrialRecord) -> Self {
        let reader = Reader::of(trial);
        Self(Figure::ALL.map(|figure| reader.read(figure)))
    }

    /// The median of each figure over those of `trials` that have it; exact where those that are
    /// only at least something cannot move it.
    #[must_use]
    pub fn median(trials: &[Self]) -> Self {
        let mut figures = Self::default();
        for figure in Figure::ALL.into_iter().filter(|figure| !figure.is_counted()) {
            let bounds = trials.iter().filter_map(|trial| trial.at_least(figure));
            let bounds: Vec<f64> = bounds.collect();
            let known = values(trials, figure);
            let median = |others: &[f64]| stats::median(&[&known, others].concat());
            let (least, most) = (median(&bounds), median(&vec![f64::INFINITY; bounds.len()]));
            figures.set(
                figure,
                least.map(|least| match most {
                    Some(most) if most == least => Bounded::Exactly(least),
                    _ => Bounded::AtLeast(least),
                }),
            );
        }
        figures
    }

    /// Those of a row: medians over its trials, and what is counted from its `counts`.
    fn of_row(trials: &[Self], counts: &Counts) -> Self {
        let mut figures = Self::median(trials);
        for figure in Figure::ALL.into_iter().filter(|figure| figure.is_counted()) {
            figures.set(figure, counts.figure(figure).map(Bounded::Exactly));
        }
        figures
    }
}

fn values(trials: &[Figures], figure: Figure) -> Vec<f64> {
    trials.iter().filter_map(|trial| trial.get(figure)).collect()
}

/// A row of `summary.csv`: one transport at one point, over its trials.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The settings.
    pub point: Point,
    /// The transport.
    pub contender: Contender,
    /// Trials that stand, valid or not.
    pub trials: u32,
    /// Whether all of them are valid.
    pub valid: bool,
    /// Sums over the valid trials; of connected clients, those of one of them.
    pub counts: Counts,
    /// Medians over the valid trials.
    pub figures: Figures,
    /// The 95 % interval of the median latency's median; `None` below six trials, and where the
    /// median of any is not known.
    pub latency_p50_interval: Option<(f64, f64)>,
    /// The range of the median latency over the trials; `None` where that of any is not known.
    pub latency_p50_range: Option<(f64, f64)>,
    /// Warnings to read before believing the row, each once.
    pub warnings: Vec<String>,
    /// Why trials were left out, each reason once.
    pub invalid: Vec<Invalid>,
}

/// The rows of a run, by point and then in the order of [`Contender::all`].
#[must_use]
pub fn summarise(record: &RunRecord) -> Vec<Summary> {
    let mut rows = Vec::new();
    for point in &record.points {
        for contender in Contender::all() {
            let trials: Vec<&TrialRecord> = record
                .standing()
                .filter(|trial| trial.id.point == point.id && trial.id.contender == contender)
                .collect();
            if !trials.is_empty() {
                rows.push(Summary::of(point, contender, &trials));
            }
        }
    }
    rows
}

impl Summary {
    fn of(point: &Point, contender: Contender, trials: &[&TrialRecord]) -> Self {
        let valid: Vec<&TrialRecord> = trials.iter().copied().filter(|t| t.is_valid()).collect();
        let figures: Vec<Figures> = valid.iter().map(|trial| Figures::of_trial(trial)).collect();
        let mut comparable = figures.clone();
        Figures::retain_comparable(&mut comparable);
        let medians = values(&comparable, Figure::LatencyP50);
        let counts = Counts::of_trials(&valid);
        let warnings = valid.iter().flat_map(|trial| &trial.warnings);
        let invalid = trials.iter().flat_map(|trial| trial.invalid.iter().cloned());
        Self {
            point: point.clone(),
            contender,
            trials: u32::try_from(trials.len()).unwrap_or(u32::MAX),
            valid: valid.len() == trials.len(),
            counts,
            figures: Figures::of_row(&figures, &counts),
            latency_p50_interval: stats::median_interval_95(&medians),
            latency_p50_range: stats::range(&medians),
            warnings: once_each(warnings.map(|w| format!("{w}; {}", w.remedy()))),
            invalid: once_each(invalid),
        }
    }
}

fn once_each<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
