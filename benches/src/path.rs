//! The way of bytes through a session to an observer, as the runner goes it, without sockets.

use std::time::Duration;

use pushbench_core::feed::schedule::{Schedule, Timetable};
use pushbench_core::units::Rate;
use pushbench_core::{Contender, Identity, MonoInstant, Seq};
use pushbench_load::session::{Note, Output, Session, Sessions};
use pushbench_metrics::observe::ledger::{Phase, Tally};
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::observer::{Arrival, Event, Window};
use pushbench_metrics::record::control::LoadPlan;

use crate::reads;

/// Nanoseconds from one message to the next.
const GAP: u64 = 1_000_000;

/// From a message's instant to its arrival, so that there is a latency to record.
const LATENCY: u64 = 150_000;

/// One client of one transport, and who is told.
#[derive(Debug)]
pub struct Path<M> {
    session: Box<dyn Session>,
    out: Output,
    table: Timetable,
    measure: M,
    /// It polls on a period: each answer needs a tick before it.
    ticks: bool,
}

impl<M: Measure> Path<M> {
    /// A client that has subscribed, and will be brought messages 1 to `count`.
    ///
    /// # Panics
    ///
    /// Where its session does not take the answer to its first request.
    #[must_use]
    pub fn new(contender: Contender, count: u64, mut measure: M) -> Self {
        let rate = Rate::from_hz(1e9 / GAP as f64).expect("it is finite and positive");
        let mut table = Timetable::new(Schedule::Constant { rate }, 1, MonoInstant(GAP));
        let (start, end) = (MonoInstant(0), MonoInstant(GAP * (count + 1)));
        table.extend_to(end).expect("they are few");
        measure.set_window(Window { start, end, first: Seq(1), last: Seq(count) });
        let session = Sessions::new(&plan(contender)).session(0);
        let ticks = contender.shape().asks();
        let mut path = Self { session, out: Output::default(), table, measure, ticks };
        path.session.opened(&mut path.out);
        let answer = reads::subscribed(contender, path.out.send.bytes());
        path.send(MonoInstant(0));
        path.read(&answer, Seq::NONE);
        path
    }

    /// Takes what one `recv` gave, the last of it belonging to message `seq`; how many messages
    /// it brought.
    ///
    /// # Panics
    ///
    /// Where the session finds fault with it.
    #[inline]
    pub fn read(&mut self, input: &[u8], seq: Seq) -> usize {
        let at = MonoInstant(seq.0 * GAP + LATENCY);
        self.out.clear();
        self.session.receive(input, &mut self.out).expect("the bytes are a server's");
        for &Identity { sender, seq } in &self.out.messages {
            let Some(due) = self.table.due(seq) else { continue };
            self.measure.arrived(&Arrival { client: 0, sender, seq, due, at });
        }
        self.measure.moved(Phase::Window, at, &self.out.received);
        let messages = self.out.messages.len();
        self.send(at);
        if self.ticks {
            self.out.clear();
            self.session.tick(&mut self.out);
            self.send(at);
        }
        messages
    }

    /// Lets go of what the session wants sent, as a socket that takes all of it.
    #[inline]
    fn send(&mut self, at: MonoInstant) {
        for note in self.out.notes.drain(..) {
            if matches!(note, Note::Request) {
                self.measure.happened(Phase::Window, at, &Event::Request { client: 0 });
            }
        }
        let length = self.out.send.bytes().len();
        if length > 0 {
            let mut tally = Tally::default();
            self.out.send.sent(length, &mut tally);
            self.measure.moved(Phase::Window, at, &tally);
        }
    }
}

fn plan(contender: Contender) -> LoadPlan {
    let plan = LoadPlan::new(([127, 0, 0, 1], 8080).into(), contender, 1);
    LoadPlan { poll_interval: Duration::from_nanos(GAP), ..plan }
}

#[cfg(test)]
mod tests {
    use pushbench_core::Delivery;
    use pushbench_metrics::observe::recorder::Recorder;

    use super::*;

    /// Else the figures would be of something that no run does.
    #[test]
    fn every_transport_brings_every_message_to_the_record() {
        const COUNT: u64 = 50;
        for contender in
            [Contender::SHORT_POLL, Contender::LONG_POLL, Contender::SSE, Contender::WEBSOCKET]
        {
            let mut path = Path::new(contender, COUNT, Recorder::new(1, Delivery::Every));
            for seq in (1..=COUNT).map(Seq) {
                assert_eq!(path.read(&reads::message(contender, seq), seq), 1, "{contender}");
            }
            let measured = path.measure.finish();
            assert_eq!(measured.audit.delivered, COUNT, "{contender}");
            assert_eq!(measured.counters.messages_in_window, COUNT, "{contender}");
            assert_eq!(measured.latency.count(), COUNT, "{contender}");
        }
    }
}
