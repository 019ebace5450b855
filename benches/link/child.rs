//! Parts that a process of a trial plays: those of a run, and a load generator that keeps apart what a run
//! sums up.

use clap::ValueEnum;
use pushbench_core::MonoInstant;
use pushbench_load::Load;
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::observe::observer::{Arrival, Event, Observer, Window};
use pushbench_os::time::clock::Monotonic;
use pushbench_run::player::child::{self, ChildError};

/// A part in a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Child {
    /// The server of a run.
    Server,
    /// The router of a run's link.
    Link,
    /// Clients of whom the latency of messages with an odd number is kept.
    Firsts,
    /// The same with an even one.
    Seconds,
}

impl Child {
    /// The arguments with which this program plays the part.
    pub(crate) fn arguments(self) -> Vec<String> {
        let name = self.to_possible_value().map(|value| value.get_name().to_owned());
        vec!["--child".to_owned(), name.unwrap_or_default()]
    }

    /// Plays the part until it is over.
    pub(crate) fn play(self) -> Result<(), ChildError> {
        match self {
            Self::Server => child::server(),
            Self::Link => child::link(),
            Self::Firsts => Kept::load(1),
            Self::Seconds => Kept::load(0),
        }
    }
}

/// Latencies of every second message, and how long it takes to be ready: at first, and on a connection that
/// takes up a session.
#[derive(Debug)]
struct Kept {
    /// The remainder of a number that is kept, divided by two.
    remainder: u64,
    window: Option<Window>,
    /// When the connection was begun that a client has taken up its session on, until the answer.
    resumed: Vec<Option<MonoInstant>>,
    measured: Measured,
}

impl Kept {
    fn load(remainder: u64) -> Result<(), ChildError> {
        let plan = child::load_plan()?;
        let resumed = vec![None; plan.clients as usize];
        let kept = Self { remainder, window: None, resumed, measured: Measured::default() };
        child::real_load(Load::with(plan, kept, Monotonic))
    }

    fn answered(&mut self, client: u32, at: MonoInstant) {
        if let Some(begun) = self.resumed[client as usize].take() {
            self.measured.resumed.record(at.saturating_since(begun));
        }
    }
}

impl Observer for Kept {
    fn arrived(&mut self, arrival: &Arrival) {
        self.answered(arrival.client, arrival.at);
        let is_inside = self.window.as_ref().is_some_and(|window| window.spans(arrival.due));
        if is_inside && arrival.seq.0 % 2 == self.remainder {
            self.measured.latency.record(arrival.latency());
        }
    }

    fn happened(&mut self, _: Phase, at: MonoInstant, event: &Event) {
        match event {
            Event::TcpOpened { took } => self.measured.tcp_open.record(*took),
            Event::Connected { took, .. } => self.measured.connect.record(*took),
            Event::Secured { client, resumed: true, took } => {
                let begun = MonoInstant(at.0.saturating_sub(took.as_nanos() as u64));
                self.resumed[*client as usize] = Some(begun);
            }
            Event::EmptyResponse { client } => self.answered(*client, at),
            _ => {}
        }
    }
}

impl Measure for Kept {
    fn set_window(&mut self, window: Window) {
        self.window = Some(window);
    }

    fn wants_tcpip(&self) -> bool {
        false
    }

    fn finish(&mut self) -> Measured {
        std::mem::take(&mut self.measured)
    }
}
