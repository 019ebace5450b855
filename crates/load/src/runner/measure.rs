//! Who the runner tells about a trial.

use pushbench_metrics::ledger::{Direction, Phase, Source, TcpipTally};
use pushbench_metrics::observer::{Observer, Window};
use pushbench_metrics::recorder::{Measured, Recorder};

/// An [`Observer`] that is also told about the trial itself. Normally a [`Recorder`]; `()`
/// measures nothing, to know what measuring costs.
pub trait Measure: Observer {
    /// What the window is; told once, before it starts.
    fn set_window(&mut self, _window: Window) {}

    /// A client is not connected as the window starts.
    fn exclude(&mut self, _client: u32) {}

    /// Whether all is accounted for, so that the drain may end. Asked often.
    fn settled(&self) -> bool {
        true
    }

    /// What the sockets moved in all; told once, at the end.
    fn sockets_moved(&mut self, _up: u64, _down: u64) {}

    /// Whether the kernel is to be asked about connections at all.
    fn wants_tcpip(&self) -> bool {
        true
    }

    /// What TCP and IP added in `phase`; told at the end, once for each phase, direction and
    /// source of which anything is known.
    fn tcpip(&mut self, _: Phase, _: Direction, _: Source, _: &TcpipTally) {}

    /// What was measured. Afterwards nothing more is told.
    fn finish(&mut self) -> Measured {
        Measured::default()
    }
}

impl Measure for () {
    fn wants_tcpip(&self) -> bool {
        false
    }
}

impl Measure for Recorder {
    fn set_window(&mut self, window: Window) {
        Self::set_window(self, window);
    }

    fn exclude(&mut self, client: u32) {
        Self::exclude(self, client);
    }

    fn settled(&self) -> bool {
        Self::settled(self)
    }

    fn sockets_moved(&mut self, up: u64, down: u64) {
        Self::sockets_moved(self, up, down);
    }

    fn tcpip(&mut self, phase: Phase, direction: Direction, source: Source, tally: &TcpipTally) {
        Self::tcpip(self, phase, direction, source, tally);
    }

    fn finish(&mut self) -> Measured {
        let empty = Self::new(0, pushbench_core::Delivery::Every);
        // Whoever was not connected at t0 has been excluded.
        Self::finish(std::mem::replace(self, empty), |_| true)
    }
}
