//! The observer that measures: everything that a load process keeps of a trial whose messages have
//! a schedule.
//!
//! The audit classifies each arrival once, and only what it calls new becomes a sample, so that
//! latencies, series and audit agree on how many deliveries there were.

mod common;

use pushbench_core::instant::saturating_nanos;
use pushbench_core::{Delivery, Identity, MonoInstant, Seq};

use crate::observe::age::Age;
use crate::observe::audit::{ArrivalClass, Audit};
use crate::observe::fresh::Overtaking;
use crate::observe::ledger::{Direction, Phase, Source, Tally, TcpipTally};
use crate::observe::measure::Measure;
use crate::observe::measured::Measured;
use crate::observe::observer::{Arrival, Event, Observer, Window};
use crate::observe::polls::Polls;
use crate::observe::silence::{Coming, Silence};
use crate::observe::so_far::SoFar;

pub(super) use self::common::Common;

/// Measures the clients of one load process during one trial.
///
/// Clients connect before the window is known, so a recorder begins without one: bytes and
/// events count from the start, messages say what a client holds.
#[derive(Debug, Clone)]
pub struct Recorder {
    audit: Audit,
    age: Age,
    overtaking: Overtaking,
    polls: Option<Box<Polls>>,
    common: Common,
}

impl Recorder {
    /// For `clients` clients, told apart by their index from 0.
    #[must_use]
    pub fn new(clients: u32, delivery: Delivery) -> Self {
        // The feed has one sender.
        let senders = 1;
        let (audit, age) = (Audit::new(clients, senders, delivery), Age::new(clients));
        let overtaking = Overtaking::default();
        Self { audit, age, overtaking, polls: None, common: Common::default() }
    }

    /// Follows each client's polls too, for them to be held against their model.
    #[must_use]
    pub fn with_polls(mut self, polls: Polls) -> Self {
        self.polls = Some(Box::new(polls));
        self
    }
}

impl Measure for Recorder {
    fn set_window(&mut self, window: Window) {
        self.audit.set_window(window);
        self.age.set_window(&window);
        self.common.set_window(window);
    }

    fn set_dues(&mut self, due: &dyn Fn(Seq) -> Option<MonoInstant>) {
        if let Some(window) = &self.common.window {
            self.overtaking = Overtaking::of(window, due);
        }
    }

    fn exclude(&mut self, client: u32) {
        self.audit.exclude(client);
    }

    fn settled(&self) -> bool {
        self.audit.settled()
    }

    fn so_far(&self) -> SoFar {
        SoFar::of(&self.common.measured)
    }

    fn off_schedule(&mut self, seq: Seq, is_ahead: bool) {
        self.common.measured.fit.off_schedule(seq, is_ahead);
    }

    fn end_drain(
        &mut self,
        end: MonoInstant,
        coming: &dyn Fn(u32) -> Coming,
        due: &dyn Fn(Identity) -> Option<MonoInstant>,
    ) {
        let Some(window) = self.common.window else { return };
        for client in 0..self.audit.clients() {
            if !self.audit.awaits(client) {
                continue;
            }
            let coming = coming(client);
            if coming.under_way {
                self.audit.set_under_way(client);
                continue;
            }
            let since = coming.last.or_else(|| self.age.held_since(client));
            let newest = self.audit.newest(client);
            self.overtaking.fell_silent(&mut self.common.measured.fresh, newest, end);
            let silence = Silence::of_client(newest, since, &window);
            self.common.measured.silence.get_or_insert_default().merge(&silence);
        }
        for (message, clients) in self.audit.late() {
            let Some(due) = due(message) else { continue };
            let bound = end.saturating_since(due);
            self.common.measured.late.record_many_ns(saturating_nanos(bound), clients);
            if let Some(second) = window.second(due) {
                self.common.measured.series.late(second, bound, clients);
            }
        }
    }

    fn sockets_moved(&mut self, up: u64, down: u64) {
        self.common.sockets_moved(up, down);
    }

    fn tcpip(&mut self, phase: Phase, direction: Direction, source: Source, tally: &TcpipTally) {
        self.common.tcpip(phase, direction, source, tally);
    }

    fn finish(&mut self) -> Measured {
        let expected = |client| !self.audit.excludes(client);
        let (audit, age) = (self.audit.finish(), self.age.finish(expected));
        let polls = self.polls.take().map(|polls| polls.finish(expected));
        Measured { audit, age, polls, ..std::mem::take(&mut self.common.measured) }
    }
}

impl Observer for Recorder {
    #[inline]
    fn arrived(&mut self, arrival: &Arrival) {
        if arrival.at < arrival.due {
            self.common.measured.fit.arrived_early(arrival);
        }
        let before = self.age.took(arrival.client, arrival.due, arrival.at);
        let newest = self.audit.newest_of_first(arrival.client);
        let class = self.audit.classify(arrival);
        if arrival.seq.0 > newest.0 + 1 && !self.audit.excludes(arrival.client) {
            let fresh = &mut self.common.measured.fresh;
            self.overtaking.overtook(fresh, newest, arrival.seq, arrival.at);
        }
        let Some(window) = self.common.window.as_ref().filter(|_| class != ArrivalClass::Duplicate)
        else {
            return;
        };
        let in_window = window.spans(arrival.at);
        if in_window {
            self.common.measured.counters.came(arrival.due, arrival.at, before);
        }
        if let Some(polls) = &mut self.polls {
            polls.arrived(arrival, in_window);
        }
        if class != ArrivalClass::New {
            return;
        }
        let latency = arrival.latency();
        self.common.measured.latency.record(latency);
        if arrival.seq < newest {
            self.common.measured.fresh.behind.record(latency);
        }
        if let Some(polls) = &mut self.polls {
            polls.delivered(arrival);
        }
        if let Some(second) = window.second(arrival.due) {
            self.common.measured.series.delivered(second, latency);
        }
    }

    #[inline]
    fn moved(&mut self, phase: Phase, at: MonoInstant, bytes: &Tally) {
        self.common.moved(phase, at, bytes);
    }

    #[inline]
    fn happened(&mut self, phase: Phase, at: MonoInstant, event: &Event) {
        self.common.happened(phase, at, event);
        if let Some(polls) = &mut self.polls {
            polls.happened(phase, at.0, event);
        }
    }
}

#[cfg(test)]
mod tests;
