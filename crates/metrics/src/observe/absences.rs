//! A measure of a trial in which connections end because that was asked for.

use std::collections::HashMap;
use std::time::Duration;

use pushbench_core::{Identity, MonoInstant, Seq};

use crate::observe::away::{Away, TENTH, Tenth};
use crate::observe::ledger::{Direction, Phase, Source, Tally, TcpipTally};
use crate::observe::measure::Measure;
use crate::observe::measured::Measured;
use crate::observe::observer::{Arrival, Event, Finding, Observer, Window};
use crate::observe::silence::Coming;
use crate::observe::so_far::SoFar;

/// By what a client that was cut off is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// It is subscribed again.
    Subscribed,
    /// It has a message again.
    Message,
}

/// A measure of a trial in which connections end because that was asked for: whatever `M` measures,
/// and how long clients were away.
///
/// A client that leaves is back once it is subscribed again. One that the server cut off, when that
/// went, is back with its first message since: from the server's end until then it had nothing new.
#[derive(Debug)]
pub struct Absences<M> {
    inner: M,
    window: Option<Window>,
    halt: Option<MonoInstant>,
    /// Those that are away, since when, and until what.
    absent: HashMap<u32, (MonoInstant, Until)>,
    /// Whose absence counts: those that hear. Numbers from here on are of connections that they speak on.
    clients: u32,
    away: Away,
}

/// The most tenths that are kept: those of a window of an hour.
const MOST_TENTHS: usize = 36_000;

impl<M> Absences<M> {
    /// Measures that of so many `clients` beside `inner`.
    pub fn beside(inner: M, clients: u32) -> Self {
        Self {
            inner,
            window: None,
            halt: None,
            absent: HashMap::new(),
            clients,
            away: Away::default(),
        }
    }

    /// Counts what happens at `at`, where that is in the window or behind it.
    fn count(&mut self, at: MonoInstant, count: impl FnOnce(&mut Tenth)) {
        let Some(window) = self.window.filter(|window| at >= window.start) else { return };
        let index = at.saturating_since(window.start).as_nanos() / TENTH.as_nanos();
        let index = usize::try_from(index).unwrap_or(MOST_TENTHS);
        if index >= MOST_TENTHS {
            return;
        }
        if index >= self.away.tenths.len() {
            self.away.tenths.resize(index + 1, Tenth::default());
        }
        count(&mut self.away.tenths[index]);
    }

    fn cut_off(&mut self, client: u32, since: MonoInstant, until: Until) {
        if client < self.clients && self.absent.insert(client, (since, until)).is_none() {
            self.away.cut_off += 1;
        }
    }

    fn is_back(&mut self, client: u32, at: MonoInstant, by: Until) {
        if self.absent.get(&client).is_some_and(|(_, until)| *until == by)
            && let Some((since, _)) = self.absent.remove(&client)
        {
            self.away.back.record(at.saturating_since(since));
        }
    }

    /// The server has gone, and this client has noticed.
    fn server_gone(&mut self, client: u32, at: MonoInstant) {
        let Some(halt) = self.halt.filter(|halt| at >= *halt) else { return };
        self.cut_off(client, halt, Until::Message);
    }

    fn note(&mut self, at: MonoInstant, event: &Event) {
        match *event {
            Event::Opening { .. } => self.count(at, |tenth| tenth.opened += 1),
            Event::Left { client } => self.cut_off(client, at, Until::Subscribed),
            Event::Reconnected { client } => self.is_back(client, at, Until::Subscribed),
            Event::ConnectionLost { client, .. } => self.server_gone(client, at),
            Event::Failed { client } => {
                self.count(at, |tenth| tenth.failed += 1);
                self.server_gone(client, at);
            }
            _ => {}
        }
    }
}

impl<M: Observer> Observer for Absences<M> {
    fn arrived(&mut self, arrival: &Arrival) {
        if !self.absent.is_empty() {
            self.is_back(arrival.client, arrival.at, Until::Message);
        }
        self.count(arrival.at, |tenth| tenth.arrived += 1);
        self.inner.arrived(arrival);
    }

    fn found(&mut self, finding: &Finding) {
        self.inner.found(finding);
    }

    fn moved(&mut self, phase: Phase, at: MonoInstant, bytes: &Tally) {
        self.inner.moved(phase, at, bytes);
    }

    fn happened(&mut self, phase: Phase, at: MonoInstant, event: &Event) {
        self.note(at, event);
        self.inner.happened(phase, at, event);
    }
}

impl<M: Measure> Measure for Absences<M> {
    fn set_window(&mut self, window: Window) {
        self.window = Some(window);
        self.inner.set_window(window);
    }

    fn set_halt(&mut self, halt: MonoInstant) {
        self.halt = Some(halt);
    }

    fn set_speakers(&mut self, windows: &[Window]) {
        self.inner.set_speakers(windows);
    }

    fn set_stamp_bound(&mut self, bound: Duration) {
        self.inner.set_stamp_bound(bound);
    }

    fn exclude(&mut self, client: u32) {
        self.inner.exclude(client);
    }

    fn settled(&self) -> bool {
        self.inner.settled()
    }

    fn so_far(&self) -> SoFar {
        self.inner.so_far()
    }

    fn off_schedule(&mut self, seq: Seq, is_ahead: bool) {
        self.inner.off_schedule(seq, is_ahead);
    }

    fn end_drain(
        &mut self,
        end: MonoInstant,
        coming: &dyn Fn(u32) -> Coming,
        due: &dyn Fn(Identity) -> Option<MonoInstant>,
    ) {
        self.inner.end_drain(end, coming, due);
    }

    fn sockets_moved(&mut self, up: u64, down: u64) {
        self.inner.sockets_moved(up, down);
    }

    fn wants_tcpip(&self) -> bool {
        self.inner.wants_tcpip()
    }

    fn tcpip(&mut self, phase: Phase, direction: Direction, source: Source, tally: &TcpipTally) {
        self.inner.tcpip(phase, direction, source, tally);
    }

    fn finish(&mut self) -> Measured {
        Measured { away: Some(std::mem::take(&mut self.away)), ..self.inner.finish() }
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::Sender;

    use super::*;

    fn at(millis: u64) -> MonoInstant {
        MonoInstant(millis * 1_000_000)
    }

    fn absences() -> Absences<()> {
        let mut absences = Absences::beside((), 10);
        let window = Window { start: at(1_000), end: at(3_000), first: Seq(1), last: Seq(9) };
        absences.set_window(window);
        absences
    }

    fn arrives(absences: &mut Absences<()>, client: u32, millis: u64) {
        let sender = Sender::FEED;
        absences.arrived(&Arrival { client, sender, seq: Seq(1), due: at(1), at: at(millis) });
    }

    #[test]
    fn whom_the_server_cut_off_is_away_from_its_end_to_the_first_message() {
        let mut absences = absences();
        absences.set_halt(at(1_500));
        let mut happened = |millis, event| absences.happened(Phase::Window, at(millis), &event);
        happened(1_400, Event::Failed { client: 9 });
        happened(1_510, Event::ConnectionLost { client: 3, quiet: Duration::ZERO });
        happened(1_520, Event::Failed { client: 3 });
        happened(1_530, Event::Failed { client: 4 });
        happened(2_000, Event::Reconnected { client: 3 });
        arrives(&mut absences, 3, 2_100);
        arrives(&mut absences, 3, 2_200);
        arrives(&mut absences, 5, 2_200);
        // A connection that a client speaks on beside.
        absences.happened(Phase::Close, at(2_300), &Event::Failed { client: 10 });
        let away = absences.finish().away.unwrap();
        assert_eq!((away.cut_off, away.back.count(), away.not_back()), (2, 1, 1));
        let back_us = away.back.max_us().unwrap();
        assert!((back_us / 600_000.0 - 1.0).abs() < 0.001, "{back_us}");
        assert_eq!(away.tenths.len(), 14);
        assert_eq!([4, 5, 13].map(|tenth| away.tenths[tenth].failed), [1, 2, 1]);
        assert_eq!((away.tenths[11].arrived, away.tenths[12].arrived), (1, 2));
    }

    #[test]
    fn who_leaves_is_back_once_subscribed_and_openings_are_counted_by_the_tenth() {
        let mut absences = absences();
        let mut happened = |millis, event| absences.happened(Phase::Window, at(millis), &event);
        happened(900, Event::Opening { client: 0 });
        happened(1_010, Event::Left { client: 0 });
        happened(1_010, Event::Opening { client: 0 });
        happened(1_099, Event::Opening { client: 1 });
        happened(1_100, Event::Opening { client: 2 });
        happened(1_020, Event::Reconnected { client: 0 });
        happened(1_030, Event::Reconnected { client: 7 });
        let mut away = absences.finish().away.unwrap();
        assert_eq!((away.cut_off, away.not_back(), away.back.count()), (1, 0, 1));
        assert_eq!((away.opened(), away.opened_peak()), (3, 20.0));
        let other = away.clone();
        away.merge(&other);
        assert_eq!((away.cut_off, away.opened(), away.opened_peak()), (2, 6, 40.0));
    }
}
