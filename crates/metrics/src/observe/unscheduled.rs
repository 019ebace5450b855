//! The observer that measures clients of senders whose schedule is not known: what arrives says by
//! its number which message it is, and by its stamp when it came to be.
//!
//! [`StampRecorder`] is to stamps what a [`Recorder`](crate::observe::recorder::Recorder) is to a
//! schedule. What it expects of a client is known only once the processes of a trial are put
//! together: then [`Measured::settle`] makes the totals.

mod audit;
mod counter;
mod cursor;
mod held;
mod settle;

use std::time::Duration;

use pushbench_core::{Identity, MonoInstant};

use self::audit::StampAudit;
use crate::observe::age::Age;
use crate::observe::audit::ArrivalClass;
use crate::observe::ledger::{self, Direction, Phase, Source, TcpipTally};
use crate::observe::measure::Measure;
use crate::observe::measured::Measured;
use crate::observe::observer::{Event, Finding, Observer, Window};
use crate::observe::recorder::Common;
use crate::observe::seen::{Seen, StampsSeen};
use crate::observe::silence::Coming;
use crate::observe::so_far::SoFar;

/// Measures the clients of one load process during one trial, by what senders wrote into messages.
#[derive(Debug, Clone)]
pub struct StampRecorder {
    audit: StampAudit,
    age: Age,
    stamps: StampsSeen,
    /// How far the clock of stamps may be from the truth.
    bound: Duration,
    common: Common,
}

impl StampRecorder {
    /// For `clients` clients, told apart by their index from 0.
    #[must_use]
    pub fn new(clients: u32) -> Self {
        Self {
            audit: StampAudit::new(clients),
            age: Age::new(clients),
            stamps: StampsSeen::default(),
            bound: Duration::ZERO,
            common: Common::default(),
        }
    }
}

impl Measure for StampRecorder {
    fn set_window(&mut self, window: Window) {
        self.audit.set_window(window);
        self.age.set_window(&window);
        self.common.set_window(window);
    }

    fn set_stamp_bound(&mut self, bound: Duration) {
        self.bound = bound;
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

    fn end_drain(
        &mut self,
        end: MonoInstant,
        coming: &dyn Fn(u32) -> Coming,
        _: &dyn Fn(Identity) -> Option<MonoInstant>,
    ) {
        self.audit.end_drain(end, coming);
    }

    fn sockets_moved(&mut self, up: u64, down: u64) {
        self.common.sockets_moved(up, down);
    }

    fn tcpip(&mut self, phase: Phase, direction: Direction, source: Source, tally: &TcpipTally) {
        self.common.tcpip(phase, direction, source, tally);
    }

    fn finish(&mut self) -> Measured {
        let age = self.age.finish(|client| !self.audit.excludes(client));
        let seen = Seen { stamps: self.stamps, ..self.audit.finish() };
        Measured { age, seen: vec![seen], ..std::mem::take(&mut self.common.measured) }
    }
}

impl Observer for StampRecorder {
    fn found(&mut self, finding: &Finding) {
        self.stamps.take(finding, self.bound);
        let before = finding.due.map(|due| (due, self.age.took(finding.client, due, finding.at)));
        let class = self.audit.classify(finding);
        let Some(window) = self.common.window.filter(|_| class != ArrivalClass::Duplicate) else {
            return;
        };
        let measured = &mut self.common.measured;
        if window.spans(finding.at) {
            match before {
                Some((due, before)) => measured.counters.came(due, finding.at, before),
                None => measured.counters.messages_in_window += 1,
            }
        }
        let second = window.second(finding.instant());
        let Some(second) = second.filter(|_| class == ArrivalClass::New) else { return };
        match finding.latency() {
            Some(latency) => {
                measured.latency.record(latency);
                measured.series.delivered(second, latency);
            }
            None => measured.series.delivered_untimed(second),
        }
    }

    #[inline]
    fn moved(&mut self, phase: Phase, at: MonoInstant, bytes: &ledger::Tally) {
        self.common.moved(phase, at, bytes);
    }

    #[inline]
    fn happened(&mut self, phase: Phase, at: MonoInstant, event: &Event) {
        self.common.happened(phase, at, event);
        match *event {
            Event::ConnectionLost { client, .. } => self.audit.set_away(client, true),
            Event::Reconnected { client } => self.audit.set_away(client, false),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
