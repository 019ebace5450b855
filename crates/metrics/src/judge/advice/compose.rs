//! Costs of a client at the user's own numbers, of trials at these or at a faster pace.
//!
//! A message each 20 s is too slow to be watched. What it costs is the same where messages, polls and
//! the time for which long polls are held are all so many times as fast: each poll finds as many
//! messages, as many are empty, and each message is written to as many clients. So one trial at that
//! pace gives the unit costs of all that happens to a client, and so many times less of it happens in a
//! second of the user's. What a process takes by itself does not: it is read while clients rest, before
//! anything comes to them, and is theirs whatever the pace. What is left out is what a pause changes, such
//! as caches that grow cold.

use std::time::Duration;

use pushbench_core::price::Price;
use pushbench_core::{Contender, Figure};

use super::{Candidate, Costs, Round};
use crate::judge::figures::Figures;
use crate::judge::money::{Usage, bill};
use crate::judge::stats::median;
use crate::observe::censored::Bounded;
use crate::record::{RunRecord, TrialRecord};

/// The part of messages that wait at most so large a part of a poll's period, whose phases are spread
/// evenly over it.
const QUANTILE: f64 = 0.99;

/// Of a contender, the trials that say what it costs, and how they are to be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    /// The contender.
    pub contender: Contender,
    /// The number of the point at which it was measured.
    pub point: u32,
    /// By how many times that is faster than the user's own numbers; 1 where it is as fast.
    pub pace: f64,
    /// Messages each second, by the user's numbers.
    pub rate_hz: f64,
    /// The period of its polls, by the user's numbers; `None` where it does not ask on one.
    pub poll_interval: Option<Duration>,
    /// Clients, by the user's numbers: they share what the server takes by itself.
    pub clients: u32,
}

impl Course {
    /// Whether the costs are composed rather than measured as they are.
    #[must_use]
    pub fn is_composed(&self) -> bool {
        self.pace > 1.0
    }

    /// The candidate that the trials of `record` make, with its rounds.
    #[must_use]
    pub fn candidate(&self, record: &RunRecord) -> Candidate {
        let ours = |trial: &&TrialRecord| {
            (trial.id.contender, trial.id.point) == (self.contender, self.point) && trial.is_valid()
        };
        let trials: Vec<&TrialRecord> = record.standing().filter(ours).collect();
        let of_round = |round| {
            let trial = trials.iter().find(|trial| trial.id.round == round)?;
            let rest = rest(record, round);
            Some(Measured { course: self, trial, rest }.round(record.price.as_ref()))
        };
        let rounds = 1..=record.scenario.runs;
        Candidate {
            contender: self.contender,
            rounds: rounds.map(of_round).collect(),
            is_composed: self.is_composed(),
            check: None,
        }
    }

    /// The share of a client in what the server takes by itself, less that which it had among so many: a
    /// second of theirs is as many of the user's as the pace is faster.
    fn missing(&self, connected: u32) -> f64 {
        let measured = f64::from(connected) * self.pace;
        1.0 / f64::from(self.clients) - 1.0 / measured
    }

    /// Freshness at the user's pace: a poll's period is so many times longer, and its wait with it.
    fn slowed(&self, fresh: Bounded) -> Bounded {
        let period = self.poll_interval.unwrap_or_default().as_secs_f64() * 1e6;
        let more = QUANTILE * period * (1.0 - 1.0 / self.pace);
        match fresh {
            Bounded::Exactly(us) => Bounded::Exactly(us + more),
            Bounded::AtLeast(us) => Bounded::AtLeast(us + more),
        }
    }
}

/// A trial of a course.
#[derive(Debug, Clone, Copy)]
struct Measured<'a> {
    course: &'a Course,
    trial: &'a TrialRecord,
    /// Seconds of CPU that the server takes by itself in each second.
    rest: f64,
}

impl Measured<'_> {
    /// The figures at the user's pace, and what they cost at `price`.
    fn round(&self, price: Option<&Price>) -> Round {
        let (figures, measured) = (Figures::of_trial(self.trial), &self.trial.measured);
        let each_s = self.arrivals_hz();
        let cost = |figure| Some(figures.get(figure)? * each_s?);
        let fresh = measured.fresh_us(QUANTILE);
        let messages = [Figure::PayloadBytes, Figure::FramingBytes].map(cost);
        let money = |of: fn(&Self, &Price) -> Option<f64>| of(self, price?);
        Round {
            fresh_p99_us: fresh.map(|fresh| self.course.slowed(fresh)),
            lost: measured.audit.lost,
            costs: Costs {
                server_cpu_us: cost(Figure::ServerCpu).map(|us| us + self.missing_s() * 1e6),
                server_cpu_held_us: self.held_s() * 1e6,
                wire_bytes: cost(Figure::WireBytes),
                message_bytes: messages.into_iter().sum(),
                memory_bytes: figures.get(Figure::ServerRss),
                money: money(Self::money),
                money_held: money(Self::money_held),
                ..Costs::default()
            },
        }
    }

    /// Money for a month of the user's; `None` where the offer carries no such transport, or something
    /// that it charges for was not measured.
    fn money(&self, price: &Price) -> Option<f64> {
        let measured_hz = messages_hz(self.trial).filter(|hz| *hz > 0.0)?;
        let usage = Usage::of_trial(self.trial)?.at_pace(self.arrivals_hz()? / measured_hz);
        Some(bill(&usage.with_cpu(self.missing_s()), price).ok()?.total())
    }

    /// Money for a month in which a client gets nothing, and asks for nothing.
    fn money_held(&self, price: &Price) -> Option<f64> {
        let usage = Usage::of_trial(self.trial)?.at_pace(0.0);
        Some(bill(&usage.with_cpu(self.held_s()), price).ok()?.total())
    }

    /// CPU that the server takes by itself, for a client and second.
    fn held_s(&self) -> f64 {
        self.rest / f64::from(self.course.clients)
    }

    /// The part of that which is not in the trial's own; below zero where its clients were so few that they
    /// had more.
    fn missing_s(&self) -> f64 {
        self.rest * self.course.missing(self.trial.connected)
    }

    /// Messages that come to a client in a second of the user's.
    ///
    /// Of streams and long polls they are those due that came: a window's edges cut none. Polls come on
    /// a period of their own, so that theirs are those of the window, which is many clients' phases wide.
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
    fn arrivals_hz(&self) -> Option<f64> {
        let audit = &self.trial.measured.audit;
        if self.course.poll_interval.is_none() {
            let came = audit.delivered as f64 / audit.expected as f64;
            return Some(self.course.rate_hz * came).filter(|hz| hz.is_finite());
        }
        Some(messages_hz(self.trial)? / self.course.pace)
    }
}

/// Seconds of CPU that the server took in each second in which the clients of a stream rested in that round,
/// or in any where they did not in that one; zero where none did.
pub(super) fn rest(record: &RunRecord, round: u32) -> f64 {
    let rests = |is_one: &dyn Fn(&TrialRecord) -> bool| {
        let all = record.standing().filter(|trial| trial.is_valid() && is_one(trial));
        let rests: Vec<f64> =
            all.filter_map(|trial| trial.resources.resting?.cpu_each_s()).collect();
        median(&rests)
    };
    rests(&|trial| trial.id.round == round).or_else(|| rests(&|_| true)).unwrap_or(0.0)
}

/// Messages that came to a client in a second of the trial's window.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
pub(super) fn messages_hz(trial: &TrialRecord) -> Option<f64> {
    let seconds = f64::from(trial.connected) * trial.window.duration().as_secs_f64();
    let hz = trial.measured.counters.messages_in_window as f64 / seconds;
    Some(hz).filter(|hz| hz.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(pace: f64, poll_interval: Option<Duration>) -> Course {
        let contender = Contender::SHORT_POLL;
        Course { contender, point: 1, pace, rate_hz: 0.5, poll_interval, clients: 100 }
    }

    /// Polls each 9 s are watched each 1.5: 1.5 s less a hundredth, and 10 ms of all else. So of 9 s they
    /// are 8.91 s and 10 ms.
    #[test]
    fn a_polls_wait_is_longer_by_the_pace_and_all_else_is_not() {
        let nine = course(6.0, Some(Duration::from_secs(9)));
        let Bounded::Exactly(us) = nine.slowed(Bounded::Exactly(1.495e6)) else { panic!() };
        assert!((us - 8.92e6).abs() < 1.0, "{us}");
        let Bounded::AtLeast(us) = nine.slowed(Bounded::AtLeast(1.495e6)) else { panic!() };
        assert!((us - 8.92e6).abs() < 1.0, "{us}");
        assert!(nine.is_composed());
    }

    /// Of 100 clients each has a hundredth. At 20 times the pace a second of theirs is 20, so that a 2,000th
    /// of it is in what was measured; 5 polling in their place have had it all.
    #[test]
    fn what_the_server_takes_by_itself_is_shared_at_any_pace() {
        let push = course(20.0, None);
        assert!((push.missing(100) - (0.01 - 0.0005)).abs() < 1e-12);
        assert!(course(20.0, Some(Duration::from_secs(9))).missing(5).abs() < 1e-12);
        assert!((course(2.0, None).missing(25) + 0.01).abs() < 1e-12, "a fiftieth was too much");
        assert!(course(1.0, None).missing(100).abs() < 1e-12, "measured as it is");
    }

    #[test]
    fn what_is_pushed_is_as_fresh_at_any_pace() {
        let pushed = course(6.0, None);
        assert_eq!(pushed.slowed(Bounded::Exactly(8e3)), Bounded::Exactly(8e3));
        assert!(!course(1.0, None).is_composed());
    }
}
