//! Long polling at a server that is none of ours: each answer is one message, and its entity tag
//! is where the next request goes on from (`If-None-Match`, RFC 9110 §13.1.2).

use std::sync::Arc;

use pushbench_metrics::ledger::Layer;

use super::Session;
use super::body::{BodyReader, Kind};
use super::error::ProtocolError;
use super::http::{Head, Part, RequestHead, ResponseReader};
use super::output::{Demand, Ending, Note, Output};
use super::poll::broken;

/// One client that waits.
#[derive(Debug)]
pub(super) struct TaggedPoll {
    request: Arc<RequestHead>,
    http: ResponseReader,
    body: BodyReader,
    head: Option<Head>,
    /// Of the last answer that had one; else empty.
    tag: Vec<u8>,
    outstanding: bool,
}

impl TaggedPoll {
    pub(super) fn new(request: Arc<RequestHead>) -> Self {
        let (http, body) = (ResponseReader::keeping("ETag"), BodyReader::default());
        Self { request, http, body, head: None, tag: Vec::new(), outstanding: false }
    }

    fn asked(&self) -> String {
        self.request.describe(None)
    }

    fn ask(&mut self, out: &mut Output) {
        out.send.push(Layer::Http, |bytes| {
            self.request.render(bytes, None, |bytes| {
                if !self.tag.is_empty() {
                    for part in [b"If-None-Match: ", &self.tag[..], b"\r\n"] {
                        bytes.extend_from_slice(part);
                    }
                }
            });
        });
        out.note(Note::Request);
        self.outstanding = true;
    }

    /// Takes the answer that is complete; whether the connection stays open behind it.
    fn answered(&mut self, out: &mut Output) -> Result<bool, ProtocolError> {
        self.outstanding = false;
        let last = self.body.end();
        // A body follows its head.
        let Some(head) = self.head.take() else { return Err(ProtocolError::Unasked(self.asked())) };
        if head.kept {
            self.tag.clear();
            self.tag.extend_from_slice(self.http.kept());
        }
        let last = match last {
            Ok(last) => last,
            // It is answered all the same, and the next answer may have one.
            Err(error) => {
                out.note(Note::Failed(broken(error, self.asked())));
                return Ok(!head.close);
            }
        };
        match (head.status, last) {
            (200, Some(seq)) => out.messages.push(seq),
            // Held for as long as the server holds a request, and nothing came.
            (200 | 204 | 304 | 408, None) => out.note(Note::EmptyResponse),
            (status, _) => {
                let (request, said) = (self.asked(), self.body.said.take());
                let expected = "200, 204, 304 or 408";
                return Err(ProtocolError::Status { status, request, expected, said });
            }
        }
        Ok(!head.close)
    }
}

impl Session for TaggedPoll {
    fn opened(&mut self, out: &mut Output) {
        self.http.restart();
        self.head = None;
        self.ask(out);
        // Nothing is answered before there is a message; waiting is being ready.
        out.note(Note::Subscribed);
    }

    fn receive(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        loop {
            if !self.outstanding && !input.is_empty() {
                return Err(ProtocolError::Unasked(self.asked()));
            }
            match self.http.next(&mut input, out).map_err(|error| error.of(self.asked()))? {
                Some(Part::Head(head)) => {
                    self.request.check_coding(&head, None)?;
                    self.body.begin(if head.status == 200 { Kind::Single } else { Kind::Words });
                    self.body.said.begin(&head);
                    self.head = Some(head);
                }
                Some(Part::Data(data)) => self
                    .body
                    .data(data, out)
                    .map_err(|error| broken(error, self.request.describe(None)))?,
                // Where the server closes, asking again has to wait for the next connection.
                Some(Part::End) => {
                    if self.answered(out)? {
                        self.ask(out);
                    } else {
                        out.demand = Demand::HangUp;
                    }
                }
                None => return Ok(()),
            }
        }
    }

    fn closed(&mut self, out: &mut Output) -> Ending {
        match self.http.finish() {
            Ok(Some(Part::End)) => {
                if let Err(error) = self.answered(out) {
                    out.note(Note::Failed(error));
                }
            }
            Ok(_) => {}
            Err(()) => out.note(Note::Failed(ProtocolError::Truncated(self.asked()))),
        }
        self.outstanding = false;
        Ending::Broken
    }

    fn close(&mut self, out: &mut Output) {
        out.demand = Demand::Close;
    }
}

#[cfg(test)]
mod tests;
