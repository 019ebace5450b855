//! Long polling: a request that the server holds until there is something, and the next one at
//! once (RFC 6202 §2).

use std::sync::Arc;

use pushbench_core::feed::identity::IdentityReader;
use pushbench_core::units::Span;
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
use super::tagged_poll::TaggedPoll;

/// The two requests of a long poll.
#[derive(Debug)]
pub(super) struct Requests {
    /// Asks where the feed stands, and is answered at once.
    subscribe: FeedRequest,
    /// Waits for whatever comes after the cursor.
    wait: FeedRequest,
}

impl Requests {
    /// The requests of a plan's clients.
    pub(super) fn new(plan: &LoadPlan) -> Self {
        let wait = format!("timeout={}", Span(plan.long_poll_timeout));
        Self {
            subscribe: FeedRequest::new(plan, &["timeout=0s"], &[]),
            wait: FeedRequest::new(plan, &[&wait], &[]),
        }
    }

    /// The request of a client with this cursor.
    fn after(&self, cursor: Option<Seq>) -> RequestTarget<'_> {
        if cursor.is_some() { self.wait.after(cursor) } else { self.subscribe.after(None) }
    }
}

/// One client that waits.
#[derive(Debug)]
pub(super) struct LongPoll {
    requests: Arc<Requests>,
    poll: Poll,
    /// The cursor that the outstanding request was sent with.
    sent: Option<Seq>,
}

impl LongPoll {
    pub(super) fn new(
        requests: Arc<Requests>,
        identity: IdentityReader,
        delivery: Delivery,
    ) -> Self {
        Self { requests, poll: Poll::new(delivery, identity), sent: None }
    }
}

impl Subscription for LongPoll {
    const EMPTY: &[u16] = &[204, 304];

    fn expected(&self) -> &'static str {
        "200 or 204"
    }

    fn request(&mut self) -> Request<'_> {
        self.sent = self.poll.cursor;
        Request { target: self.target(), field: None }
    }

    fn target(&self) -> RequestTarget<'_> {
        self.requests.after(self.sent)
    }

    fn opened(&mut self, out: &mut Output) -> Next {
        if self.poll.cursor.is_some() {
            // Back after a loss. No answer may come for long; waiting is being ready.
            out.note(Note::Subscribed);
        }
        Next::Request
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
            // To ask again at once would be to ask as fast as the server refuses.
            self.poll.refused();
            return Err(error);
        }
        let news = self.poll.answered(self.requests.after(self.sent), out)?;
        match news {
            News::Messages => {}
            News::Stale => out.note(Note::StaleResponse),
            News::None => out.note(Note::EmptyResponse),
        }
        if self.poll.cursor.is_none() {
            return Err(ProtocolError::NoCursor(self.requests.after(None).describe()));
        }
        // The answer to a subscription comes at once, news or none.
        let subscribes = self.sent.is_none();
        if subscribes {
            out.note(Note::Subscribed);
        }
        Ok(if subscribes || news == News::Messages { Next::Request } else { Next::Pause })
    }

    fn closed(&mut self, last: Last, _out: &mut Output) -> Ending {
        self.poll.cut();
        last.ending()
    }

    fn under_way(&self) -> bool {
        self.poll.under_way()
    }

    fn cursor(&mut self) -> &mut Option<Seq> {
        &mut self.poll.cursor
    }
}

/// Clients that wait for an answer; of a server that is none of ours by its tags.
pub(super) fn sessions(
    plan: &LoadPlan,
    identity: IdentityReader,
    book: Option<&Arc<Book>>,
) -> Make {
    if let Some(book) = book {
        return ruled_poll::sessions(plan, book, Pace::Held);
    }
    if plan.subject.is_foreign() {
        let request = Arc::new(FeedRequest::new(plan, &[], &[]));
        return Box::new(move |_| Box::new(Http1::new(TaggedPoll::new(request.clone(), identity))));
    }
    let (requests, delivery) = (Arc::new(Requests::new(plan)), plan.delivery);
    Box::new(move |_| Box::new(Http1::new(LongPoll::new(requests.clone(), identity, delivery))))
}

#[cfg(test)]
mod tests;
