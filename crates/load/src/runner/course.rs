//! The course of a trial: orders, phases, and the news of them.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use pushbench_core::instant::saturating_nanos;
use pushbench_core::{Identity, MonoInstant};
use pushbench_metrics::observe::events::OtherEvents;
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::record::control::{
    KEPT_ERRORS, LoadMeasured, LoadNews, LoadOrder, Progress, TrialTiming,
};
use pushbench_os::time::clock::Clock;

use super::dues::Dues;
use super::error::LoadError;
use super::loop_check::CHECK_PERIOD;
use super::state::{LoadState, Runner};
use super::timers::Alarm;

/// How often a person who watches gets something to see.
const PROGRESS: Duration = Duration::from_secs(1);

/// How long the clients stay behind the window's end although nothing is missing. Whoever reads
/// this process's cost at that edge may come late on a busy machine, and is not to find it saying
/// good-bye, or gone.
pub(crate) const LINGER: Duration = Duration::from_millis(50);

/// How long good-byes may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Follows the orders that have come.
    pub(super) fn follow(&mut self, inbox: &Receiver<LoadOrder>) -> Result<(), LoadError> {
        while let Ok(order) = inbox.try_recv() {
            match (order, self.state) {
                (LoadOrder::Stop, _) => self.state = LoadState::Over,
                (LoadOrder::Connect, LoadState::Idle) => self.begin_connecting(),
                (LoadOrder::Run(timing), LoadState::Connected) => self.begin_trial(timing)?,
                (LoadOrder::Connect, _) => return Err(LoadError::OutOfTurn("connect")),
                (LoadOrder::Run(_), _) => return Err(LoadError::OutOfTurn("run")),
            }
        }
        Ok(())
    }

    fn begin_connecting(&mut self) {
        self.state = LoadState::Connecting;
        self.ramp.waiting = (0..self.connections()).collect();
        let end = self.now() + self.plan.connect_timeout;
        self.ramp.limit = end;
        self.timers.set(end, Alarm::ConnectLimit);
    }

    /// Plans everything that depends on the trial's instants.
    fn begin_trial(&mut self, timing: Box<TrialTiming>) -> Result<(), LoadError> {
        self.state = LoadState::Running;
        let now = self.now();
        self.measure.set_window(timing.window);
        if let Some(halt) = timing.halt {
            self.measure.set_halt(halt);
        }
        let bound_ns = timing.stamps.map_or(0, |stamps| stamps.bound_ns);
        self.measure.set_stamp_bound(Duration::from_nanos(bound_ns));
        self.stamps.set_window(timing.window);
        for at in [timing.warmup, timing.window.start, timing.window.end, timing.drain_deadline] {
            self.timers.set(at.max(now), Alarm::Phase);
        }
        self.timers.set(now + PROGRESS, Alarm::Progress);
        self.loop_check.begin(timing.window, now);
        self.timers.set(now + CHECK_PERIOD, Alarm::LoopCheck);
        if let Some(period) = self.cadence {
            self.plan_polls(timing.warmup, saturating_nanos(period).max(1), now);
        }
        let mut dues = match &self.plan.talk {
            None => Dues::of_feed(&timing, now)?,
            Some(talk) => Dues::of_speakers(&timing, talk, self.plan.total_clients)?,
        };
        self.measure.set_speakers(&dues.windows(&timing.window)?);
        self.measure.set_dues(&|seq| dues.due(Identity::of_feed(seq)));
        self.phases.plan(timing, dues);
        self.begin_saying(now);
        self.plan_leaving();
        self.give_up_on_waiting_clients();
        Ok(())
    }

    /// Begins the phases that `at` belongs to.
    #[cold]
    pub(super) fn enter_phases(&mut self, at: MonoInstant) {
        let mut before = self.phases.phase();
        while let Some(phase) = self.phases.enter(at) {
            self.begin_sweep(std::mem::replace(&mut before, phase), at);
            if phase == Phase::Window {
                self.stamps.begin_window();
                self.begin_window();
            }
            if phase == Phase::Drain {
                self.drain.begin(self.plan.clients);
            }
        }
    }

    /// Leaves those out that are not there.
    fn begin_window(&mut self) {
        for client in 0..self.plan.clients {
            if self.is_whole(client) {
                self.numbers.ready_at_start += 1;
            } else {
                self.measure.exclude(client);
            }
        }
    }

    /// Goes on to the next stage where this one has come to its end, and says so.
    #[inline]
    pub(super) fn go_on(&mut self, news: &mut impl FnMut(LoadNews)) {
        if self.progress.due.is_some() {
            self.show_progress(news);
        }
        match self.state {
            LoadState::Connecting => self.end_connecting(news),
            LoadState::Running if self.phases.phase() == Phase::Drain => self.end_drain(),
            LoadState::Closing if self.numbers.channels == 0 => self.report(news),
            _ => {}
        }
    }

    #[cold]
    fn end_connecting(&mut self, news: &mut impl FnMut(LoadNews)) {
        if self.numbers.ready + self.numbers.given_up == self.connections() {
            self.state = LoadState::Connected;
            let whole = (0..self.plan.clients).filter(|&client| self.is_whole(client));
            let clients = whole.count() as u32;
            let missing = clients < self.plan.clients;
            let error = self.errors.first().filter(|_| missing).cloned();
            news(LoadNews::Connected { clients, error, attempts: self.attempts.clone() });
        }
    }

    #[cold]
    fn show_progress(&mut self, news: &mut impl FnMut(LoadNews)) {
        let Some(planned) = self.progress.due.take().filter(|_| self.state == LoadState::Running)
        else {
            return;
        };
        self.timers.set(planned + PROGRESS, Alarm::Progress);
        news(LoadNews::Progress(Box::new(Progress {
            messages: self.progress.messages,
            bytes: self.moved.up + self.moved.down,
            latency_p50_us: self.progress.take_median_us(),
            so_far: self.plan.is_watched.then(|| self.measure.so_far()),
        })));
    }

    /// Ends the drain once nothing is missing, [`LINGER`] behind the window at the earliest, or at
    /// its deadline.
    #[cold]
    fn end_drain(&mut self) {
        let drained = self.measure.settled() && self.has_said_all();
        let now = self.now();
        let is_over = |timing: &TrialTiming| {
            let lingered = now >= timing.window.end + LINGER;
            (drained && lingered) || now >= timing.drain_deadline
        };
        if self.phases.timing().is_none_or(is_over) {
            self.drained = drained;
            self.record_drain(now);
            self.begin_closing(now);
        }
    }

    /// Records what becomes of the messages that clients await, now that the wait is over.
    fn record_drain(&mut self, end: MonoInstant) {
        let (drain, clients, dues) = (&self.drain, &self.clients, self.phases.dues());
        let coming = |client: u32| drain.coming(client, &clients[client as usize], end);
        self.measure.end_drain(end, &coming, &|message| dues?.due(message));
    }

    fn begin_closing(&mut self, now: MonoInstant) {
        self.state = LoadState::Closing;
        self.closing = now;
        self.end_sweep();
        self.begin_sweep(self.phases.phase(), now);
        self.end_sweep();
        self.phases.close();
        self.ramp.waiting.clear();
        self.timers.set(now + CLOSE_LIMIT, Alarm::CloseLimit);
        for client in 0..self.connections() {
            let leaving = &mut self.clients[client as usize];
            if leaving.outlet.is_open() {
                self.out.clear();
                leaving.session.close(&mut self.out);
                self.act(client, now);
            } else {
                self.disconnect(client);
            }
        }
    }

    pub(super) fn disconnect_all(&mut self) {
        for client in 0..self.connections() {
            self.disconnect(client);
        }
    }

    #[cold]
    fn report(&mut self, news: &mut impl FnMut(LoadNews)) {
        self.state = LoadState::Over;
        self.measure.sockets_moved(self.moved.up, self.moved.down);
        self.record_tcpip();
        self.name_other_events();
        let mut measured = self.measure.finish();
        let found = self.plan.subject.rules.as_ref().map(|_| self.sessions.found());
        measured.name_counters(found.as_ref().map_or(&[], |found| &found.counters));
        news(LoadNews::Finished(Box::new(LoadMeasured {
            connected_at_start: self.numbers.ready_at_start,
            closing: self.closing,
            measured,
            found,
            loop_lag: std::mem::take(&mut self.loop_lag),
            drained: self.drained,
            errors: std::mem::take(&mut self.errors),
            first_protocol_error: self.first_protocol_error.take(),
            stamps: self.stamps.finish(),
            other_events: std::mem::take(&mut self.other_events),
            coded: self.coded.take(),
            agreed: self.agreement.take(),
            attempts: std::mem::take(&mut self.attempts),
            watch: self.loop_check.finish(),
            browser: None,
        })));
    }

    /// Where no message of the feed came, events of other types are the likely cause, and the
    /// first that is told. Who has named the feed's type and has it knows that there are others.
    fn name_other_events(&mut self) {
        if self.progress.messages > 0 && self.plan.subject.event.is_some() {
            self.other_events = OtherEvents::default();
        }
        // What came of the type that the user named and could not be read is nearer to the cause.
        let is_named = self.plan.subject.event.is_some();
        let came = is_named && self.sessions.found().first_of_none().is_some();
        if self.progress.messages > 0 || self.other_events.is_empty() || came {
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
