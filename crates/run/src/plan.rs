//! The plan of a run: its points, its trials in their order, and what each of them is given.

mod children;
pub(crate) mod estimate;

use std::time::Duration;

use pushbench_core::contender::Security;
use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::trace::Trace;
use pushbench_core::price::Price;
use pushbench_core::random;
use pushbench_core::sampling::Sampling;
use pushbench_core::scenario::{Point, Scenario};
use pushbench_core::subject::Subject;
use pushbench_core::{Contender, Delivery, Shape};
use pushbench_metrics::record::TrialId;
use pushbench_metrics::record::flags::Flags;
use pushbench_os::machine::limits::Room;
use pushbench_os::net::capture::PortFilter;
use pushbench_protocol::headers::HeaderProfile;
use pushbench_tls::CertificateError;

use self::estimate::link_grace;
use crate::packets::{self, PacketsError, RouterSpeed};
use crate::place::{Layout, PlaceError};
use crate::security::{Ends, ends};

/// The stream of random numbers that the order of trials is drawn from.
const ORDER_STREAM: u64 = 30;

/// The most clients of one proxy, which reaches its server from one address.
const PROXY_CLIENTS: u32 = 20_000;

/// A scenario with its trace, its points and its trials.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The scenario that is asked for.
    pub scenario: Scenario,
    /// The trace that it replays.
    pub trace: Option<Trace>,
    /// The header profile, without the points' cookies.
    pub headers: HeaderProfile,
    /// The servers of its points that are somebody else's.
    pub subjects: Vec<Subject>,
    /// The combinations of its settings.
    pub points: Vec<Point>,
    /// In the order in which they will run.
    pub trials: Vec<TrialId>,
    /// How many trials of the run come before these.
    pub before: u32,
    /// Whether packets are captured.
    pub capture: bool,
    /// Whether a sample of messages is stamped along its way.
    pub stamps: bool,
    /// Time for which streams' clients rest before the feed begins, so that what the server takes by itself
    /// is known; `None` where that is no question.
    pub rest: Option<Duration>,
    /// How much later than due each message is published.
    pub publish_delay: Duration,
    /// Whether a busy machine makes no trial invalid.
    pub allow_busy: bool,
    /// Whether a person watches its trials live. No figure depends on it, and so no record keeps it.
    pub is_watched: bool,
    /// The prices that its costs are told at.
    pub price: Option<Price>,
    /// The maker of the processes' places.
    pub layout: Layout,
}

impl Plan {
    /// The plan of a scenario that has been checked, on our own server.
    pub fn of(scenario: Scenario, trace: Option<Trace>, layout: Layout) -> Self {
        let points = scenario.points(trace.as_ref());
        let trials = order(&scenario, &points, &[]);
        let headers = HeaderProfile::minimal();
        Self {
            scenario,
            trace,
            headers,
            subjects: Vec::new(),
            points,
            trials,
            before: 0,
            capture: false,
            allow_busy: false,
            is_watched: false,
            stamps: true,
            rest: None,
            publish_delay: Duration::ZERO,
            price: None,
            layout,
        }
    }

    /// The same with those of its points' servers that are somebody else's. Trials of transports that
    /// one of them does not offer are left out.
    #[must_use]
    pub fn with_subjects(self, subjects: Vec<Subject>) -> Self {
        let trials = order(&self.scenario, &self.points, &subjects);
        Self { subjects, trials, ..self }
    }

    /// The plan of what a run adds to this one: `points` with the next numbers, and their trials alone.
    #[must_use]
    pub fn with_further(self, points: Vec<Point>) -> Self {
        let trials = order(&self.scenario, &points, &self.subjects);
        let before = self.before + u32::try_from(self.trials.len()).unwrap_or(u32::MAX);
        let points = [self.points, points].concat();
        Self { points, trials, before, ..self }
    }

    /// Flags beside the scenario.
    #[must_use]
    pub fn flags(&self) -> Flags {
        let spread = self.layout.spread();
        Flags {
            capture: self.capture,
            no_stamps: !self.stamps,
            allow_busy: self.allow_busy,
            no_pin: !spread.pins,
            server_processes: spread.servers,
            load_processes: spread.loads,
            publish_delay: Some(self.publish_delay).filter(|delay| !delay.is_zero()),
        }
    }

    /// The server of a trial; `None` where it is our own.
    pub(crate) fn subject(&self, id: TrialId) -> Option<&Subject> {
        subject_of(self.point(id), &self.subjects)
    }

    /// The contenders that the server of `point` does not offer.
    pub fn left_out<'a>(&'a self, point: &'a Point) -> impl Iterator<Item = Contender> + 'a {
        let subject = subject_of(point, &self.subjects);
        let contenders = self.scenario.contenders.iter().copied();
        let delivery = self.scenario.delivery;
        contenders.filter(move |contender| !offers(subject, point, delivery, *contender))
    }

    /// The contenders that its points' servers offer, in the scenario's order.
    pub fn contenders(&self) -> impl Iterator<Item = Contender> + '_ {
        let is_offered = |contender: &Contender| {
            self.points
                .iter()
                .any(|point| self.left_out(point).all(|left_out| left_out != *contender))
        };
        self.scenario.contenders.iter().copied().filter(is_offered)
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
        // Behind a proxy the server does not see which client a connection is, what clients say has no
        // publisher, of a server that goes nothing is left to tell, and a browser stamps nothing.
        let is_seen =
            point.via.is_direct() && point.life.restart.is_none() && point.client.is_native();
        (self.stamps && is_seen && point.talk.is_none())
            .then(|| Sampling::new(point.clients, processes, messages))
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
        by_design + Duration::from_secs(2) + link_grace(point)
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
        let of_one_point =
            self.trials.chunk_by(|one, next| one.point == next.point && one.round == next.round);
        self.scenario.floor && of_one_point.filter_map(<[TrialId]>::last).any(|last| *last == id)
    }

    /// The security of the connections of a trial of one's own server; `None` has them in clear.
    pub(crate) fn security(&self, id: TrialId) -> Result<Option<Ends>, CertificateError> {
        match id.contender.stack.security {
            Security::Clear => Ok(None),
            Security::Tls => ends(&self.point(id).tls).map(Some),
        }
    }

    /// The processes and local addresses of a trial.
    ///
    /// # Errors
    ///
    /// The limit of this machine that leaves no room for it.
    pub fn room(&self, id: TrialId) -> Result<Room, PlaceError> {
        let clients = self.point(id).clients;
        let room = self.layout.room(self.point(id), id.contender)?;
        if !self.point(id).via.is_direct() && clients > room.server_processes * PROXY_CLIENTS {
            return Err(PlaceError::Proxy(clients));
        }
        if self.capture && room.server_processes as usize > PortFilter::MOST {
            return Err(PlaceError::Capture(clients, room.server_processes));
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

    /// Checks that a router of that speed moves the packets of each trial over a link.
    ///
    /// # Errors
    ///
    /// The trial with too many, and the settings that would do.
    pub fn check_packets(&self, speed: &RouterSpeed) -> Result<(), PacketsError> {
        self.trials.iter().try_for_each(|id| {
            let point = self.point(*id);
            let alone = self.layout.room(point, id.contender).is_ok_and(|room| {
                let pinned = self.layout.places(&room, true, point.via).pinned;
                pinned.and_then(|all| all.router).is_some_and(|router| !router.beside_server)
            });
            let most = if alone { speed.alone } else { speed.beside_server };
            packets::check(point, id.contender, most)
        })
    }

    /// The time for which a trial's clients rest. Those of other transports than streams ask meanwhile, or are
    /// held and ask again.
    pub(crate) fn rest_of(&self, id: TrialId) -> Option<Duration> {
        self.rest.filter(|_| id.contender.shape().streams())
    }
}

fn subject_of<'a>(point: &Point, subjects: &'a [Subject]) -> Option<&'a Subject> {
    subjects.iter().find(|subject| subject.name == point.subject)
}

/// Whether the server of `point`, our own where there is no `subject`, offers what `contender` needs.
fn offers(
    subject: Option<&Subject>,
    point: &Point,
    delivery: Delivery,
    contender: Contender,
) -> bool {
    let is_behind_proxy = !point.via.is_direct();
    subject.is_none_or(|it| it.endpoint(contender, delivery, is_behind_proxy).is_some())
}

/// Rounds of trials, so that drift of the machine hits all contenders alike: each holds every point,
/// and at each point every contender in a seeded random order.
fn order(scenario: &Scenario, points: &[Point], subjects: &[Subject]) -> Vec<TrialId> {
    let contenders = &scenario.contenders;
    let mut trials = Vec::new();
    for round in 1..=scenario.runs {
        for point in points {
            let stream = ORDER_STREAM + (u64::from(round) << 32) + (u64::from(point.id) << 8);
            let subject = subject_of(point, subjects);
            let order = random::permutation(scenario.seed, stream, contenders.len()).into_iter();
            for index in
                order.filter(|&at| offers(subject, point, scenario.delivery, contenders[at]))
            {
                trials.push(TrialId { point: point.id, contender: contenders[index], round });
            }
        }
    }
    trials
}

#[cfg(test)]
mod tests {
    use pushbench_core::scenario::Axis;

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

    /// The trials of a scenario, in their order.
    fn trials(text: &str) -> Vec<TrialId> {
        plan(text).trials
    }

    #[test]
    fn the_same_seed_gives_the_same_order_and_another_seed_another() {
        let text = "runs = 20\nclients = [1, 2]\nseed = 5";
        assert_eq!(trials(text), trials(text));
        assert_ne!(trials(text), trials("runs = 20\nclients = [1, 2]\nseed = 6"));
    }

    #[test]
    fn a_round_holds_each_transport_once_at_each_point() {
        let text = "runs = 3\nclients = [1, 2]";
        let (trials, scenario) = (trials(text), Scenario::parse(text).unwrap());
        assert_eq!(trials.len(), 3 * 2 * 4);
        for chunk in trials.chunks(4) {
            assert!(
                chunk.iter().all(|id| id.point == chunk[0].point && id.round == chunk[0].round)
            );
            for contender in &scenario.contenders {
                assert_eq!(chunk.iter().filter(|id| id.contender == *contender).count(), 1);
            }
        }
        let orders: Vec<_> = trials.chunks(4).map(|c| c.iter().map(|id| id.contender)).collect();
        assert!(orders.iter().any(|order| !order.clone().eq(orders[0].clone())), "never shuffled");
    }

    #[test]
    fn further_points_have_rounds_of_their_own_behind_those_that_were() {
        let plan =
            plan("runs = 2\nrate = [\"1/s\", \"4/s\"]\ntransports = [\"sse\", \"websocket\"]");
        let setting = (Axis::Rate, 2.0);
        let point = plan.scenario.further_point(3, &plan.points[0], setting, None).unwrap();
        let further = plan.clone().with_further(vec![point.clone()]);
        assert_eq!(further.before as usize, plan.trials.len());
        assert_eq!((further.points.len(), &further.points[2]), (3, &point));
        let mut trials: Vec<_> =
            further.trials.iter().map(|id| (id.round, id.contender.name(), id.point)).collect();
        trials.sort_unstable();
        let expected = [(1, "sse", 3), (1, "websocket", 3), (2, "sse", 3), (2, "websocket", 3)];
        assert_eq!(trials, expected);
        assert_eq!(further.feed(further.trials[0]).schedule.mean_hz(), Some(2.0));
    }
}
