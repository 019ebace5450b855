//! The valid trials of a sweep, by point and contender.

use std::collections::HashMap;

use pushbench_core::Contender;
use pushbench_core::price::Price;
use pushbench_core::scenario::Point;

use super::Reading;
use crate::judge::crossing::Pairs;
use crate::judge::figures::Figures;
use crate::judge::stats;
use crate::record::{RunRecord, TrialRecord};

/// A contender's valid trials at a point.
type Cell<'a> = Vec<(&'a TrialRecord, Figures)>;

/// All of them.
#[derive(Debug, Clone)]
pub(super) struct Table<'a> {
    points: Vec<&'a Point>,
    /// By the point's place in the sweep and the contender.
    cells: HashMap<(usize, Contender), Cell<'a>>,
    /// The prices of the run.
    pub(super) price: Option<&'a Price>,
}

impl<'a> Table<'a> {
    /// Those of `record` at `points`.
    pub(super) fn of(record: &'a RunRecord, points: &[&'a Point]) -> Self {
        let places: HashMap<u32, usize> =
            points.iter().enumerate().map(|(place, point)| (point.id, place)).collect();
        let mut cells: HashMap<(usize, Contender), Cell<'a>> = HashMap::new();
        for trial in record.standing().filter(|trial| trial.is_valid()) {
            let Some(&place) = places.get(&trial.id.point) else { continue };
            let cell = cells.entry((place, trial.id.contender)).or_default();
            cell.push((trial, Figures::of_trial(trial)));
        }
        for cell in cells.values_mut() {
            let mut figures: Vec<Figures> = cell.iter().map(|it| it.1).collect();
            Figures::retain_comparable(&mut figures);
            cell.iter_mut().zip(figures).for_each(|(trial, known)| trial.1 = known);
        }
        Self { points: points.to_vec(), cells, price: record.price.as_ref() }
    }

    /// The contenders that have any, in the order of all.
    pub(super) fn contenders(&self) -> Vec<Contender> {
        Contender::all().filter(|it| self.cells.keys().any(|cell| cell.1 == *it)).collect()
    }

    /// Whether messages were superseded.
    pub(super) fn supersedes(&self) -> bool {
        let mut trials = self.cells.values().flatten();
        trials.any(|(trial, _)| trial.measured.audit.superseded > 0)
    }

    pub(super) fn median(&self, place: usize, of: Contender, reading: Reading) -> Option<f64> {
        let values: Vec<f64> = self.values(place, of, reading).map(|it| it.1).collect();
        stats::median(&values)
    }

    /// The ratio of `one` to `other` in each round that has both, at each of the `settings`.
    pub(super) fn pairs(
        &self,
        settings: &[f64],
        reading: Reading,
        one: Contender,
        other: Contender,
    ) -> Vec<Pairs> {
        let of_point = |(place, &at): (usize, &f64)| {
            let others: Vec<(u32, f64)> = self.values(place, other, reading).collect();
            let rounds = self.values(place, one, reading).filter_map(|(round, value)| {
                let (_, beside) = others.iter().find(|it| it.0 == round)?;
                // Of nothing there is no share.
                (value > 0.0 && *beside > 0.0).then(|| (round, (value / beside).ln()))
            });
            Pairs { at, rounds: rounds.collect() }
        };
        settings.iter().enumerate().map(of_point).collect()
    }

    /// A reading by round.
    fn values(
        &self,
        place: usize,
        of: Contender,
        reading: Reading,
    ) -> impl Iterator<Item = (u32, f64)> {
        self.cells.get(&(place, of)).into_iter().flatten().filter_map(move |(trial, figures)| {
            let at = (self.points[place], self.price);
            Some((trial.id.round, reading.value(trial, figures, at)?))
        })
    }
}
