//! The course of a trial: orders, phases, and the news of them.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use pushbench_core::instant::saturating_nanos;
use pushbench_core::{MonoInstant, random};
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::observe::observer::Event;
use pushbench_metrics::record::control::{
    KEPT_ERRORS, LoadMeasured, LoadNews, LoadOrder, LoadPlan, Progress, TrialTiming,
};
use pushbench_os::time::clock::Clock;

use super::measure::Measure;
use super::pulse::PULSE;
use super::slot::Link;
use super::timers::Alarm;
use super::{LoadError, Runner};

/// How often a person who watches gets something to see.
const PROGRESS: Duration = Duration::from_secs(1);

/// How long the clients stay behind the window's end although nothing is missing. Whoever reads
/// this process's cost at that edge may come late on a busy machine, and is not to find it saying
/// good-bye, or gone.
pub(crate) const LINGER: Duration = Duration::from_millis(50);

/// How long good-byes may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// The stream of random numbers that the order of poll phases is drawn from.
const ORDER_STREAM: u64 = 203;

/// The stream of random numbers that a poll phase's place within its slot is drawn from.
const PLACE_STREAM: u64 = 204;

/// The place of each of the trial's clients in the order in which they poll within a period.
pub(super) fn poll_order(plan: &LoadPlan) -> Vec<usize> {
    random::permutation(plan.seed, ORDER_STREAM, plan.total_clients.max(1) as usize)
}

/// How far a load process has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waiting for the order to connect.
    Idle,
    /// Opening connections.
    Connecting,
    /// Waiting for the order to run; what comes is read.
    Connected,
    /// From the order to run to the drain's end.
    Running,
    /// Saying good-bye.
    Closing,
    /// Reported, or stopped.
    Over,
}

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Follows the orders that have come.
    pub(super) fn follow(&mut self, inbox: &Receiver<LoadOrder>) -> Result<(), LoadError> {
        while let Ok(order) = inbox.try_recv() {
            match (order, self.stage) {
                (LoadOrder::Stop, _) => self.stage = Stage::Over,
                (LoadOrder::Connect, Stage::Idle) => self.begin_connecting(),
                (LoadOrder::Run(timing), Stage::Connected) => self.begin_trial(timing)?,
                (LoadOrder::Connect, _) => return Err(LoadError::OutOfTurn("connect")),
                (LoadOrder::Run(_), _) => return Err(LoadError::OutOfTurn("run")),
            }
        }
        Ok(())
    }

    fn begin_connecting(&mut self) {
        self.stage = Stage::Connecting;
        self.ramp.waiting = (0..self.plan.clients).collect();
        let end = self.now() + self.plan.connect_timeout;
        self.ramp.limit = end;
        self.timers.set(end, Alarm::ConnectLimit);
    }

    /// Plans everything that depends on the trial's instants.
    fn begin_trial(&mut self, timing: Box<TrialTiming>) -> Result<(), LoadError> {
        self.stage = Stage::Running;
        let now = self.now();
        self.measure.set_window(timing.window);
        self.stamps.set_window(timing.window);
        for at in [timing.warmup, timing.window.start, timing.window.end, timing.drain_deadline] {
            self.timers.set(at.max(now), Alarm::Phase);
        }
        self.timers.set(now + PROGRESS, Alarm::Progress);
        self.pulse.begin(timing.window, now);
        self.timers.set(now + PULSE, Alarm::Pulse);
        if let Some(period) = self.cadence {
            self.plan_polls(timing.warmup, saturating_nanos(period).max(1), now);
        }
        self.phases.plan(timing, now)?;
        self.leave_those_told_to_wait();
        Ok(())
    }

    /// Plans each client's first poll: its own place in the period, which the clients of all load
    /// processes fill evenly in a random order.
    fn plan_polls(&mut self, warmup: MonoInstant, period: u64, now: MonoInstant) {
        self.timers.ring_together(Duration::from_nanos(period));
        let (seed, total) = (self.plan.seed, self.plan.total_clients.max(1));
        let order = poll_order(&self.plan);
        for client in 0..self.plan.clients {
            if self.slots[client as usize].given_up {
                continue;
            }
            let number = self.plan.first_client + client;
            let rank = order.get(number as usize).copied().unwrap_or(0) as f64;
            let place = rank + random::uniform(seed, PLACE_STREAM, u64::from(number));
            let offset = (period as f64 * place / f64::from(total)) as u64;
            let first = warmup.plus_nanos(offset);
            // A trial whose warm-up has begun by now: the same phase, some periods on.
            let late = now.0.saturating_sub(first.0).div_ceil(period);
            self.timers.set(first.plus_nanos(late * period), Alarm::Tick(client));
        }
    }

    /// Rings every alarm that is due.
    pub(super) fn ring(&mut self) {
        let mut now = self.now();
        while let Some((planned, alarm)) = self.timers.due(now) {
            match alarm {
                Alarm::Phase => self.loop_lag.record(now.saturating_since(planned)),
                Alarm::Tick(client) => self.tick(client, planned, now),
                Alarm::Pulse => self.look_at_itself(planned, now),
                Alarm::Retry(_) if matches!(self.stage, Stage::Closing | Stage::Over) => {}
                Alarm::Retry(client) => self.ramp.waiting.push_back(client),
                Alarm::HangUp(client) => self.hang_up(client, planned, now),
                Alarm::Ask(client) => self.ask_again(client, now),
                Alarm::Progress => self.glance.due = Some(planned),
                Alarm::ConnectLimit if self.stage == Stage::Connecting => self.give_up(),
                Alarm::CloseLimit if self.stage == Stage::Closing => self.drop_all(),
                Alarm::ConnectLimit | Alarm::CloseLimit => {}
            }
            now = self.now();
        }
    }

    /// Takes the lag of the loop, at a steady pace whatever the transport.
    fn look_at_itself(&mut self, planned: MonoInstant, now: MonoInstant) {
        if self.stage == Stage::Running {
            self.loop_lag.record(now.saturating_since(planned));
            self.pulse.look(planned, now, &self.clock, || self.measure.settled());
            // The pace is kept: a loop that was away is late for each instant that it missed.
            self.timers.set(planned + PULSE, Alarm::Pulse);
        }
    }

    fn tick(&mut self, client: u32, planned: MonoInstant, now: MonoInstant) {
        let Some(period) = self.cadence.filter(|_| self.stage == Stage::Running) else { return };
        self.loop_lag.record(now.saturating_since(planned));
        let slot = &self.slots[client as usize];
        if slot.given_up {
            return;
        }
        self.timers.set(planned + period, Alarm::Tick(client));
        if now < slot.until {
            return self.measure.happened(self.phases.phase(), now, &Event::SkippedPoll);
        }
        self.out.clear();
        self.slots[client as usize].session.tick(&mut self.out);
        self.act(client, now);
    }

    /// Begins the phases that `at` belongs to.
    #[cold]
    pub(super) fn enter_phases(&mut self, at: MonoInstant) {
        let mut before = self.phases.phase();
        while let Some(phase) = self.phases.enter(at) {
            self.begin_sweep(std::mem::replace(&mut before, phase), at);
            if phase == Phase::Window {
                self.stamps.begin_window();
                self.connected_at_start = self.sockets.ready;
                for (client, slot) in (0..).zip(&self.slots) {
                    if !slot.ready {
                        self.measure.exclude(client);
                    }
                }
            }
            if phase == Phase::Drain {
                self.drain.begin(self.plan.clients);
            }
        }
    }

    /// Goes on to the next stage where this one has come to its end, and says so.
    pub(super) fn look_around(&mut self, news: &mut impl FnMut(LoadNews)) {
        if self.glance.due.is_some() {
            self.show_progress(news);
        }
        match self.stage {
            Stage::Connecting => self.end_connecting(news),
            Stage::Running if self.phases.phase() == Phase::Drain => self.end_drain(),
            Stage::Closing if self.sockets.open == 0 => self.report(news),
            _ => {}
        }
    }

    fn end_connecting(&mut self, news: &mut impl FnMut(LoadNews)) {
        let wanted = self.slots.iter().filter(|slot| !slot.given_up).count();
        let clients = self.sockets.ready;
        if clients as usize == wanted {
            self.stage = Stage::Connected;
            let missing = clients < self.plan.clients;
            let error = self.errors.first().filter(|_| missing).cloned();
            news(LoadNews::Connected { clients, error, attempts: self.attempts.clone() });
        }
    }

    fn show_progress(&mut self, news: &mut impl FnMut(LoadNews)) {
        let Some(planned) = self.glance.due.take().filter(|_| self.stage == Stage::Running) else {
            return;
        };
        self.timers.set(planned + PROGRESS, Alarm::Progress);
        news(LoadNews::Progress(Progress {
            messages: self.glance.messages,
            bytes: self.sockets.up + self.sockets.down,
            latency_p50_us: self.glance.take_median_us(),
        }));
    }

    /// Ends the drain once nothing is missing, [`LINGER`] behind the window at the earliest, or at
    /// its deadline.
    fn end_drain(&mut self) {
        let drained = self.measure.settled();
        let now = self.now();
        let is_over = |timing: &TrialTiming| {
            let lingered = now >= timing.window.end + LINGER;
            (drained && lingered) || now >= timing.drain_deadline
        };
        if self.phases.timing().is_none_or(is_over) {
            self.drained = drained;
            self.tell_drain(now);
            self.begin_closing(now);
        }
    }

    fn begin_closing(&mut self, now: MonoInstant) {
        self.stage = Stage::Closing;
        self.closing = now;
        self.end_sweep();
        self.begin_sweep(self.phases.phase(), now);
        self.end_sweep();
        self.phases.close();
        self.ramp.waiting.clear();
        self.timers.set(now + CLOSE_LIMIT, Alarm::CloseLimit);
        for client in 0..self.plan.clients {
            match self.slots[client as usize].link {
                Link::None => {}
                Link::Opening(_) => self.drop_link(client),
                Link::Open(_) => {
                    self.out.clear();
                    self.slots[client as usize].session.close(&mut self.out);
                    self.act(client, now);
                }
            }
        }
    }

    fn drop_all(&mut self) {
        for client in 0..self.plan.clients {
            self.drop_link(client);
        }
    }

    fn report(&mut self, news: &mut impl FnMut(LoadNews)) {
        self.stage = Stage::Over;
        self.measure.sockets_moved(self.sockets.up, self.sockets.down);
        self.tell_tcpip();
        self.name_other_events();
        news(LoadNews::Finished(Box::new(LoadMeasured {
            connected_at_start: self.connected_at_start,
            closing: self.closing,
            measured: self.measure.finish(),
            loop_lag: std::mem::take(&mut self.loop_lag),
            drained: self.drained,
            errors: std::mem::take(&mut self.errors),
            first_protocol_error: self.first_protocol_error.take(),
            stamps: self.stamps.finish(),
            other_events: std::mem::take(&mut self.other_events),
            coded: self.coded.take(),
            attempts: std::mem::take(&mut self.attempts),
            watch: self.pulse.finish(),
        })));
    }

    /// Where no message of the feed came, events of other types are the likely cause, and the
    /// first that is told.
    fn name_other_events(&mut self) {
        if self.glance.messages > 0 || self.other_events.is_empty() {
            return;
        }
        let error = format!(
            "no event was of the feed's type, but {}; name that type with --event",
            self.other_events
        );
        self.errors.insert(0, error);
        self.errors.truncate(KEPT_ERRORS);
    }
}
