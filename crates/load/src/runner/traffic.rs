//! Between channels and sessions: the hot path, and the only place where arrivals are stamped.

use std::io;

use mio::event::Event as Readiness;
use pushbench_core::{Identity, MonoInstant};
use pushbench_metrics::observe::ledger::{Direction, Layer, Phase, Tally};
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::observer::{Arrival, Event};
use pushbench_os::time::clock::Clock;

use super::ending::{Cause, HANG_UP};
use super::phases::Phases;
use super::state::Runner;
use super::timers::Alarm;
use crate::channel::Received;
use crate::session::{Demand, Ending, Note, ProtocolError};

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Something is to be done at a client's channel.
    #[inline]
    pub(super) fn is_ready(&mut self, client: usize, event: &Readiness) {
        let Some(outlet) = self.clients.get(client).map(|client| &client.outlet) else { return };
        let (waits, open) = (outlet.waits(), outlet.is_open());
        // There are as many clients as a u32 counts.
        let client = client as u32;
        if !open && !self.advance(client, event) {
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

    /// Takes the opening of a client's channel on; whether that is open now, of which it tells the
    /// session.
    #[cold]
    fn advance(&mut self, client: u32, event: &Readiness) -> bool {
        let begun = self.now();
        let Some(channel) = self.clients[client as usize].outlet.channel_mut() else {
            return false;
        };
        let was_connecting = channel.is_connecting();
        let advanced = channel.advance(event, &mut self.moved);
        if was_connecting && !channel.is_connecting() {
            self.tcp_opened(client, begun);
        }
        let Some(channel) = self.clients[client as usize].outlet.channel_mut() else {
            return false;
        };
        if advanced.as_ref().is_ok_and(|is_open| *is_open) {
            self.stamps.opened(client, channel);
        }
        self.secured_by(client);
        let at = self.now();
        match advanced {
            Ok(true) => self.agreed(client, at),
            Ok(false) => return false,
            Err(error) => {
                self.ended(client, at, Cause::Unreachable(error));
                return false;
            }
        }
        self.out.clear();
        self.clients[client as usize].session.opened(&mut self.out);
        self.act(client, at);
        self.clients[client as usize].outlet.is_open()
    }

    /// TCP has opened a client's connection: told of the first that each of them has.
    fn tcp_opened(&mut self, client: u32, at: MonoInstant) {
        let subscriber = &self.clients[client as usize];
        if subscriber.was_ready || self.is_speaker(client) {
            return;
        }
        let took = at.saturating_since(subscriber.outlet.opened);
        self.measure.happened(self.phases.phase(), at, &Event::TcpOpened { took });
    }

    /// Reads until there is no more without a further readiness, or where `to_the_end` says that the
    /// end of the stream is there, until that.
    #[inline]
    fn read(&mut self, client: u32, to_the_end: bool) {
        loop {
            let outlet = &mut self.clients[client as usize].outlet;
            let Some(channel) = outlet.open_channel() else { return };
            let stamped = channel.is_stamped();
            match channel.read(&mut self.input, &mut self.moved) {
                Ok(Some(received)) => {
                    let at = self.now();
                    if stamped {
                        self.stamps.was_read(received.stamp);
                    }
                    self.received(client, &received, at, stamped);
                    if !received.more && !to_the_end {
                        return;
                    }
                }
                Ok(None) => {
                    let at = self.now();
                    return self.ended(client, at, Cause::Closed);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return self.secured_by(client);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let at = self.now();
                    return self.ended(client, at, Cause::Broken(error));
                }
            }
        }
    }

    /// Plaintext came from a client's channel into the buffer, the last of it at `at`.
    #[inline]
    fn received(&mut self, client: u32, received: &Received, at: MonoInstant, stamped: bool) {
        self.out.clear();
        let subscriber = &mut self.clients[client as usize];
        let plaintext = &self.input[..received.plaintext];
        if !plaintext.is_empty() {
            subscriber.heard = at;
        }
        let outcome = subscriber.session.receive(plaintext, &mut self.out);
        self.deliver(client, at, stamped);
        let counted = self.out.received.total(Direction::Down);
        if outcome.is_err() || counted != received.sealed as u64 {
            self.account_for(client, received, counted, outcome.is_ok());
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

    /// Stamps the messages that the session gave out, on a connection whose way is `stamped` or not.
    #[inline]
    pub(super) fn deliver(&mut self, client: u32, at: MonoInstant, stamped: bool) {
        let Some(&Identity { seq: last, .. }) = self.out.messages.last() else {
            return self.deliver_found(client, at);
        };
        self.progress.messages += self.out.messages.len() as u64;
        let backoff = &mut self.clients[client as usize].backoff;
        if backoff.has_failed() && !brought_nothing_new(&self.out.notes) {
            backoff.recovered();
        }
        // Before the order to run, messages move nothing but cursors.
        let Some(dues) = self.phases.dues() else { return };
        for &message in &self.out.messages {
            let Identity { sender, seq } = message;
            let Some(due) = dues.due(message) else {
                off_schedule(&mut self.measure, &self.phases, message, at);
                continue;
            };
            let arrival = Arrival { client, sender, seq, due, at };
            self.measure.arrived(&arrival);
            if stamped {
                self.stamps.arrived(&arrival, last);
            }
            self.progress.arrived(arrival.latency());
        }
    }

    /// Attributes the bytes that are not the session's: those that secured what it was given, and the
    /// rest where it gave up half way, which is nobody's payload. Where a session has else not
    /// accounted for all that it was given it is a mistake, which the ledger shows by not balancing.
    #[cold]
    fn account_for(&mut self, client: u32, received: &Received, counted: u64, is_whole: bool) {
        let (plaintext, sealed) = (received.plaintext as u64, received.sealed as u64);
        self.out.received.add(Direction::Down, Layer::Tls, sealed - plaintext);
        if counted == plaintext {
            return;
        }
        if !is_whole && counted < plaintext {
            self.out.received.add(Direction::Down, Layer::Framing, plaintext - counted);
            return;
        }
        self.keep_error(
            client,
            &format_args!(
                "its session accounts for {counted} of {plaintext} bytes read; please report this"
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
            Demand::Close => self.disconnect(client),
        }
        // Whoever polls on a period goes on by it after a refusal, if not at once.
        if self.cadence.is_some() && self.clients[client as usize].failed.is_some() {
            self.recover(client, at, Ending::Done);
        }
    }

    pub(super) fn note(&mut self, client: u32, at: MonoInstant, note: &Note) {
        let event = match note {
            Note::Request => {
                self.holding.requested(client, at);
                if self.clients[client as usize].outlet.is_stamped() {
                    self.stamps.requested(client, self.clock.now());
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
                    self.remember_failure(client, error);
                }
                return self.failed(client, at, error);
            }
            Note::Subscribed => return self.subscribed(client, at),
            Note::OtherEvent(name) => return self.other_events.count(name),
            Note::Wake(time, wake) => {
                return self.timers.set(at + *time, Alarm::Wake(client, *wake));
            }
            Note::Closing => return self.timers.set(at + HANG_UP, Alarm::HangUp(client)),
        };
        self.measure.happened(self.phases.phase(), at, &event);
    }

    fn subscribed(&mut self, client: u32, at: MonoInstant) {
        self.leave_ramp(client);
        let is_speaker = self.is_speaker(client);
        let subscriber = &mut self.clients[client as usize];
        let renewed = std::mem::take(&mut subscriber.renewing);
        if std::mem::replace(&mut subscriber.ready, true) && !renewed {
            return;
        }
        self.numbers.ready += u32::from(!renewed);
        let event = if std::mem::replace(&mut subscriber.was_ready, true) {
            Event::Reconnected { client }
        } else if is_speaker {
            return;
        } else {
            let took = at.saturating_since(subscriber.outlet.opened);
            Event::Connected { client, took }
        };
        self.measure.happened(self.phases.phase(), at, &event);
        self.catch_up(client, at);
    }

    /// Sends the bytes that the session gave out; `false` where that ended the connection.
    pub(super) fn send(&mut self, client: u32, at: MonoInstant) -> bool {
        let mut tally = Tally::default();
        let outlet = &mut self.clients[client as usize].outlet;
        let outcome = outlet.send(&mut self.out.send, &mut tally, &mut self.moved);
        self.sent(client, at, &tally, outcome)
    }

    /// Sends bytes that wait, as far as the channel takes them.
    #[cold]
    fn flush(&mut self, client: u32) {
        let at = self.now();
        let mut tally = Tally::default();
        let outcome = self.clients[client as usize].outlet.flush(&mut tally, &mut self.moved);
        self.sent(client, at, &tally, outcome);
    }

    fn sent(
        &mut self,
        client: u32,
        at: MonoInstant,
        tally: &Tally,
        outcome: io::Result<()>,
    ) -> bool {
        self.measure.moved(self.phases.phase(), at, tally);
        match outcome {
            Ok(()) => true,
            Err(error) => {
                self.ended(client, at, Cause::Broken(error));
                false
            }
        }
    }
}

/// Records a message that has no instant in the timetable, which ends with the drain. One that
/// the schedule has not reached by then is no part of the trial; before then it is ahead of it.
#[cold]
pub(super) fn off_schedule(
    measure: &mut impl Measure,
    phases: &Phases,
    message: Identity,
    at: MonoInstant,
) {
    let (Some(dues), Some(timing)) = (phases.dues(), phases.timing()) else { return };
    let is_ahead = dues.is_beyond(message);
    if !is_ahead || at < timing.drain_deadline {
        measure.off_schedule(message.seq, is_ahead);
    }
}

/// Whether an answer brought nothing but what the client had.
#[cold]
pub(super) fn brought_nothing_new(notes: &[Note]) -> bool {
    notes.iter().any(|note| matches!(note, Note::StaleResponse))
}
