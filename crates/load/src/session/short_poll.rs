//! Short polling: a request each period, answered at once.

use std::borrow::Cow;
use std::io::Write as _;
use std::sync::Arc;

use pushbench_core::contender::{Connection, Stack};
use pushbench_core::feed::identity::IdentityReader;
use pushbench_core::{Delivery, Seq};
use pushbench_metrics::record::control::LoadPlan;
use pushbench_protocol::http::ResponseHead;

use super::Make;
use super::book::Book;
use super::error::ProtocolError;
use super::http1::Http1;
use super::output::{Ending, Note, Output};
use super::poll::{News, Poll};
use super::request::{FeedRequest, RequestTarget};
use super::ruled_poll::{self, Pace};
use super::subscription::{Answer, Last, Next, Request, Subscription};

/// One client that polls on a period.
#[derive(Debug)]
pub(super) struct ShortPoll {
    request: Arc<FeedRequest>,
    delivery: Delivery,
    /// Each request has a connection of its own (`Connection: close`, RFC 9112 §9.6).
    closes: bool,
    /// Asks for what is newer than its tag (RFC 9110 §13.1.2).
    conditional: bool,
    subscribed: bool,
    poll: Poll,
    /// The tag as it was sent. Holds no memory where none is.
    tag: Vec<u8>,
    /// The cursor that the outstanding request was sent with.
    sent: Option<Seq>,
}

impl ShortPoll {
    /// The request of a plan's clients.
    pub(super) fn request(plan: &LoadPlan) -> FeedRequest {
        let closes = plan.contender.stack.connection == Connection::Closed;
        let own: &[_] = if closes { &[("Connection", "close")] } else { &[] };
        FeedRequest::new(plan, &[], own)
    }

    /// A client that goes about its connection and its conditions as `stack` says.
    pub(super) fn new(
        request: Arc<FeedRequest>,
        identity: IdentityReader,
        delivery: Delivery,
        stack: Stack,
    ) -> Self {
        Self {
            request,
            delivery,
            closes: stack.connection == Connection::Closed,
            conditional: stack.conditional,
            subscribed: false,
            poll: Poll::new(delivery, identity),
            tag: Vec::new(),
            sent: None,
        }
    }

    /// Until the period comes round again.
    const fn rest(&self) -> Next {
        if self.closes { Next::Served } else { Next::Rest }
    }
}

impl Subscription for ShortPoll {
    const EMPTY: &[u16] = &[204, 304];

    fn expected(&self) -> &'static str {
        if self.conditional { "200, 204 or 304" } else { "200 or 204" }
    }

    fn request(&mut self) -> Request<'_> {
        let cursor = self.poll.cursor;
        // The newest value is not asked for by cursor.
        self.sent = cursor.filter(|_| self.delivery == Delivery::Every);
        let tag = cursor.filter(|_| self.conditional).map(|tag| {
            self.tag.clear();
            // Writing to a Vec cannot fail.
            let _ = write!(self.tag, "\"{tag}\"");
            ("If-None-Match", Cow::Borrowed(&self.tag[..]))
        });
        Request { target: self.request.after(self.sent), field: tag }
    }

    fn target(&self) -> RequestTarget<'_> {
        self.request.after(self.sent)
    }

    fn opened(&mut self, out: &mut Output) -> Next {
        if !self.subscribed || self.closes {
            return Next::Request;
        }
        // Back after a loss: ready, and the next tick asks.
        out.note(Note::Subscribed);
        Next::Rest
    }

    fn begun(
        &mut self,
        head: &ResponseHead,
        _field: Option<&[u8]>,
        _out: &mut Output,
    ) -> Result<(), ProtocolError> {
        self.poll.begun(head, head.status == Self::FEED);
        Ok(())
    }

    fn data(&mut self, data: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        self.poll.data(data, out).map_err(|error| error.of(self.target()))
    }

    fn answered(&mut self, answer: Answer, out: &mut Output) -> Result<Next, ProtocolError> {
        if let Answer::Refused(error) = answer {
            self.poll.refused();
            // A client that never got an answer is to try again, one that did goes on polling.
            if !self.subscribed {
                return Err(error);
            }
            out.note(Note::Failed(error));
            return Ok(self.rest());
        }
        if self.poll.answered(self.request.after(self.sent), out)? == News::None {
            out.note(Note::EmptyResponse);
        }
        if !std::mem::replace(&mut self.subscribed, true) {
            out.note(Note::Subscribed);
        }
        Ok(self.rest())
    }

    fn due(&mut self, open: bool) -> Next {
        match (self.subscribed, self.closes) {
            (true, true) => Next::Connect,
            (true, false) if open => Next::Request,
            _ => Next::Skip,
        }
    }

    fn closed(&mut self, last: Last, out: &mut Output) -> Ending {
        self.poll.cut();
        // Of a connection that was meant to last, the loss itself says enough.
        if self.closes && last == Last::Unanswered {
            out.note(Note::Failed(ProtocolError::Truncated(self.target().describe())));
        }
        match last {
            _ if self.closes && self.subscribed => Ending::Done,
            _ if self.closes || !self.subscribed => Ending::Broken,
            last => last.ending(),
        }
    }

    fn under_way(&self) -> bool {
        self.poll.under_way()
    }

    fn cursor(&mut self) -> &mut Option<Seq> {
        &mut self.poll.cursor
    }
}

/// Clients that ask on a period.
pub(super) fn sessions(
    plan: &LoadPlan,
    identity: IdentityReader,
    book: Option<&Arc<Book>>,
) -> Make {
    if let Some(book) = book {
        return ruled_poll::sessions(plan, book, Pace::Period);
    }
    let (request, delivery) = (Arc::new(ShortPoll::request(plan)), plan.delivery);
    let stack = plan.contender.stack;
    Box::new(move |_| {
        Box::new(Http1::new(ShortPoll::new(request.clone(), identity, delivery, stack)))
    })
}

#[cfg(test)]
mod tests;
