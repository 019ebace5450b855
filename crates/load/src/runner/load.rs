//! A load process from outside: orders go in, news come out.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use mio::{Events, Token, Waker};
use pushbench_core::instant::saturating_nanos;
use pushbench_core::poll_phases::PollPhases;
use pushbench_core::talk::Talk;
use pushbench_metrics::observe::absences::Absences;
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::polls::Polls;
use pushbench_metrics::observe::recorder::Recorder;
use pushbench_metrics::observe::rooms::RoomRecorder;
use pushbench_metrics::observe::unscheduled::StampRecorder;
use pushbench_metrics::record::control::{LoadNews, LoadOrder, LoadPlan};
use pushbench_os::time::clock::{Clock, Monotonic};

use super::error::LoadError;
use super::state::{LoadState, Runner, TIMER};

/// The event that says that there are orders.
const ORDERS: Token = Token(usize::MAX - 1);

/// Events taken from the kernel at a time.
const EVENTS: usize = 1024;

/// Gives orders to a load process from another thread.
#[derive(Debug, Clone)]
pub struct OrderSender {
    orders: Sender<LoadOrder>,
    waker: Arc<Waker>,
}

impl OrderSender {
    /// Gives an order. One that comes after the end has no effect.
    pub fn send(&self, order: LoadOrder) {
        // Nobody listens any more, or does not wake: either way the trial is over.
        let _ = self.orders.send(order);
        let _ = self.waker.wake();
    }
}

/// A load process: clients of one transport, and what it measures of them.
#[derive(Debug)]
pub struct Load<M = Recorder, C = Monotonic> {
    runner: Runner<M, C>,
    inbox: Receiver<LoadOrder>,
    sender: OrderSender,
}

impl Load {
    /// A load process that measures with a [`Recorder`]. It opens no connection yet.
    ///
    /// # Errors
    ///
    /// A plan without clients, or a system that has no file descriptors left.
    pub fn new(plan: LoadPlan) -> Result<Self, LoadError> {
        let recorder = recorder(&plan);
        Self::with(plan, recorder, Monotonic)
    }
}

impl Load<Absences<Recorder>> {
    /// A load process of a trial in which connections end because that was asked for: it measures for
    /// how long clients are away, too.
    ///
    /// # Errors
    ///
    /// See [`Load::new`].
    pub fn of_absences(plan: LoadPlan) -> Result<Self, LoadError> {
        let absences = Absences::beside(recorder(&plan), plan.clients);
        Self::with(plan, absences, Monotonic)
    }
}

impl Load<RoomRecorder> {
    /// A load process whose clients talk: it measures what those of a room hear of each other.
    ///
    /// # Errors
    ///
    /// See [`Load::new`].
    pub fn of_rooms(plan: LoadPlan, talk: Talk) -> Result<Self, LoadError> {
        let recorder = room_recorder(&plan, talk);
        Self::with(plan, recorder, Monotonic)
    }
}

impl Load<Absences<RoomRecorder>> {
    /// The same where connections end because that was asked for.
    ///
    /// # Errors
    ///
    /// See [`Load::new`].
    pub fn of_absences_in_rooms(plan: LoadPlan, talk: Talk) -> Result<Self, LoadError> {
        let absences = Absences::beside(room_recorder(&plan, talk), plan.clients);
        Self::with(plan, absences, Monotonic)
    }
}

impl Load<StampRecorder> {
    /// A load process whose plan has rules: it measures by what senders wrote into messages.
    ///
    /// # Errors
    ///
    /// See [`Load::new`].
    pub fn by_stamp(plan: LoadPlan) -> Result<Self, LoadError> {
        let recorder = StampRecorder::new(plan.clients);
        Self::with(plan, recorder, Monotonic)
    }
}

impl<M: Measure, C: Clock> Load<M, C> {
    /// A load process that tells `measure`, and takes the time from `clock`. Timers wait by the
    /// system's monotonic clock whatever `clock` says.
    ///
    /// # Errors
    ///
    /// See [`Load::new`].
    pub fn with(plan: LoadPlan, measure: M, clock: C) -> Result<Self, LoadError> {
        let runner = Runner::new(plan, measure, clock)?;
        let waker = Waker::new(runner.poll.registry(), ORDERS).map_err(LoadError::SetUp)?;
        let (orders, inbox) = channel();
        Ok(Self { runner, inbox, sender: OrderSender { orders, waker: Arc::new(waker) } })
    }

    /// The way in for orders.
    #[must_use]
    pub fn orders(&self) -> OrderSender {
        self.sender.clone()
    }

    /// Follows orders, and tells what comes of them, until the trial is over or stopped.
    ///
    /// # Errors
    ///
    /// Faults that keep the process from going on; a server that fails is no error but a finding.
    pub fn run(mut self, mut news: impl FnMut(LoadNews)) -> Result<(), LoadError> {
        let mut events = Events::with_capacity(EVENTS);
        news(LoadNews::Ready);
        while self.runner.state != LoadState::Over {
            self.runner.timers.arm().map_err(LoadError::SetUp)?;
            self.runner.wait(&mut events)?;
            let mut handled = 0;
            for event in &events {
                match event.token() {
                    ORDERS => self.runner.follow(&self.inbox)?,
                    TIMER => {}
                    Token(client) => {
                        self.runner.is_ready(client, event);
                        handled += 1;
                    }
                }
            }
            self.runner.do_what_is_due();
            self.runner.sweep(handled);
            self.runner.fill_ramp();
            self.runner.go_on(&mut news);
        }
        Ok(())
    }
}

/// The recorder of a plan's clients.
fn recorder(plan: &LoadPlan) -> Recorder {
    let recorder = Recorder::new(plan.clients, plan.delivery);
    if plan.contender.shape().asks() { recorder.with_polls(polls(plan)) } else { recorder }
}

/// The recorder of a plan's clients that talk.
fn room_recorder(plan: &LoadPlan, talk: Talk) -> RoomRecorder {
    RoomRecorder::new(talk, plan.first_client, plan.clients, plan.total_clients)
}

/// The record of the polls of this process's clients.
fn polls(plan: &LoadPlan) -> Polls {
    let phases = PollPhases::new(plan.seed, plan.total_clients);
    let mine = phases.slots().iter().skip(plan.first_client as usize).take(plan.clients as usize);
    let ranks: Vec<u32> = mine.map(|&rank| u32::try_from(rank).unwrap_or(u32::MAX)).collect();
    Polls::new(saturating_nanos(plan.poll_interval), &ranks, plan.total_clients)
}
