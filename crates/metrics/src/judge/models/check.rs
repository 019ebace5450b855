//! A trial against its model: how far apart they are, and what chance can explain of it.
//!
//! The distance of two distributions is Kolmogorov's and Smirnov's: the largest difference of
//! their cumulative shares. Their tables of its significance take samples for independent, which
//! a poller's are not, so chance is found by resampling whole clients (the bootstrap for
//! clusters: A. C. Davison and D. V. Hinkley, *Bootstrap Methods and their Application*,
//! Cambridge 1997, §3.8).
//!
//! Which chance? Polls start at P × (π(i) + U) / N: one client in each N-th of the period, so
//! that of N clients only the place within the N-th is random. Clients drawn from all would stand
//! for phases that are random altogether, whose noise is of order 1/√N in place of 1/N, and a
//! deviation could hide in noise that is not there. So a client is replaced by itself or by its
//! neighbour in the period, and the difference is stretched by √2, since two can only show half of
//! the variance they were drawn from. Neighbours stand one N-th apart on average, more than the
//! places within an N-th do, so the noise is put too high rather than too low (by up to 2.6 times), still
//! in proportion to 1/N.
//!
//! What all clients have in common, such as a stall or a slow server, is no noise but a
//! deviation. And as the model takes the answers' delay for constant, a large trial shows
//! deviations that are sure and of no consequence: one is reported from [`WORTH_TELLING`] on.

use pushbench_core::random;
use serde::{Deserialize, Serialize};

use super::Latency;
use crate::observe::histogram::LatencyHistogram;
use crate::observe::polls::{ALL_CELLS, Kept, PollsMeasured};
use crate::record::warning::{Share, Warning};

/// How often clients are drawn anew.
pub const RESAMPLES: u32 = 1_000;

/// Below this many clients that were kept apart, nothing is said of chance.
pub const FEWEST_CLIENTS: usize = 10;

/// A deviation that chance brings about less often than this is one.
pub const SIGNIFICANT: f64 = 0.01;

/// The smallest difference of two shares that is reported, however sure it is.
pub const WORTH_TELLING: f64 = 0.02;

/// The stream of random numbers that clients are drawn from.
const STREAM: u64 = 401;

/// A trial's model and what it is worth. Fields are `None` where there is no model of them, or
/// nothing to compare.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The expected distribution of latency, in closed form.
    pub latency: Option<Latency>,
    /// The expected mean of latency, where the very instants of the feed tell it better than that
    /// distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_mean_us: Option<f64>,
    /// The expected mean age of information.
    pub age_mean_us: Option<f64>,
    /// Of short polls: how their latencies agree with the model's.
    pub distance: Option<Distance>,
    /// Of short polls under `latest`: messages that a newer one superseded.
    pub missed: Option<Compared>,
    /// Of short polls: answers without news.
    pub empty: Option<Compared>,
}

/// How far a measured distribution is from the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distance {
    /// The largest difference of the cumulative shares, 0 to 1.
    pub ks: f64,
    /// How often chance alone does as much, 0 to 1; `None` where too few clients were kept apart.
    pub p: Option<f64>,
}

/// A measured share and the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// As measured, 0 to 1.
    pub measured: f64,
    /// As the model has it.
    pub expected: f64,
    /// How often chance alone takes a share this far from where it should be.
    pub p: Option<f64>,
}

impl Check {
    /// The expected mean of latency, as well as it is known.
    #[must_use]
    pub fn mean_us(&self) -> Option<f64> {
        self.latency_mean_us.or_else(|| self.latency.map(|model| model.mean_us()))
    }

    /// The deviations that chance does not explain.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let sure = |difference: f64, p: Option<f64>| {
            p.filter(|&p| p <= SIGNIFICANT && difference.abs() >= WORTH_TELLING)
        };
        let mut warnings = Vec::new();
        if let Some(Distance { ks, p }) = self.distance
            && let Some(p) = sure(ks, p)
        {
            warnings.push(Warning::LatencyOffModel { ks, p });
        }
        for (share, compared) in [(Share::Missed, self.missed), (Share::Empty, self.empty)] {
            let Some(Compared { measured, expected, p }) = compared else { continue };
            if let Some(p) = sure(measured - expected, p) {
                warnings.push(Warning::ShareOffModel { share, measured, expected, p });
            }
        }
        warnings
    }
}

/// The distance of `latency` from a distribution whose cumulative share at some µs is `cdf`.
/// `None` without samples. Within 0.001, by the histogram's precision.
#[must_use]
pub fn distance(latency: &LatencyHistogram, cdf: impl Fn(f64) -> f64) -> Option<f64> {
    let hdr = latency.hdr()?;
    let total = hdr.len() as f64;
    let (mut below, mut farthest) = (0, 0.0_f64);
    for step in hdr.iter_recorded() {
        let value = step.value_iterated_to();
        let (from, to) = (hdr.lowest_equivalent(value), hdr.highest_equivalent(value) + 1);
        farthest = farthest.max((below as f64 / total - cdf(from as f64 / 1e3)).abs());
        below += step.count_since_last_iteration();
        farthest = farthest.max((below as f64 / total - cdf(to as f64 / 1e3)).abs());
    }
    Some(farthest)
}

/// How often chance takes each figure of short polls as far as it was found, by redrawing clients
/// [`RESAMPLES`] times. The same seed gives the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Chance {
    /// Distances of the redrawn distributions from the one that was measured.
    distances: Vec<f64>,
    /// The same of the messages that arrived, as a share of those expected.
    arrived: Vec<f64>,
    /// The same of the empty answers, as a share of requests.
    empty: Vec<f64>,
}

impl Chance {
    /// Of clients each of which was to receive `published` messages; `None` where too few were
    /// kept apart.
    #[must_use]
    pub fn of(polls: &PollsMeasured, published: u64, seed: u64) -> Option<Self> {
        let kept = &polls.kept;
        if kept.len() < FEWEST_CLIENTS || published == 0 {
            return None;
        }
        let all = Sample::of(kept.iter());
        // Who resamples a part of the clients sees more noise than all of them have.
        let part = (kept.len() as f64 / f64::from(polls.clients.max(1))).min(1.0);
        let stretch = std::f64::consts::SQRT_2 * part.sqrt();
        let expected = (kept.len() as u64 * published) as f64;
        let mut chance = Self { distances: Vec::new(), arrived: Vec::new(), empty: Vec::new() };
        for round in 0..RESAMPLES {
            let drawn = Sample::of(redrawn(kept, seed, round));
            chance.distances.push(stretch * drawn.distance(&all));
            let arrived = (drawn.delivered - all.delivered) / expected;
            chance.arrived.push(stretch * arrived.abs());
            chance.empty.push(stretch * (drawn.empty_share() - all.empty_share()).abs());
        }
        Some(chance)
    }

    /// How often chance does a distance of `ks`.
    #[must_use]
    pub fn of_distance(&self, ks: f64) -> f64 {
        share_of(&self.distances, ks)
    }

    /// How often chance takes the share of missed messages `difference` away.
    #[must_use]
    pub fn of_missed(&self, difference: f64) -> f64 {
        share_of(&self.arrived, difference.abs())
    }

    /// How often chance takes the share of empty answers `difference` away.
    #[must_use]
    pub fn of_empty(&self, difference: f64) -> f64 {
        share_of(&self.empty, difference.abs())
    }
}

/// The share of `drawn` that is at least `found`, which itself counts as one of them, so that it
/// is never 0.
fn share_of(drawn: &[f64], found: f64) -> f64 {
    let as_far = drawn.iter().filter(|&&drawn| drawn >= found).count();
    (as_far + 1) as f64 / (drawn.len() + 1) as f64
}

/// As many clients as `kept`: each of two neighbours is replaced by one of the two, and one that
/// has none stays.
fn redrawn(kept: &[Kept], seed: u64, round: u32) -> impl Iterator<Item = &Kept> {
    let coin = move |index: usize| {
        let key = (u64::from(round) << 32) + index as u64;
        usize::from(random::bits(seed, STREAM, key) & 1 == 1)
    };
    kept.chunks(2).enumerate().flat_map(move |(pair, both)| {
        let draw = move |index: usize| &both[coin(2 * pair + index).min(both.len() - 1)];
        (0..both.len()).map(draw)
    })
}

/// Clients added up.
struct Sample {
    cells: [f64; ALL_CELLS],
    delivered: f64,
    requests: f64,
    empty: f64,
}

impl Sample {
    fn of<'a>(clients: impl Iterator<Item = &'a Kept>) -> Self {
        let mut sample =
            Self { cells: [0.0; ALL_CELLS], delivered: 0.0, requests: 0.0, empty: 0.0 };
        for client in clients {
            for &(cell, count) in &client.cells {
                sample.cells[usize::from(cell).min(ALL_CELLS - 1)] += f64::from(count);
                sample.delivered += f64::from(count);
            }
            sample.requests += client.requests as f64;
            sample.empty += client.empty as f64;
        }
        sample
    }

    fn distance(&self, other: &Self) -> f64 {
        let (mut own, mut theirs, mut farthest) = (0.0, 0.0, 0.0_f64);
        for (one, two) in self.cells.iter().zip(&other.cells) {
            own += one / self.delivered.max(1.0);
            theirs += two / other.delivered.max(1.0);
            farthest = farthest.max((own - theirs).abs());
        }
        farthest
    }

    fn empty_share(&self) -> f64 {
        self.empty / self.requests.max(1.0)
    }
}

#[cfg(test)]
mod tests;
