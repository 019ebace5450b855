//! The points of a scenario: the product of its lists.

use super::{Axis, Point, Scenario, ScheduleKind, Values};
use crate::feed::FeedSpec;
use crate::feed::payload::Payload;
use crate::feed::schedule::Schedule;
use crate::feed::trace::Trace;
use crate::link::{Link, LinkName};
use crate::units::{Count, Rate};

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
        // How many points a value of the axis lasts.
        let mut lasts = self.combinations();
        for axis in Axis::ALL {
            let values = axis.len(self);
            lasts /= values;
            axis.choose(self, index / lasts % values, &mut point);
        }
        self.settle(&mut point, trace);
        point
    }

    /// Sets what follows from a point's settings.
    fn settle(&self, point: &mut Point, trace: Option<&Trace>) {
        point.rate = self.rate_of_each(Count(point.clients.into())).unwrap_or(point.rate);
        let feed = self.feed_spec(point, trace);
        point.rate_hz = feed.schedule.mean_hz().unwrap_or(0.0);
        point.payload_bytes = feed.payload.mean_bytes();
        self.talk.settle(point);
        let listed = Axis::ALL.into_iter().filter(|axis| axis.len(self) > 1);
        point.label = listed.map(|axis| axis.label(point)).collect::<Vec<_>>().join(" ");
    }

    /// A point beside those of the lists, with the number `id`: as `like`, with that `value` of
    /// `axis`, in its unit. `None` where the axis takes no
    /// [further values](Axis::takes_further_values), or the point could not be run.
    #[must_use]
    pub fn further_point(
        &self,
        id: u32,
        like: &Point,
        (axis, value): (Axis, f64),
        trace: Option<&Trace>,
    ) -> Option<Point> {
        let mut point = Point { id, ..like.clone() };
        axis.put(value, &mut point)?;
        self.settle(&mut point, trace);
        point.check().is_ok().then_some(point)
    }

    /// The feed at a point.
    #[must_use]
    pub fn feed_spec(&self, point: &Point, trace: Option<&Trace>) -> FeedSpec {
        let rate = point.rate;
        let schedule = match (self.feed.schedule, trace) {
            // Nothing is published where clients talk.
            _ if point.talk.is_some() => Schedule::Manual,
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

impl Point {
    /// The settings of its link that are not what they are by its name, or by default.
    pub fn unusual_of_link(&self) -> impl Iterator<Item = Axis> {
        let usual = self.link_name.map_or_else(Link::default, LinkName::link);
        let usual = Self { link: self.link.as_ref().map(|_| usual), ..self.clone() };
        let axes = Axis::ALL.into_iter().filter(|axis| axis.key().starts_with("link."));
        axes.filter(move |axis| axis.text(self) != axis.text(&usual))
    }
}
