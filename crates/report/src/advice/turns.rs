//! Numbers of the user's from which on the answer would be another: by the costs that were measured,
//! and by what transports are.
//!
//! A poll costs the same however few messages it finds, and a push's cost rises with the messages. So
//! where only the newest message counts there is a rate, and a freshness, from which on polls are
//! cheaper.

use std::time::Duration;

use pushbench_core::units::Span;
use pushbench_core::{Delivery, Shape};
use pushbench_metrics::judge::advice::{Answer, Cost, Out};

use super::Advised;
use super::words::less;
use crate::human;

/// Of a bound of freshness, the part that a poll's period is.
const PERIOD: f64 = 0.9;

/// Crossings of the link by which a message may be behind that comes while no long poll is held: with
/// the answer before it, with the next request, and with its own answer.
const CROSSINGS: f64 = 3.0;

/// The sentences; none where nothing is known that would change the answer.
pub(super) fn sentences(advised: &Advised) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(push) = pushed(advised) {
        let costs = advised.advice.order.iter();
        lines.extend(costs.filter_map(|cost| of_rate(advised, push, *cost)));
    }
    lines.extend(of_delivery(advised));
    lines.extend(of_delay(advised));
    lines.extend(of_bound(advised));
    lines
}

/// The candidate that is pushed to, and is the answer or the cheapest of those that a poll beats.
fn pushed(advised: &Advised) -> Option<usize> {
    let is_push = |at: &usize| !advised.candidates[*at].contender.shape().asks();
    match &advised.advice.answer {
        Answer::Take { best, .. } if is_push(best) => Some(*best),
        Answer::Take { .. } => {
            let first = *advised.advice.order.first()?;
            let cheap = |at: &usize| middle(advised, *at, first).unwrap_or(f64::INFINITY);
            let others = (0..advised.candidates.len()).filter(is_push);
            let others = others.filter(|at| advised.advice.out[*at].is_none());
            others.min_by(|one, other| cheap(one).total_cmp(&cheap(other)))
        }
        Answer::Any { among, .. } => among.iter().copied().find(|at| is_push(at)),
        _ => None,
    }
}

/// The candidate that polls.
fn polled(advised: &Advised) -> Option<(usize, Duration)> {
    let mut all = advised.courses.iter().enumerate();
    all.find_map(|(at, course)| Some((at, course.poll_interval?)))
}

fn middle(advised: &Advised, at: usize, cost: Cost) -> Option<f64> {
    Some(advised.candidates[at].spread(|costs| costs.get(cost))?.middle)
}

/// The part of a cost that neither messages nor polls add to.
fn held(advised: &Advised, at: usize, cost: Cost) -> Option<f64> {
    match cost {
        Cost::Money => Some(advised.candidates[at].spread(|costs| costs.money_held)?.middle),
        Cost::ServerCpu | Cost::WireBytes => Some(0.0),
    }
}

/// From which rate on, and with which freshness, a poll costs less than what is pushed.
fn of_rate(advised: &Advised, push: usize, by: Cost) -> Option<String> {
    if advised.wishes.delivery != Delivery::Latest {
        return None;
    }
    let (poll, period) = polled(advised)?;
    let (pull, push_cost) = (middle(advised, poll, by)?, middle(advised, push, by)?);
    let (polling, pushing) = (held(advised, poll, by)?, held(advised, push, by)?);
    let period = period.as_secs_f64();
    // Polls that find nothing are cheaper than the others, so that below a message in each it is no line.
    let rate = (pull - pushing) / (push_cost - pushing) * advised.rate_hz;
    if rate <= 0.0 || !rate.is_finite() {
        // To be connected costs more than all the polls.
        return None;
    }
    let pushed = advised.candidates[push].contender;
    let polls = format!("{} each {}", advised.candidates[poll].contender, Span(rounded(period)));
    let by = less(by);
    let per_second = |hz: f64| human::short_number(hz, 2);
    if rate > advised.rate_hz {
        let fresh = (pull - polling) / (push_cost - polling) * period / PERIOD;
        return (rate * period >= 1.0 && push_cost > polling).then(|| {
            format!(
                "above {} messages/s {polls} takes {by} than {pushed}; at your rate it does from \
                 a freshness of {} on",
                per_second(rate),
                Span(rounded(fresh))
            )
        });
    }
    let rate = rate.max(1.0 / period);
    (rate < advised.rate_hz)
        .then(|| format!("below {} messages/s {pushed} takes {by} than {polls}", per_second(rate)))
}

/// Two digits of seconds, as a duration.
fn rounded(seconds: f64) -> Duration {
    let digit = 10_f64.powf(seconds.max(1e-3).log10().floor() - 1.0);
    let whole = (seconds / digit).round() * digit;
    Duration::from_secs_f64((whole * 1e3).round().max(1.0) / 1e3)
}

/// The other promise, and how it would change the answer.
fn of_delivery(advised: &Advised) -> Option<String> {
    let (_, period) = polled(advised)?;
    let many = advised.rate_hz * period.as_secs_f64();
    (advised.wishes.delivery == Delivery::Every && many > 2.0).then(|| {
        format!(
            "if only the newest message counts (`--delivery latest`), a poll brings one message in \
             place of {}",
            human::short_number(many, 2)
        )
    })
}

/// The delay from which on long polls are behind by their principle.
fn of_delay(advised: &Advised) -> Option<String> {
    let waits = |at: &usize| advised.candidates[*at].contender.shape() == Shape::Waits;
    let long = (0..advised.candidates.len()).find(waits)?;
    let fresh = advised.wishes.fresh.as_secs_f64();
    let delay = fresh / CROSSINGS;
    let now = advised.round_trip.as_secs_f64() / 2.0;
    // Where messages are far apart none comes while no poll is held.
    let is_dense = advised.rate_hz * fresh * 0.67 > 0.01;
    (is_dense && now < delay && advised.advice.out[long].is_none() && delay < 1.0).then(|| {
        format!(
            "over {} of delay each way {} is not fresh enough: a message that comes between two of its \
             requests crosses the link three times",
            Span(rounded(delay)),
            advised.candidates[long].contender
        )
    })
}

/// That a poll is out by its principle, and with which bound it would not be.
fn of_bound(advised: &Advised) -> Option<String> {
    if let Some((poll, _)) = polled(advised) {
        let is_out = matches!(
            advised.advice.out[poll],
            Some(Out::Stale { .. } | Out::FreshnessNotShown { .. })
        );
        return is_out.then(|| {
            format!(
                "{} may be fresh enough with a shorter period, at a higher cost",
                advised.candidates[poll].contender
            )
        });
    }
    advised.has_no_period.then(|| {
        "with a longer `--fresh` polls could be fresh enough: at this one no period is".to_owned()
    })
}
