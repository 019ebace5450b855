//! Numbers of the user's from which on the answer would be another: by the costs that were measured,
//! and by what transports are. Each has its interval, and none is told that the rounds do not show.

mod fresh;

use std::time::Duration;

use pushbench_core::units::Span;
use pushbench_core::{Delivery, Shape};
use pushbench_metrics::judge::advice::turn::Turn;
use pushbench_metrics::judge::advice::{Answer, Cost, Spread};

use super::spreads::{over, with_interval};
use super::words::{self, less};
use super::{Advised, talk};
use crate::human;

/// Of a bound of freshness, the part that a poll's period and a round trip are.
const PERIOD: f64 = 0.9;

/// Bytes of messages that an answer to a poll may bring.
const MOST_BATCH: f64 = 900e3;

/// Bytes of headers that a request and its answer may have more: what servers take is 8 KiB in all.
const MOST_HEADERS: f64 = 4e3;

/// The sentences; none where nothing is known that would change the answer.
pub(super) fn sentences(advised: &Advised) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(push), Some(poll)) = (pushed(advised), Polled::of(advised)) {
        let told =
            |by: &Cost| poll.against(advised, push, *by).or_else(|| poll.none(advised, push, *by));
        lines.extend(advised.advice.order.iter().filter_map(told));
    }
    lines.extend(of_talk(advised));
    lines.extend(of_pace(advised));
    lines.extend(of_headers(advised));
    lines.extend(of_delivery(advised));
    lines.extend(fresh::of_delay(advised));
    lines.extend(fresh::of_bound(advised));
    lines
}

/// The rates at which clients speak that would make another the cheapest: each that could be taken and speaks
/// in another way than the answer.
fn of_talk(advised: &Advised) -> Vec<String> {
    let answer = match &advised.advice.answer {
        Answer::Take { best, .. } => *best,
        Answer::Any { among, .. } if !among.is_empty() => among[0],
        _ => return Vec::new(),
    };
    let others = (0..advised.candidates.len())
        .filter(|&at| advised.advice.out[at].is_none() && !talk::speak_alike(advised, at, answer));
    others.flat_map(|other| talk::turns(advised, answer, other)).collect()
}

/// The candidate that is pushed to, and is the answer or the cheapest of those that a poll beats.
fn pushed(advised: &Advised) -> Option<usize> {
    let is_push = |at: &usize| !advised.candidates[*at].contender.shape().asks();
    match &advised.advice.answer {
        Answer::Take { best, .. } if is_push(best) => Some(*best),
        Answer::Take { .. } => {
            let first = *advised.advice.order.first()?;
            let middle = |at: &usize| advised.candidates[*at].spread(|costs| costs.get(first));
            let cheap = |at: &usize| middle(at).map_or(f64::INFINITY, |spread| spread.middle);
            let others = (0..advised.candidates.len()).filter(is_push);
            let others = others.filter(|at| advised.advice.out[*at].is_none());
            others.min_by(|one, other| cheap(one).total_cmp(&cheap(other)))
        }
        Answer::Any { among, .. } => among.iter().copied().find(|at| is_push(at)),
        _ => None,
    }
}

/// The candidate that polls, where it is the answer.
fn taken(advised: &Advised) -> Option<Polled> {
    let Answer::Take { best, .. } = advised.advice.answer else { return None };
    Polled::of(advised).filter(|poll| poll.at == best)
}

/// A stream as slow as the polls that are the answer: it is as fresh where only the newest message counts, and
/// costs so much less than one that carries all.
fn of_pace(advised: &Advised) -> Option<String> {
    let (poll, push) = (taken(advised)?, pushed(advised)?);
    let many = advised.rate_hz * poll.period_s;
    if advised.wishes.delivery != Delivery::Latest || many < 2.0 {
        return None;
    }
    let (polled, pushed) = (&advised.candidates[poll.at], &advised.candidates[push]);
    let is_less = |by: &&Cost| {
        let turn = Turn::of(polled, pushed, **by, Delivery::Latest);
        turn.is_some_and(|turn| turn.rate.low * many > 1.0)
    };
    let costs: Vec<&str> =
        advised.advice.order.iter().filter(is_less).map(|by| less(*by)).collect();
    let then = if costs.is_empty() {
        String::new()
    } else {
        format!(": {} then takes {} than these polls", pushed.contender, human::list(&costs))
    };
    Some(format!(
        "all messages are pushed here; a server that pushes the newest each {} instead, one in place of {}, is \
         as fresh{then}",
        Span(Duration::from_secs_f64(poll.period_s)),
        human::short_number(many, 2)
    ))
}

/// The bytes of headers that would make a stream take fewer than the polls that are the answer.
fn of_headers(advised: &Advised) -> Option<String> {
    let poll = taken(advised)?;
    let bytes = |at: usize| Some(advised.candidates[at].cost(Cost::WireBytes)?.middle);
    let is_stream = |at: &usize| {
        advised.candidates[*at].contender.shape() == Shape::Streams
            && advised.advice.out[*at].is_none()
    };
    let streams = (0..advised.candidates.len()).filter(is_stream);
    let streams = streams.filter_map(|at| Some((at, bytes(at)?)));
    let (stream, least) = streams.min_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let more = (least - bytes(poll.at)?) * poll.period_s;
    (more > 0.0 && more <= MOST_HEADERS).then(|| {
        format!(
            "from {} more of headers on each request and its answer (cookies, and what browsers send) {} takes \
             fewer bytes than {}",
            human::size(two_digits(more, f64::ceil)),
            advised.name(stream),
            advised.name(poll.at)
        )
    })
}

/// The candidate that polls.
struct Polled {
    at: usize,
    period_s: f64,
}

impl Polled {
    fn of(advised: &Advised) -> Option<Self> {
        let mut all = advised.courses.iter().enumerate();
        let (at, period) = all.find_map(|(at, course)| Some((at, course.poll_interval?)))?;
        Some(Self { at, period_s: period.as_secs_f64() })
    }

    /// From which rate on, and with which freshness, it costs less than what is pushed, or more.
    fn against(&self, advised: &Advised, push: usize, by: Cost) -> Option<String> {
        if advised.advice.out[self.at].is_some() {
            return None;
        }
        let delivery = advised.wishes.delivery;
        let push = &advised.candidates[push];
        let turn = Turn::of(&advised.candidates[self.at], push, by, delivery)?;
        let (polls, pushed, less) = (advised.name(self.at), push.contender, less(by));
        // Polls that find nothing are cheaper than the others, so that below a message in each it is no line.
        let found = advised.rate_hz * self.period_s;
        let fresh = self.fresh(advised, &turn);
        if found < 1.0 || found * turn.rate.middle < 1.0 {
            return None;
        }
        if turn.at_least {
            let down = |value| two_digits(value, f64::floor);
            let fresh =
                fresh.map(|it| format!(", and up to a freshness of {},", seconds(down(it.low))));
            return Some(format!(
                "up to {} messages/s at least{} {pushed} takes {less} than {polls}; what each message \
                 adds to a poll is not known apart",
                human::short_number(down(turn.rate.low * advised.rate_hz), 2),
                fresh.unwrap_or_default(),
            ));
        }
        let rate = per_second(turn.rate, advised.rate_hz);
        let fresh = fresh.map(|it| span(&it));
        Some(if turn.rate.low > 1.0 {
            let fresh =
                fresh.map(|it| format!("; at your rate it does from a freshness of {it} on"));
            format!("above {rate} {polls} takes {less} than {pushed}{}", fresh.unwrap_or_default())
        } else {
            let fresh = fresh.map(|it| format!("; at your rate it does below a freshness of {it}"));
            format!("below {rate} {pushed} takes {less} than {polls}{}", fresh.unwrap_or_default())
        })
    }

    /// That the rate is not told at which it and what is pushed would cost the same.
    fn none(&self, advised: &Advised, push: usize, by: Cost) -> Option<String> {
        let is_taken = matches!(advised.advice.answer, Answer::Take { .. });
        (is_taken && advised.advice.out[self.at].is_none()).then(|| {
            format!(
                "the rate at which {} and {} take the same {} cannot be told from these trials",
                advised.name(self.at),
                advised.name(push),
                words::cost(by)
            )
        })
    }

    /// The bound, in seconds, whose polls have the period of the turn; `None` where that is no line: a
    /// poll would find nothing, or more than an answer holds.
    fn fresh(&self, advised: &Advised, turn: &Turn) -> Option<Spread> {
        let period = self.period_s * turn.period.middle;
        let found_bytes = match advised.wishes.delivery {
            Delivery::Every => {
                advised.candidates[self.at].spread(|costs| costs.message_bytes)?.middle * period
            }
            Delivery::Latest => 0.0,
        };
        let is_line = advised.rate_hz * period >= 1.0 && found_bytes <= MOST_BATCH;
        let fresh =
            |factor: f64| (self.period_s * factor + advised.round_trip.as_secs_f64()) / PERIOD;
        is_line.then(|| over(&turn.period, fresh))
    }
}

/// `15 messages/s`, or `15 [14–16] messages/s`: so many times a rate.
pub(super) fn per_second(factor: Spread, rate_hz: f64) -> String {
    let hz = over(&factor, |factor| factor * rate_hz);
    let number = |hz: f64| human::short_number(hz, 2);
    format!("{} messages/s", with_interval(&hz, number))
}

/// `1.5s`, or `1.5s [1.4s–1.6s]`.
fn span(seconds_of: &Spread) -> String {
    with_interval(seconds_of, seconds)
}

/// Two digits of seconds, as a duration.
fn seconds(seconds: f64) -> String {
    let whole = two_digits(seconds.max(1e-3), f64::round);
    Span(Duration::from_secs_f64((whole * 1e3).round().max(1.0) / 1e3)).to_string()
}

/// A number to two digits, up or down where it is a bound; what a float loses is no reason to.
fn two_digits(value: f64, whole: fn(f64) -> f64) -> f64 {
    let digit = 10_f64.powf(value.log10().floor() - 1.0);
    let near = (value / digit).round();
    let is_near = (value / digit - near).abs() < 1e-3;
    (if is_near { near } else { whole(value / digit) }) * digit
}

/// The other promise, and how it would change the answer.
fn of_delivery(advised: &Advised) -> Option<String> {
    let many = advised.rate_hz * Polled::of(advised)?.period_s;
    (advised.wishes.delivery == Delivery::Every && many > 2.0).then(|| {
        format!(
            "if only the newest message counts (`--delivery latest`), a poll brings one message in \
             place of {}",
            human::short_number(many, 2)
        )
    })
}
