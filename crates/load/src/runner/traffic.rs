//! Between sockets and sessions: the hot path, and the only place where arrivals are stamped.

use std::io::{self, Read as _, Write as _};

use mio::event::Event as Readiness;
use mio::net::TcpStream;
use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::observe::ledger::{Direction, Layer, Phase, Tally};
use pushbench_metrics::observe::observer::{Arrival, Event};
use pushbench_os::time::clock::Clock;

use super::Runner;
use super::ending::{Cause, HANG_UP};
use super::measure::Measure;
use super::phases::Phases;
use super::slot::Link;
use super::timers::Alarm;
use crate::session::{Demand, Ending, Note, ProtocolError, Sending};

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Something is to be done at a client's socket.
    #[inline]
    pub(super) fn socket(&mut self, client: usize, event: &Readiness) {
        let Some(slot) = self.slots.get(client) else { return };
        let (waits, opening) = (slot.backlog.is_some(), matches!(slot.link, Link::Opening(_)));
        // There are as many clients as a u32 counts.
        let client = client as u32;
        if opening && !self.opened(client, event) {
            return;
        }
        if waits && event.is_writable() {
            self.flush(client);
        }
        let at_the_end = event.is_read_closed() || event.is_error();
        if event.is_readable() || at_the_end {
            self.read(client, at_the_end);
        }
    }

    /// Whether a connection that was being opened is open now; it says so to its session.
    #[cold]
    fn opened(&mut self, client: u32, event: &Readiness) -> bool {
        let slot = &mut self.slots[client as usize];
        let Link::Opening(stream) = &slot.link else { return false };
        if event.is_error() || event.is_write_closed() {
            let error = stream.take_error().ok().flatten();
            let error = error.unwrap_or_else(|| io::ErrorKind::ConnectionAborted.into());
            let at = self.now();
            self.ended(client, at, Cause::Unreachable(error));
            return false;
        }
        if !event.is_writable() {
            return false;
        }
        slot.stamped = self.stamps.opened(client, stream);
        if let Link::Opening(stream) = std::mem::take(&mut slot.link) {
            slot.link = Link::Open(stream);
        }
        let at = self.now();
        self.out.clear();
        self.slots[client as usize].session.opened(&mut self.out);
        self.act(client, at);
        matches!(self.slots[client as usize].link, Link::Open(_))
    }

    /// Reads until the socket is empty. A read that leaves room in the buffer has emptied it,
    /// except for the end of the stream, which `to_the_end` says is there.
    #[inline]
    fn read(&mut self, client: u32, to_the_end: bool) {
        loop {
            let slot = &mut self.slots[client as usize];
            let Link::Open(stream) = &mut slot.link else { return };
            let read = if slot.stamped {
                self.stamps.read(stream, &mut self.input)
            } else {
                stream.read(&mut self.input)
            };
            match read {
                Ok(0) => {
                    let at = self.now();
                    return self.ended(client, at, Cause::Closed);
                }
                Ok(length) => {
                    let at = self.now();
                    self.received(client, length, at);
                    if length < self.input.len() && !to_the_end {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let at = self.now();
                    return self.ended(client, at, Cause::Broken(error));
                }
            }
        }
    }

    /// The first `length` bytes of the buffer came from a client's socket, the last at `at`.
    #[inline]
    fn received(&mut self, client: u32, length: usize, at: MonoInstant) {
        self.sockets.down += length as u64;
        self.out.clear();
        let slot = &mut self.slots[client as usize];
        let outcome = slot.session.receive(&self.input[..length], &mut self.out);
        self.deliver(client, at);
        let counted = self.out.received.total(Direction::Down);
        if outcome.is_err() || counted != length as u64 {
            self.account_for(client, length as u64, counted, outcome.is_ok());
        }
        let phase = self.phases.phase();
        if phase == Phase::Drain && self.out.received.layer(Layer::Payload) > 0 {
            self.drain.fed(client, at);
        }
        self.measure.moved(phase, at, &self.out.received);
        match outcome {
            Ok(()) if self.out.is_plain() => {}
            Ok(()) => self.act(client, at),
            Err(error) => self.broke_protocol(client, at, &error),
        }
    }

    /// Stamps the messages that the session gave out.
    #[inline]
    pub(super) fn deliver(&mut self, client: u32, at: MonoInstant) {
        let Some(&last) = self.out.messages.last() else { return };
        self.glance.messages += self.out.messages.len() as u64;
        let slot = &mut self.slots[client as usize];
        if slot.backoff.has_failed() && !brought_nothing_new(&self.out.notes) {
            slot.backoff.recovered();
        }
        // Before the order to run, messages move nothing but cursors.
        let Some(table) = self.phases.table() else { return };
        let stamped = slot.stamped;
        for &seq in &self.out.messages {
            let Some(due) = table.due(seq) else {
                off_schedule(&mut self.measure, &self.phases, seq, at);
                continue;
            };
            let arrival = Arrival { client, seq, due, at };
            self.measure.arrived(&arrival);
            if stamped {
                self.stamps.arrived(&arrival, last);
            }
            self.glance.arrived(arrival.latency());
        }
    }

    /// A session has not accounted for all the bytes that it was given. Where it gave up half
    /// way, that is as it should be, and the rest is nobody's payload. Otherwise it is a mistake,
    /// which the ledger shows by not balancing.
    #[cold]
    fn account_for(&mut self, client: u32, length: u64, counted: u64, is_mistake: bool) {
        if !is_mistake && counted <= length {
            self.out.received.add(Direction::Down, Layer::Framing, length - counted);
            return;
        }
        self.keep_error(
            client,
            &format_args!(
                "its session accounts for {counted} of {length} bytes read; please report this"
            ),
        );
    }

    /// Does what the session's output asks for beside messages and received bytes.
    pub(super) fn act(&mut self, client: u32, at: MonoInstant) {
        let mut notes = std::mem::take(&mut self.out.notes);
        for note in notes.drain(..) {
            self.note(client, at, &note);
        }
        self.out.notes = notes;
        let demand = self.out.demand;
        if !self.out.send.is_empty() && !self.send(client, at) {
            return;
        }
        match demand {
            Demand::Keep => {}
            Demand::Connect => self.connect(client),
            Demand::AskAgain => self.ask_again(client, at),
            Demand::HangUp => self.ended(client, at, Cause::Closed),
            Demand::Close => self.drop_link(client),
        }
        // Whoever polls on a period goes on by it after a refusal, if not at once.
        if self.cadence.is_some() && self.slots[client as usize].trouble.is_some() {
            self.recover(client, at, Ending::Done);
        }
    }

    pub(super) fn note(&mut self, client: u32, at: MonoInstant, note: &Note) {
        let event = match note {
            Note::Request => {
                self.holding.asked(client, at);
                if self.slots[client as usize].stamped {
                    self.stamps.asked(client, self.clock.now());
                }
                Event::Request { client }
            }
            Note::EmptyResponse => {
                self.without_news(client, at);
                Event::EmptyResponse { client }
            }
            Note::StaleResponse => return self.without_news(client, at),
            Note::Reconnection(time) => return self.not_before(client, at + *time),
            Note::RetryAfter(wait) => return self.leave_alone(client, at, *wait),
            Note::SkippedPoll => Event::SkippedPoll,
            Note::Failed(error) => {
                // Behind a message without a number the connection goes on.
                if !matches!(error, ProtocolError::NoSequence { .. }) {
                    self.blame(client, error);
                }
                return self.failed(client, at, error);
            }
            Note::Subscribed => return self.subscribed(client, at),
            Note::OtherEvent(name) => return self.other_events.count(name),
            Note::Closing => return self.timers.set(at + HANG_UP, Alarm::HangUp(client)),
        };
        self.measure.happened(self.phases.phase(), at, &event);
    }

    fn subscribed(&mut self, client: u32, at: MonoInstant) {
        self.leave_ramp(client);
        let slot = &mut self.slots[client as usize];
        let renewed = std::mem::take(&mut slot.renewing);
        if std::mem::replace(&mut slot.ready, true) && !renewed {
            return;
        }
        self.sockets.ready += u32::from(!renewed);
        let event = if std::mem::replace(&mut slot.was_ready, true) {
            Event::Reconnected { client }
        } else {
            Event::Connected { client, took: at.saturating_since(slot.opened) }
        };
        self.measure.happened(self.phases.phase(), at, &event);
    }

    /// Writes what the session gave out, or puts it behind what is still to be written. `false`
    /// where that ended the connection.
    pub(super) fn send(&mut self, client: u32, at: MonoInstant) -> bool {
        let slot = &mut self.slots[client as usize];
        if let Some(backlog) = &mut slot.backlog {
            backlog.append(&mut self.out.send);
            return true;
        }
        let Link::Open(stream) = &mut slot.link else { return true };
        let mut tally = Tally::default();
        let outcome = write(stream, &mut self.out.send, &mut tally);
        if !self.out.send.is_empty() {
            slot.backlog.insert(Box::default()).append(&mut self.out.send);
        }
        self.wrote(client, at, &tally, outcome)
    }

    /// Writes what is still to be written, as far as the socket takes it.
    #[cold]
    fn flush(&mut self, client: u32) {
        let at = self.now();
        let slot = &mut self.slots[client as usize];
        let (Link::Open(stream), Some(backlog)) = (&mut slot.link, &mut slot.backlog) else {
            return;
        };
        let mut tally = Tally::default();
        let outcome = write(stream, backlog, &mut tally);
        if backlog.is_empty() {
            slot.backlog = None;
        }
        self.wrote(client, at, &tally, outcome);
    }

    fn wrote(
        &mut self,
        client: u32,
        at: MonoInstant,
        tally: &Tally,
        outcome: io::Result<u64>,
    ) -> bool {
        self.measure.moved(self.phases.phase(), at, tally);
        match outcome {
            Ok(written) => {
                self.sockets.up += written;
                true
            }
            Err(error) => {
                self.ended(client, at, Cause::Broken(error));
                false
            }
        }
    }
}

/// Tells of a message that has no instant in the timetable, which ends with the drain. One that
/// the schedule has not reached by then is no part of the trial; before then it is ahead of it.
#[cold]
fn off_schedule(measure: &mut impl Measure, phases: &Phases, seq: Seq, at: MonoInstant) {
    let (Some(table), Some(timing)) = (phases.table(), phases.timing()) else { return };
    let is_ahead = table.is_beyond(seq);
    if !is_ahead || at < timing.drain_deadline {
        measure.off_schedule(seq, is_ahead);
    }
}

/// Whether an answer brought nothing but what the client had.
#[cold]
fn brought_nothing_new(notes: &[Note]) -> bool {
    notes.iter().any(|note| matches!(note, Note::StaleResponse))
}

/// Writes as much of `sending` as the socket takes, and attributes that much to `tally`. The
/// socket's own count of it is what comes back.
fn write(stream: &mut TcpStream, sending: &mut Sending, tally: &mut Tally) -> io::Result<u64> {
    let mut total = 0;
    while !sending.is_empty() {
        match stream.write(sending.bytes()) {
            Ok(written) => {
                total += written as u64;
                sending.sent(written, tally);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What went before counts; the next call, or the next read, says the same again.
            Err(_) if total > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}
