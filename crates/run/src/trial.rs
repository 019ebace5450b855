//! One trial: a fresh server, fresh load processes, connect → warm-up → window → drain → close.

mod capture;
mod cost;
mod disturbance;
mod merged;

use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::time::Duration;

use pushbench_core::schedule::Timetable;
use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::judge::breakdown::Breakdown;
use pushbench_metrics::judge::models::Check;
use pushbench_metrics::observe::instrument::Instrument;
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::{
    LoadMeasured, LoadOrder, LoadPlan, ServerMeasured, ServerPlan, Subject, TrialTiming,
};
use pushbench_metrics::record::warning::Invalid;
use pushbench_metrics::record::{Resources, TrialRecord};
use pushbench_os::time::clock;

use self::capture::Wire;
pub use self::capture::is_possible as capture_is_possible;
use self::cost::CostMeter;
pub use self::cost::{Connecting, Cost};
pub use self::disturbance::DisturbanceWatch;
pub use self::merged::Merged;
use crate::error::{RunError, Trouble};
use crate::event::{self, Event, Listener};
use crate::judge::{self, Evidence};
use crate::place::Places;
use crate::plan::Plan;
use crate::player::clients::ClientSide;
use crate::player::inbox::{Connected, Inbox};
use crate::player::server::ServerSide;
use crate::setup::{Attempt, Run};

/// How long clients may take to connect: at least this, and a share for each.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const CONNECT_LIMIT_EACH: Duration = Duration::from_millis(2);

/// How long `clients` may take to connect.
fn connect_limit(clients: u32) -> Duration {
    CONNECT_LIMIT + CONNECT_LIMIT_EACH * clients
}

/// How long closing connections and reporting may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(15);

/// The share of messages that must not be late for writes to be in step with the feed, and how late
/// they may be, in gaps between messages. Where they are not, several messages go with one read,
/// which is cheaper.
const ON_TIME: f64 = 0.9;
const LATEST: f64 = 0.5;

/// Runs a trial and says what it is worth. A trial whose processes failed is invalid and has no
/// figures; what cannot be helped by a repeat is an error.
pub(crate) fn run(
    run: &Run,
    attempt: Attempt,
    listener: &mut Listener<'_>,
) -> Result<TrialRecord, RunError> {
    let played = Trial::start(run, attempt, listener).and_then(|mut trial| {
        let played = trial.play()?;
        Ok(trial.record(played))
    });
    match played {
        Ok(record) => Ok(record),
        Err(Trouble::Invalid(reason)) => Ok(without_figures(&run.plan, attempt, reason)),
        Err(Trouble::Run(error)) => Err(error),
    }
}

/// Goes through a trial without judging it.
///
/// # Errors
///
/// [`Trouble::Invalid`] where its processes failed.
pub fn play(run: &Run, attempt: Attempt, listener: &mut Listener<'_>) -> Result<Played, Trouble> {
    Trial::start(run, attempt, listener)?.play()
}

/// The outcome of a trial's phases.
#[derive(Debug)]
pub struct Played {
    /// Its instants.
    pub timing: TrialTiming,
    /// The measurements of its processes.
    pub merged: Merged,
    /// The cost of its window.
    pub cost: Cost,
    /// Packets that a capture did not see.
    uncaptured: u64,
    /// Load processes that ended early.
    pub(crate) fallen: Vec<Invalid>,
    /// Whether the server is gone, or publishes another feed than before.
    feed_changed: bool,
}

impl Played {
    /// Whether the server kept the feed's pace: each message was on its way before the next was
    /// due.
    #[must_use]
    pub fn kept_pace(&self) -> bool {
        let window = self.timing.window;
        let gap_us = window.duration().as_secs_f64() * 1e6 / window.len() as f64;
        let server = self.merged.server.as_ref();
        let lag = server.and_then(|server| server.publish_lag.percentile_us(ON_TIME));
        lag.is_some_and(|late| late < gap_us * LATEST)
    }
}

/// The record of a trial that came to nothing.
fn without_figures(plan: &Plan, attempt: Attempt, reason: Invalid) -> TrialRecord {
    let nothing = MonoInstant::default();
    TrialRecord {
        id: attempt.id,
        order: attempt.order,
        attempt: attempt.number,
        invalid: vec![reason],
        warnings: Vec::new(),
        window: Window {
            start: nothing,
            end: nothing + plan.scenario.duration.0,
            first: Seq(1),
            last: Seq::NONE,
        },
        connected: 0,
        measured: Default::default(),
        loop_lag: Default::default(),
        server: None,
        breakdown: None,
        resources: Resources::default(),
        errors: Vec::new(),
        check: Default::default(),
    }
}

/// A trial whose processes run.
struct Trial<'a> {
    plan: &'a Plan,
    attempt: Attempt,
    server: ServerSide<'a>,
    clients: ClientSide,
    places: Places,
    wire: Option<Wire>,
    inbox: Inbox<'a>,
    same_clock: bool,
}

impl<'a> Trial<'a> {
    /// Starts the server and then the load processes, without clients yet.
    fn start(
        run: &'a Run,
        attempt: Attempt,
        listener: &'a mut Listener<'a>,
    ) -> Result<Self, Trouble> {
        let (plan, players, commands, id) = (&run.plan, &run.players, &run.commands, attempt.id);
        let player = players.name(id.contender);
        event::tell(listener, Event::Starting { trial: id, player })?;
        let places = plan.layout.places(&plan.room(id)?);
        let (sender, messages) = channel();
        let server_plan = server_plan(plan, attempt);
        let server =
            ServerSide::start(&players.server, commands, server_plan, &places.servers, &sender)?;
        let mut inbox = Inbox::new(messages, listener, server.own_processes());
        let addresses = match &server {
            ServerSide::Children(..) => inbox.server_addresses()?,
            ServerSide::Running(target, _) => vec![target.address()],
        };
        let wire = plan.capture.then(|| Wire::start(addresses.clone())).transpose();
        let wire = wire.map_err(RunError::Capture)?;
        let load_plan = LoadPlan {
            player: players.load.clone(),
            ..load_plan(plan, attempt, addresses[0], server.subject())
        };
        let clients = ClientSide::start(commands, &load_plan, &places, &addresses, &sender)?;
        inbox.expect_loads(clients.len());
        inbox.loads_ready()?;
        let same_clock = server.has_same_clock();
        Ok(Self { plan, attempt, server, clients, places, wire, inbox, same_clock })
    }

    /// Goes through the phases.
    fn play(&mut self) -> Result<Played, Trouble> {
        let (pids, own) = (self.server.pids(), self.server.is_own());
        let mut meter = CostMeter::new(&pids, own, &self.clients.pids());
        self.connect()?;
        let connecting = meter.connected();
        let timing = self.begin()?;
        self.inbox.enter(Phase::Warmup)?;
        let all_known = !pids.is_empty() || !self.same_clock;
        let watch = DisturbanceWatch::start(all_known.then(|| meter.pids()), timing.window.start);
        let at_start = self.inbox.wait_until(timing.window.start)?;
        let edge = meter.start(watch);
        self.inbox.enter(Phase::Window)?;
        let at_end = self.inbox.wait_until(timing.window.end)?;
        let mut cost = Cost { connecting, ..meter.finish(edge) };
        self.inbox.enter(Phase::Drain)?;
        let drain = timing.drain_deadline.saturating_since(clock::now());
        let loads = self.inbox.finished(drain + CLOSE_LIMIT)?;
        let servers = self.stop_servers()?;
        let mut merged = Merged::of(loads, servers);
        let loads = std::mem::take(&mut merged.watches);
        let parent_at_edge = at_start.max(at_end);
        cost.resources.instrument = Some(Instrument { loads, parent_at_edge });
        let uncaptured = self.stop_capture(&mut merged.load)?;
        let fallen = self.inbox.fallen();
        let feed_changed = self.server.has_changed(self.inbox.listener())?;
        Ok(Played { timing, merged, cost, uncaptured, fallen, feed_changed })
    }

    fn connect(&mut self) -> Result<(), Trouble> {
        self.inbox.enter(Phase::Connect)?;
        self.clients.order(&LoadOrder::Connect)?;
        let wanted = self.plan.point(self.attempt.id).clients;
        match self.inbox.connected(connect_limit(wanted) + CLOSE_LIMIT)? {
            Connected { clients: connected @ 0, error, attempts } => {
                let used = attempts.invalid(wanted, error.as_ref());
                let missing = Invalid::ClientsMissing { connected, wanted, error };
                Err(Trouble::Invalid(used.unwrap_or(missing)))
            }
            _ => Ok(()),
        }
    }

    /// Sets the trial's instants and starts the feed.
    fn begin(&mut self) -> Result<TrialTiming, Trouble> {
        let feed = self.server.begin()?;
        let start = feed.warmup + self.plan.warmup(self.attempt.id);
        let end = start + self.plan.scenario.duration.0;
        let schedule = feed.schedule.clone();
        let (seed, origin, checkpoint) = (feed.seed, feed.origin, feed.checkpoint);
        let window = Timetable::starting_at(schedule, seed, origin, checkpoint, start)
            .and_then(|mut table| table.between(start, end));
        let (first, last) = window.map_err(RunError::Due)?;
        let timing = TrialTiming {
            schedule: feed.schedule,
            seed: feed.seed,
            origin: feed.origin,
            checkpoint: feed.checkpoint,
            warmup: feed.warmup,
            window: Window { start, end, first, last },
            drain_deadline: end + self.plan.drain_limit(self.attempt.id),
        };
        if let Some(wire) = &self.wire {
            wire.set_timing(&timing);
        }
        self.server.measure(timing.window)?;
        self.clients.order(&LoadOrder::Run(Box::new(timing.clone())))?;
        Ok(timing)
    }

    fn stop_servers(&mut self) -> Result<Vec<ServerMeasured>, Trouble> {
        if !self.server.stop() {
            return Ok(Vec::new());
        }
        self.inbox.stopped(CLOSE_LIMIT)
    }

    /// Puts captured packets into the ledger; how many the capture missed.
    fn stop_capture(&mut self, load: &mut LoadMeasured) -> Result<u64, Trouble> {
        let Some(wire) = self.wire.take() else { return Ok(0) };
        let missed = wire.stop(load.closing, &mut load.measured.ledger);
        Ok(missed.map_err(RunError::Captured)?)
    }

    fn record(self, played: Played) -> TrialRecord {
        let Played { timing, mut merged, mut cost, uncaptured, fallen, feed_changed } = played;
        self.complete(&mut cost.resources);
        if !self.same_clock {
            merged.load.measured.latency = Default::default();
            merged.load.measured.late = Default::default();
            merged.load.measured.age = Default::default();
        }
        let breakdown =
            judge::breakdown::join(&merged.server_stamps, &merged.load_stamps, self.same_clock);
        let check = self.check(&timing, &merged.load, &cost.resources);
        if let Some(polls) = &mut merged.load.measured.polls {
            // What chance makes of them is known now; a record would grow with them.
            polls.kept.clear();
        }
        let window = timing.window;
        let evidence = Evidence {
            uncaptured,
            feed_changed,
            ..self.evidence(window, &merged, breakdown.as_ref(), &cost, &check)
        };
        let warnings = evidence.warnings();
        let invalid = fallen.into_iter().chain(evidence.invalid()).collect();
        let Merged { load, server, .. } = merged;
        TrialRecord {
            id: self.attempt.id,
            order: self.attempt.order,
            attempt: self.attempt.number,
            invalid,
            warnings,
            window,
            connected: load.connected_at_start,
            measured: load.measured,
            loop_lag: load.loop_lag,
            server,
            breakdown,
            resources: cost.resources,
            errors: load.errors,
            check,
        }
    }

    /// Adds how the trial was laid out, and takes away what capturing spoils.
    fn complete(&self, resources: &mut Resources) {
        if self.plan.capture {
            // Capturing takes tens of per cent, part of it in the sender's context.
            (resources.server_cpu, resources.load_cpu) = (None, None);
        }
        resources.server_processes = self.server.own_processes() as u32;
        resources.source_addresses = self.places.source_addresses;
        resources.pinned.clone_from(&self.places.pinned);
    }

    fn evidence<'e>(
        &self,
        window: Window,
        merged: &'e Merged,
        breakdown: Option<&'e Breakdown>,
        cost: &'e Cost,
        check: &'e Check,
    ) -> Evidence<'e> {
        Evidence {
            wanted: self.plan.point(self.attempt.id).clients,
            window,
            load: &merged.load,
            latencies: merged.load.measured.latencies(),
            server: merged.server.as_ref(),
            breakdown,
            resources: &cost.resources,
            busiest_server: cost.busiest_server,
            servers_ended: cost.servers_ended,
            busiest_load: cost.busiest_load,
            load_lag: merged.load_lag,
            published: merged.published,
            due_between_polls: self.plan.due_between_polls(self.attempt.id),
            feed_changed: false,
            uncaptured: 0,
            own_server: self.server.is_own(),
            same_clock: self.same_clock,
            check,
            allow_busy: self.plan.allow_busy,
            one_core: self.plan.layout.has_one_core() && self.same_clock,
        }
    }

    /// Compares the trial with its model, where its latencies are known.
    fn check(&self, timing: &TrialTiming, load: &LoadMeasured, resources: &Resources) -> Check {
        if !self.same_clock {
            return Check::default();
        }
        let (id, scenario) = (self.attempt.id, &self.plan.scenario);
        let trial = judge::model::Trial {
            point: self.plan.point(id),
            contender: id.contender,
            delivery: scenario.delivery,
            timing,
            measured: &load.measured,
            resources,
            seed: scenario.seed,
        };
        trial.check()
    }
}

/// The plan of each server process of a trial.
fn server_plan(plan: &Plan, attempt: Attempt) -> ServerPlan {
    ServerPlan {
        headers: plan.headers.clone(),
        stamps: plan.sampling(attempt.id),
        publish_delay: plan.publish_delay,
        ..ServerPlan::new(plan.feed(attempt.id))
    }
}

/// The plan of a load process that plays all clients of a trial.
fn load_plan(plan: &Plan, attempt: Attempt, target: SocketAddr, subject: Subject) -> LoadPlan {
    let (id, point) = (attempt.id, plan.point(attempt.id));
    LoadPlan {
        subject,
        delivery: plan.scenario.delivery,
        headers: plan.request_headers(id),
        poll_interval: point.poll_interval.0,
        long_poll_timeout: point.long_poll_timeout.0,
        // Each round has its own poll phases, so that none of them is measured twice.
        seed: plan.scenario.seed ^ (u64::from(id.round) << 32),
        connect_timeout: connect_limit(point.clients),
        stamps: plan.sampling(id),
        ..LoadPlan::new(target, id.contender, point.clients)
    }
}
