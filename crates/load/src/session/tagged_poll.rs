//! Long polling at a server that is none of ours: each answer is one message, and its entity tag
//! is where the next request goes on from (`If-None-Match`, RFC 9110 §13.1.2).

use std::sync::Arc;

use pushbench_core::Seq;
use pushbench_metrics::observe::ledger::Layer;

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
    /// The newest message that it has.
    newest: Seq,
    outstanding: bool,
}

/// What is to come after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The next request, at once.
    Ask,
    /// The next request, after a pause if one is due: there was no news.
    AskAgain,
    /// Another connection: the server closes this one.
    Connect,
}

impl TaggedPoll {
    pub(super) fn new(request: Arc<RequestHead>) -> Self {
        let (http, body) = (ResponseReader::keeping("ETag"), BodyReader::default());
        let (head, tag, newest) = (None, Vec::new(), Seq::NONE);
        Self { request, http, body, head, tag, newest, outstanding: false }
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

    /// Takes the answer that is complete.
    fn answered(&mut self, out: &mut Output) -> Result<Next, ProtocolError> {
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
                return Ok(if head.close { Next::Connect } else { Next::AskAgain });
            }
        };
        match (head.status, last) {
            (200, Some(seq)) => {
                out.messages.push(seq);
                if seq <= self.newest {
                    out.note(Note::StaleResponse);
                }
            }
            // Held for as long as the server holds a request, and nothing came.
            (200 | 204 | 304 | 408, None) => out.note(Note::EmptyResponse),
            (status, _) => {
                let (request, said) = (self.asked(), self.body.said.take());
                let expected = "200, 204, 304 or 408";
                return Err(ProtocolError::Status { status, request, expected, said });
            }
        }
        let news = last > Some(self.newest);
        self.newest = self.newest.max(last.unwrap_or(Seq::NONE));
        Ok(match () {
            () if head.close => Next::Connect,
            () if news => Next::Ask,
            () => Next::AskAgain,
        })
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
                Some(Part::End) => match self.answered(out)? {
                    Next::Ask => self.ask(out),
                    Next::AskAgain => out.demand = Demand::AskAgain,
                    Next::Connect => out.demand = Demand::HangUp,
                },
                None => return Ok(()),
            }
        }
    }

    fn ask_again(&mut self, out: &mut Output) {
        if !self.outstanding {
            self.ask(out);
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
        self.head = None;
        let outstanding = std::mem::take(&mut self.outstanding);
        if outstanding { Ending::Broken } else { Ending::Idle { served: true } }
    }

    fn under_way(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.status == 200)
    }

    fn close(&mut self, out: &mut Output) {
        out.demand = Demand::Close;
    }
}

#[cfg(test)]
mod tests;
