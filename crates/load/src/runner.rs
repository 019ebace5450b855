//! The runner: sockets, time and the phases of a trial, in one thread.
//!
//! [`Load`] is what a load process drives. Inside, `traffic` moves bytes between sockets and
//! sessions and stamps what arrives, `course` goes through the phases, `connect` opens
//! connections, `ending` says what becomes of those that fail or end, `recovery` decides with
//! `backoff` what follows a failure, `drain` says what is still under way at the end, `tcpip` asks
//! the kernel what it counts for each connection, `stamps` asks it for a sample of them when it had
//! what came, `pulse` looks whether the loop itself stood still, and `timers` wakes the loop to the
//! nanosecond that was planned.
//!
//! The loop is edge-triggered. All clients share one read buffer: a read that does not fill it
//! has emptied the socket, so a message costs one wake-up, one `recv` and one look at the clock.

mod backoff;
mod connect;
mod course;
mod drain;
mod ending;
mod glance;
mod measure;
mod phases;
mod pulse;
mod recovery;
mod slot;
mod stamps;
mod tcpip;
mod timers;
mod traffic;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};
use pushbench_core::MonoInstant;
use pushbench_core::instant::saturating_nanos;
use pushbench_core::schedule::WalkError;
use pushbench_metrics::observe::attempts::Attempts;
use pushbench_metrics::observe::events::OtherEvents;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::polls::Polls;
use pushbench_metrics::observe::recorder::Recorder;
use pushbench_metrics::record::control::{KEPT_ERRORS, LoadNews, LoadOrder, LoadPlan};
use pushbench_os::net::tcp_info::IpVersion;
use pushbench_os::time::clock::{Clock, Monotonic};
use thiserror::Error;

use self::connect::Ramp;
use self::course::Stage;
use self::drain::Drain;
use self::glance::Glance;
use self::phases::Phases;
use self::pulse::Pulse;
use self::recovery::Holding;
use self::slot::Slot;
use self::stamps::Stamps;
use self::tcpip::Tcpip;
use self::timers::Timers;
use crate::session::{Output, Sessions};

pub(crate) use self::course::LINGER;
pub use self::measure::Measure;

/// The event that says that there are orders.
const ORDERS: Token = Token(usize::MAX - 1);

/// The event that says that a timer is due.
const TIMER: Token = Token(usize::MAX - 2);

/// Events taken from the kernel at a time.
const EVENTS: usize = 1024;

/// The read buffer that all clients share: most reads leave it almost empty.
const READ_BUFFER: usize = 256 * 1024;

/// Why a load process cannot go on.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The plan has nobody to play.
    #[error("the plan names no client; a load process needs at least one")]
    NoClients,
    /// The operating system refused what the loop is made of.
    #[error("cannot set up the event loop: {0}; does the process have too many files open?")]
    SetUp(#[source] io::Error),
    /// Waiting for sockets failed.
    #[error("cannot wait for {clients} clients' sockets: {source}")]
    Wait {
        /// How many clients there are.
        clients: u32,
        /// What the system said.
        source: io::Error,
    },
    /// An order came out of turn.
    #[error("the order `{0}` came out of turn: they are connect, run, and stop at any time")]
    OutOfTurn(&'static str),
    /// The instants of the trial's messages are too many, or too far.
    #[error(transparent)]
    Walk(#[from] WalkError),
}

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
        let mut recorder = Recorder::new(plan.clients, plan.delivery);
        if plan.contender.shape().asks() {
            recorder = recorder.with_polls(polls(&plan));
        }
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
    /// What keeps the process from going on; a server that fails is no error but a finding.
    pub fn run(mut self, mut news: impl FnMut(LoadNews)) -> Result<(), LoadError> {
        let mut events = Events::with_capacity(EVENTS);
        news(LoadNews::Ready);
        while self.runner.stage != Stage::Over {
            self.runner.timers.arm().map_err(LoadError::SetUp)?;
            self.runner.wait(&mut events)?;
            let mut handled = 0;
            for event in &events {
                match event.token() {
                    ORDERS => self.runner.follow(&self.inbox)?,
                    TIMER => {}
                    Token(client) => {
                        self.runner.socket(client, event);
                        handled += 1;
                    }
                }
            }
            self.runner.ring();
            self.runner.sweep(handled);
            self.runner.pump();
            self.runner.look_around(&mut news);
        }
        Ok(())
    }
}

/// What follows the polls of this process's clients.
fn polls(plan: &LoadPlan) -> Polls {
    let order = course::poll_order(plan);
    let mine = order.iter().skip(plan.first_client as usize).take(plan.clients as usize);
    let ranks: Vec<u32> = mine.map(|&rank| u32::try_from(rank).unwrap_or(u32::MAX)).collect();
    Polls::new(saturating_nanos(plan.poll_interval), &ranks, plan.total_clients)
}

/// The state of a load process.
#[derive(Debug)]
struct Runner<M, C> {
    plan: LoadPlan,
    clock: C,
    poll: Poll,
    timers: Timers,
    slots: Vec<Slot>,
    ramp: Ramp,
    phases: Phases,
    stage: Stage,
    measure: M,
    /// What the session that is being called gives out.
    out: Output,
    /// What the socket that is being read gave.
    input: Box<[u8]>,
    /// The time between poll ticks, where the transport has them.
    cadence: Option<Duration>,
    holding: Holding,
    attempts: Attempts,
    sockets: Sockets,
    tcpip: Tcpip,
    stamps: Stamps,
    glance: Glance,
    errors: Vec<String>,
    other_events: OtherEvents,
    /// The first answer that was coded.
    coded: Option<String>,
    /// The first error from warm-up on by which the server broke its protocol.
    first_protocol_error: Option<String>,
    loop_lag: LatencyHistogram,
    pulse: Pulse,
    connected_at_start: u32,
    drain: Drain,
    /// Everything was accounted for before the drain's deadline.
    drained: bool,
    /// When the good-byes began.
    closing: MonoInstant,
}

/// What the system calls themselves said that they moved, and which sockets are there.
#[derive(Debug, Default)]
struct Sockets {
    up: u64,
    down: u64,
    /// Sockets that exist.
    open: u32,
    /// Clients whose subscription stands.
    ready: u32,
}

impl<M: Measure, C: Clock> Runner<M, C> {
    fn new(plan: LoadPlan, measure: M, clock: C) -> Result<Self, LoadError> {
        if plan.clients == 0 {
            return Err(LoadError::NoClients);
        }
        let poll = Poll::new().map_err(LoadError::SetUp)?;
        let timers = Timers::new(poll.registry(), TIMER).map_err(LoadError::SetUp)?;
        let sessions = Sessions::new(&plan);
        let slot = |client| Slot::new(sessions.session(plan.first_client + client));
        let slots = (0..plan.clients).map(slot).collect();
        Ok(Self {
            cadence: sessions.cadence(),
            holding: Holding::new(&plan),
            attempts: Attempts::default(),
            clock,
            poll,
            timers,
            slots,
            ramp: Ramp::default(),
            phases: Phases::default(),
            stage: Stage::Idle,
            measure,
            out: Output::default(),
            input: vec![0; READ_BUFFER].into(),
            sockets: Sockets::default(),
            tcpip: Tcpip::new(IpVersion::of(plan.target.ip())),
            stamps: Stamps::new(&plan),
            glance: Glance::new(),
            errors: Vec::new(),
            other_events: OtherEvents::default(),
            coded: None,
            first_protocol_error: None,
            loop_lag: LatencyHistogram::default(),
            pulse: Pulse::new(),
            connected_at_start: 0,
            drain: Drain::default(),
            drained: false,
            closing: MonoInstant::default(),
            plan,
        })
    }

    fn wait(&mut self, events: &mut Events) -> Result<(), LoadError> {
        // Who has connections to read does not sleep.
        let limit = self.tcpip.sweeping().then_some(Duration::ZERO);
        match self.poll.poll(events, limit) {
            // No events then; the loop comes round.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(source) => Err(LoadError::Wait { clients: self.plan.clients, source }),
            Ok(()) => Ok(()),
        }
    }

    /// The present instant; whatever phase it belongs to has begun.
    #[inline]
    fn now(&mut self) -> MonoInstant {
        let at = self.clock.now();
        if at >= self.phases.boundary() {
            self.enter_phases(at);
        }
        at
    }

    /// Keeps an error of a client for a person to read, if it is among the first.
    fn keep_error(&mut self, client: u32, error: &dyn std::fmt::Display) {
        if self.errors.len() < KEPT_ERRORS {
            let words = self.words(client, error);
            self.errors.push(words);
        }
    }

    /// An error of a client, as a person reads it.
    fn words(&self, client: u32, error: &dyn std::fmt::Display) -> String {
        format!("client {}: {error}", self.plan.first_client + client)
    }
}

#[cfg(test)]
mod tests;
