//! Server-sent events: one response that does not end (WHATWG HTML §9.2).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use pushbench_core::feed::identity::IdentityReader;
use pushbench_core::{Identity, Seq};
use pushbench_metrics::observe::ledger::Layer;
use pushbench_metrics::record::control::LoadPlan;
use pushbench_protocol::http::{ResponseHead, is_event_stream};
use pushbench_protocol::sse::{
    BINARY_EVENT, Base64Payload, EVENT_LIMIT, GONE_EVENT, Piece, SseReader,
};

use super::Make;
use super::book::Book;
use super::error::ProtocolError;
use super::http1::Http1;
use super::output::{Ending, Note, Output};
use super::reading::{Reading, RuleReader};
use super::request::{FeedRequest, RequestTarget};
use super::subscription::{Last, Request, Subscription};
use super::words::Words;

/// The request for an event stream, and which of its events are the feed's.
#[derive(Debug)]
pub(super) struct Stream {
    request: FeedRequest,
    /// The type of the feed's events, where it is not the default: `message`.
    event: Option<Box<str>>,
    /// Payloads that are no text come in base64, as events of a type of their own.
    has_binary: bool,
}

/// The meaning of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A message of the feed.
    Text,
    /// One in base64.
    Base64,
    /// The cursor has fallen off the server's ring.
    Gone,
    /// Nothing of the feed's.
    Other,
}

impl Stream {
    /// The stream of a plan's clients.
    pub(super) fn new(plan: &LoadPlan) -> Self {
        // An EventSource sends it (WHATWG HTML §9.2.3), and some servers insist on it.
        let own: &[_] =
            if plan.subject.is_foreign() { &[("Accept", "text/event-stream")] } else { &[] };
        let event = plan.subject.event.as_deref().filter(|&name| name != DEFAULT_EVENT);
        let by_rules = plan.subject.rules.is_some();
        let has_binary = !by_rules && (!plan.subject.is_foreign() || event.is_none());
        Self { request: FeedRequest::new(plan, &[], own), event: event.map(Into::into), has_binary }
    }

    /// Tells events apart by their type. `gone` is a word of our own servers alone, and `binary`
    /// one of those that send what ours do.
    #[inline]
    fn kind(&self, event: &[u8]) -> Kind {
        let usual = event.is_empty() && self.event.is_none();
        if usual { Kind::Text } else { self.named(event) }
    }

    fn named(&self, event: &[u8]) -> Kind {
        let is_feed = match &self.event {
            None => event.is_empty() || event == DEFAULT_EVENT.as_bytes(),
            Some(name) => event == name.as_bytes(),
        };
        let own = !self.request.is_foreign();
        if is_feed {
            Kind::Text
        } else if event == BINARY_EVENT.as_bytes() && self.has_binary {
            Kind::Base64
        } else if event == GONE_EVENT.as_bytes() && own {
            Kind::Gone
        } else {
            Kind::Other
        }
    }
}

const TAKES: &str = "an EventSource takes text/event-stream alone (WHATWG HTML §9.2.3)";

/// The type of an event that names none (WHATWG HTML §9.2.6).
const DEFAULT_EVENT: &str = "message";

/// One client that listens to an event stream.
#[derive(Debug)]
pub(super) struct Sse<R> {
    stream: Arc<Stream>,
    events: SseReader,
    /// Of the message in the current event's data.
    reading: R,
    /// That data, where it is base64.
    base64: Base64Payload,
    /// The words of a server that ends a stream.
    words: Words,
    /// Where the stream is to continue after a loss.
    cursor: Option<Seq>,
    /// The reconnection time that a stream of this server has set.
    retry: Option<Duration>,
}

impl<R: Reading> Sse<R> {
    pub(super) fn new(stream: Arc<Stream>, reading: R) -> Self {
        // Ours are asked by cursor.
        let foreign = stream.request.is_foreign();
        Self {
            stream,
            events: if foreign { SseReader::with_ids() } else { SseReader::default() },
            reading,
            base64: Base64Payload::default(),
            words: Words::default(),
            cursor: None,
            retry: None,
        }
    }

    /// Takes and attributes bytes of an event's data, by its type as far as that is known: servers
    /// name it first. The excess of base64 is framing.
    #[inline]
    fn event_data(&mut self, data: &[u8], out: &mut Output) {
        match self.stream.kind(self.events.event()) {
            Kind::Text => {
                out.count(Layer::Payload, data.len());
                self.reading.push(data, out);
            }
            Kind::Base64 => {
                let decoded = self.reading.push_base64(&mut self.base64, data, out);
                out.count(Layer::Payload, decoded);
                out.count(Layer::Framing, data.len() - decoded);
            }
            Kind::Gone => {
                out.count(Layer::Framing, data.len());
                self.words.extend(data);
            }
            // Its type may come behind its data, and be the feed's.
            Kind::Other => {
                out.count(Layer::Framing, data.len());
                self.reading.push(data, out);
            }
        }
    }

    #[inline]
    fn dispatch(&mut self, out: &mut Output) -> Result<(), ProtocolError> {
        let message = match self.stream.kind(self.events.event()) {
            Kind::Text => self.reading.last(&[], out),
            Kind::Base64 => self.reading.last_base64(&mut self.base64, out),
            Kind::Gone => {
                let said = self.words.take();
                return Err(self.gone(&said));
            }
            Kind::Other => {
                self.pass_over(out);
                return Ok(());
            }
        };
        self.arrived(message, out);
        if R::SPEAKS {
            self.ready(out);
        }
        Ok(())
    }

    /// Says once that the subscription stands: the stream has begun, and what is waited for has come.
    #[cold]
    fn ready(&mut self, out: &mut Output) {
        if self.reading.stands() {
            out.note(Note::Subscribed);
        }
    }

    /// An event of a type that is none of the feed's.
    #[cold]
    fn pass_over(&mut self, out: &mut Output) {
        self.reading.pass_over();
        let event = self.events.event();
        let event = if event.is_empty() { DEFAULT_EVENT.as_bytes() } else { event };
        let name = String::from_utf8_lossy(&event[..event.len().min(EVENT_LIMIT)]);
        out.note(Note::OtherEvent(name.into()));
    }
}

impl<R: Reading> Subscription for Sse<R> {
    const STREAMS: bool = true;
    const FIELD: Option<&'static str> = Some("Content-Type");

    fn expected(&self) -> &'static str {
        "200"
    }

    fn request(&mut self) -> Request<'_> {
        self.reading.restart();
        (self.base64, self.words) = (Base64Payload::default(), Words::default());
        self.events.restart();
        let id = self.events.last_id();
        let id = (!id.is_empty()).then(|| match String::from_utf8_lossy(id) {
            Cow::Borrowed(id) => Cow::Borrowed(id.as_bytes()),
            Cow::Owned(id) => Cow::Owned(id.into_bytes()),
        });
        Request { target: self.target(), field: id.map(|id| ("Last-Event-ID", id)) }
    }

    fn target(&self) -> RequestTarget<'_> {
        self.stream.request.after(self.cursor)
    }

    fn begun(
        &mut self,
        head: &ResponseHead,
        content_type: Option<&[u8]>,
        out: &mut Output,
    ) -> Result<(), ProtocolError> {
        let found = content_type.unwrap_or_default();
        if !is_event_stream(found) {
            let found = String::from_utf8_lossy(found).into_owned();
            let request = self.target().describe();
            return Err(ProtocolError::ContentType { request, found, takes: TAKES });
        }
        self.stands(head)?;
        self.ready(out);
        Ok(())
    }

    #[inline]
    fn data(&mut self, mut data: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        while let Some(piece) = self.events.next(&mut data) {
            match piece {
                Piece::Framing(bytes) => out.count(Layer::Framing, bytes),
                Piece::Data(data) => self.event_data(data, out),
                Piece::Dispatch => self.dispatch(out)?,
            }
        }
        Ok(())
    }

    fn closed(&mut self, _last: Last, out: &mut Output) -> Ending {
        self.retry = self.events.retry().or(self.retry);
        out.notes.extend(self.retry.map(Note::Reconnection));
        Ending::Broken
    }

    fn cursor(&mut self) -> &mut Option<Seq> {
        &mut self.cursor
    }

    #[inline]
    fn place(&self, message: Identity, before: Seq) -> Seq {
        self.reading.place(message, before)
    }
}

/// Clients that listen to event streams.
pub(super) fn sessions(
    plan: &LoadPlan,
    identity: IdentityReader,
    book: Option<&Arc<Book>>,
) -> Make {
    let stream = Arc::new(Stream::new(plan));
    match book.cloned() {
        None => Box::new(move |_| Box::new(Http1::new(Sse::new(stream.clone(), identity)))),
        Some(book) => Box::new(move |client| {
            Box::new(Http1::new(Sse::new(stream.clone(), RuleReader::new(&book, client))))
        }),
    }
}

#[cfg(test)]
mod tests;
