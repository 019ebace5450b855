//! Candidates ranked by their costs, within the rounds that they share.

use super::check::{Measured, corrected};
use super::{Answer, Candidate, Cost, Dearer, Spread};
use crate::judge::stats::median;
use crate::judge::stats::paired::Paired;

/// Candidates that are fresh enough.
pub(super) struct Ranking<'a> {
    pub(super) candidates: &'a [Candidate],
    pub(super) margin: f64,
}

impl Ranking<'_> {
    /// The cheapest of `kept` by the first cost in `order` in which one is: where it is only cheaper than
    /// some of them, the next cost decides among the rest.
    pub(super) fn answer(&self, kept: Vec<usize>, order: &[Cost]) -> Answer {
        if let [best] = kept[..] {
            return Answer::Take { best, next: None, alike: Vec::new() };
        }
        let all = kept.clone();
        let mut left = kept;
        let mut before = Vec::new();
        for &cost in order {
            let leader = self.cheapest(&left, cost);
            let alike: Vec<usize> = left
                .iter()
                .copied()
                .filter(|&other| other == leader || !self.is_dearer(other, leader, cost))
                .collect();
            if let [best] = alike[..] {
                let beaten = left.into_iter().filter(|&other| other != best);
                let next = self.next(best, beaten, cost);
                return Answer::Take { best, next, alike: before };
            }
            before.clone_from(&alike);
            left = alike;
        }
        self.any(left, all.len(), order)
    }

    /// The one whose cost is least: by its median over rounds.
    fn cheapest(&self, of: &[usize], cost: Cost) -> usize {
        let middle = |at: usize| {
            let values: Vec<f64> = logs(&self.candidates[at], cost).into_iter().flatten().collect();
            median(&values).unwrap_or(f64::INFINITY)
        };
        let least = of.iter().copied().min_by(|&one, &other| middle(one).total_cmp(&middle(other)));
        least.expect("there is one at least")
    }

    /// Whether one is shown to cost more than the other, and by what matters.
    ///
    /// That it is the cheapest of several is said of the one that is cheaper than each. Where all are
    /// equal, it is so in all of six rounds with k others by a chance of k + 1 in (k + 1)⁶, so that many
    /// comparisons make no false winner.
    fn is_dearer(&self, one: usize, than: usize, cost: Cost) -> bool {
        let matters = |part: f64| part >= self.margin.ln_1p();
        self.checked(one, than, cost).is_none_or(matters)
            && self.paired(one, than, cost).is_some_and(|paired| {
                paired.is_interval && paired.low > 0.0 && matters(paired.median)
            })
    }

    /// The nearest of those that are dearer.
    fn next(
        &self,
        best: usize,
        beaten: impl Iterator<Item = usize>,
        by: Cost,
    ) -> Option<(usize, Dearer)> {
        let parts = beaten.filter_map(|at| Some((at, self.paired(at, best, by)?)));
        let least = |(at, paired): &(usize, Paired)| {
            self.checked(*at, best, by).map_or(paired.median, |own| own.min(paired.median))
        };
        let nearest = parts.min_by(|one, other| least(one).total_cmp(&least(other)));
        nearest.map(|(at, paired)| (at, self.dearer(at, best, by, &paired)))
    }

    fn dearer(&self, one: usize, than: usize, by: Cost, paired: &Paired) -> Dearer {
        let is_composed = [one, than].iter().any(|&at| self.candidates[at].is_composed);
        let of_both = [one, than].iter().all(|&at| self.candidates[at].is_checked(by));
        let part_of = |log: f64| Measured { part: log.exp_m1(), of_both };
        let checked = self.checked(one, than, by).map(part_of);
        Dearer { by, part: part(paired), is_composed, checked }
    }

    /// No winner among `left`: what would have made one.
    fn any(&self, left: Vec<usize>, kept: usize, order: &[Cost]) -> Answer {
        let mut shown_from: Option<f64> = None;
        let mut are_alike = !order.is_empty() && kept > 0;
        for &cost in order {
            let leader = self.cheapest(&left, cost);
            for (paired, rounds) in
                left.iter().filter(|&&other| other != leader).filter_map(|&other| {
                    self.paired(other, leader, cost).zip(self.rounds(other, leader, cost))
                })
            {
                let margin = self.margin.ln_1p();
                are_alike &= paired.is_interval && paired.low > -margin && paired.high < margin;
                if Some(&cost) == order.first() {
                    let wide = (rounds.high - rounds.median).max(rounds.median - rounds.low);
                    let from = wide.max(margin).exp_m1();
                    shown_from = Some(shown_from.map_or(from, |most| most.max(from)));
                }
            }
        }
        Answer::Any { among: left, shown_from, are_alike, unborne: None }
    }

    /// The differences of the logarithms of both, which make of a drift that is a factor to both
    /// nothing. Their interval holds what checks measured.
    fn paired(&self, one: usize, than: usize, cost: Cost) -> Option<Paired> {
        Some(self.rounds(one, than, cost)?.holding(self.checked(one, than, cost)))
    }

    /// The same by the rounds alone.
    fn rounds(&self, one: usize, than: usize, cost: Cost) -> Option<Paired> {
        paired(&self.candidates[one], &self.candidates[than], cost)
    }

    /// The same by their checks alone; `None` without.
    fn checked(&self, one: usize, than: usize, cost: Cost) -> Option<f64> {
        let (one, than) = corrected(&self.candidates[one], &self.candidates[than], cost)?;
        Some(paired(&one, &than, cost)?.median)
    }
}

fn paired(one: &Candidate, than: &Candidate, cost: Cost) -> Option<Paired> {
    let both = logs(one, cost).into_iter().zip(logs(than, cost));
    let pairs = both.filter_map(|(one, other)| Some((one?, other?)));
    Paired::of(&pairs.collect::<Vec<(f64, f64)>>())
}

fn logs(candidate: &Candidate, cost: Cost) -> Vec<Option<f64>> {
    // The least that is told apart from nothing: costs are of some µs and bytes.
    let rounds = candidate.rounds.iter();
    rounds.map(|round| Some(round.as_ref()?.costs.get(cost)?.max(1e-9).ln())).collect()
}

/// The part that one costs more, of the logarithms' differences.
fn part(paired: &Paired) -> Spread {
    let Paired { median, low, high, .. } = *paired;
    Spread { middle: median.exp_m1(), low: low.exp_m1(), high: high.exp_m1() }
}
