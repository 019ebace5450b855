//! The way from one point of a sweep to the next, of which nothing was measured.
//!
//! Between two points a straight line is the first guess at how the logarithm of the ratio runs on
//! the setting's scale. It is biased where the figures bend, as a cost does that is partly fixed:
//! with the points of a usual sweep by several standard errors. So beside the line stand the
//! parabolas through the next point on either side, which the curve lies between where its third
//! derivative keeps its sign; and between the first two or last two points, where there is only one
//! of them, the cubic through one point more. An interval holds those of all of them. A corner
//! between two points is none of these: there more points help.

use super::scale::Scale;
use super::student::two_sided;
use super::{Crossing, Lesser, MISSES, Moments, Pairs};

/// Places that are looked at from one point to the next.
const STEPS: u32 = 40;

/// Points, with the ways between.
pub(super) struct Bridge<'a> {
    points: &'a [&'a Pairs],
    scale: Scale,
    places: Vec<f64>,
    /// The quantile of the 95 % interval over so many rounds.
    quantiles: Vec<f64>,
}

/// The difference somewhere on the way.
#[derive(Debug, Clone, Copy)]
struct Spot {
    place: f64,
    /// On the straight line.
    middle: f64,
    /// The ends of the interval.
    low: f64,
    high: f64,
}

impl<'a> Bridge<'a> {
    /// The ways between `points`, which rise.
    pub(super) fn new(points: &'a [&'a Pairs], scale: Scale) -> Self {
        let rounds = points.iter().map(|it| it.rounds.len()).max().unwrap_or_default();
        // None below two rounds, of which there is no spread.
        let quantile = |rounds: usize| two_sided(MISSES, rounds.saturating_sub(1).max(1));
        Self {
            points,
            scale,
            places: points.iter().map(|it| scale.place(it.at)).collect(),
            quantiles: (0..=rounds).map(quantile).collect(),
        }
    }

    /// The crossing between the points at places `below` and `above` of the list, which show
    /// differences of opposite sign, `above` with its lesser.
    pub(super) fn crossing(&self, below: usize, (above, lesser): (usize, Lesser)) -> Crossing {
        let (first, last) = (self.points[below], self.points[above]);
        let (at, low, high) = self.stretch(below, above);
        Crossing {
            at: self.scale.value(at),
            low: self.scale.value(low),
            high: self.scale.value(high),
            shown: (first.at, last.at),
            factors: (first.factor(), last.factor()),
            lesser_above: lesser,
            rounds: first.rounds.len().min(last.rounds.len()),
        }
    }

    /// The place of the crossing, and the ends of where the interval of the differences holds zero.
    fn stretch(&self, below: usize, above: usize) -> (f64, f64, f64) {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut roots = Vec::new();
        for way in below..above {
            let spots: Vec<Spot> = (0..=STEPS).map(|step| self.spot(way, step)).collect();
            let mut widen = |place: f64| (low, high) = (low.min(place), high.max(place));
            spots
                .iter()
                .filter(|it| it.low <= 0.0 && 0.0 <= it.high)
                .for_each(|it| widen(it.place));
            for pair in spots.windows(2) {
                root(pair, |spot| spot.low).into_iter().for_each(&mut widen);
                root(pair, |spot| spot.high).into_iter().for_each(&mut widen);
                roots.extend(root(pair, |spot| spot.middle));
            }
        }
        // Its signs at both ends differ, so that the line passes zero; by noise perhaps three times.
        let at = roots.get(roots.len() / 2).copied();
        let at = at.unwrap_or_else(|| f64::midpoint(self.places[below], self.places[above]));
        // Of two points alone nothing is known of what lies between.
        if self.points.len() == 2 {
            return (at, self.places[below], self.places[above]);
        }
        (at, low.min(at), high.max(at))
    }

    /// The difference after so many of the steps from a point to the next.
    fn spot(&self, way: usize, step: u32) -> Spot {
        let (from, to) = (self.places[way], self.places[way + 1]);
        let place = from + (to - from) * f64::from(step) / f64::from(STEPS);
        let line = self.through(&[way, way + 1], place);
        let curves = self.curves(way).into_iter().filter_map(|it| self.through(&it, place));
        let ends = line.into_iter().chain(curves);
        let ends = ends.map(|it| it.interval(self.quantiles[it.rounds]));
        let ends = ends.reduce(|one, two| (one.0.min(two.0), one.1.max(two.1)));
        // Points that share no two rounds have no differences to interpolate.
        let (low, high) = ends.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let share = f64::from(step) / f64::from(STEPS);
        let mean = |place: usize| Moments::of(self.points[place].rounds.iter().map(|it| it.1));
        let means = mean(way).zip(mean(way + 1));
        let middle = means.map_or(0.0, |(a, b)| a.mean + (b.mean - a.mean) * share);
        Spot { place, middle, low, high }
    }

    /// The points that each curve from a point to the next goes through.
    fn curves(&self, way: usize) -> Vec<Vec<usize>> {
        let count = self.points.len();
        let before = (way > 0).then(|| vec![way.saturating_sub(1), way, way + 1]);
        let behind = (way + 2 < count).then(|| vec![way, way + 1, way + 2]);
        let is_at_an_end = before.is_none() || behind.is_none();
        let cubic = (is_at_an_end && count > 3).then(|| {
            let first = if way == 0 { 0 } else { way - 2 };
            (first..first + 4).collect()
        });
        [before, behind, cubic].into_iter().flatten().collect()
    }

    /// The difference at `place` on the polynomial through the points at `through`, over the rounds
    /// that all of them have.
    fn through(&self, through: &[usize], place: f64) -> Option<Moments> {
        let weights: Vec<f64> = through.iter().map(|at| self.weight(through, *at, place)).collect();
        let (first, others) = through.split_first()?;
        let of_round = |point: usize, round: u32| {
            self.points[point].rounds.iter().find(|it| it.0 == round).map(|it| it.1)
        };
        let sums = self.points[*first].rounds.iter().filter_map(|&(round, ratio)| {
            let rest = others.iter().zip(&weights[1..]);
            let rest = rest.map(|(at, weight)| Some(of_round(*at, round)? * weight));
            Some(ratio * weights[0] + rest.sum::<Option<f64>>()?)
        });
        Moments::of(sums)
    }

    /// The weight of the point `of` in Lagrange's form of that polynomial.
    fn weight(&self, through: &[usize], of: usize, place: f64) -> f64 {
        let others = through.iter().filter(|at| **at != of).map(|at| self.places[*at]);
        others.map(|other| (place - other) / (self.places[of] - other)).product()
    }
}

/// Where `value` passes zero between two spots beside each other.
fn root(pair: &[Spot], value: impl Fn(&Spot) -> f64) -> Option<f64> {
    let (from, to) = (value(&pair[0]), value(&pair[1]));
    let passes = (from > 0.0) != (to > 0.0) && from.is_finite() && to.is_finite();
    let share = from / (from - to);
    passes.then(|| pair[0].place + (pair[1].place - pair[0].place) * share)
}
