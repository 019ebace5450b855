//! Whether figures changed: the one place that says when a difference is called one.

use pushbench_core::figure::Judging;

use crate::judge::stats::discovery::adjusted;
use crate::judge::stats::shift::{Shift, least_p};
use crate::judge::stats::{median, range};

/// The share of false ones that differences called so may hold on average; where nothing changed,
/// the chance that any is called.
pub const DISCOVERY: f64 = 0.05;

/// The share of the figure before up to which a change is no difference to anybody, however sure.
pub const WORTH: f64 = 0.02;

/// The most trials of one run that anybody is advised to add to few of another.
const MOST_RUNS: usize = 40;

/// The verdict on a judged figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It fell, by more than noise and by more than is [worth](WORTH) telling.
    Better,
    /// It rose so.
    Worse,
    /// The trials show no difference, which is no proof that there is none.
    NoneShown,
    /// So few trials could show none.
    TooFew,
}

/// The change of a figure from one run to the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Trials that have the figure, before and after.
    pub trials: [usize; 2],
    /// Their medians.
    pub medians: [Option<f64>; 2],
    /// How far it moved; `None` where one of the runs does not have it.
    pub shift: Option<Shift>,
    /// p, adjusted for the number of figures judged so; `None` where it is not judged by ranks.
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

    /// Whether it is one of those judged together, by their ranks.
    #[must_use]
    pub const fn is_judged_by_ranks(&self) -> bool {
        self.adjusted_p.is_some()
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

    fn judge_by_ranks(&mut self, adjusted_p: f64, worth: f64) {
        let [before, after] = self.trials;
        self.adjusted_p = Some(adjusted_p);
        self.verdict = Some(if least_p(before, after) > DISCOVERY {
            Verdict::TooFew
        } else {
            self.verdict_where(adjusted_p <= DISCOVERY, worth)
        });
    }

    fn judge_by_ranges(&mut self, values: &[Vec<f64>; 2], worth: f64) {
        let [before, after] = values.each_ref().map(|values| range(values));
        let apart = before.zip(after).is_some_and(|(one, two)| one.1 < two.0 || two.1 < one.0);
        self.verdict = Some(self.verdict_where(apart, worth));
    }

    /// The verdict, where it is known whether the runs are `apart` by more than noise.
    fn verdict_where(&self, apart: bool, worth: f64) -> Verdict {
        let moved = self.shift.map_or(0.0, |shift| shift.estimate);
        let matters = self.relative().is_none_or(|change| change.abs() > worth) && moved != 0.0;
        match () {
            () if !apart || !matters => Verdict::NoneShown,
            () if moved < 0.0 => Verdict::Better,
            () => Verdict::Worse,
        }
    }
}

/// The change of each figure, whose values before and after are given with how it is judged.
/// Those judged by ranks are judged together: p is adjusted for their number after Benjamini and
/// Hochberg, so that a comparison of more figures does not call more by luck. A change of at most
/// `worth`, as a share of the figure before, is no difference.
#[must_use]
pub fn changes(
    samples: impl IntoIterator<Item = ([Vec<f64>; 2], Judging)>,
    worth: f64,
) -> Vec<Change> {
    let samples: Vec<([Vec<f64>; 2], Judging)> = samples.into_iter().collect();
    let mut changes: Vec<Change> = samples.iter().map(|(values, _)| Change::of(values)).collect();
    let by_ranks = |(_, judging): &([Vec<f64>; 2], Judging)| *judging == Judging::Ranks;
    let family: Vec<usize> = (0..samples.len()).filter(|&at| by_ranks(&samples[at])).collect();
    let p_value = |&index: &usize| changes[index].shift.map_or(1.0, |shift| shift.p);
    let p_values: Vec<f64> = family.iter().map(p_value).collect();
    for (&index, p) in family.iter().zip(adjusted(&p_values)) {
        changes[index].judge_by_ranks(p, worth);
    }
    for (change, (values, judging)) in changes.iter_mut().zip(&samples) {
        if *judging == Judging::Ranges {
            change.judge_by_ranges(values, worth);
        }
    }
    changes
}

/// The power of a comparison: the least change that it could show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Power {
    /// Figures judged by ranks, and so together.
    pub judged: usize,
    /// Trials of that one of them which has the fewest, before and after.
    pub trials: [usize; 2],
    /// The least p that these can come to, before it is adjusted.
    pub least_p: f64,
}

impl Power {
    /// That of judged changes.
    #[must_use]
    pub fn of(changes: &[Change]) -> Self {
        let judged = changes.iter().filter(|change| change.is_judged_by_ranks());
        let p = |change: &&Change| least_p(change.trials[0], change.trials[1]);
        let weakest = judged.clone().max_by(|one, other| p(one).total_cmp(&p(other)));
        let trials = weakest.map_or([0, 0], |change| change.trials);
        Self { judged: judged.count(), trials, least_p: least_p(trials[0], trials[1]) }
    }

    /// Whether the change of one figure with so many `trials` would be shown if it alone changed,
    /// however far: the others' p is 1 then, so that its own is adjusted by their full number.
    #[must_use]
    pub fn shows_one(&self, trials: [usize; 2]) -> bool {
        least_p(trials[0], trials[1]) * self.judged as f64 <= DISCOVERY
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

    /// The fewest trials beside `before` of the other run that show a change of one figure; `None`
    /// where not even as many do as anybody is advised to add.
    #[must_use]
    pub fn runs_needed_beside(&self, before: usize) -> Option<usize> {
        (1..=MOST_RUNS).find(|&after| self.shows_one([before, after]))
    }
}

#[cfg(test)]
mod tests;
