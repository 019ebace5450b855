//! The load generator of a run with less than all that it measures.

use pushbench_load::Load;
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::observe::observer::{Arrival, Event, Observer, Window};
use pushbench_metrics::observe::recorder::Recorder;
use pushbench_os::time::clock::Monotonic;
use pushbench_run::player::child::{self, ChildError};

/// All but stamps.
pub(super) fn without_stamps() -> Result<(), ChildError> {
    let mut plan = child::load_plan()?;
    plan.stamps = None;
    child::real_load(Load::new(plan))
}

/// All but bytes, and no questions to the kernel about connections.
pub(super) fn without_ledger() -> Result<(), ChildError> {
    let plan = child::load_plan()?;
    let recorder = Recorder::new(plan.clients, plan.delivery);
    child::real_load(Load::with(plan, NoLedger(recorder), Monotonic))
}

/// How many messages and requests there were.
pub(super) fn that_counts() -> Result<(), ChildError> {
    child::real_load(Load::with(child::load_plan()?, Count::default(), Monotonic))
}

/// A recorder that is told of no bytes.
#[derive(Debug)]
struct NoLedger(Recorder);

impl Observer for NoLedger {
    #[inline]
    fn arrived(&mut self, arrival: &Arrival) {
        self.0.arrived(arrival);
    }

    #[inline]
    fn happened(&mut self, phase: Phase, at: pushbench_core::MonoInstant, event: &Event) {
        self.0.happened(phase, at, event);
    }
}

impl Measure for NoLedger {
    fn set_window(&mut self, window: Window) {
        self.0.set_window(window);
    }

    fn exclude(&mut self, client: u32) {
        self.0.exclude(client);
    }

    fn settled(&self) -> bool {
        self.0.settled()
    }

    fn wants_tcpip(&self) -> bool {
        false
    }

    fn finish(&mut self) -> Measured {
        self.0.finish()
    }
}

/// Counts what a figure per message has to be divided by.
#[derive(Debug, Default)]
struct Count {
    window: Option<Window>,
    measured: Measured,
}

impl Observer for Count {
    #[inline]
    fn arrived(&mut self, arrival: &Arrival) {
        let inside = self.window.as_ref().is_some_and(|window| window.spans(arrival.at));
        self.measured.counters.messages_in_window += u64::from(inside);
    }

    #[inline]
    fn happened(&mut self, phase: Phase, _: pushbench_core::MonoInstant, event: &Event) {
        let counts = phase == Phase::Window && matches!(event, Event::Request { .. });
        self.measured.counters.requests += u64::from(counts);
    }
}

impl Measure for Count {
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
