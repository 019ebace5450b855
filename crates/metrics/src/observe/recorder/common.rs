//! Measurements that do not depend on how messages are told apart: bytes, events, connections.

use pushbench_core::MonoInstant;

use crate::observe::cuts::Cuts;
use crate::observe::ledger::{Direction, Phase, Source, Tally, TcpipTally};
use crate::observe::measured::Measured;
use crate::observe::observer::{Event, Window};
use crate::observe::series::Series;

/// The part that every recorder has, and the measurements that it adds its own to.
#[derive(Debug, Clone, Default)]
pub(in crate::observe) struct Common {
    pub(in crate::observe) window: Option<Window>,
    pub(in crate::observe) measured: Measured,
}

impl Common {
    pub(in crate::observe) fn set_window(&mut self, window: Window) {
        self.measured.series = Series::new(&window);
        self.window = Some(window);
    }

    #[inline]
    pub(in crate::observe) fn moved(&mut self, phase: Phase, at: MonoInstant, bytes: &Tally) {
        self.measured.ledger.add(phase, bytes);
        if let Some(second) = self.window.as_ref().and_then(|window| window.second(at)) {
            self.measured.series.moved(second, bytes);
        }
    }

    #[inline]
    pub(in crate::observe) fn happened(&mut self, phase: Phase, at: MonoInstant, event: &Event) {
        self.measured.counters.count(phase, event);
        match event {
            Event::TcpOpened { took } => self.measured.tcp_open.record(*took),
            Event::Connected { took, .. } => self.measured.connect.record(*took),
            Event::ConnectionLost { quiet, .. } if phase >= Phase::Warmup => {
                if let Some(cut) = Cuts::after(*quiet) {
                    self.measured.cuts.get_or_insert_default().merge(&cut);
                }
            }
            Event::Secured { resumed: true, took, .. } => self.measured.resumed.record(*took),
            Event::Request { .. } => {
                if let Some(second) = self.window.as_ref().and_then(|window| window.second(at)) {
                    self.measured.series.requested(second);
                }
            }
            _ => {}
        }
    }

    pub(in crate::observe) const fn sockets_moved(&mut self, up: u64, down: u64) {
        self.measured.ledger.socket_up += up;
        self.measured.ledger.socket_down += down;
    }

    pub(in crate::observe) fn tcpip(
        &mut self,
        phase: Phase,
        direction: Direction,
        source: Source,
        tally: &TcpipTally,
    ) {
        self.measured.ledger.add_tcpip(phase, direction, source, tally);
    }
}
