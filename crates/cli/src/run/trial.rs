//! One trial: a fresh server, fresh load processes, connect → warm-up → window → drain → close.

use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::Context as _;
use pushbench_core::schedule::Timetable;
use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::judge::breakdown::Breakdown;
use pushbench_metrics::judge::models::Check;
use pushbench_metrics::observe::instrument::Instrument;
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::{
    LoadMeasured, LoadOrder, ServerMeasured, ServerPlan, TrialTiming,
};
use pushbench_metrics::record::warning::Invalid;
use pushbench_metrics::record::{Pinned, Resources, TrialId, TrialRecord};
use pushbench_os::machine::limits::Room;
use pushbench_os::time::clock;

use super::breakdown;
use super::capture::Wire;
use super::check;
use super::crew::{Crew, Places};
use super::ear::{Connected, Ear};
use super::judge::Evidence;
use super::sampler::{Sample, Sampler};
use super::seen::Seen;
use super::subject::{Source, Subject};
use super::surroundings::Surroundings;
use crate::plan::Plan;
use crate::progress::{Progress, Stage};

/// How long clients may take to connect: at least this, and a share for each.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const CONNECT_LIMIT_EACH: Duration = Duration::from_millis(2);

/// How long `clients` may take to connect.
pub(super) fn connect_limit(clients: u32) -> Duration {
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
    let played = Trial::start(plan, source, turn, progress).and_then(|mut trial| {
        let played = trial.play()?;
        Ok(trial.record(played))
    });
    match played {
        Ok(record) => Ok(record),
        Err(Trouble::Invalid(reason)) => Ok(without_figures(plan, turn, reason)),
        Err(trouble) => Err(trouble),
    }
}

/// Goes through a trial without judging it.
pub(super) fn play(
    plan: &Plan,
    source: &Source,
    turn: Turn,
    progress: &Progress,
) -> Result<Played, Trouble> {
    Trial::start(plan, source, turn, progress)?.play()
}

/// What came of a trial's phases.
pub(super) struct Played {
    pub(super) timing: TrialTiming,
    pub(super) seen: Seen,
    pub(super) sample: Sample,
    /// Packets that a capture did not see.
    uncaptured: u64,
    /// Load processes that ended early.
    pub(super) fallen: Vec<Invalid>,
    /// Whether the server is gone, or publishes another feed than before.
    feed_changed: bool,
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
    crew: Crew,
    room: Room,
    /// The cores that its processes are kept on.
    pinned: Option<Pinned>,
    wire: Option<Wire>,
    ear: Ear<'a>,
    same_clock: bool,
}

impl<'a> Trial<'a> {
    /// Starts the server and then the load processes, without clients yet.
    fn start(
        plan: &'a Plan,
        source: &'a Source,
        turn: Turn,
        progress: &'a Progress,
    ) -> Result<Self, Trouble> {
        progress.stage(turn.id, plan.player(turn.id), Stage::Start);
        let room = plan.room(turn.id)?;
        let pinned = plan.layout.pinned(&room);
        let cores = pinned.as_ref().map_or(&[][..], |pinned| &pinned.server);
        let (sender, notes) = channel();
        let server = server_plan(plan, turn);
        let subject = Subject::start(source, server, room.server_processes, cores, &sender)?;
        let ear = Ear::new(notes, progress, subject.own_processes());
        let (addresses, same_clock) = match source {
            Source::Own => (ear.server_addresses()?, true),
            Source::Running(target, _) => (vec![target.address()], target.same_clock),
        };
        let wire = plan.capture.then(|| Wire::start(addresses.clone())).transpose();
        let wire = wire.context("cannot capture the trial's packets")?;
        let places = Places { room: &room, pinned: pinned.as_ref(), targets: &addresses };
        let crew = Crew::start(plan, turn, &places, source, &sender)?;
        ear.expect_loads(crew.len());
        ear.loads_ready()?;
        Ok(Trial { plan, turn, progress, subject, crew, room, pinned, wire, ear, same_clock })
    }

    /// Goes through the phases.
    fn play(&mut self) -> Result<Played, Trouble> {
        let mut sampler = Sampler::new(self.subject.processes(), &self.crew.pids());
        self.connect()?;
        let timing = self.begin()?;
        self.stage(Stage::Warmup);
        let own = self.knows_all_processes().then(|| sampler.pids());
        let surroundings = Surroundings::watch(own, timing.window.start);
        let at_start = self.ear.wait_until(timing.window.start)?;
        let edge = sampler.start(surroundings);
        self.stage(Stage::Window);
        let at_end = self.ear.wait_until(timing.window.end)?;
        let mut sample = sampler.finish(edge);
        self.stage(Stage::Drain);
        let drain = timing.drain_deadline.saturating_since(clock::now());
        let loads = self.ear.finished(drain + CLOSE_LIMIT)?;
        let servers = self.stop_servers()?;
        let mut seen = Seen::of(loads, servers);
        let loads = std::mem::take(&mut seen.watches);
        let parent_at_edge = at_start.max(at_end);
        sample.resources.instrument = Some(Instrument { loads, parent_at_edge });
        let uncaptured = self.stop_capture(&mut seen.load)?;
        let (fallen, feed_changed) = (self.ear.fallen(), self.subject.has_changed()?);
        Ok(Played { timing, seen, sample, uncaptured, fallen, feed_changed })
    }

    fn stage(&self, stage: Stage) {
        self.progress.stage(self.turn.id, self.plan.player(self.turn.id), stage);
    }

    /// Whether the server's processes are known, unless they are on another machine.
    fn knows_all_processes(&self) -> bool {
        self.subject.knows_processes() || !self.same_clock
    }

    fn connect(&mut self) -> Result<(), Trouble> {
        self.stage(Stage::Connect);
        self.crew.order(&LoadOrder::Connect)?;
        let wanted = self.plan.point(self.turn.id).clients;
        match self.ear.connected(connect_limit(wanted) + CLOSE_LIMIT)? {
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
        let feed = self.subject.begin()?;
        let start = feed.warmup + self.plan.warmup(self.turn.id);
        let end = start + self.plan.scenario.duration.0;
        let schedule = feed.schedule.clone();
        let (seed, origin, checkpoint) = (feed.seed, feed.origin, feed.checkpoint);
        let window = Timetable::starting_at(schedule, seed, origin, checkpoint, start)
            .and_then(|mut table| table.between(start, end));
        let (first, last) = window.context("cannot say which messages are due")?;
        let timing = TrialTiming {
            schedule: feed.schedule,
            seed: feed.seed,
            origin: feed.origin,
            checkpoint: feed.checkpoint,
            warmup: feed.warmup,
            window: Window { start, end, first, last },
            drain_deadline: end + self.plan.drain_limit(self.turn.id),
        };
        if let Some(wire) = &self.wire {
            wire.set_timing(&timing);
        }
        self.subject.measure(timing.window)?;
        self.crew.order(&LoadOrder::Run(Box::new(timing.clone())))?;
        Ok(timing)
    }

    fn stop_servers(&mut self) -> Result<Vec<ServerMeasured>, Trouble> {
        if !self.subject.stop() {
            return Ok(Vec::new());
        }
        self.ear.stopped(CLOSE_LIMIT)
    }

    /// Puts captured packets into the ledger; how many the capture missed.
    fn stop_capture(&mut self, load: &mut LoadMeasured) -> Result<u64, Trouble> {
        let Some(wire) = self.wire.take() else { return Ok(0) };
        let missed = wire.stop(load.closing, &mut load.measured.ledger);
        Ok(missed.context("cannot read the captured packets")?)
    }

    fn record(self, played: Played) -> TrialRecord {
        let Played { timing, mut seen, mut sample, uncaptured, fallen, feed_changed } = played;
        self.complete(&mut sample.resources);
        if !self.same_clock {
            seen.load.measured.latency = Default::default();
            seen.load.measured.late = Default::default();
            seen.load.measured.age = Default::default();
        }
        let breakdown = breakdown::join(&seen.server_stamps, &seen.load_stamps, self.same_clock);
        let check = self.check(&timing, &seen.load, &sample.resources);
        if let Some(polls) = &mut seen.load.measured.polls {
            // What chance makes of them is known now; a record would grow with them.
            polls.kept.clear();
        }
        let window = timing.window;
        let evidence = Evidence {
            uncaptured,
            feed_changed,
            ..self.evidence(window, &seen, breakdown.as_ref(), &sample, &check)
        };
        let warnings = evidence.warnings();
        let invalid = fallen.into_iter().chain(evidence.invalid()).collect();
        let Seen { load, server, .. } = seen;
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

    /// Adds how the trial was laid out, and takes away what capturing spoils.
    fn complete(&self, resources: &mut Resources) {
        if self.plan.capture {
            // Capturing takes tens of per cent, part of it in the sender's context.
            (resources.server_cpu, resources.load_cpu) = (None, None);
        }
        resources.server_processes = self.subject.own_processes() as u32;
        resources.source_addresses = self.room.sources;
        resources.pinned.clone_from(&self.pinned);
    }

    fn evidence<'e>(
        &self,
        window: Window,
        seen: &'e Seen,
        breakdown: Option<&'e Breakdown>,
        sample: &'e Sample,
        check: &'e Check,
    ) -> Evidence<'e> {
        Evidence {
            wanted: self.plan.point(self.turn.id).clients,
            window,
            load: &seen.load,
            latencies: seen.load.measured.latencies(),
            server: seen.server.as_ref(),
            breakdown,
            resources: &sample.resources,
            busiest_server: sample.busiest_server,
            servers_ended: sample.servers_ended,
            busiest_load: sample.busiest_load,
            load_lag: seen.load_lag,
            published: seen.published,
            due_between_polls: self.plan.due_between_polls(self.turn.id),
            feed_changed: false,
            uncaptured: 0,
            own_server: matches!(self.subject, Subject::Own(..)),
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
        let (id, scenario) = (self.turn.id, &self.plan.scenario);
        let trial = check::Trial {
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

/// What each server process of a trial is to do.
fn server_plan(plan: &Plan, turn: Turn) -> ServerPlan {
    ServerPlan {
        headers: plan.headers.clone(),
        stamps: plan.sampling(turn.id),
        publish_delay: plan.publish_delay,
        bare: plan.bare,
        ..ServerPlan::new(plan.feed(turn.id))
    }
}
