//! From arguments to a resolved plan: what will be run, in which order, for how long. Nothing is
//! started before a plan stands.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use pushbench_core::feed::FeedSpec;
use pushbench_core::figure::{Figure, Need};
use pushbench_core::random;
use pushbench_core::sampling::Sampling;
use pushbench_core::scenario::{MAX_SCENARIO_BYTES, Point, Scenario};
use pushbench_core::schedule::{MOST_DUE, WalkError};
use pushbench_core::trace::{MAX_TRACE_BYTES, Trace};
use pushbench_core::{Contender, Delivery, Shape};
use pushbench_metrics::record::TrialId;
use pushbench_os::machine::limits::Room;
use pushbench_os::net::capture::PortFilter;
use pushbench_protocol::headers::HeaderProfile;
use pushbench_report::bounded;

use crate::args::{ClientArgs, FeedSettings};
use crate::exit::Failure;
use crate::layout::Layout;
use crate::run::capture;
use crate::{builtin, profile};

/// The stream of random numbers that the order of trials is drawn from.
const ORDER_STREAM: u64 = 30;

/// What a trial takes beside its phases: starting processes, closing connections.
const TRIAL_OVERHEAD: Duration = Duration::from_millis(250);

/// Why a run without CPU columns has none.
pub(crate) const CAPTURING: &str = "packets are captured";

/// A scenario with its trace, its points and its trials.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) scenario: Scenario,
    pub(crate) trace: Option<Trace>,
    /// The header profile, without the points' cookies.
    pub(crate) headers: HeaderProfile,
    pub(crate) points: Vec<Point>,
    /// In the order in which they will run.
    pub(crate) trials: Vec<TrialId>,
    /// Whether packets are captured.
    pub(crate) capture: bool,
    /// Whether a sample of messages is stamped along its way.
    pub(crate) stamps: bool,
    /// How much later than due each message is published.
    pub(crate) publish_delay: Duration,
    /// Whether bare loops stand in for server and load generator.
    pub(crate) bare: bool,
    /// Whether a busy machine makes no trial invalid.
    pub(crate) allow_busy: bool,
    /// Over which processes and cores the trials are spread.
    pub(crate) layout: Layout,
}

impl Plan {
    /// Resolves a scenario file or the name of a built-in one, with the flags that override it.
    pub(crate) fn resolve(
        name: &str,
        clients: &ClientArgs,
        feed: &FeedSettings,
        layout: Layout,
    ) -> Result<Self, Failure> {
        let (text, file) = read_scenario(name)?;
        let shown = file.as_deref().map_or_else(|| name.to_owned(), |f| f.display().to_string());
        let parsed = Scenario::parse(&text);
        let mut scenario = parsed.map_err(|error| Failure::usage(anyhow!("{shown}: {error}")))?;
        if let Some(file) = &file
            && scenario.name == Scenario::default().name
        {
            name_after(&mut scenario, file);
        }
        let folder = file.as_deref().and_then(Path::parent);
        let headers = match &clients.headers {
            Some(name) => profile::read(name, None)?,
            None => profile::read(&scenario.headers, folder)?,
        };
        profile::apply(&headers, &mut scenario);
        clients.apply(&mut scenario);
        feed.apply(&mut scenario);
        if let Some(problem) = feed.idle_flag(&scenario) {
            return Err(Failure::usage(anyhow!("{shown}: {problem}")));
        }
        scenario.check().map_err(|error| Failure::usage(anyhow!("{shown}: {error}")))?;
        profile::check_cookies(&headers, &scenario)?;
        let trace = load_trace(&scenario, folder)?;
        check_due(&scenario, trace.as_ref(), &shown)?;
        let plan = Self::of(scenario, trace, layout);
        let publish_delay = feed.publish_delay.map(|delay| delay.0).unwrap_or_default();
        let (capture, stamps) = (clients.capture && capture::is_possible(), !clients.no_stamps);
        let allow_busy = clients.allow_busy;
        let plan = Self { headers, capture, allow_busy, stamps, publish_delay, ..plan };
        let is_measured = |figure: Figure| !(plan.capture && figure.needs(Need::CpuTime));
        check_measured(&plan.scenario, is_measured, CAPTURING)?;
        Ok(plan)
    }

    /// The plan of a scenario that has been checked.
    pub(crate) fn of(scenario: Scenario, trace: Option<Trace>, layout: Layout) -> Self {
        let points = scenario.points(trace.as_ref());
        let trials = order(&scenario, &points);
        let headers = HeaderProfile::minimal();
        Self {
            scenario,
            trace,
            headers,
            points,
            trials,
            capture: false,
            bare: false,
            allow_busy: false,
            stamps: true,
            publish_delay: Duration::ZERO,
            layout,
        }
    }

    /// The point of a trial.
    pub(crate) fn point(&self, id: TrialId) -> &Point {
        &self.points[id.point as usize - 1]
    }

    /// What the requests of a trial carry.
    pub(crate) fn request_headers(&self, id: TrialId) -> HeaderProfile {
        let bytes = self.point(id).cookie_bytes as usize;
        let with_cookies = self.headers.clone().with_cookie_bytes(bytes);
        with_cookies.expect("each point's cookies were checked with the scenario")
    }

    /// Which messages of a trial are stamped; `None` where none is.
    pub(crate) fn sampling(&self, id: TrialId) -> Option<Sampling> {
        let point = self.point(id);
        let messages = point.rate_hz * self.scenario.duration.0.as_secs_f64();
        let processes = self.layout.room(point, id.contender).map_or(1, |room| room.load_processes);
        self.stamps.then(|| Sampling::new(point.clients, processes, messages))
    }

    /// The feed of a trial.
    pub(crate) fn feed(&self, id: TrialId) -> FeedSpec {
        self.scenario.feed_spec(self.point(id), self.trace.as_ref())
    }

    /// How long the feed runs before the window: polls need a whole period, so that each client
    /// has polled once.
    pub(crate) fn warmup(&self, id: TrialId) -> Duration {
        let asked = self.scenario.warmup.0;
        if id.contender.shape().asks() { asked.max(self.point(id).poll_interval.0) } else { asked }
    }

    /// How long to wait after the window for what was due in it: what the transport may take
    /// by design, and two seconds more.
    pub(crate) fn drain_limit(&self, id: TrialId) -> Duration {
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
    pub(crate) fn due_between_polls(&self, id: TrialId) -> u64 {
        if !id.contender.shape().asks() || self.scenario.delivery == Delivery::Latest {
            return 0;
        }
        let point = self.point(id);
        let messages = point.rate_hz * point.poll_interval.0.as_secs_f64();
        // Negative it is not, and what is too large saturates.
        (messages * point.payload_bytes) as u64
    }

    /// How long a trial will take if all goes well.
    pub(crate) fn estimate(&self, id: TrialId) -> Duration {
        let point = self.point(id);
        let drain = if id.contender.shape().asks() {
            point.poll_interval.0
        } else {
            Duration::from_millis(10)
        };
        let connect = Duration::from_micros(200) * point.clients;
        TRIAL_OVERHEAD + connect + self.warmup(id) + self.scenario.duration.0 + drain
    }

    /// How long the whole run will take if all goes well.
    pub(crate) fn total_estimate(&self) -> Duration {
        self.estimates().iter().sum()
    }

    /// The same of each trial, and of each floor among them, in their order.
    pub(crate) fn estimates(&self) -> Vec<Duration> {
        let mut estimates = Vec::new();
        for &id in &self.trials {
            estimates.push(self.estimate(id));
            if self.has_floor_behind(id) {
                estimates.push(self.estimate(TrialId { contender: Contender::WEBSOCKET, ..id }));
            }
        }
        estimates
    }

    /// Whether the floor of the point is measured behind this trial, the last there of its round.
    pub(crate) fn has_floor_behind(&self, id: TrialId) -> bool {
        let of_one_point = self.trials.chunks(self.scenario.contenders.len());
        self.scenario.floor && of_one_point.filter_map(<[TrialId]>::last).any(|last| *last == id)
    }

    /// Who plays a trial, for a person who watches.
    pub(crate) fn player(&self, id: TrialId) -> &'static str {
        if self.bare { "floor" } else { id.contender.name() }
    }

    /// The processes and local addresses of a trial.
    ///
    /// # Errors
    ///
    /// The limit of this machine that leaves no room for it.
    pub(crate) fn room(&self, id: TrialId) -> anyhow::Result<Room> {
        let room = self.layout.room(self.point(id), id.contender)?;
        if self.capture && room.server_processes as usize > PortFilter::MOST {
            return Err(anyhow!(
                "--capture follows connections to at most {} server processes, and {} clients need \
                 {}; leave it out, or pass fewer `--clients`",
                PortFilter::MOST,
                self.point(id).clients,
                room.server_processes
            ));
        }
        Ok(room)
    }

    /// Checks that this machine can hold the clients.
    ///
    /// # Errors
    ///
    /// The limit that stops it, and the number of clients that would work.
    pub(crate) fn check_limits(&self) -> Result<(), Failure> {
        let fits = self.trials.iter().try_for_each(|id| self.room(*id).map(drop));
        fits.map_err(Failure::Usage)
    }
}

/// Refuses a window in which not even one message is due, one with more than a load process keeps
/// the instants of, and a trace that is replayed faster than messages may come.
fn check_due(scenario: &Scenario, trace: Option<&Trace>, shown: &str) -> Result<(), Failure> {
    let seconds = scenario.duration.0.as_secs_f64();
    let points = scenario.points(trace);
    let whole = seconds + scenario.warmup.0.as_secs_f64();
    for point in &points {
        let checked = scenario.feed_spec(point, trace).schedule.check();
        checked.map_err(|error| Failure::usage(anyhow!("{shown}: feed.{error}")))?;
        if point.rate_hz * whole > MOST_DUE as f64 {
            return Err(Failure::usage(anyhow!("{shown}: {}", WalkError::TooMany)));
        }
    }
    let sparse = points.iter().find(|point| point.rate_hz * seconds < 1.0);
    sparse.map_or(Ok(()), |point| {
        Err(Failure::usage(anyhow!(
            "{shown}: at {:.4} messages/s hardly any is due in a window of {}; lengthen it with \
             `--duration`",
            point.rate_hz,
            scenario.duration
        )))
    })
}

/// Refuses a threshold on what will not be measured, and says why it will not.
pub(crate) fn check_measured(
    scenario: &Scenario,
    is_measured: impl Fn(Figure) -> bool,
    why: &str,
) -> Result<(), Failure> {
    let mut thresholds = scenario.thresholds.iter();
    let unmeasured = thresholds.find(|threshold| !is_measured(threshold.target.figure));
    unmeasured.map_or(Ok(()), |threshold| {
        let target = threshold.target;
        Err(Failure::usage(anyhow!(
            "threshold `{threshold}`: {target} is not measured where {why}"
        )))
    })
}

/// Rounds of trials: each holds every point, and at each point every transport in a seeded
/// random order.
fn order(scenario: &Scenario, points: &[Point]) -> Vec<TrialId> {
    let contenders = &scenario.contenders;
    let mut trials = Vec::new();
    for round in 1..=scenario.runs {
        for point in points {
            let stream = ORDER_STREAM + (u64::from(round) << 32) + (u64::from(point.id) << 8);
            for index in random::permutation(scenario.seed, stream, contenders.len()) {
                trials.push(TrialId { point: point.id, contender: contenders[index], round });
            }
        }
    }
    trials
}

/// The text of a scenario, and its file where it is one.
fn read_scenario(name: &str) -> Result<(String, Option<PathBuf>), Failure> {
    let path = Path::new(name);
    let looks_like_a_file = path.extension().is_some() || path.components().count() > 1;
    if !looks_like_a_file && let Some(text) = builtin::scenario(name) {
        return Ok((text.to_owned(), None));
    }
    if !looks_like_a_file && !path.is_file() {
        return Err(builtin::unknown(name));
    }
    let text = bounded::read_text(path, MAX_SCENARIO_BYTES)
        .with_context(|| format!("cannot read scenario {name}"));
    Ok((text.map_err(Failure::Usage)?, Some(path.to_owned())))
}

/// A scenario file that gives no name goes by its own.
fn name_after(scenario: &mut Scenario, file: &Path) {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = stem.chars().map(plain).take(64).collect();
    if !name.is_empty() {
        scenario.name = name;
    }
}

/// The trace that a scenario replays: a built-in one, or a file, relative to `folder`.
pub(crate) fn load_trace(
    scenario: &Scenario,
    folder: Option<&Path>,
) -> Result<Option<Trace>, Failure> {
    let Some(name) = &scenario.feed.trace else {
        return Ok(None);
    };
    let text = match builtin::trace(name) {
        Some(text) => text.to_owned(),
        None => {
            let path = folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name));
            bounded::read_text(&path, MAX_TRACE_BYTES).map_err(|error| {
                let path = path.display();
                Failure::usage(anyhow!(
                    "cannot read trace {path}: {error}; name a CSV file, or `earthquakes`, which \
                     is built in"
                ))
            })?
        }
    };
    let trace = Trace::parse(&text);
    trace.map(Some).map_err(|error| Failure::usage(anyhow!("trace {name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Plan {
        let layout = Layout::own(&Default::default(), None);
        Plan::of(Scenario::parse(text).unwrap(), None, layout)
    }

    #[test]
    fn the_same_seed_gives_the_same_order_and_another_seed_another() {
        let text = "runs = 20\nclients = [1, 2]\nseed = 5";
        assert_eq!(plan(text).trials, plan(text).trials);
        assert_ne!(plan(text).trials, plan("runs = 20\nclients = [1, 2]\nseed = 6").trials);
    }

    #[test]
    fn a_round_holds_each_transport_once_at_each_point() {
        let plan = plan("runs = 3\nclients = [1, 2]");
        assert_eq!(plan.trials.len(), 3 * 2 * 4);
        for chunk in plan.trials.chunks(4) {
            assert!(
                chunk.iter().all(|id| id.point == chunk[0].point && id.round == chunk[0].round)
            );
            for contender in &plan.scenario.contenders {
                assert_eq!(chunk.iter().filter(|id| id.contender == *contender).count(), 1);
            }
        }
        let orders: Vec<_> =
            plan.trials.chunks(4).map(|c| c.iter().map(|id| id.contender)).collect();
        assert!(orders.iter().any(|order| !order.clone().eq(orders[0].clone())), "never shuffled");
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
