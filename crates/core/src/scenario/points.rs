//! The points of a scenario: the product of its lists.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::check::{self, check_text};
use super::{Axis, Scenario, ScenarioError, ScheduleKind, Values, setting};
use crate::checked_when_read;
use crate::feed::FeedSpec;
use crate::feed::payload::{MAX_PAYLOAD, Payload};
use crate::feed::schedule::{Schedule, check_rate, check_speed};
use crate::feed::trace::Trace;
use crate::units::{Count, Rate, Span};

/// One combination of settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Point {
    /// Its number, from 1.
    pub id: u32,
    /// The settings in which it differs from the others, such as `clients=100 rate=10/s`; empty
    /// where it is the only one.
    pub label: String,
    /// Subscribers.
    pub clients: u32,
    /// The rate as given; within a burst that of the burst; of a replay, the mean.
    pub rate: Rate,
    /// Messages each second in the long run.
    pub rate_hz: f64,
    /// Size of a payload; of a replay, the mean.
    pub payload_bytes: f64,
    /// The period of short polls.
    pub poll_interval: Span,
    /// How long the server is asked to hold a long poll.
    pub long_poll_timeout: Span,
    /// Bytes by which each request's `Cookie` is longer than its profile has it.
    #[serde(default)]
    pub cookie_bytes: u32,
    /// How many times faster than recorded; 1 without a trace.
    pub speed: f64,
}

checked_when_read!(Point);

impl Point {
    /// A point whose settings are still to be chosen.
    fn numbered(id: u32) -> Self {
        Self {
            id,
            label: String::new(),
            clients: 1,
            rate: Rate::ONE,
            rate_hz: 0.0,
            payload_bytes: 0.0,
            poll_interval: Span(Duration::ZERO),
            long_poll_timeout: Span(Duration::ZERO),
            cookie_bytes: 0,
            speed: 1.0,
        }
    }

    /// Checks what the types of its settings cannot.
    ///
    /// # Errors
    ///
    /// The first setting that no scenario spans, by its key.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let within = |key, value: f64, most: f64| match (0.0..=most).contains(&value) {
            true => Ok(()),
            false => Err(setting(key, format!("{value:?} is not within 0 and {most}"))),
        };
        if self.id == 0 {
            return Err(setting("id", "a point's number is at least 1"));
        }
        if !check::CLIENTS.contains(&u64::from(self.clients)) {
            let problem = format!("{} is not within 1 and 1000k", self.clients);
            return Err(setting("clients", problem));
        }
        check_text("label", &self.label)?;
        check_rate(self.rate).map_err(|why| setting("rate", why.problem))?;
        check_speed(self.speed).map_err(|why| setting("speed", why.problem))?;
        // A replay was not always held to the rates of other schedules.
        within("rate_hz", self.rate_hz, 1e12)?;
        #[expect(clippy::cast_precision_loss, reason = "1 MiB")]
        within("payload_bytes", self.payload_bytes, MAX_PAYLOAD as f64)?;
        check::check_poll_interval(self.poll_interval)
            .map_err(|why| setting("poll_interval", why))?;
        check::check_long_poll_timeout(self.long_poll_timeout)
            .map_err(|why| setting("long_poll_timeout", why))?;
        check::check_cookie(u64::from(self.cookie_bytes))
            .map_err(|why| setting("cookie_bytes", why))
    }
}

impl Scenario {
    /// The rate of each of `clients` where `total_rate` is that of all.
    pub(super) fn rate_of_each(&self, clients: Count) -> Option<Rate> {
        #[expect(clippy::cast_precision_loss, reason = "at most a million")]
        Rate::from_hz(self.total_rate?.hz() / clients.0 as f64)
    }

    /// The rates to be tried; where `total_rate` sets them there is one for each number of clients.
    pub(super) fn rates(&self) -> &Values<Rate> {
        static SET_BY_CLIENTS: Values<Rate> = Values::One(Rate::ONE);
        if self.total_rate.is_some() { &SET_BY_CLIENTS } else { &self.rate }
    }

    /// How many points there are.
    pub(super) fn combinations(&self) -> usize {
        Axis::ALL.into_iter().map(|axis| axis.len(self)).fold(1, usize::saturating_mul)
    }

    /// The points, in the order of the lists, the first list changing slowest.
    ///
    /// `trace` is the one that [`FeedTable::trace`](super::FeedTable::trace) names, for a replay's rate and size. The
    /// scenario has passed [`check`](Self::check), so no list is empty.
    #[must_use]
    pub fn points(&self, trace: Option<&Trace>) -> Vec<Point> {
        (0..self.combinations()).map(|index| self.point(index, trace)).collect()
    }

    /// The point with `index` points before it: a number whose digits choose from the lists.
    fn point(&self, index: usize, trace: Option<&Trace>) -> Point {
        let mut point = Point::numbered(u32::try_from(index + 1).unwrap_or(u32::MAX));
        let mut rest = index;
        for axis in Axis::ALL.into_iter().rev() {
            let values = axis.len(self);
            axis.choose(self, rest % values, &mut point);
            rest /= values;
        }
        point.rate = self.rate_of_each(Count(point.clients.into())).unwrap_or(point.rate);
        let feed = self.feed_spec(&point, trace);
        point.rate_hz = feed.schedule.mean_hz().unwrap_or(0.0);
        point.payload_bytes = feed.payload.mean_bytes();
        let listed = Axis::ALL.into_iter().filter(|axis| axis.len(self) > 1);
        point.label = listed.map(|axis| axis.label(&point)).collect::<Vec<_>>().join(" ");
        point
    }

    /// The feed at a point.
    #[must_use]
    pub fn feed_spec(&self, point: &Point, trace: Option<&Trace>) -> FeedSpec {
        let rate = point.rate;
        let schedule = match (self.feed.schedule, trace) {
            (ScheduleKind::Replay, Some(trace)) => Schedule::Replay {
                speed: point.speed,
                offsets_ns: trace.offsets_ns.as_slice().into(),
            },
            (ScheduleKind::Poisson, _) => Schedule::Poisson { rate },
            (ScheduleKind::Burst, _) => {
                Schedule::Burst { rate, on: self.feed.on, off: self.feed.off }
            }
            _ => Schedule::Constant { rate },
        };
        let payload = match trace {
            Some(trace) => Payload::Recorded { payloads: trace.payloads.as_slice().into() },
            None => Payload::Generated {
                kind: self.feed.payload,
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "checked"
                )]
                bytes: point.payload_bytes as usize,
            },
        };
        FeedSpec { seed: self.seed, schedule, payload }
    }
}
