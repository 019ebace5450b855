//! Freshness that would change the answer: the bound, and a link's delay.

use std::time::Duration;

use pushbench_core::Shape;
use pushbench_metrics::judge::advice::{Answer, Out, Spread, Wishes, advise};

use super::{seconds, span, two_digits};
use crate::advice::Advised;
use crate::advice::spreads::over;

/// The share of messages that may be stale.
const STALE: f64 = 0.01;

/// A link's delay from which on contenders of a shape are stale by their principle.
struct Delayed {
    shape: Shape,
    /// Crossings of the link by which the latest message is behind.
    crossings: f64,
    /// Behind "is not fresh enough".
    why: &'static str,
}

/// The answer to a poll crosses it once. A message that comes while no long poll is held does so with the
/// answer before it, with the next request, and with its own answer.
const DELAYED: [Delayed; 2] = [
    Delayed { shape: Shape::Asks, crossings: 1.0, why: ", and is to ask more often" },
    Delayed {
        shape: Shape::Waits,
        crossings: 3.0,
        why: ": a message that comes between two of its requests crosses the link three times",
    },
];

/// The delays from which on polls and long polls are not fresh enough.
pub(super) fn of_delay(advised: &Advised) -> impl Iterator<Item = String> {
    DELAYED.iter().filter_map(|delayed| delayed.told(advised))
}

impl Delayed {
    fn told(&self, advised: &Advised) -> Option<String> {
        let is_one = |at: &usize| advised.candidates[*at].contender.shape() == self.shape;
        let at = (0..advised.candidates.len()).find(is_one)?;
        let delay = self.delay(advised, at)?;
        let now = advised.round_trip.as_secs_f64() / 2.0;
        // Messages come while no poll is held where others were before them within two crossings.
        let is_dense = self.shape != Shape::Waits || advised.rate_hz * 2.0 * delay.middle > STALE;
        let is_line = is_dense && now < delay.low && delay.high < 1.0;
        (is_line && advised.advice.out[at].is_none()).then(|| {
            let (delay, name) = (span(&delay), advised.name(at));
            format!("over {delay} of delay each way {name} is not fresh enough{}", self.why)
        })
    }

    /// The delay in seconds, beside what the candidate was measured to be behind.
    fn delay(&self, advised: &Advised, at: usize) -> Option<Spread> {
        let fresh = advised.wishes.fresh.as_secs_f64();
        let now = advised.round_trip.as_secs_f64() / 2.0;
        // What a link has no part in; on one, not all messages crossed it so many times.
        let own = |us: f64| (us / 1e6 - self.crossings * now).max(0.0);
        let own = over(&advised.candidates[at].fresh_us()?, own);
        let delay = |own: f64| (fresh - own) / self.crossings;
        Some(Spread { middle: delay(own.middle), low: delay(own.high), high: delay(own.low) })
    }
}

/// The bound with which one that is not fresh enough would be, and what would be taken then.
pub(super) fn of_bound(advised: &Advised) -> Vec<String> {
    let out = advised.advice.out.iter().enumerate();
    let is_stale =
        |out: &Option<Out>| matches!(out, Some(Out::Stale { .. } | Out::FreshnessNotShown { .. }));
    let mut lines: Vec<String> =
        out.filter(|(_, out)| is_stale(out)).filter_map(|(at, _)| of_stale(advised, at)).collect();
    if let Some(from) = advised.polls_from {
        lines.push(format!(
            "from a freshness of {} on polls can be fresh enough: at this one no period is, and none was \
             measured",
            seconds(two_digits(from.as_secs_f64(), f64::ceil))
        ));
    }
    lines
}

/// The bound that all rounds of a candidate keep to, and the check of a composed one, as far as they tell.
fn of_stale(advised: &Advised, at: usize) -> Option<String> {
    let candidate = &advised.candidates[at];
    let exact = candidate.freshnesses().map(|fresh| fresh?.exact());
    let most = exact.collect::<Option<Vec<f64>>>()?.into_iter().fold(0.0, f64::max) / 1e6;
    let fresh = Duration::try_from_secs_f64(most * 1.000_001).ok()?;
    let then = advise(&advised.candidates, &Wishes { fresh, ..advised.wishes });
    let taken = match then.answer {
        Answer::Take { best, .. } if best == at => "and then the one to take",
        Answer::Any { among, .. } if among.contains(&at) => "and then as good as any",
        _ => "and then not the cheapest",
    };
    let name = advised.name(at);
    let from = seconds(two_digits(most, f64::ceil));
    Some(format!("from a freshness of {from} on {name} is fresh enough, {taken}"))
}
