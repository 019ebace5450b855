//! Who the runner tells about a trial.

use pushbench_core::{Identity, MonoInstant, Seq};
use pushbench_metrics::observe::ledger::{Direction, Phase, Source, TcpipTally};
use pushbench_metrics::observe::observer::{Observer, Window};
use pushbench_metrics::observe::recorder::{Measured, Recorder};
use pushbench_metrics::observe::silence::Coming;

/// An [`Observer`] that is also told about the trial itself. Normally a [`Recorder`]; `()`
/// measures nothing, to know what measuring costs.
pub trait Measure: Observer {
    /// The window; given once, before it starts.
    fn set_window(&mut self, _window: Window) {}

    /// A client is not connected as the window starts.
    fn exclude(&mut self, _client: u32) {}

    /// Whether all is accounted for, so that the drain may end. Asked often.
    fn settled(&self) -> bool {
        true
    }

    /// A message arrived whose instant is not known: it is not due before the trial is over, or
    /// else was long before it.
    fn off_schedule(&mut self, _seq: Seq, _is_ahead: bool) {}

    /// The drain is over, at `end`; `coming` says what still comes to a client that awaits
    /// messages, and `due` when one of the window was due.
    fn end_drain(
        &mut self,
        _end: MonoInstant,
        _coming: &dyn Fn(u32) -> Coming,
        _due: &dyn Fn(Identity) -> Option<MonoInstant>,
    ) {
    }

    /// Bytes that the sockets moved in all; given once, at the end.
    fn sockets_moved(&mut self, _up: u64, _down: u64) {}

    /// Whether the kernel is to be asked about connections at all.
    fn wants_tcpip(&self) -> bool {
        true
    }

    /// Headers of TCP and IP in `phase`; given at the end, once for each phase, direction and
    /// source of which anything is known.
    fn tcpip(&mut self, _: Phase, _: Direction, _: Source, _: &TcpipTally) {}

    /// The measurements. Afterwards nothing more is given.
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

    fn off_schedule(&mut self, seq: Seq, is_ahead: bool) {
        Self::off_schedule(self, seq, is_ahead);
    }

    fn end_drain(
        &mut self,
        end: MonoInstant,
        coming: &dyn Fn(u32) -> Coming,
        due: &dyn Fn(Identity) -> Option<MonoInstant>,
    ) {
        Self::end_drain(self, end, coming, due);
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
