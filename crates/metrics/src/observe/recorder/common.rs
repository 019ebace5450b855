//! Measurements that do not depend on how messages are told apart: bytes, events, connections.

use pushbench_core::instant::saturating_nanos;
use pushbench_core::{MonoInstant, Seq};

use crate::observe::cuts::Cuts;
use crate::observe::ledger::{Phase, Tally};
use crate::observe::measured::Measured;
use crate::observe::observer::{Event, Window};
use crate::observe::series::Series;
use crate::observe::silence::Silence;

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

    /// A client still awaits messages of the window as the drain ends, which holds nothing newer than
    /// `newest`, and to which something last came at `since`.
    pub(in crate::observe) fn fell_silent(&mut self, newest: Seq, since: Option<MonoInstant>) {
        if let Some(window) = &self.window {
            let silence = Silence::of_client(newest, since, window);
            self.measured.silence.get_or_insert_default().merge(&silence);
        }
    }

    /// A message that was `due` then has not come to so many `clients` as the drain ends.
    pub(in crate::observe) fn late(&mut self, due: MonoInstant, end: MonoInstant, clients: u64) {
        let bound = end.saturating_since(due);
        self.measured.late.record_many_ns(saturating_nanos(bound), clients);
        if let Some(second) = self.window.as_ref().and_then(|window| window.second(due)) {
            self.measured.series.late(second, bound, clients);
        }
    }
}
