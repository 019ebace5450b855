//! Whether figures changed: the one place that says when a difference is called one.

use crate::figures::Figure;
use crate::stats::discovery::adjusted;
use crate::stats::median;
use crate::stats::shift::{Shift, least_p};

/// The figures that are judged. Less is better in each.
pub const PRIMARY: [Figure; 5] =
    [Figure::LatencyP50, Figure::LatencyP99, Figure::AgeMean, Figure::WireBytes, Figure::ServerCpu];

/// The share of false ones that differences called so may hold on average; where nothing changed,
/// the chance that any is called.
pub const DISCOVERY: f64 = 0.05;

/// What is below this share of the figure before is no difference to anybody, however sure.
pub const WORTH: f64 = 0.02;

/// What is said of a judged figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It fell, by more than noise and by more than [`WORTH`].
    Better,
    /// It rose so.
    Worse,
    /// The trials show no difference, which is no proof that there is none.
    NoneShown,
    /// So few trials could show none.
    TooFew,
}

/// What became of a figure from one run to the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Trials that have the figure, before and after.
    pub trials: [usize; 2],
    /// Their medians.
    pub medians: [Option<f64>; 2],
    /// How far it moved; `None` where one of the runs does not have it.
    pub shift: Option<Shift>,
    /// p, adjusted for the number of figures judged; `None` where it is not judged.
    pub adjusted_p: Option<f64>,
    /// The verdict; `None` where it is not judged.
    pub verdict: Option<Verdict>,
}

impl Change {
    fn of([before, after]: &[Vec<f64>; 2]) -> Self {
        Self {
            trials: [before.len(), after.len()],
            medians: [median(before), median(after)],
            shift: Shift::of(before, after),
            adjusted_p: None,
            verdict: None,
        }
    }

    /// `amount` as a share of the figure before; `None` where that is zero or not known.
    #[must_use]
    pub fn share_of_before(&self, amount: f64) -> Option<f64> {
        self.medians[0].filter(|before| *before > 0.0).map(|before| amount / before)
    }

    /// The shift as a share of the figure before.
    #[must_use]
    pub fn relative(&self) -> Option<f64> {
        self.share_of_before(self.shift?.estimate)
    }

    fn judge(&mut self, adjusted_p: f64) {
        let [before, after] = self.trials;
        let moved = self.shift.map_or(0.0, |shift| shift.estimate);
        let matters = self.relative().is_none_or(|change| change.abs() > WORTH) && moved != 0.0;
        self.adjusted_p = Some(adjusted_p);
        self.verdict = Some(match () {
            () if least_p(before, after) > DISCOVERY => Verdict::TooFew,
            () if adjusted_p > DISCOVERY || !matters => Verdict::NoneShown,
            () if moved < 0.0 => Verdict::Better,
            () => Verdict::Worse,
        });
    }
}

/// What became of each figure, whose values before and after are given with whether it is
/// [judged](PRIMARY). Those judged are judged together: p is adjusted for their number after
/// Benjamini and Hochberg, so that a comparison of more figures does not call more by luck.
#[must_use]
pub fn judge(samples: impl IntoIterator<Item = ([Vec<f64>; 2], bool)>) -> Vec<Change> {
    let (mut changes, judged): (Vec<Change>, Vec<bool>) =
        samples.into_iter().map(|(values, is_judged)| (Change::of(&values), is_judged)).unzip();
    let family = || judged.iter().enumerate().filter(|(_, judged)| **judged);
    let p_value = |index: usize| changes[index].shift.map_or(1.0, |shift| shift.p);
    let p_values: Vec<f64> = family().map(|(index, _)| p_value(index)).collect();
    for ((index, _), p) in family().zip(adjusted(&p_values)) {
        changes[index].judge(p);
    }
    changes
}

/// What a comparison could show at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Power {
    /// Figures judged.
    pub judged: usize,
    /// Trials of the judged figure that has the fewest, before and after.
    pub trials: [usize; 2],
    /// The least p that these can come to, before it is adjusted.
    pub least_p: f64,
}

impl Power {
    /// That of judged changes.
    #[must_use]
    pub fn of(changes: &[Change]) -> Self {
        let judged = changes.iter().filter(|change| change.verdict.is_some());
        let p = |change: &&Change| least_p(change.trials[0], change.trials[1]);
        let weakest = judged.clone().max_by(|one, other| p(one).total_cmp(&p(other)));
        let trials = weakest.map_or([0, 0], |change| change.trials);
        Self { judged: judged.count(), trials, least_p: least_p(trials[0], trials[1]) }
    }

    /// How many figures have to change before the change of any can be shown; `None` where so few
    /// trials show none.
    #[must_use]
    pub fn figures_needed(&self) -> Option<usize> {
        // What luck leaves of rounding is nobody's figure.
        let needed = (self.least_p * self.judged as f64 / DISCOVERY - 1e-9).ceil().max(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "≥ 1, small")]
        (self.least_p <= DISCOVERY).then_some(needed as usize)
    }

    /// The fewest trials of each run that can show a change of `figures` of those judged.
    #[must_use]
    pub fn runs_needed(&self, figures: usize) -> usize {
        let limit = DISCOVERY * figures as f64 / self.judged.max(figures) as f64;
        (1..).find(|&runs| least_p(runs, runs) <= limit).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests;
