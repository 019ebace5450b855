//! Server-sent events: one response that does not end (WHATWG HTML §9.2).

use std::sync::Arc;
use std::time::Duration;

use pushbench_core::Seq;
use pushbench_core::wire::sse::{BINARY_EVENT, GONE_EVENT, Piece, SseReader};
use pushbench_metrics::ledger::Layer;

use super::Session;
use super::body::{Said, SeqPrefix, oldest_in};
use super::error::ProtocolError;
use super::http::{Head, Part, RequestHead, ResponseReader};
use super::output::{Demand, Ending, Note, Output};
use super::poll::before;

/// One client that listens to an event stream.
#[derive(Debug)]
pub(super) struct Sse {
    request: Arc<RequestHead>,
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
    prefix: SeqPrefix,
    /// Base64 characters so far, padding left out.
    base64: u64,
    /// What a server says before it ends a stream.
    said: Said,
}

impl Sse {
    pub(super) fn new(request: Arc<RequestHead>) -> Self {
        Self {
            request,
            http: ResponseReader::default(),
            stage: Stage::Head,
            events: SseReader::default(),
            data: Data::default(),
            cursor: None,
            retry: None,
        }
    }

    fn asked(&self) -> String {
        self.request.describe(self.cursor)
    }

    fn head(&mut self, head: Head, out: &mut Output) -> Result<(), ProtocolError> {
        if head.status != 200 {
            self.stage = Stage::Refused(head.status);
            return Ok(());
        }
        self.stage = Stage::Streaming;
        self.cursor = self.cursor.max(self.request.start_of(&head));
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
        if status == 410 {
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

    fn stream(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        while let Some(piece) = self.events.next(&mut input) {
            match piece {
                Piece::Framing(bytes) => out.count(Layer::Framing, bytes),
                Piece::Data(data) => self.data.take(self.events.event(), data, out),
                Piece::Dispatch => self.dispatch(out)?,
            }
        }
        Ok(())
    }

    fn dispatch(&mut self, out: &mut Output) -> Result<(), ProtocolError> {
        let event = self.events.event();
        let seq = if event.is_empty() {
            let seq = Seq::from_payload(self.data.prefix.start());
            self.data.prefix.clear();
            seq
        } else if event == BINARY_EVENT.as_bytes() {
            self.data.base64 = 0;
            self.data.prefix.finish_base64()
        } else if event == GONE_EVENT.as_bytes() {
            let said = self.data.said.take();
            return Err(self.gone(&said));
        } else {
            // An event of a type that is none of a feed's.
            self.data.said.take();
            return Ok(());
        };
        let Some(seq) = seq else { return Err(ProtocolError::NoSequence(self.asked())) };
        self.cursor = self.cursor.max(Some(seq));
        out.messages.push(seq);
        Ok(())
    }
}

impl Data {
    /// Takes and attributes bytes of an event's data. Of base64 four characters are three bytes
    /// of the payload (RFC 4648 §4): its excess is framing.
    fn take(&mut self, event: &[u8], data: &[u8], out: &mut Output) {
        if event.is_empty() {
            out.count(Layer::Payload, data.len());
            self.prefix.extend(data);
        } else if event == BINARY_EVENT.as_bytes() {
            let padding = data.iter().rev().take_while(|&&byte| byte == b'=').count();
            let before = self.base64 * 3 / 4;
            self.base64 += (data.len() - padding) as u64;
            let decoded = usize::try_from(self.base64 * 3 / 4 - before).unwrap_or(data.len());
            out.count(Layer::Payload, decoded);
            out.count(Layer::Framing, data.len() - decoded);
            self.prefix.extend(data);
        } else {
            out.count(Layer::Framing, data.len());
            self.said.extend(data);
        }
    }
}

impl Session for Sse {
    fn opened(&mut self, out: &mut Output) {
        (self.http, self.events) = (ResponseReader::default(), SseReader::default());
        (self.stage, self.data) = (Stage::Head, Data::default());
        out.send.push(Layer::Http, |bytes| self.request.render(bytes, self.cursor, |_| {}));
        out.note(Note::Request);
    }

    fn receive(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        loop {
            match self.http.next(&mut input, out) {
                Ok(Some(Part::Data(data))) if matches!(self.stage, Stage::Streaming) => {
                    self.stream(data, out)?;
                }
                Ok(Some(Part::Data(data))) => {
                    out.count(Layer::Http, data.len());
                    self.data.said.extend(data);
                }
                Ok(Some(Part::Head(head))) => self.head(head, out)?,
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
