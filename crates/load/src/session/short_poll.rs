//! Short polling: a request each period, answered at once.

use std::io::Write as _;
use std::sync::Arc;

use pushbench_core::{Delivery, Seq};
use pushbench_metrics::observe::ledger::Layer;

use super::Session;
use super::error::ProtocolError;
use super::http::RequestHead;
use super::output::{Demand, Ending, Note, Output};
use super::poll::{Answer, PollReader};

/// What a short poll does with its connection, and what it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// Keeps the connection.
    KeepAlive,
    /// A new connection for each request (`Connection: close`, RFC 9112 §9.6).
    Close,
    /// Keeps the connection, and asks for what is newer than its tag (RFC 9110 §13.1.2).
    Conditional,
}

/// One client that polls on a period.
#[derive(Debug)]
pub(super) struct ShortPoll {
    request: Arc<RequestHead>,
    variant: Variant,
    delivery: Delivery,
    poll: PollReader,
    open: bool,
    subscribed: bool,
    /// There has been an answer on this connection.
    served: bool,
    /// A poll is under way: under [`Variant::Close`], from the opening of its connection on.
    outstanding: bool,
    /// The cursor that the outstanding request was sent with.
    asked: Option<Seq>,
}

impl ShortPoll {
    pub(super) fn new(request: Arc<RequestHead>, variant: Variant, delivery: Delivery) -> Self {
        let expected = match variant {
            Variant::Conditional => "200, 204 or 304",
            Variant::KeepAlive | Variant::Close => "200 or 204",
        };
        Self {
            request,
            variant,
            delivery,
            poll: PollReader::new(delivery, expected),
            open: false,
            subscribed: false,
            served: false,
            outstanding: false,
            asked: None,
        }
    }

    fn ask(&mut self, out: &mut Output) {
        let cursor = self.poll.cursor;
        // The newest value is not asked for by cursor.
        self.asked = cursor.filter(|_| self.delivery == Delivery::Every);
        let tag = cursor.filter(|_| self.variant == Variant::Conditional);
        out.send.push(Layer::Http, |bytes| {
            self.request.render(bytes, self.asked, |bytes| {
                if let Some(tag) = tag {
                    // Writing to a Vec cannot fail.
                    let _ = write!(bytes, "If-None-Match: \"{tag}\"\r\n");
                }
            });
        });
        out.note(Note::Request);
        self.outstanding = true;
    }

    fn answered(&mut self, answer: Answer, out: &mut Output) -> Result<(), ProtocolError> {
        (self.outstanding, self.served) = (false, true);
        match answer {
            Answer::Messages | Answer::Stale => {}
            Answer::Empty => out.note(Note::EmptyResponse),
            // A client that never got an answer is to try again, one that did goes on polling.
            Answer::Refused(error) if !self.subscribed => return Err(error),
            Answer::Refused(error) => {
                out.note(Note::Failed(error));
                return Ok(());
            }
        }
        if !self.subscribed {
            self.subscribed = true;
            out.note(Note::Subscribed);
        }
        Ok(())
    }
}

impl Session for ShortPoll {
    fn opened(&mut self, out: &mut Output) {
        (self.open, self.served) = (true, false);
        if !self.subscribed || self.variant == Variant::Close {
            return self.ask(out);
        }
        // Back after a loss: ready, and the next tick asks.
        out.note(Note::Subscribed);
    }

    fn receive(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        let request = self.request.clone();
        while !input.is_empty() {
            if !self.outstanding {
                return Err(ProtocolError::Unasked(request.describe(self.asked)));
            }
            let Some((answer, closes)) = self.poll.next(&mut input, (&request, self.asked), out)?
            else {
                break;
            };
            self.answered(answer, out)?;
            if closes && self.variant != Variant::Close {
                out.demand = Demand::HangUp;
            }
        }
        Ok(())
    }

    fn tick(&mut self, out: &mut Output) {
        let ready = self.open || self.variant == Variant::Close;
        if self.outstanding || !ready || !self.subscribed {
            return out.note(Note::SkippedPoll);
        }
        if self.variant == Variant::Close {
            self.outstanding = true;
            out.demand = Demand::Connect;
        } else {
            self.ask(out);
        }
    }

    fn closed(&mut self, out: &mut Output) -> Ending {
        let request = self.request.clone();
        match self.poll.finish((&request, self.asked), out) {
            // Of a connection that was meant to last, the loss itself says enough.
            Ok(None) if self.outstanding && self.open && self.variant == Variant::Close => {
                out.note(Note::Failed(ProtocolError::Truncated(request.describe(self.asked))));
            }
            Ok(None) => {}
            Ok(Some((answer, _))) => {
                if let Err(error) = self.answered(answer, out) {
                    out.note(Note::Failed(error));
                }
            }
            Err(error) => out.note(Note::Failed(error)),
        }
        let idle = self.open && self.subscribed && !self.outstanding;
        (self.open, self.outstanding) = (false, false);
        match self.variant {
            Variant::Close if self.subscribed => Ending::Done,
            _ if idle => Ending::Idle { served: self.served },
            _ => Ending::Broken,
        }
    }

    fn under_way(&self) -> bool {
        self.poll.under_way()
    }

    fn close(&mut self, out: &mut Output) {
        out.demand = Demand::Close;
    }
}

#[cfg(test)]
mod tests;
