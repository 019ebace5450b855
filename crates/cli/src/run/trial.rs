//! One trial: a fresh server, fresh load processes, connect → warm-up → window → drain → close.

use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::Context as _;
use pushbench_core::schedule::Timetable;
use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::control::{LoadMeasured, LoadOrder, LoadPlan, ServerMeasured, TrialTiming};
use pushbench_metrics::models::Check;
use pushbench_metrics::observer::Window;
use pushbench_metrics::record::{Resources, TrialId, TrialRecord};
use pushbench_metrics::warning::Invalid;
use pushbench_probe::clock;

use super::breakdown;
use super::capture::Wire;
use super::check;
use super::ear::{Ear, Note};
use super::judge::Evidence;
use super::sampler::{Sample, Sampler};
use super::subject::{Source, Subject};
use super::surroundings::Surroundings;
use crate::child::Worker;
use crate::plan::Plan;
use crate::progress::{Progress, Stage};

/// How long clients may take to connect: at least this, and a share for each.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const CONNECT_LIMIT_EACH: Duration = Duration::from_millis(2);

/// How long `clients` may take to connect.
fn connect_limit(clients: u32) -> Duration {
    CONNECT_LIMIT + CONNECT_LIMIT_EACH * clients
}

/// How long closing connections and reporting may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(15);

/// Why a trial has no figures.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The user wants the run to end.
    Interrupted,
    /// A process of the trial failed: the trial is invalid.
    Invalid(Invalid),
    /// The run cannot go on.
    Fatal(anyhow::Error),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        Self::Fatal(error)
    }
}

/// Which trial is to be run, and how often it has been.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) id: TrialId,
    pub(crate) order: u32,
    pub(crate) attempt: u32,
}

/// Runs a trial and says what it is worth. A trial whose processes failed is invalid and has no
/// figures; what cannot be helped by a repeat is an error.
pub(crate) fn run(
    plan: &Plan,
    source: &Source,
    turn: Turn,
    progress: &Progress,
) -> Result<TrialRecord, Trouble> {
    match Trial::start(plan, source, turn, progress).and_then(Trial::play) {
        Ok(record) => Ok(record),
        Err(Trouble::Invalid(reason)) => Ok(without_figures(plan, turn, reason)),
        Err(trouble) => Err(trouble),
    }
}

/// The record of a trial that came to nothing.
fn without_figures(plan: &Plan, turn: Turn, reason: Invalid) -> TrialRecord {
    let nothing = MonoInstant::default();
    TrialRecord {
        id: turn.id,
        order: turn.order,
        attempt: turn.attempt,
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
    turn: Turn,
    progress: &'a Progress,
    subject: Subject<'a>,
    load: Worker<LoadOrder>,
    wire: Option<Wire>,
    ear: Ear<'a>,
    same_clock: bool,
}

impl<'a> Trial<'a> {
    /// Starts the server and then the load process, without clients yet.
    fn start(
        plan: &'a Plan,
        source: &'a Source,
        turn: Turn,
        progress: &'a Progress,
    ) -> Result<Self, Trouble> {
        progress.stage(turn.id, Stage::Start);
        let (sender, notes) = channel();
        let ear = Ear { notes, progress };
        let subject = Subject::start(
            source,
            plan.feed(turn.id),
            &plan.headers,
            (plan.sampling(turn.id), plan.publish_delay),
            sender.clone(),
        )?;
        let (address, same_clock) = match source {
            Source::Own => (ear.server_address()?, true),
            Source::Running(target, _) => (target.address, target.same_clock),
        };
        let wire = plan.capture.then(|| Wire::start(address.port())).transpose();
        let wire = wire.context("cannot capture the trial's packets")?;
        let load_plan =
            LoadPlan { foreign_path: source.foreign_path(), ..load_plan(plan, turn, address) };
        let load = Worker::spawn("worker-load", &load_plan, move |said| {
            // The trial may be over: then nobody listens.
            let _ = sender.send(Note::Load(said));
        })?;
        ear.load_ready()?;
        Ok(Trial { plan, turn, progress, subject, load, wire, ear, same_clock })
    }

    /// Goes through the phases.
    fn play(mut self) -> Result<TrialRecord, Trouble> {
        let sampler = Sampler::new(self.subject.pid(), &[self.load.pid()]);
        self.connect()?;
        let timing = self.begin()?;
        self.progress.stage(self.turn.id, Stage::Warmup);
        let own = self.knows_all_processes().then(|| sampler.pids());
        let surroundings = Surroundings::watch(own, timing.window.start);
        self.ear.wait_until(timing.window.start)?;
        let edge = sampler.start(surroundings);
        self.progress.stage(self.turn.id, Stage::Window);
        self.ear.wait_until(timing.window.end)?;
        let sample = sampler.finish(edge);
        self.progress.stage(self.turn.id, Stage::Drain);
        let drain = timing.drain_deadline.saturating_since(clock::now());
        let mut load = self.ear.finished(drain + CLOSE_LIMIT)?;
        let server = self.stop_server()?;
        let uncaptured = self.stop_capture(&mut load)?;
        Ok(self.record(&timing, load, server, sample, uncaptured))
    }

    /// Whether the server's process is known, unless it is on another machine.
    fn knows_all_processes(&self) -> bool {
        self.subject.pid().is_some() || !self.same_clock
    }

    fn connect(&mut self) -> Result<(), Trouble> {
        self.progress.stage(self.turn.id, Stage::Connect);
        self.order(&LoadOrder::Connect)?;
        let wanted = self.plan.point(self.turn.id).clients;
        match self.ear.connected(connect_limit(wanted) + CLOSE_LIMIT)? {
            (connected @ 0, error) => {
                Err(Trouble::Invalid(Invalid::ClientsMissing { connected, wanted, error }))
            }
            _ => Ok(()),
        }
    }

    /// Sets the trial's instants and starts the feed.
    fn begin(&mut self) -> Result<TrialTiming, Trouble> {
        let feed = self.subject.begin()?;
        let start = feed.warmup + self.plan.warmup(self.turn.id);
        let end = start + self.plan.scenario.duration.0;
        let schedule = feed.schedule.clone();
        let mut table = Timetable::starting_at(schedule, feed.seed, feed.origin, start);
        let (first, last) = table.between(start, end);
        let timing = TrialTiming {
            schedule: feed.schedule,
            seed: feed.seed,
            origin: feed.origin,
            warmup: feed.warmup,
            window: Window { start, end, first, last },
            drain_deadline: end + self.plan.drain_limit(self.turn.id),
        };
        if let Some(wire) = &self.wire {
            wire.set_timing(&timing);
        }
        self.subject.measure(timing.window)?;
        self.order(&LoadOrder::Run(Box::new(timing.clone())))?;
        Ok(timing)
    }

    fn order(&mut self, order: &LoadOrder) -> Result<(), Trouble> {
        self.load
            .order(order)
            .map_err(|error| Trouble::Invalid(Invalid::LoadDied { error: format!("{error:#}") }))
    }

    fn stop_server(&mut self) -> Result<Option<ServerMeasured>, Trouble> {
        if !self.subject.stop() {
            return Ok(None);
        }
        self.ear.stopped(CLOSE_LIMIT).map(Some)
    }

    /// Puts captured packets into the ledger; how many the capture missed.
    fn stop_capture(&mut self, load: &mut LoadMeasured) -> Result<u64, Trouble> {
        let Some(wire) = self.wire.take() else { return Ok(0) };
        let missed = wire.stop(load.closing, &mut load.measured.ledger);
        Ok(missed.context("cannot read the captured packets")?)
    }

    fn record(
        self,
        timing: &TrialTiming,
        mut load: LoadMeasured,
        mut server: Option<ServerMeasured>,
        mut sample: Sample,
        uncaptured: u64,
    ) -> TrialRecord {
        if self.plan.capture {
            // Capturing takes tens of per cent, part of it in the sender's context.
            (sample.resources.server_cpu, sample.resources.load_cpu) = (None, None);
        }
        if !self.same_clock {
            load.measured.latency = Default::default();
            load.measured.age = Default::default();
        }
        let breakdown = breakdown::join(&mut load, server.as_mut(), self.same_clock);
        let window = timing.window;
        let check = self.check(timing, &load, &sample.resources);
        if let Some(polls) = &mut load.measured.polls {
            // What chance makes of them is known now; a record would grow with them.
            polls.kept.clear();
        }
        let evidence = Evidence {
            wanted: self.plan.point(self.turn.id).clients,
            window,
            load: &load,
            server: server.as_ref(),
            breakdown: breakdown.as_ref(),
            resources: &sample.resources,
            busiest_load: sample.busiest_load,
            due_between_polls: self.plan.due_between_polls(self.turn.id),
            feed_changed: self.subject.has_changed(),
            uncaptured,
            own_server: matches!(self.subject, Subject::Own(..)),
            same_clock: self.same_clock,
            check: &check,
            allow_busy: self.plan.allow_busy,
        };
        let (invalid, warnings) = (evidence.invalid(), evidence.warnings());
        TrialRecord {
            id: self.turn.id,
            order: self.turn.order,
            attempt: self.turn.attempt,
            invalid,
            warnings,
            window,
            connected: load.connected_at_start,
            measured: load.measured,
            loop_lag: load.loop_lag,
            server,
            breakdown,
            resources: sample.resources,
            errors: load.errors,
            check,
        }
    }

    /// Compares the trial with its model, where its latencies are known.
    fn check(&self, timing: &TrialTiming, load: &LoadMeasured, resources: &Resources) -> Check {
        if !self.same_clock {
            return Check::default();
        }
        let (id, scenario) = (self.turn.id, &self.plan.scenario);
        let trial = check::Trial {
            point: self.plan.point(id),
            transport: id.transport,
            delivery: scenario.delivery,
            timing,
            measured: &load.measured,
            resources,
            seed: scenario.seed,
        };
        trial.check()
    }
}

/// What a trial's load process is to do.
fn load_plan(plan: &Plan, turn: Turn, target: SocketAddr) -> LoadPlan {
    let point = plan.point(turn.id);
    LoadPlan {
        target,
        transport: turn.id.transport,
        delivery: plan.scenario.delivery,
        headers: plan.request_headers(turn.id),
        foreign_path: None,
        clients: point.clients,
        first_client: 0,
        total_clients: point.clients,
        poll_interval: point.poll_interval.0,
        long_poll_timeout: point.long_poll_timeout.0,
        // Each round has its own poll phases, so that none of them is measured twice.
        seed: plan.scenario.seed ^ (u64::from(turn.id.round) << 32),
        connect_timeout: connect_limit(point.clients),
        stamps: plan.sampling(turn.id),
    }
}
