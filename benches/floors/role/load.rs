//! The load generator of a run, with all that it measures or with less.

use std::thread;

use pushbench_load::runner::Measure;
use pushbench_load::{Load, LoadError};
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::observe::observer::{Arrival, Event, Observer, Window};
use pushbench_metrics::observe::recorder::{Measured, Recorder};
use pushbench_metrics::record::control::{LoadOrder, LoadPlan};
use pushbench_os::time::clock::Monotonic;

use crate::orders::{hear, say};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keeps {
    /// What a run measures.
    All,
    /// All but stamps.
    NoStamps,
    /// All but bytes, and no questions to the kernel about connections.
    NoLedger,
    /// How many messages and requests there were.
    Count,
}

/// Plays a plan's clients until the trial is over.
pub(super) fn play(keeps: Keeps) -> anyhow::Result<()> {
    let mut plan: LoadPlan = hear()?;
    if matches!(keeps, Keeps::NoStamps) {
        plan.stamps = None;
    }
    let recorder = Recorder::new(plan.clients, plan.delivery);
    match keeps {
        Keeps::All | Keeps::NoStamps => run(Load::with(plan, recorder, Monotonic))?,
        Keeps::NoLedger => run(Load::with(plan, NoLedger(recorder), Monotonic))?,
        Keeps::Count => run(Load::with(plan, Count::default(), Monotonic))?,
    }
    Ok(())
}

fn run<M: Measure>(load: Result<Load<M>, LoadError>) -> Result<(), LoadError> {
    let load = load?;
    let orders = load.orders();
    thread::spawn(move || {
        while let Ok(order) = hear() {
            orders.send(order);
        }
        orders.send(LoadOrder::Stop);
    });
    load.run(|news| say(&news))
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
        Measure::finish(&mut self.0)
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
