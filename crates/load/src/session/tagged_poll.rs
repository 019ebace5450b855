//! Long polling at a server that is none of ours: each answer is one message, and its entity tag
//! is where the next request goes on from (`If-None-Match`, RFC 9110 §13.1.2).

use std::borrow::Cow;
use std::sync::Arc;

use pushbench_core::feed::identity::IdentityReader;
use pushbench_core::{Delivery, Seq};
use pushbench_protocol::http::ResponseHead;

use super::body::BodyReader;
use super::error::ProtocolError;
use super::output::{Ending, Note, Output};
use super::request::{FeedRequest, RequestTarget};
use super::subscription::{Answer, Last, Next, Request, Subscription};

/// One client that waits.
#[derive(Debug)]
pub(super) struct TaggedPoll {
    request: Arc<FeedRequest>,
    body: BodyReader,
    /// An answer that brings a message has begun.
    arriving: bool,
    /// Of the last answer that had one; else empty.
    tag: Vec<u8>,
    /// Of the answer that has begun.
    next_tag: Vec<u8>,
    /// The newest message that it has.
    newest: Option<Seq>,
}

impl TaggedPoll {
    pub(super) fn new(request: Arc<FeedRequest>, identity: IdentityReader) -> Self {
        Self {
            request,
            body: BodyReader::new(Delivery::Latest, identity),
            arriving: false,
            tag: Vec::new(),
            next_tag: Vec::new(),
            newest: None,
        }
    }

    /// The number of the message that the answer brought, if it brought any.
    fn message(&mut self, out: &mut Output) -> Result<Option<Seq>, ProtocolError> {
        if !std::mem::take(&mut self.arriving) {
            return Ok(None);
        }
        let last = self.body.end().map_err(|error| error.of(self.target()))?;
        let message = last.map(|(_, message)| message);
        out.messages.extend(message);
        Ok(message.map(|message| message.seq))
    }
}

impl Subscription for TaggedPoll {
    // Held for as long as the server holds a request, and nothing came.
    const EMPTY: &[u16] = &[204, 304, 408];
    const FIELD: Option<&'static str> = Some("ETag");

    fn expected(&self) -> &'static str {
        "200, 204, 304 or 408"
    }

    fn request(&mut self) -> Request<'_> {
        let tag = (!self.tag.is_empty()).then_some(&self.tag[..]);
        let field = tag.map(|tag| ("If-None-Match", Cow::Borrowed(tag)));
        Request { target: self.target(), field }
    }

    fn target(&self) -> RequestTarget<'_> {
        self.request.after(None)
    }

    fn opened(&mut self, out: &mut Output) -> Next {
        // Nothing is answered before there is a message; waiting is being ready.
        out.note(Note::Subscribed);
        Next::Request
    }

    fn begun(
        &mut self,
        head: &ResponseHead,
        tag: Option<&[u8]>,
        _out: &mut Output,
    ) -> Result<(), ProtocolError> {
        self.body.begin(Seq::NONE);
        self.arriving = head.status == Self::FEED;
        self.next_tag.clear();
        self.next_tag.extend_from_slice(tag.unwrap_or_default());
        Ok(())
    }

    fn data(&mut self, data: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        self.body.data(data, out).map_err(|error| error.of(self.target()))
    }

    fn answered(&mut self, answer: Answer, out: &mut Output) -> Result<Next, ProtocolError> {
        if let Answer::Refused(error) = answer {
            return Err(error);
        }
        if !self.next_tag.is_empty() {
            std::mem::swap(&mut self.tag, &mut self.next_tag);
        }
        let message = match self.message(out) {
            Ok(message) => message,
            // It is answered all the same, and the next answer may have one.
            Err(error) => {
                out.note(Note::Failed(error));
                return Ok(Next::Pause);
            }
        };
        if message > self.newest {
            self.newest = message;
            return Ok(Next::Request);
        }
        out.note(if message.is_some() { Note::StaleResponse } else { Note::EmptyResponse });
        Ok(Next::Pause)
    }

    fn closed(&mut self, last: Last, _out: &mut Output) -> Ending {
        self.arriving = false;
        last.ending()
    }

    fn under_way(&self) -> bool {
        self.arriving
    }

    fn cursor(&mut self) -> &mut Option<Seq> {
        &mut self.newest
    }
}

#[cfg(test)]
mod tests;
