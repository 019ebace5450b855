//! A trial as a load process tells of it, beside what its clients see.

use std::time::Duration;

use pushbench_core::{Identity, MonoInstant, Seq};

use crate::observe::ledger::{Direction, Phase, Source, TcpipTally};
use crate::observe::measured::Measured;
use crate::observe::observer::{Observer, Window};
use crate::observe::silence::Coming;
use crate::observe::so_far::SoFar;

/// An [`Observer`] that is also told about the trial itself. Normally a
/// [`Recorder`](super::recorder::Recorder); `()` measures nothing, to know what measuring costs.
pub trait Measure: Observer {
    /// The window; given once, before it starts.
    fn set_window(&mut self, _window: Window) {}

    /// When each message of the feed that is due in the window is due; given with the window.
    fn set_dues(&mut self, _due: &dyn Fn(Seq) -> Option<MonoInstant>) {}

    /// The window's messages of each client that speaks, by its number among all of the trial's; given
    /// with the window where clients talk.
    fn set_speakers(&mut self, _windows: &[Window]) {}

    /// When the server is to go and another to come in its place; given with the window, where that is
    /// so.
    fn set_halt(&mut self, _halt: MonoInstant) {}

    /// How far the clock of senders' stamps may be from the truth; given with the window.
    fn set_stamp_bound(&mut self, _bound: Duration) {}

    /// A client is not connected as the window starts: it is left out of audit, latencies, ages and
    /// series. Its bytes and requests still count, as do its messages where bytes are divided by
    /// messages. Given before a message that is due in the window can arrive.
    fn exclude(&mut self, _client: u32) {}

    /// Whether every message due in the window is accounted for at every client that is not
    /// excluded, so that the drain may end. Asked often.
    fn settled(&self) -> bool {
        true
    }

    /// The figures up to now, for a person who watches. Asked once a second at most, and only where
    /// somebody does.
    fn so_far(&self) -> SoFar {
        SoFar::default()
    }

    /// A message arrived whose instant is not known: it is not due before the trial is over, or
    /// else was long before it.
    fn off_schedule(&mut self, _seq: Seq, _is_ahead: bool) {}

    /// The drain is over, at `end`: of what a client still awaits, `coming` says when bytes of the
    /// feed last came since the window's end, and whether it is under way; `due` when a message of
    /// the window was due. Given once.
    fn end_drain(
        &mut self,
        _end: MonoInstant,
        _coming: &dyn Fn(u32) -> Coming,
        _due: &dyn Fn(Identity) -> Option<MonoInstant>,
    ) {
    }

    /// Bytes that the sockets moved in all, for the ledger to be checked against.
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
