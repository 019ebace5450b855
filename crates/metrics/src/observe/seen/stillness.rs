//! Whether senders stood still: a gap between stamps that their usual gaps do not explain.
//!
//! What a sender did not stamp while it stood still has no latency, so that a stall of it shows only
//! here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observe::observer::Window;

/// Gaps that a usual one is told from, at least.
const LEAST: usize = 10;

/// The shortest gap that is told, and how many usual ones it is at least.
const SHORTEST_NS: u64 = 100_000_000;
const TIMES: f64 = 3.0;

/// The chance that a sender whose gaps are exponential, which is as irregular as independent events
/// are, has one that is told all the same.
const CHANCE: f64 = 1e-4;

/// The longest time in which nothing was stamped, or, where nothing has stamps, nothing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stillness {
    /// How long.
    pub longest: Duration,
    /// When it began, from the window's start on.
    pub at: Duration,
    /// The median gap between stamps.
    pub usual: Duration,
    /// Whether gaps are those between arrivals, as nothing has stamps.
    #[serde(default)]
    pub between_arrivals: bool,
}

impl Stillness {
    /// The longest gap between instants, which are rising and in the window, where that is unusual. The
    /// window's edges end gaps too. The instants are `stamps`, or else arrivals.
    pub(in crate::observe) fn of(instants: &[u64], window: &Window, stamps: bool) -> Option<Self> {
        let edges = (window.start.0, window.end.0);
        let before = std::iter::once(edges.0).chain(instants.iter().copied());
        let after = instants.iter().copied().chain([edges.1]);
        let gaps: Vec<(u64, u64)> =
            before.zip(after).map(|(from, to)| (to.saturating_sub(from), from)).collect();
        let &(longest, at) = gaps.iter().max()?;
        let mut gaps: Vec<u64> = gaps.into_iter().map(|(gap, _)| gap).collect();
        gaps.sort_unstable();
        let usual = gaps[gaps.len() / 2];
        if gaps.len() < LEAST || longest < SHORTEST_NS || longest as f64 <= limit(&gaps) {
            return None;
        }
        Some(Self {
            longest: Duration::from_nanos(longest),
            at: Duration::from_nanos(at.saturating_sub(edges.0)),
            usual: Duration::from_nanos(usual),
            between_arrivals: !stamps,
        })
    }
}

/// The longest gap that rising `gaps` explain: what lies between their median and their ninth decile
/// is ln 5 times the mean of an exponential law, of which n gaps are longer than ln(n / CHANCE) means
/// with that chance.
fn limit(gaps: &[u64]) -> f64 {
    let (median, decile) = (gaps[gaps.len() / 2] as f64, gaps[gaps.len() * 9 / 10] as f64);
    let mean = (decile - median) / 5_f64.ln();
    (median + mean * (gaps.len() as f64 / CHANCE).ln()).max(TIMES * median)
}

#[cfg(test)]
mod tests {
    use pushbench_core::{MonoInstant, Seq, random};

    use super::*;

    const MS: u64 = 1_000_000;

    fn of(stamps: impl IntoIterator<Item = u64>) -> Option<Stillness> {
        let (start, end) = (MonoInstant(1_000 * MS), MonoInstant(11_000 * MS));
        let window = Window { start, end, first: Seq(1), last: Seq::NONE };
        let stamps: Vec<u64> = stamps.into_iter().map(|ms| (1_000 + ms) * MS).collect();
        Stillness::of(&stamps, &window, true)
    }

    #[test]
    fn a_sender_that_stood_still_is_told() {
        let steady = (0..100).map(|n| n * 100 + 50);
        assert_eq!(of(steady.clone()), None);
        let stopped = of(steady.clone().filter(|ms| !(3_000..4_300).contains(ms))).unwrap();
        let expected = Stillness {
            longest: Duration::from_millis(1_400),
            at: Duration::from_millis(2_950),
            usual: Duration::from_millis(100),
            between_arrivals: false,
        };
        assert_eq!(stopped, expected);
        let until_the_end = of(steady.filter(|&ms| ms < 8_600)).unwrap();
        assert_eq!(until_the_end.longest, Duration::from_millis(1_450));
    }

    #[test]
    fn independent_events_are_no_standstill() {
        for seed in 0..50 {
            let mut at = 0.0;
            let gaps = (0..).map(|n| {
                let unit = (random::bits(seed, 1, n) >> 11) as f64 / (1_u64 << 53) as f64;
                at -= 50.0 * (1.0 - unit).ln();
                at as u64
            });
            let stamps: Vec<u64> = gaps.take_while(|&at| at < 10_000).collect();
            assert_eq!(of(stamps), None, "{seed}");
        }
        assert_eq!(of([1, 2, 3, 9_000]), None, "too few to tell");
    }
}
