//! Periods of polls: the longest that is fresh enough, and the least bound that one can keep to.

use std::time::Duration;

use pushbench_core::Delivery;

use super::workload::Workload;

/// The part of the bound that a poll's period leaves for all else.
const HEADROOM: f64 = 0.1;

/// The shortest period of polls, in seconds.
const LEAST_PERIOD: f64 = 0.01;

/// Bytes that an answer to a poll may bring.
const MOST_BATCH: f64 = 900e3;

/// The longest period of polls that is fresh enough: of a message that comes right behind a poll, all of
/// it passes until the next, and then that takes its time. `None` where there is none.
pub(super) fn longest_period(workload: &Workload) -> Option<Duration> {
    let fresh = workload.fresh.as_secs_f64();
    let left = fresh * (1.0 - HEADROOM) - workload.round_trip().as_secs_f64();
    let bytes_hz = workload.rate_hz * workload.payload.0 as f64;
    let longest = match workload.delivery {
        Delivery::Latest => left,
        Delivery::Every => left.min(MOST_BATCH / bytes_hz),
    };
    // Nobody polls each 893 ms.
    let period = two_digits_down(longest);
    (period >= LEAST_PERIOD).then(|| Duration::from_secs_f64((period * 1e3).round() / 1e3))
}

/// The least bound that the shortest period keeps to; `None` where that brings more than an answer holds.
pub(super) fn least_bound(workload: &Workload) -> Option<Duration> {
    let least = LEAST_PERIOD + workload.round_trip().as_secs_f64();
    let fresh = Duration::from_secs_f64(least / (1.0 - HEADROOM) + 1e-6);
    longest_period(&Workload { fresh, ..workload.clone() }).map(|_| fresh)
}

/// A number to two digits, rounded down.
pub(super) fn two_digits_down(value: f64) -> f64 {
    let digit = 10_f64.powf(value.log10().floor() - 1.0);
    (value / digit + 1e-9).floor() * digit
}
