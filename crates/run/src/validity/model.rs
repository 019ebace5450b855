//! The figures that a finished trial ought to have, computed from others that it has.

use pushbench_core::contender::{Connection, Security};
use pushbench_core::feed::stamp::LatencyFrom;
use pushbench_core::instant::saturating_nanos;
use pushbench_core::link::Ways;
use pushbench_core::units::Span;
use pushbench_core::{Delivery, Shape};
use pushbench_metrics::judge::models::check::{Chance, Compared, Distance, distance};
use pushbench_metrics::judge::models::{
    Check, Dues, Latency, Law, one_way_us, period_us, round_trip_us,
};
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::record::TrialId;
use pushbench_metrics::record::control::TrialTiming;

use crate::plan::Plan;
use crate::trial::Played;

/// The model of trial `id`, and how the trial compares with it, where its latencies are known.
pub(crate) fn check(plan: &Plan, id: TrialId, played: &Played) -> Check {
    let trial = Trial { plan, id, played, measured: &played.merged.load.measured };
    match id.contender.shape() {
        // Of what clients say to each other there is no model, nor of those that were away.
        _ if plan.point(id).talk.is_some() || plan.point(id).life.is_eventful() => Check::default(),
        // Nor of a browser, whose timers and connections are its own affair.
        _ if !plan.point(id).client.is_native() => Check::default(),
        _ if !played.same_clock || played.latency_from != LatencyFrom::Schedule => Check::default(),
        Shape::Asks => trial.of_polls(),
        Shape::Waits | Shape::Streams => trial.of_pushes(),
    }
}

/// The trial that a model is computed for.
struct Trial<'a> {
    plan: &'a Plan,
    id: TrialId,
    played: &'a Played,
    measured: &'a Measured,
}

impl Trial<'_> {
    /// The period of polls whose request takes `round_trip_us`: the interval that was asked for, or
    /// several, where a poll and its connection outlast it.
    fn poll_us(&self, round_trip_us: Option<f64>) -> f64 {
        let interval_us = self.plan.point(self.id).poll_interval.0.as_secs_f64() * 1e6;
        let Ways { down, up } = self.network_us();
        let opening_us = f64::from(self.round_trips_to_open()) * (down + up);
        period_us(interval_us, opening_us + round_trip_us.unwrap_or(down + up))
    }

    /// Round trips before each request of a client that has had its first answer: none where it keeps
    /// its connection, else one for TCP, and those of TLS (RFC 8446 §2, RFC 5246 §7.3).
    fn round_trips_to_open(&self) -> u32 {
        let stack = self.id.contender.stack;
        match (stack.connection, stack.security, &self.played.secured) {
            (Connection::Kept, ..) => 0,
            (Connection::Closed, Security::Tls, Some(secured))
                if secured.agreed.version == "1.2" && !self.plan.point(self.id).tls.resumption =>
            {
                3
            }
            (Connection::Closed, Security::Tls, _) => 2,
            (Connection::Closed, Security::Clear, _) => 1,
        }
    }

    /// The network's delay each way, 0 on loopback.
    fn network_us(&self) -> Ways<f64> {
        let us = |span: Span| span.0.as_secs_f64() * 1e6;
        let link = self.plan.point(self.id).link.as_ref();
        link.map_or_else(Ways::default, |link| Ways {
            down: us(link.delay.down),
            up: us(link.delay.up),
        })
    }

    fn law(&self) -> Option<Law> {
        Law::of(&self.played.timing.schedule)
    }

    /// The instants at which messages were due: from two gaps and as long before the window on as what
    /// was due then may be under way.
    fn dues(&self) -> Option<Dues> {
        let TrialTiming { schedule, seed, origin, checkpoint, window, warmup, .. } =
            &self.played.timing;
        let gap_ns = schedule.mean_hz().map_or(0.0, |hz| 1e9 / hz);
        let under_way = if self.id.contender.shape().waits() {
            window.start.saturating_since(*warmup)
        } else {
            self.plan.point(self.id).poll_interval.0
        };
        let before = saturating_nanos(under_way) + (2.0 * gap_ns) as u64;
        Dues::new((schedule, *seed, *origin), *checkpoint, *window, before)
    }

    /// Everything about polls follows from their period and from when messages were due.
    fn of_polls(&self) -> Check {
        let (Some(polls), Some(dues)) = (&self.measured.polls, self.dues()) else {
            return Check::default();
        };
        let (round_trip_us, audit) = (polls.round_trip.mean_us(), &self.measured.audit);
        let poll_us = self.poll_us(round_trip_us);
        let delay_us = one_way_us(round_trip_us, self.network_us());
        let chance = Chance::of(polls, audit.published, self.plan.scenario.seed);
        let delivery = self.plan.scenario.delivery;
        let latency = match delivery {
            Delivery::Every => Some(Latency::short_poll(poll_us, delay_us)),
            Delivery::Latest => {
                self.law().map(|law| Latency::short_poll_latest(law, poll_us, delay_us))
            }
        };
        let cdf = |us: f64| match (delivery, latency) {
            (Delivery::Every, Some(model)) => model.cdf(us),
            _ => dues.newest_cdf(us - delay_us, poll_us),
        };
        // Of what was still under way nobody knows where in the distribution it belongs.
        let all_known = self.measured.late.is_empty();
        let distance = all_known.then(|| distance(&self.measured.latency, cdf)).flatten();
        let compared = |measured: Option<f64>, expected: f64, p: fn(&Chance, f64) -> f64| {
            let measured = measured?;
            let p = chance.as_ref().map(|chance| p(chance, measured - expected));
            Some(Compared { measured, expected, p })
        };
        let counters = &self.measured.counters;
        let empty = share(counters.empty_responses, counters.requests);
        let missed = share(audit.superseded, audit.delivered + audit.superseded);
        let missed = missed.filter(|_| delivery == Delivery::Latest);
        Check {
            latency,
            latency_mean_us: None,
            age_mean_us: Some(dues.poll_age_us(poll_us, delay_us)),
            distance: distance
                .map(|ks| Distance { ks, p: chance.as_ref().map(|chance| chance.of_distance(ks)) }),
            missed: compared(missed, dues.missed(poll_us), Chance::of_missed),
            empty: compared(empty, dues.empty(poll_us), Chance::of_empty),
        }
    }

    /// Of pushes the first to be served is measured, and how far the last is behind it follows
    /// from what a write costs the server: its CPU time for each message.
    fn of_pushes(&self) -> Check {
        let latency = &self.measured.latency;
        let (Some(first_us), Some(write_us)) = (latency.percentile_us(0.0), self.write_us()) else {
            return Check::default();
        };
        let (clients, dues) = (self.plan.point(self.id).clients, self.dues());
        let stream = Latency::stream(clients, write_us, first_us);
        if !self.id.contender.shape().waits() {
            let age_mean_us = dues.map(|dues| dues.push_age_us(stream.mean_us()));
            return Check { latency: Some(stream), age_mean_us, ..Check::default() };
        }
        let round_trip_us = round_trip_us(first_us, self.network_us());
        let model = |law| Latency::long_poll(law, clients, write_us, first_us, round_trip_us);
        let held = dues.and_then(|dues| dues.held(stream.mean_us(), round_trip_us));
        Check {
            latency: self.law().map(model),
            latency_mean_us: held.map(|held| held.latency_us),
            age_mean_us: held.map(|held| held.age_us),
            ..Check::default()
        }
    }

    /// What a message costs the server.
    fn write_us(&self) -> Option<f64> {
        let cpu_us = self.played.cost.resources.server_cpu?.total.as_secs_f64() * 1e6;
        let messages = self.measured.counters.messages_in_window;
        (messages > 0).then(|| cpu_us / messages as f64)
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
