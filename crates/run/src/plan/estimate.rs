//! Estimates of how long a trial will take, and limits of how long its parts may.

use std::time::Duration;

use pushbench_core::Contender;
use pushbench_core::contender::Security;
use pushbench_core::link::Link;
use pushbench_core::scenario::Point;
use pushbench_metrics::record::TrialId;

use super::Plan;

/// Time of a trial beside its phases: starting processes, closing connections.
const TRIAL_OVERHEAD: Duration = Duration::from_millis(250);

/// Time that a client takes to connect: in clear, and secured.
const CONNECT_EACH: Duration = Duration::from_micros(200);
const SECURE_EACH: Duration = Duration::from_micros(2_500);

/// Time that a browser takes to start and to end, and that each of its tabs takes, which loads a page
/// and is asked for its clock before the window and behind it.
const BROWSER: Duration = Duration::from_millis(3_400);
const TAB_EACH: Duration = Duration::from_millis(450);

/// How long a tab may take for that.
const TAB_LIMIT_EACH: Duration = Duration::from_secs(1);

/// How long clients may take to connect: at least this, and a share for each.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const CONNECT_LIMIT_EACH: Duration = Duration::from_millis(2);

/// How long the clients of a point may take to connect.
pub(crate) fn connect_limit(point: &Point) -> Duration {
    CONNECT_LIMIT + CONNECT_LIMIT_EACH * point.clients + grace(point)
}

/// How much longer clients may take to come and to go than our own do over loopback.
pub(crate) fn grace(point: &Point) -> Duration {
    let tabs = if point.client.is_native() { 0 } else { point.clients };
    link_grace(point) + TAB_LIMIT_EACH * tabs
}

/// How much longer everything may take over the link than over loopback.
pub(super) fn link_grace(point: &Point) -> Duration {
    point.link.as_ref().map_or(Duration::ZERO, Link::grace)
}

impl Plan {
    /// How long a trial will take if all goes well.
    pub(crate) fn estimate(&self, id: TrialId) -> Duration {
        let point = self.point(id);
        let drain = if id.contender.shape().asks() {
            point.poll_interval.0
        } else {
            Duration::from_millis(10)
        };
        let connect = match id.contender.stack.security {
            _ if !point.client.is_native() => BROWSER + TAB_EACH * point.clients,
            Security::Clear => CONNECT_EACH * point.clients,
            Security::Tls => SECURE_EACH * point.clients,
        };
        let round_trips = point.link.as_ref().map_or(Duration::ZERO, Link::round_trip) * 4;
        let rest = self.rest_of(id).unwrap_or_default();
        let played = rest + self.warmup(id) + self.scenario.duration.0 + drain;
        TRIAL_OVERHEAD + connect + round_trips + played
    }

    /// How long the whole run will take if all goes well.
    pub fn total_estimate(&self) -> Duration {
        self.estimates().iter().sum()
    }

    /// The same of each trial, and of each floor among them, in their order.
    pub fn estimates(&self) -> Vec<Duration> {
        let mut estimates = Vec::new();
        for &id in &self.trials {
            estimates.push(self.estimate(id));
            if self.has_floor_behind(id) {
                estimates.push(self.estimate(TrialId { contender: Contender::FLOOR, ..id }));
            }
        }
        estimates
    }
}
