//! Server-sent events: one response that does not end (WHATWG HTML §9.2).

use std::sync::Arc;
use std::time::Duration;

use pushbench_core::Seq;
use pushbench_core::number::{NumberError, NumberReader};
use pushbench_metrics::observe::ledger::Layer;
use pushbench_protocol::sse::{BINARY_EVENT, EVENT_LIMIT, GONE_EVENT, Piece, SseReader};

use super::Session;
use super::body::{Base64Number, Said, oldest_in};
use super::error::ProtocolError;
use super::head::is_event_stream;
use super::http::{Head, Part, RequestHead, ResponseReader};
use super::output::{Demand, Ending, Note, Output};
use super::poll::before;

/// The request for an event stream, and which of its events are the feed's.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) request: RequestHead,
    /// The type of the feed's events, where it is not the default: `message`.
    event: Option<Box<str>>,
}

/// What an event is.
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
    pub(super) fn new(request: RequestHead, event: Option<&str>) -> Self {
        Self { request, event: event.filter(|&name| name != DEFAULT_EVENT).map(Into::into) }
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
        } else if event == BINARY_EVENT.as_bytes() && (own || self.event.is_none()) {
            Kind::Base64
        } else if event == GONE_EVENT.as_bytes() && own {
            Kind::Gone
        } else {
            Kind::Other
        }
    }
}

/// The type of an event that names none (WHATWG HTML §9.2.6).
const DEFAULT_EVENT: &str = "message";

/// One client that listens to an event stream.
#[derive(Debug)]
pub(super) struct Sse {
    stream: Arc<Stream>,
    http: ResponseReader,
    stage: Stage,
    events: SseReader,
    data: Data,
    /// Where the stream is to continue after a loss.
    cursor: Option<Seq>,
    /// The reconnection time that a stream of this server has set.
    retry: Option<Duration>,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Head,
    Streaming,
    /// The answer is an error; its body may explain it.
    Refused(u16),
}

/// The current event's data.
#[derive(Debug, Default)]
struct Data {
    number: NumberReader,
    binary: Base64Number,
    /// Base64 characters so far, padding left out.
    base64: u64,
    /// What a server says before it ends a stream.
    said: Said,
}

impl Sse {
    pub(super) fn new(stream: Arc<Stream>) -> Self {
        // Ours are asked by cursor.
        let foreign = stream.request.is_foreign();
        Self {
            stream,
            http: ResponseReader::keeping("Content-Type"),
            stage: Stage::Head,
            events: if foreign { SseReader::with_ids() } else { SseReader::default() },
            data: Data::default(),
            cursor: None,
            retry: None,
        }
    }

    fn asked(&self) -> String {
        self.stream.request.describe(self.cursor)
    }

    fn head(&mut self, head: &Head, out: &mut Output) -> Result<(), ProtocolError> {
        if head.status != 200 {
            self.stage = Stage::Refused(head.status);
            self.data.said.begin(head);
            return Ok(());
        }
        self.stream.request.check_coding(head, self.cursor)?;
        let found = if head.kept { self.http.kept() } else { &[] };
        if !is_event_stream(found) {
            let found = String::from_utf8_lossy(found).into_owned();
            return Err(ProtocolError::ContentType { request: self.asked(), found });
        }
        self.stage = Stage::Streaming;
        self.cursor = self.cursor.max(self.stream.request.start_of(head));
        if self.cursor.is_none() {
            return Err(ProtocolError::NoCursor(self.asked()));
        }
        out.note(Note::Subscribed);
        Ok(())
    }

    /// The response has ended: of a stream that is wrong, and of an error all is known now.
    fn end(&mut self) -> ProtocolError {
        let request = self.asked();
        let Stage::Refused(status) = self.stage else {
            return ProtocolError::StreamEnded(request);
        };
        let said = self.data.said.take();
        if status == 410 && !self.stream.request.is_foreign() {
            return self.gone(&said);
        }
        ProtocolError::Status { status, request, expected: "200", said }
    }

    /// The cursor fell off the ring: the next connection starts from the oldest message.
    fn gone(&mut self, said: &str) -> ProtocolError {
        let (request, oldest) = (self.asked(), oldest_in(said));
        let after = self.cursor.unwrap_or(Seq::NONE);
        self.cursor = oldest.map(before);
        ProtocolError::Gone { request, after, oldest }
    }

    fn read(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        while let Some(piece) = self.events.next(&mut input) {
            match piece {
                Piece::Framing(bytes) => out.count(Layer::Framing, bytes),
                Piece::Data(data) => {
                    self.data.take(self.stream.kind(self.events.event()), data, out);
                }
                Piece::Dispatch => self.dispatch(out)?,
            }
        }
        Ok(())
    }

    fn dispatch(&mut self, out: &mut Output) -> Result<(), ProtocolError> {
        let number = match self.stream.kind(self.events.event()) {
            Kind::Text => self.data.number.finish(),
            Kind::Base64 => {
                self.data.base64 = 0;
                self.data.binary.finish()
            }
            Kind::Gone => {
                let said = self.data.said.take();
                return Err(self.gone(&said));
            }
            Kind::Other => {
                self.pass_over(out);
                return Ok(());
            }
        };
        match number {
            Ok(seq) => {
                self.cursor = self.cursor.max(Some(seq));
                out.messages.push(seq);
            }
            Err(source) => self.unnumbered(source, out),
        }
        Ok(())
    }

    /// A message without a number. The stream is in order, and the next one may have one.
    #[cold]
    fn unnumbered(&self, source: NumberError, out: &mut Output) {
        let request = self.asked();
        out.note(Note::Failed(ProtocolError::NoSequence { request, source }));
    }

    /// An event of a type that is none of the feed's.
    #[cold]
    fn pass_over(&mut self, out: &mut Output) {
        self.data.number = NumberReader::default();
        let event = self.events.event();
        let event = if event.is_empty() { DEFAULT_EVENT.as_bytes() } else { event };
        let name = String::from_utf8_lossy(&event[..event.len().min(EVENT_LIMIT)]);
        out.note(Note::OtherEvent(name.into()));
    }
}

impl Data {
    /// Takes and attributes bytes of an event's data, by its type as far as that is known: servers
    /// name it first. Of base64 four characters are three bytes of the payload (RFC 4648 §4): its
    /// excess is framing.
    fn take(&mut self, kind: Kind, data: &[u8], out: &mut Output) {
        match kind {
            Kind::Text => {
                out.count(Layer::Payload, data.len());
                self.number.push(data);
            }
            Kind::Base64 => {
                let padding = data.iter().rev().take_while(|&&byte| byte == b'=').count();
                let before = self.base64 * 3 / 4;
                self.base64 += (data.len() - padding) as u64;
                let decoded = usize::try_from(self.base64 * 3 / 4 - before).unwrap_or(data.len());
                out.count(Layer::Payload, decoded);
                out.count(Layer::Framing, data.len() - decoded);
                self.binary.push(data);
            }
            Kind::Gone => {
                out.count(Layer::Framing, data.len());
                self.said.extend(data);
            }
            // Its type may come behind its data, and be the feed's.
            Kind::Other => {
                out.count(Layer::Framing, data.len());
                self.number.push(data);
            }
        }
    }
}

impl Session for Sse {
    fn opened(&mut self, out: &mut Output) {
        (self.stage, self.data) = (Stage::Head, Data::default());
        self.http.restart();
        self.events.restart();
        out.send.push(Layer::Http, |bytes| {
            self.stream.request.render(bytes, self.cursor, |bytes| {
                let id = self.events.last_id();
                if !id.is_empty() {
                    let id = String::from_utf8_lossy(id);
                    for part in ["Last-Event-ID: ", &id, "\r\n"] {
                        bytes.extend_from_slice(part.as_bytes());
                    }
                }
            });
        });
        out.note(Note::Request);
    }

    fn receive(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        loop {
            match self.http.next(&mut input, out) {
                Ok(Some(Part::Data(data))) if matches!(self.stage, Stage::Streaming) => {
                    self.read(data, out)?;
                }
                Ok(Some(Part::Data(data))) => {
                    out.count(Layer::Http, data.len());
                    self.data.said.extend(data);
                }
                Ok(Some(Part::Head(head))) => self.head(&head, out)?,
                Ok(Some(Part::End)) => return Err(self.end()),
                Ok(None) => return Ok(()),
                Err(error) => return Err(error.of(self.asked())),
            }
        }
    }

    fn closed(&mut self, out: &mut Output) -> Ending {
        self.retry = self.events.retry().or(self.retry);
        out.notes.extend(self.retry.map(Note::Reconnection));
        if matches!(self.stage, Stage::Refused(_)) && self.http.finish() == Ok(Some(Part::End)) {
            out.note(Note::Failed(self.end()));
        }
        Ending::Broken
    }

    fn close(&mut self, out: &mut Output) {
        out.demand = Demand::Close;
    }
}

#[cfg(test)]
mod tests;
