//! A load generator that takes in one message at each instant of a grid.

use pushbench_core::{Identity, MonoInstant, Seq};
use pushbench_load::Load;
use pushbench_metrics::observe::ledger::{Direction, Phase, Source, Tally, TcpipTally};
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::observe::observer::{Arrival, Event, Observer, Window};
use pushbench_metrics::observe::recorder::Recorder;
use pushbench_metrics::observe::silence::Coming;
use pushbench_os::time::clock::Monotonic;
use pushbench_run::player::child::{self, ChildError};

use crate::grid::Grid;

/// Plays the clients' side, `until` the next instant behind each message.
pub(crate) fn paced(until: fn(MonoInstant)) -> Result<(), ChildError> {
    let plan = child::load_plan()?;
    let recorder = Recorder::new(plan.clients, plan.delivery);
    let paced = Paced { recorder, grid: Grid::default(), until };
    child::real_load(Load::with(plan, paced, Monotonic))
}

/// A recorder that has the loop stand behind each message.
#[derive(Debug)]
struct Paced {
    recorder: Recorder,
    grid: Grid,
    until: fn(MonoInstant),
}

impl Observer for Paced {
    fn arrived(&mut self, arrival: &Arrival) {
        self.recorder.arrived(arrival);
        (self.until)(self.grid.next());
    }

    fn moved(&mut self, phase: Phase, at: MonoInstant, bytes: &Tally) {
        self.recorder.moved(phase, at, bytes);
    }

    fn happened(&mut self, phase: Phase, at: MonoInstant, event: &Event) {
        self.recorder.happened(phase, at, event);
    }
}

impl Measure for Paced {
    fn set_window(&mut self, window: Window) {
        self.recorder.set_window(window);
    }

    fn exclude(&mut self, client: u32) {
        self.recorder.exclude(client);
    }

    fn settled(&self) -> bool {
        self.recorder.settled()
    }

    fn off_schedule(&mut self, seq: Seq, is_ahead: bool) {
        self.recorder.off_schedule(seq, is_ahead);
    }

    fn end_drain(
        &mut self,
        end: MonoInstant,
        coming: &dyn Fn(u32) -> Coming,
        due: &dyn Fn(Identity) -> Option<MonoInstant>,
    ) {
        self.recorder.end_drain(end, coming, due);
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
