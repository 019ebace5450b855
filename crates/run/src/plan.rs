//! The plan of a run: its points, its trials in their order, and what each of them is given.

mod estimate;
mod order;
mod process;

use std::time::Duration;

use pushbench_core::feed::FeedSpec;
use pushbench_core::sampling::Sampling;
use pushbench_core::scenario::{Point, Scenario};
use pushbench_core::trace::Trace;
use pushbench_core::{Delivery, Shape};
use pushbench_metrics::record::TrialId;
use pushbench_os::machine::limits::Room;
use pushbench_os::net::capture::PortFilter;
use pushbench_protocol::headers::HeaderProfile;

pub(crate) use self::process::connect_limit;
use crate::place::{Layout, PlaceError};

/// A scenario with its trace, its points and its trials.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The scenario that is asked for.
    pub scenario: Scenario,
    /// The trace that it replays.
    pub trace: Option<Trace>,
    /// The header profile, without the points' cookies.
    pub headers: HeaderProfile,
    /// The combinations of its settings.
    pub points: Vec<Point>,
    /// In the order in which they will run.
    pub trials: Vec<TrialId>,
    /// Whether packets are captured.
    pub capture: bool,
    /// Whether a sample of messages is stamped along its way.
    pub stamps: bool,
    /// How much later than due each message is published.
    pub publish_delay: Duration,
    /// Whether a busy machine makes no trial invalid.
    pub allow_busy: bool,
    /// The maker of the processes' places.
    pub layout: Layout,
}

impl Plan {
    /// The plan of a scenario that has been checked.
    pub fn of(scenario: Scenario, trace: Option<Trace>, layout: Layout) -> Self {
        let points = scenario.points(trace.as_ref());
        let trials = order::order(&scenario, &points);
        let headers = HeaderProfile::minimal();
        Self {
            scenario,
            trace,
            headers,
            points,
            trials,
            capture: false,
            allow_busy: false,
            stamps: true,
            publish_delay: Duration::ZERO,
            layout,
        }
    }

    /// The point of a trial.
    pub fn point(&self, id: TrialId) -> &Point {
        &self.points[id.point as usize - 1]
    }

    /// The header profile of a trial's requests, cookies included.
    pub fn request_headers(&self, id: TrialId) -> HeaderProfile {
        let bytes = self.point(id).cookie_bytes as usize;
        let with_cookies = self.headers.clone().with_cookie_bytes(bytes);
        with_cookies.expect("each point's cookies were checked with the scenario")
    }

    /// The messages of a trial that are stamped; `None` where none is.
    pub fn sampling(&self, id: TrialId) -> Option<Sampling> {
        let point = self.point(id);
        let messages = point.rate_hz * self.scenario.duration.0.as_secs_f64();
        let processes = self.layout.room(point, id.contender).map_or(1, |room| room.load_processes);
        self.stamps.then(|| Sampling::new(point.clients, processes, messages))
    }

    /// The feed of a trial.
    pub fn feed(&self, id: TrialId) -> FeedSpec {
        self.scenario.feed_spec(self.point(id), self.trace.as_ref())
    }

    /// How long the feed runs before the window: polls need a whole period, so that each client
    /// has polled once.
    pub fn warmup(&self, id: TrialId) -> Duration {
        let asked = self.scenario.warmup.0;
        if id.contender.shape().asks() { asked.max(self.point(id).poll_interval.0) } else { asked }
    }

    /// How long to wait after the window for what was due in it: what the transport may take
    /// by design, and two seconds more.
    pub fn drain_limit(&self, id: TrialId) -> Duration {
        let point = self.point(id);
        let by_design = match id.contender.shape() {
            Shape::Asks => point.poll_interval.0,
            Shape::Waits => point.long_poll_timeout.0,
            Shape::Streams => Duration::ZERO,
        };
        by_design + Duration::from_secs(2)
    }

    /// Payload bytes that fall due between two polls of a client that wants them all; 0 where the
    /// transport does not poll on a period, or a newer message supersedes.
    pub fn due_between_polls(&self, id: TrialId) -> u64 {
        if !id.contender.shape().asks() || self.scenario.delivery == Delivery::Latest {
            return 0;
        }
        let point = self.point(id);
        let messages = point.rate_hz * point.poll_interval.0.as_secs_f64();
        // Negative it is not, and what is too large saturates.
        (messages * point.payload_bytes) as u64
    }

    /// Whether the floor of the point is measured behind this trial, the last there of its round.
    pub fn has_floor_behind(&self, id: TrialId) -> bool {
        let of_one_point = self.trials.chunks(self.scenario.contenders.len());
        self.scenario.floor && of_one_point.filter_map(<[TrialId]>::last).any(|last| *last == id)
    }

    /// The processes and local addresses of a trial.
    ///
    /// # Errors
    ///
    /// The limit of this machine that leaves no room for it.
    pub fn room(&self, id: TrialId) -> Result<Room, PlaceError> {
        let clients = self.point(id).clients;
        let room = self.layout.room(self.point(id), id.contender)?;
        if self.capture && room.server_processes as usize > PortFilter::MOST {
            return Err(PlaceError::Capture { clients, needed: room.server_processes });
        }
        Ok(room)
    }

    /// Checks that this machine can hold the clients.
    ///
    /// # Errors
    ///
    /// The limit that stops it, and the number of clients that would work.
    pub fn check_limits(&self) -> Result<(), PlaceError> {
        self.trials.iter().try_for_each(|id| self.room(*id).map(drop))
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::Contender;

    use super::*;
    use crate::place::Spread;

    fn plan(text: &str) -> Plan {
        let layout = Layout::loopback(Spread::default());
        Plan::of(Scenario::parse(text).unwrap(), None, layout)
    }

    #[test]
    fn polls_warm_up_for_a_period_and_drain_for_one() {
        let plan = plan(
            "warmup = \"1s\"\npoll_interval = \"3s\"\ntransports = [\"short-poll\", \"sse\"]\nruns = 1",
        );
        for id in &plan.trials {
            let seconds = |duration: Duration| duration.as_secs();
            let expected = if id.contender == Contender::SSE { (1, 2) } else { (3, 5) };
            assert_eq!((seconds(plan.warmup(*id)), seconds(plan.drain_limit(*id))), expected);
        }
    }
}
