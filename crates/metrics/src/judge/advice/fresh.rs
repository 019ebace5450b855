//! Whether a candidate is fresh enough, in so many rounds that no noisy one decides it.

use std::time::Duration;

use super::{Candidate, Out};
use crate::judge::stats::median;
use crate::observe::censored::Bounded;

/// One round in so many may be over the bound, or under it, against the others.
const ROUNDS_PER_NOISY: usize = 6;

/// Of the bound, the part that the median is at most where a noisy round is forgiven: only then is that
/// round not what the others are about to be.
const WELL_BELOW: f64 = 0.8;

/// The reason for which a candidate is out; `None` where it is shown to be fresh enough.
///
/// A candidate all of whose rounds keep to the bound is; by the sign test six of them are none that half
/// the time would not. One that exceeds it now and then is, where its median is
/// [well below](WELL_BELOW). One that keeps to it hardly ever is not, and what is between is not shown.
pub(super) fn freshness(candidate: &Candidate, bound: Duration) -> Option<Out> {
    let bound_us = bound.as_secs_f64() * 1e6;
    let rounds = candidate.freshnesses().count();
    let fresh = candidate.freshnesses().filter(|own| is_fresh(*own, bound_us)).count();
    let noisy = rounds / ROUNDS_PER_NOISY;
    let middle = median(&candidate.freshnesses().map(at_least_us).collect::<Vec<f64>>());
    let is_well_below = middle.is_some_and(|us| us <= bound_us * WELL_BELOW);
    if fresh == rounds || (fresh + noisy >= rounds && is_well_below) {
        return None;
    }
    let stale = candidate.freshnesses().filter(|own| at_least_us(*own) > bound_us).count();
    let is_stale = stale + noisy >= rounds && middle.is_some_and(|us| us > bound_us);
    Some(if is_stale {
        Out::Stale { fresh, rounds }
    } else {
        Out::FreshnessNotShown { fresh, rounds }
    })
}

/// Whether a round keeps to the bound for sure.
fn is_fresh(fresh: Option<Bounded>, bound_us: f64) -> bool {
    matches!(fresh, Some(Bounded::Exactly(us)) if us <= bound_us)
}

/// The figure of a round, or as far as it goes where only a bound is known.
pub(super) fn at_least_us(fresh: Option<Bounded>) -> f64 {
    match fresh {
        Some(Bounded::Exactly(us) | Bounded::AtLeast(us)) => us,
        None => 0.0,
    }
}
