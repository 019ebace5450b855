//! Freshness that would change the answer: the bound, and a link's delay.

use std::time::Duration;

use pushbench_core::Shape;
use pushbench_metrics::judge::advice::{Answer, Out, Spread, Wishes, advise};

use super::{seconds, span, two_digits};
use crate::advice::Advised;
use crate::advice::spreads::over;

/// Crossings of the link by which a message may be behind that comes while no long poll is held: with
/// the answer before it, with the next request, and with its own answer.
const CROSSINGS: f64 = 3.0;

/// The share of messages that may be stale.
const STALE: f64 = 0.01;

/// The delay from which on long polls are behind by their principle, beside what they were measured to
/// be behind.
pub(super) fn of_delay(advised: &Advised) -> Option<String> {
    let waits = |at: &usize| advised.candidates[*at].contender.shape() == Shape::Waits;
    let long = (0..advised.candidates.len()).find(waits)?;
    let fresh = advised.wishes.fresh.as_secs_f64();
    let now = advised.round_trip.as_secs_f64() / 2.0;
    // What a link has no part in; on one, not all messages crossed it three times.
    let own =
        over(&advised.candidates[long].fresh_us()?, |us| (us / 1e6 - CROSSINGS * now).max(0.0));
    let delay = |own: f64| (fresh - own) / CROSSINGS;
    let delay = Spread { middle: delay(own.middle), low: delay(own.high), high: delay(own.low) };
    // Messages come while no poll is held where others were before them within two crossings.
    let is_dense = advised.rate_hz * 2.0 * delay.middle > STALE;
    (is_dense && now < delay.low && advised.advice.out[long].is_none() && delay.high < 1.0).then(|| {
        format!(
            "over {} of delay each way {} is not fresh enough: a message that comes between two of its \
             requests crosses the link three times",
            span(&delay),
            advised.candidates[long].contender
        )
    })
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
