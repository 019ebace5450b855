//! The design of a measurement that decides: which contenders, at which pace, over how many rounds.
//!
//! Trials at the user's own numbers are best. Where these are too slow for the time there is, messages,
//! polls and the time for which long polls are held are made so many times as fast, and the clients of
//! polls so many times fewer, so that the server has as much to do in a second as it will have.

use std::time::Duration;

use pushbench_core::random;
use pushbench_core::scenario::{Point, Scenario, Values};
use pushbench_core::units::{Count, Rate, Span};
use pushbench_core::{Contender, Delivery, Shape};
use pushbench_metrics::judge::advice::FEWEST_ROUNDS;
use pushbench_metrics::judge::advice::compose::Course;
use pushbench_run::Plan;
use pushbench_run::place::Layout;

use super::polls::longest_period;
use super::workload::Workload;
use crate::args::AdviseArgs;

/// The most clients that a trial has: what one costs is no other among more.
const MOST_CLIENTS: u32 = 1_000;

/// The same where each connection is dear: secured, or over a link that a router keeps up.
const MOST_CLIENTS_DEAR: u32 = 200;

/// Messages in a window, at least, which come one by one.
const MESSAGES: f64 = 4.0;

/// The same where each connection is dear.
const MESSAGES_DEAR: f64 = 5.0;

/// How long a server is asked to hold a long poll.
const HOLD: Duration = Duration::from_secs(30);

/// Messages for each poll that are as good as more.
const FOUND: f64 = 3.0;

/// Samples of freshness in a trial, at least: ten beyond the 99th percentile, and some more.
const SAMPLES: f64 = 1_050.0;

/// The fewest clients whose memory is more than the luck of a page.
const FEWEST_CLIENTS: f64 = 100.0;

/// Writes a second of a server that has enough to do: with more clients one costs no less.
const MOST_WRITES_HZ: f64 = 10_000.0;

/// Time for which clients rest before a feed that is not the user's own: a tick of the server's.
pub(super) const REST: Duration = Duration::from_millis(500);

/// The time apart that messages keep, or polls, so that one is over when the next begins: that, and so
/// many round trips.
const APART: Duration = Duration::from_millis(120);
const ROUND_TRIPS_APART: u32 = 4;

/// The stream of random numbers that the order within a round is drawn from.
const ORDER_STREAM: u64 = 61 << 40;

/// A contender with the settings that it is measured at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measured {
    pub(super) contender: Contender,
    pub(super) clients: u32,
    pub(super) pace: f64,
    /// By the user's own numbers.
    pub(super) poll_interval: Option<Duration>,
    rate: Rate,
    poll: Span,
    hold: Span,
}

/// A measurement that decides.
#[derive(Debug, Clone)]
pub(super) struct Design {
    pub(super) contenders: Vec<Measured>,
    pub(super) rounds: u32,
    pub(super) window: Duration,
    pub(super) warmup: Duration,
}

/// The effort that a design may make.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    pub(super) rounds: u32,
    pub(super) window: Duration,
    pub(super) warmup: Duration,
    /// Messages that come one by one in a window, at least.
    pub(super) messages: f64,
    /// Polls of a client in a window, at least.
    pub(super) polls: f64,
    /// Whether all is to be measured at the user's own numbers.
    pub(super) as_it_is: bool,
    pub(super) most_clients: u32,
}

impl Effort {
    /// The fewest rounds that show anything, for that workload.
    pub(super) fn quick(workload: &Workload) -> Self {
        // Where few clients are all that there is time for, more messages make a percentile.
        let is_dear = workload.is_dear();
        let (most_clients, messages) =
            if is_dear { (MOST_CLIENTS_DEAR, MESSAGES_DEAR) } else { (MOST_CLIENTS, MESSAGES) };
        Self {
            rounds: FEWEST_ROUNDS as u32,
            window: Duration::from_millis(2_500),
            warmup: Duration::from_millis(500),
            messages,
            polls: 2.0,
            as_it_is: false,
            most_clients,
        }
    }
}

/// The time apart that messages keep, or polls, or what a client says.
pub(super) fn apart(workload: &Workload) -> Duration {
    APART + workload.round_trip() * ROUND_TRIPS_APART
}

impl Design {
    /// Of all contenders for that workload.
    pub(super) fn of(workload: &Workload, effort: Effort) -> Self {
        let Effort { rounds, mut window, warmup, .. } = effort;
        let all: Vec<Choice> = Choice::all(workload);
        for choice in &all {
            window = window.max(choice.least_window(workload, &effort));
        }
        let paces: Vec<f64> = all.iter().map(|it| it.pace(workload, &effort, window)).collect();
        window = whole_messages(workload, &all, &paces, window);
        let measured = all.iter().zip(&paces);
        let measured =
            measured.map(|(choice, &pace)| choice.measured(workload, &effort, pace, window));
        let mut contenders: Vec<Measured> = measured.collect();
        // To the others a period says nothing, so that they can share the polls' point.
        if let Some(poll) =
            contenders.iter().find(|it| it.poll_interval.is_some()).map(|it| it.poll)
        {
            contenders.iter_mut().for_each(|it| it.poll = poll);
        }
        Self { contenders, rounds, window, warmup }
    }

    /// With at most so many clients.
    pub(super) fn with_clients(mut self, most: u32) -> Self {
        self.contenders.iter_mut().for_each(|it| it.clients = it.clients.min(most));
        self
    }

    /// The most clients of any.
    pub(super) fn clients(&self) -> u32 {
        self.contenders.iter().map(|it| it.clients).max().unwrap_or(0)
    }

    /// The plan of its trials: of the product of all settings, the points that are some contender's.
    pub(super) fn plan(&self, workload: &Workload, args: &AdviseArgs, layout: Layout) -> Plan {
        let scenario = self.scenario(workload, args);
        let plan = Plan::of(scenario, None, layout);
        let is_used = |point: &Point| self.contenders.iter().any(|it| it.is_at(point));
        let used: Vec<&Point> = plan.points.iter().filter(|point| is_used(point)).collect();
        let points = (1..).zip(used).map(|(id, point)| Point { id, ..point.clone() });
        let points: Vec<Point> = points.collect();
        let mut trials = Vec::new();
        for round in 1..=self.rounds {
            let stream = ORDER_STREAM + u64::from(round);
            for at in random::permutation(args.seed, stream, self.contenders.len()) {
                let it = &self.contenders[at];
                let point = it.point(&points);
                trials.push(pushbench_metrics::record::TrialId {
                    point,
                    contender: it.contender,
                    round,
                });
            }
        }
        let rest = self.contenders.iter().any(|it| it.shares_otherwise(workload)).then_some(REST);
        Plan { points, trials, stamps: false, rest, allow_busy: args.allow_busy, ..plan }
    }

    fn scenario(&self, workload: &Workload, args: &AdviseArgs) -> Scenario {
        let all = &self.contenders;
        let mut scenario = Scenario {
            name: "advise".to_owned(),
            question: "Which contender is to be taken for these numbers?".to_owned(),
            contenders: all.iter().map(|it| it.contender).collect(),
            delivery: workload.delivery,
            clients: several(all.iter().map(|it| Count(it.clients.into()))),
            rate: several(all.iter().map(|it| it.rate)),
            payload: Values::One(workload.payload),
            poll_interval: several(all.iter().map(|it| it.poll)),
            long_poll_timeout: several(all.iter().map(|it| it.hold)),
            warmup: Span(self.warmup),
            duration: Span(self.window),
            runs: self.rounds,
            seed: args.seed,
            ..Scenario::default()
        };
        args.link.apply(&mut scenario);
        scenario
    }

    /// `courses` of another design as they would be read for as many clients as this one has.
    pub(super) fn alike(&self, courses: &[Course]) -> Vec<Course> {
        let both = courses.iter().zip(&self.contenders);
        both.map(|(course, own)| Course { clients: own.clients, ..*course }).collect()
    }

    /// How the trials of `plan` are read.
    pub(super) fn courses(&self, workload: &Workload, plan: &Plan) -> Vec<Course> {
        let course = |it: &Measured| Course {
            contender: it.contender,
            point: it.point(&plan.points),
            pace: it.pace,
            rate_hz: workload.rate_hz,
            poll_interval: it.poll_interval,
            clients: workload.clients,
        };
        self.contenders.iter().map(course).collect()
    }
}

/// One value, or the different ones in their order.
fn several<T: Clone + PartialEq>(values: impl Iterator<Item = T>) -> Values<T> {
    let mut different: Vec<T> = Vec::new();
    for value in values {
        if !different.contains(&value) {
            different.push(value);
        }
    }
    different.into()
}

/// A window in which whole messages are due at the polls' pace, so that its edges cut none: by as many
/// as there are they would be wrong. Where hundreds are due that is nothing.
fn whole_messages(
    workload: &Workload,
    all: &[Choice],
    paces: &[f64],
    window: Duration,
) -> Duration {
    let polls = all.iter().zip(paces).find(|(choice, _)| choice.contender.shape().asks());
    let Some((choice, pace)) = polls else { return window };
    let hz = choice.hz(workload, *pace);
    let due = hz * window.as_secs_f64();
    if due > 500.0 { window } else { Duration::from_secs_f64((due - 1e-9).ceil().max(1.0) / hz) }
}

/// A contender before it is known at which pace it is measured.
#[derive(Debug, Clone, Copy)]
struct Choice {
    contender: Contender,
    poll_interval: Option<Duration>,
}

impl Choice {
    /// Of each contender; of polls where a period is fresh enough.
    fn all(workload: &Workload) -> Vec<Self> {
        let period = longest_period(workload);
        let contenders = workload.contenders.iter().copied();
        let choices = contenders.map(|contender| Self {
            contender,
            poll_interval: period.filter(|_| contender.shape().asks()),
        });
        choices.filter(|it| !it.contender.shape().asks() || it.poll_interval.is_some()).collect()
    }

    /// The fastest pace at which one message, or poll, is over before the next.
    fn most_pace(&self, workload: &Workload) -> f64 {
        let apart = apart(workload).as_secs_f64();
        let gap = 1.0 / workload.rate_hz;
        let most = match (self.poll_interval, self.contender.shape()) {
            (Some(period), _) => period.as_secs_f64() / apart,
            // Holds that end without a message are part of what it costs.
            (None, Shape::Waits) if gap > HOLD.as_secs_f64() => {
                (gap / apart).min(HOLD.as_secs_f64() / 0.5)
            }
            (None, _) => gap / apart,
        };
        most.floor().max(1.0)
    }

    /// The window that it needs at the fastest pace that it may have.
    fn least_window(&self, workload: &Workload, effort: &Effort) -> Duration {
        let pace = if effort.as_it_is { 1.0 } else { self.most_pace(workload) };
        let polls = self.poll_interval.unwrap_or_default().as_secs_f64() * effort.polls;
        let messages = effort.messages / workload.rate_hz;
        Duration::from_secs_f64(polls.max(messages) / pace)
    }

    /// The slowest pace at which enough happens in the window.
    fn pace(&self, workload: &Workload, effort: &Effort, window: Duration) -> f64 {
        if effort.as_it_is {
            return 1.0;
        }
        let least = self.least_window(workload, &Effort { as_it_is: true, ..*effort });
        (least.as_secs_f64() / window.as_secs_f64() - 1e-9)
            .ceil()
            .clamp(1.0, self.most_pace(workload))
    }

    /// Messages each second at that pace.
    ///
    /// Where only the newest counts, and each poll finds one all the same, they are as many as ever:
    /// what a server does for each of them is not for a client.
    fn hz(&self, workload: &Workload, pace: f64) -> f64 {
        let found = workload.rate_hz * self.poll_interval.unwrap_or_default().as_secs_f64() / pace;
        let is_enough = workload.delivery == Delivery::Latest && found >= FOUND;
        if is_enough { workload.rate_hz } else { workload.rate_hz * pace }
    }

    /// Clients that give the server as much to do.
    ///
    /// A stream's message is written to all at once, and a poll comes by itself. But where each of them
    /// brings many messages, so many times fewer clients would share what it takes to publish them.
    fn clients(&self, workload: &Workload, pace: f64) -> f64 {
        let own = f64::from(workload.clients);
        let Some(period) = self.poll_interval else { return own };
        let brought = workload.rate_hz * period.as_secs_f64();
        let brings_many = workload.delivery == Delivery::Every && brought > FOUND;
        if brings_many { own } else { own / pace }
    }

    fn measured(
        &self,
        workload: &Workload,
        effort: &Effort,
        pace: f64,
        window: Duration,
    ) -> Measured {
        let hz = self.hz(workload, pace);
        let alike = self.clients(workload, pace);
        let due = (hz * window.as_secs_f64()).floor().max(1.0);
        let written_hz = self.poll_interval.map_or(hz, |period| pace / period.as_secs_f64());
        let most = (MOST_WRITES_HZ / written_hz).min(f64::from(effort.most_clients));
        let least = (SAMPLES / due).max(FEWEST_CLIENTS);
        let slower = |time: Duration| Span(Duration::from_secs_f64(time.as_secs_f64() / pace));
        let gap = 1.0 / workload.rate_hz;
        let is_held_out = gap > HOLD.as_secs_f64() && self.contender.shape().waits();
        Measured {
            contender: self.contender,
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "< 1M")]
            clients: alike.min(most).max(least).ceil() as u32,
            pace,
            poll_interval: self.poll_interval,
            rate: Rate::from_hz(hz).unwrap_or(Rate::ONE),
            poll: self.poll_interval.map_or(Span(Duration::from_secs(1)), slower),
            hold: if is_held_out { slower(HOLD) } else { Span(HOLD) },
        }
    }
}

impl Measured {
    /// Whether what the server takes by itself is another part of a client's costs than by the user's
    /// numbers: at a faster pace it is a smaller one, but for polls of as many times fewer clients, and of
    /// other clients it is another.
    fn shares_otherwise(&self, workload: &Workload) -> bool {
        let (measured, own) = (f64::from(self.clients) * self.pace, f64::from(workload.clients));
        (measured / own - 1.0).abs() > 0.01
    }

    fn is_at(&self, point: &Point) -> bool {
        let Self { clients, rate, poll, hold, .. } = *self;
        let of_point = (point.clients, point.rate, point.poll_interval, point.long_poll_timeout);
        of_point == (clients, rate, poll, hold)
    }

    /// The number of its point.
    fn point(&self, points: &[Point]) -> u32 {
        let own = points.iter().find(|point| self.is_at(point));
        own.map_or(0, |point| point.id)
    }
}

#[cfg(test)]
mod tests;
