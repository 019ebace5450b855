//! The state of a load process, and the time that it is.

use std::io;
use std::time::Duration;

use mio::{Events, Poll, Token};
use pushbench_core::MonoInstant;
use pushbench_core::security::Agreed;
use pushbench_metrics::observe::attempts::Attempts;
use pushbench_metrics::observe::events::OtherEvents;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::record::control::{KEPT_ERRORS, LoadPlan};
use pushbench_os::net::tcp_info::IpVersion;
use pushbench_os::time::clock::Clock;

use super::churn::Leaving;
use super::client::Client;
use super::drain::Drain;
use super::error::LoadError;
use super::holding::Holding;
use super::loop_check::LoopCheck;
use super::phases::Phases;
use super::progress::ProgressSample;
use super::ramp::Ramp;
use super::saying::Saying;
use super::security::Security;
use super::stamps::Stamps;
use super::tcpip::Tcpip;
use super::timers::Timers;
use crate::channel::Moved;
use crate::session::{Output, Sessions};

/// The event that says that a timer is due.
pub(super) const TIMER: Token = Token(usize::MAX - 2);

/// The read buffer that all clients share: most reads leave it almost empty.
const READ_BUFFER: usize = 256 * 1024;

/// How far a load process has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoadState {
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

/// The state of a load process.
#[derive(Debug)]
pub(super) struct Runner<M, C> {
    pub(super) plan: LoadPlan,
    pub(super) clock: C,
    pub(super) poll: Poll,
    pub(super) timers: Timers,
    /// The security of connections, where they have any.
    pub(super) security: Option<Security>,
    /// The agreement of the first of them that was secured.
    pub(super) agreement: Option<Agreed>,
    /// One for each connection that a client keeps: those on which they listen, and behind them those
    /// on which they only speak, where that takes connections of their own.
    pub(super) clients: Vec<Client>,
    /// Where clients speak.
    pub(super) saying: Option<Saying>,
    /// The maker of their sessions, which knows what rules found in all of them.
    pub(super) sessions: Sessions,
    /// Where clients leave and others come in their place.
    pub(super) leaving: Option<Leaving>,
    pub(super) ramp: Ramp,
    pub(super) phases: Phases,
    pub(super) state: LoadState,
    pub(super) measure: M,
    /// The output of the session that is being called.
    pub(super) out: Output,
    /// The plaintext of the channel that is being read.
    pub(super) input: Box<[u8]>,
    /// The time between poll ticks, where the transport has them.
    pub(super) cadence: Option<Duration>,
    pub(super) holding: Holding,
    pub(super) attempts: Attempts,
    pub(super) moved: Moved,
    pub(super) numbers: Numbers,
    pub(super) tcpip: Tcpip,
    pub(super) stamps: Stamps,
    pub(super) progress: ProgressSample,
    pub(super) errors: Vec<String>,
    pub(super) other_events: OtherEvents,
    /// The first answer that was coded.
    pub(super) coded: Option<String>,
    /// The first error from warm-up on by which the server broke its protocol.
    pub(super) first_protocol_error: Option<String>,
    pub(super) loop_lag: LatencyHistogram,
    pub(super) loop_check: LoopCheck,
    pub(super) drain: Drain,
    /// Everything was accounted for before the drain's deadline.
    pub(super) drained: bool,
    /// When the good-byes began.
    pub(super) closing: MonoInstant,
}

/// How many clients are in which state, so that nobody has to go through them all.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Channels that exist.
    pub(super) channels: u32,
    /// Clients whose subscription stands.
    pub(super) ready: u32,
    /// Clients that are out for good.
    pub(super) given_up: u32,
    /// Clients that were ready when the window began.
    pub(super) ready_at_start: u32,
}

impl<M: Measure, C: Clock> Runner<M, C> {
    pub(super) fn new(plan: LoadPlan, measure: M, clock: C) -> Result<Self, LoadError> {
        if plan.clients == 0 {
            return Err(LoadError::NoClients);
        }
        let poll = Poll::new().map_err(LoadError::SetUp)?;
        let timers = Timers::new(poll.registry(), TIMER).map_err(LoadError::SetUp)?;
        let sessions = Sessions::new(&plan);
        let numbers = plan.first_client..plan.first_client + plan.clients;
        let listeners = numbers.clone().map(|number| sessions.session(number));
        let speakers = numbers.filter_map(|number| sessions.speaker(number));
        let clients: Vec<Client> = listeners.chain(speakers).map(Client::new).collect();
        Ok(Self {
            cadence: sessions.cadence(),
            holding: Holding::new(&plan),
            attempts: Attempts::default(),
            clock,
            poll,
            timers,
            security: Security::of(&plan, clients.len())?,
            agreement: None,
            clients,
            saying: plan.talk.map(|talk| Saying::new(talk, plan.clients)),
            sessions,
            leaving: Leaving::of(&plan),
            ramp: Ramp::default(),
            phases: Phases::default(),
            state: LoadState::Idle,
            measure,
            out: Output::default(),
            input: vec![0; READ_BUFFER].into(),
            moved: Moved::default(),
            numbers: Numbers::default(),
            tcpip: Tcpip::new(IpVersion::of(plan.target.ip())),
            stamps: Stamps::new(&plan),
            progress: ProgressSample::new(),
            errors: Vec::new(),
            other_events: OtherEvents::default(),
            coded: None,
            first_protocol_error: None,
            loop_lag: LatencyHistogram::default(),
            loop_check: LoopCheck::new(),
            drain: Drain::default(),
            drained: false,
            closing: MonoInstant::default(),
            plan,
        })
    }

    /// How many connections there are to be.
    pub(super) fn connections(&self) -> u32 {
        u32::try_from(self.clients.len()).unwrap_or(u32::MAX)
    }

    /// Waits until a socket or a timer wants something.
    pub(super) fn wait(&mut self, events: &mut Events) -> Result<(), LoadError> {
        // Who has connections to read does not sleep.
        let limit = self.tcpip.is_sweeping().then_some(Duration::ZERO);
        match self.poll.poll(events, limit) {
            // No events then; the loop comes round.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(source) => Err(LoadError::Wait { clients: self.plan.clients, source }),
            Ok(()) => Ok(()),
        }
    }

    /// The present instant; whatever phase it belongs to has begun.
    #[inline]
    pub(super) fn now(&mut self) -> MonoInstant {
        let at = self.clock.now();
        if at >= self.phases.boundary() {
            self.enter_phases(at);
        }
        at
    }

    /// Keeps an error of a client for a person to read, if it is among the first.
    pub(super) fn keep_error(&mut self, client: u32, error: &dyn std::fmt::Display) {
        if self.errors.len() < KEPT_ERRORS {
            let words = self.words(client, error);
            self.errors.push(words);
        }
    }

    /// An error of a client, as a person reads it.
    pub(super) fn words(&self, client: u32, error: &dyn std::fmt::Display) -> String {
        let words = format!("client {}: {error}", self.plan.first_client + client);
        self.plan.subject.hide(words)
    }
}
