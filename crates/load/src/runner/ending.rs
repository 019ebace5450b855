//! Connections that fail or end: the words and counts of it, before `recovery` decides how the
//! client goes on.

use std::io;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::observe::measure::Measure;
use pushbench_metrics::observe::observer::Event;
use pushbench_os::time::clock::Clock;

use pushbench_tls::TlsError;

use super::error::ConnectError;
use super::state::{LoadState, Runner};
use crate::session::{Ending, Note, ProtocolError, Retryability};

/// How long a server may take to close a connection that both sides have said they close: as long
/// as good-byes may take (RFC 6455 §7.1.1).
pub(super) const HANG_UP: Duration = Duration::from_secs(2);

/// Why a connection has ended.
#[derive(Debug)]
pub(super) enum Cause {
    /// It could not be opened.
    Unreachable(io::Error),
    /// The server closed it.
    Closed,
    /// It broke.
    Broken(io::Error),
    /// The server broke the protocol, which has been reported already.
    Protocol,
}

impl<M: Measure, C: Clock> Runner<M, C> {
    /// The bytes just read break the protocol, and nothing more can come of the connection.
    #[cold]
    pub(super) fn broke_protocol(&mut self, client: u32, at: MonoInstant, error: &ProtocolError) {
        let mut notes = std::mem::take(&mut self.out.notes);
        for note in notes.drain(..) {
            self.note(client, at, &note);
        }
        self.out.notes = notes;
        self.remember_failure(client, error);
        if self.state != LoadState::Closing {
            self.failed(client, at, error);
        }
        // What a session still says: a WebSocket is failed by a close frame (RFC 6455 §7.1.7).
        if self.out.send.is_empty() || self.send(client, at) {
            self.ended(client, at, Cause::Protocol);
        }
    }

    /// Closes a connection that the server was to close, and did not.
    #[cold]
    pub(super) fn hang_up(&mut self, client: u32, planned: MonoInstant, now: MonoInstant) {
        let outlet = &self.clients[client as usize].outlet;
        // A connection opened since then is another one.
        if outlet.is_open() && outlet.opened + HANG_UP <= planned {
            self.ended(client, now, Cause::Closed);
        }
    }

    /// The server did what no session expects, and perhaps broke its protocol.
    pub(super) fn failed(&mut self, client: u32, at: MonoInstant, error: &ProtocolError) {
        self.fail(client, at, error);
        // One that holds for all answers is kept at any rate.
        if self.coded.is_none() && error.is_of_coding() {
            self.coded = Some(error.to_string());
        }
        if error.breaks_protocol() {
            let phase = self.phases.phase();
            self.measure.happened(phase, at, &Event::BrokeProtocol { client });
            if phase >= Phase::Warmup && self.first_protocol_error.is_none() {
                self.first_protocol_error = Some(self.words(client, error));
            }
        }
    }

    fn fail(&mut self, client: u32, at: MonoInstant, error: &dyn std::fmt::Display) {
        self.keep_error(client, error);
        self.measure.happened(self.phases.phase(), at, &Event::Failed { client });
    }

    /// A client's connection has ended, or could not be opened.
    #[cold]
    pub(super) fn ended(&mut self, client: u32, at: MonoInstant, cause: Cause) {
        let stamped = self.clients[client as usize].outlet.is_stamped();
        self.disconnect(client);
        self.out.clear();
        let ending = self.clients[client as usize].session.closed(&mut self.out);
        // No read completes what comes now, but the end.
        self.stamps.was_read(None);
        self.deliver(client, at, stamped);
        if self.phases.phase() == Phase::Close {
            return;
        }
        let mut reported = matches!(cause, Cause::Protocol);
        let mut notes = std::mem::take(&mut self.out.notes);
        for note in notes.drain(..) {
            let fails = matches!(note, Note::Failed(_));
            if !(fails && reported) {
                self.note(client, at, &note);
            }
            reported |= fails;
        }
        self.out.notes = notes;
        if let Cause::Unreachable(source) = cause {
            let subscriber = &mut self.clients[client as usize];
            let is_final = TlsError::within(&source).is_some_and(TlsError::is_final);
            let failed = if is_final { Retryability::Final } else { Retryability::Retry };
            subscriber.failed = subscriber.failed.max(Some(failed));
            if std::mem::take(&mut subscriber.renewing) {
                self.unsubscribed(client);
            }
            self.fail(client, at, &ConnectError { target: self.plan.target, source });
        } else if ending != Ending::Done {
            self.lost(client, at, &cause, reported, ending);
        }
        self.leave_ramp(client);
        self.recover(client, at, ending);
    }

    /// A client's subscription does not stand any more, if it did.
    pub(super) fn unsubscribed(&mut self, client: u32) {
        let subscriber = &mut self.clients[client as usize];
        self.numbers.ready -= u32::from(std::mem::take(&mut subscriber.ready));
    }

    /// A connection that the client meant to keep is lost, or came to nothing.
    fn lost(
        &mut self,
        client: u32,
        at: MonoInstant,
        cause: &Cause,
        reported: bool,
        ending: Ending,
    ) {
        let renews = self.renews(client, at, ending);
        let subscriber = &mut self.clients[client as usize];
        let was_ready = subscriber.ready;
        let quiet = at.saturating_since(subscriber.heard.max(subscriber.outlet.opened));
        subscriber.renewing = was_ready && renews;
        if !subscriber.renewing {
            self.unsubscribed(client);
        }
        if was_ready {
            let lost = Event::ConnectionLost { client, quiet };
            self.measure.happened(self.phases.phase(), at, &lost);
        }
        if reported {
            return;
        }
        let error = match cause {
            Cause::Broken(error) => {
                format!("the connection to {} broke: {error}", self.plan.target)
            }
            _ => format!("{} closed the connection", self.plan.target),
        };
        if was_ready {
            self.keep_error(client, &error);
        } else {
            self.fail(client, at, &error);
        }
    }
}
