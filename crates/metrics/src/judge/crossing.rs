//! Crossings: where along a setting the lesser of two figures becomes the greater.
//!
//! The quantity looked at is the logarithm of the two figures' ratio in one round at one point. Noise of
//! a machine is a share of what it disturbs, so that it is alike on that scale at every point; and
//! whatever a round did to both of them is gone from their ratio.
//!
//! A crossing is *told* only between two points at which the rounds show a difference, one this way
//! and one that way. Where it lies is interpolated between the points beside it (`bridge`), and
//! its 95 % interval is the stretch in which the interval of the rounds' differences holds zero: the
//! settings at which the two could be equal.
//!
//! Source for reading an interval of the place off that of the differences: E. C. Fieller, "Some
//! Problems in Interval Estimation", *Journal of the Royal Statistical Society* B 16 (1954), 175–185.

pub mod scale;

mod bridge;
mod student;

use self::bridge::Bridge;
use self::scale::Scale;
use self::student::two_sided;

/// Rounds that both figures need at a point, so that their spread is known at all.
pub const LEAST_ROUNDS: usize = 3;

/// The chance of an interval to miss, and of a difference to be shown where there is none.
const MISSES: f64 = 0.05;

/// With more points than this the level at which each shows a difference is lowered in proportion:
/// of many equal pairs some would show one this way and some that way.
const POINTS_AT_LEVEL: usize = 5;

/// Two figures at a point of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    /// The setting.
    pub at: f64,
    /// Each round's logarithm of the ratio of one to the other.
    pub rounds: Vec<(u32, f64)>,
}

/// The lesser of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesser {
    /// The one whose figure stands first in the ratio.
    One,
    /// The one beside it.
    Other,
}

/// A place at which the two change sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// The setting at which they are equal, as far as is known.
    pub at: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The nearest points that show a difference, below it and above.
    pub shown: (f64, f64),
    /// The greater over the lesser at these.
    pub factors: (f64, f64),
    /// Whichever is the lesser above it.
    pub lesser_above: Lesser,
    /// The rounds at the one of the two points that has fewer.
    pub rounds: usize,
}

/// A sweep's word on two figures.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// They change sides, each time between points that show it.
    Crosses(Vec<Crossing>),
    /// Each point has the same one ahead, and some show it.
    Throughout(Lesser),
    /// Neither: no crossing can be told, and none ruled out. Where some points show a difference, which is
    /// the lesser there.
    Untold(Option<Lesser>),
}

/// The finding of `points`, which lie on `scale`.
///
/// Points without [`LEAST_ROUNDS`] say nothing; below two others there is nothing to be said.
#[must_use]
pub fn find(points: &[Pairs], scale: Scale) -> Option<Finding> {
    let mut points: Vec<&Pairs> =
        points.iter().filter(|it| it.rounds.len() >= LEAST_ROUNDS && it.is_finite()).collect();
    points.sort_by(|one, two| one.at.total_cmp(&two.at));
    if points.len() < 2 {
        return None;
    }
    let level = MISSES * POINTS_AT_LEVEL as f64 / points.len().max(POINTS_AT_LEVEL) as f64;
    let shown: Vec<(usize, Lesser)> = points
        .iter()
        .enumerate()
        .filter_map(|(place, point)| Some((place, point.shown(level)?)))
        .collect();
    let crossings: Vec<Crossing> = shown
        .windows(2)
        .filter(|pair| pair[0].1 != pair[1].1)
        .map(|pair| Bridge::new(&points, scale).crossing(pair[0].0, pair[1]))
        .collect();
    if !crossings.is_empty() {
        return Some(Finding::Crosses(crossings));
    }
    let ahead = |lesser| points.iter().all(|point| point.ahead() == lesser);
    let lesser = shown.first().map(|first| first.1);
    let throughout = lesser.filter(|lesser| ahead(*lesser));
    Some(throughout.map_or(Finding::Untold(lesser), Finding::Throughout))
}

impl Pairs {
    fn is_finite(&self) -> bool {
        self.at.is_finite() && self.rounds.iter().all(|(_, ratio)| ratio.is_finite())
    }

    /// The difference that its rounds show at `level`, if they do.
    fn shown(&self, level: f64) -> Option<Lesser> {
        let Moments { mean, error, rounds } = Moments::of(self.rounds.iter().map(|it| it.1))?;
        let is_shown = mean.abs() > error * two_sided(level, rounds - 1);
        is_shown.then(|| self.ahead())
    }

    /// Whichever is the lesser on average.
    fn ahead(&self) -> Lesser {
        let sum: f64 = self.rounds.iter().map(|it| it.1).sum();
        if sum < 0.0 { Lesser::One } else { Lesser::Other }
    }

    /// The greater over the lesser, on average.
    fn factor(&self) -> f64 {
        let sum: f64 = self.rounds.iter().map(|it| it.1).sum();
        (sum / self.rounds.len() as f64).abs().exp()
    }
}

/// A mean over rounds and its standard error.
#[derive(Debug, Clone, Copy)]
struct Moments {
    mean: f64,
    error: f64,
    rounds: usize,
}

impl Moments {
    /// Those of at least two values.
    fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let rounds = values.clone().count();
        if rounds < 2 {
            return None;
        }
        let count = rounds as f64;
        let mean = values.clone().sum::<f64>() / count;
        let squares: f64 = values.map(|value| (value - mean).powi(2)).sum();
        Some(Self { mean, error: (squares / (count - 1.0) / count).sqrt(), rounds })
    }

    /// The ends of an interval of `quantile` standard errors to either side.
    fn interval(self, quantile: f64) -> (f64, f64) {
        let reach = self.error * quantile;
        (self.mean - reach, self.mean + reach)
    }
}

#[cfg(test)]
mod synthetic;
#[cfg(test)]
mod tests;
