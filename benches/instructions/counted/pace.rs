//! Time that passes by what arrives, and so is the same in each run.
//!
//! The load generator asks this clock in place of the system's. It stands still but for a step at
//! each arrival, and for the leap that begins a trial. Its instants are decades ahead of the
//! system's, so that no timer, which goes by that one, ever wakes the loop: sockets alone do, and
//! alarms ring in the turn in which the clock has passed them. So a trial has no end either: it is
//! looked at once the last message has arrived.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::ledger::{Direction, Phase, Source, Tally, TcpipTally};
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::observe::observer::{Arrival, Event, Observer, Window};
use pushbench_metrics::observe::recorder::Recorder;
use pushbench_os::time::clock::Clock;

use super::{CLIENTS, ROUNDS_PER_SECOND};

/// From one message to the next, and from one poll of a client to its next.
pub(super) const PERIOD: Duration = Duration::from_millis(1_000 / ROUNDS_PER_SECOND);

/// The part of a period that belongs to one client: its poll is somewhere in it.
pub(super) const SLOT: Duration = Duration::from_nanos(PERIOD.as_nanos() as u64 / CLIENTS as u64);

/// The first instant, far beyond those of a machine that runs now.
const FIRST: MonoInstant = MonoInstant(1 << 60);

/// The clock.
#[derive(Debug, Clone)]
pub(super) struct Pace(Rc<Cell<MonoInstant>>);

impl Pace {
    pub(super) fn new() -> Self {
        Self(Rc::new(Cell::new(FIRST)))
    }

    #[inline]
    fn advance(&self, time: Duration) {
        self.0.set(self.0.get() + time);
    }
}

impl Clock for Pace {
    #[inline]
    fn now(&self) -> MonoInstant {
        self.0.get()
    }
}

/// A trial's own recorder, with which the clock keeps pace.
#[derive(Debug)]
pub(super) struct Paced {
    recorder: Recorder,
    clock: Pace,
    /// Arrivals until the last one.
    left: u64,
    /// Is told what was measured until then.
    over: fn(&Measured),
}

impl Paced {
    /// Tells `over` what was measured when as many messages have arrived.
    pub(super) fn new(recorder: Recorder, clock: Pace, arrivals: u64, over: fn(&Measured)) -> Self {
        Self { recorder, clock, left: arrivals, over }
    }

    #[cold]
    fn end(&mut self) {
        (self.over)(&self.recorder.finish());
    }
}

impl Observer for Paced {
    #[inline]
    fn arrived(&mut self, arrival: &Arrival) {
        self.recorder.arrived(arrival);
        // The next client's poll, where it polls, is due then.
        self.clock.advance(SLOT);
        self.left = self.left.wrapping_sub(1);
        if self.left == 0 {
            self.end();
        }
    }

    #[inline]
    fn moved(&mut self, phase: Phase, at: MonoInstant, tally: &Tally) {
        self.recorder.moved(phase, at, tally);
    }

    #[inline]
    fn happened(&mut self, phase: Phase, at: MonoInstant, event: &Event) {
        self.recorder.happened(phase, at, event);
    }
}

impl Measure for Paced {
    /// The trial begins: the first message is there, and the first poll due.
    fn set_window(&mut self, window: Window) {
        self.recorder.set_window(window);
        let until = window.start.saturating_since(self.clock.now());
        self.clock.advance(until + SLOT);
    }

    fn exclude(&mut self, client: u32) {
        self.recorder.exclude(client);
    }

    fn settled(&self) -> bool {
        self.recorder.settled()
    }

    fn sockets_moved(&mut self, up: u64, down: u64) {
        self.recorder.sockets_moved(up, down);
    }

    fn wants_tcpip(&self) -> bool {
        self.recorder.wants_tcpip()
    }

    fn tcpip(&mut self, phase: Phase, direction: Direction, source: Source, tally: &TcpipTally) {
        self.recorder.tcpip(phase, direction, source, tally);
    }

    fn finish(&mut self) -> Measured {
        self.recorder.finish()
    }
}
