//! A client's connection for what it says, where that does not go on the one on which it listens: a
//! `POST` for each message, one after another.

use std::collections::VecDeque;
use std::sync::Arc;

use pushbench_core::talk::Talk;
use pushbench_metrics::observe::ledger::Layer;
use pushbench_metrics::record::control::{LoadPlan, Subject};
use pushbench_protocol::headers::RequestParts;
use pushbench_protocol::http::{
    Piece, RequestTemplate, ResponseError, ResponseHead, ResponseReader,
};

use super::error::ProtocolError;
use super::output::{Demand, Ending, Note, Output};
use super::rooms::OfRoom;
use super::words::Words;
use super::{Make, Session};

/// The status of an answer to a message that was taken.
const TAKEN: u16 = 201;

/// The request that says something in a room.
#[derive(Debug)]
struct Posting {
    template: RequestTemplate,
    subject: Subject,
}

impl Posting {
    fn new(plan: &LoadPlan, talk: &Talk, client: u32) -> Self {
        let room = Talk::room_name(talk.room_of(client));
        let host = plan.subject.host.clone().unwrap_or_else(|| plan.target.to_string());
        let own = [("Content-Type", "text/plain; charset=utf-8")];
        let parts = RequestParts { target: "", host: &host, own: &own };
        let fields = plan.headers.request_headers(plan.contender, &parts);
        let path = format!("{}/rooms/{room}/messages", plan.subject.prefix);
        let template = RequestTemplate::posting(&path, fields);
        Self { template, subject: plan.subject.clone() }
    }

    fn describe(&self) -> String {
        self.subject.hide(self.template.describe(None))
    }
}

/// One client's way to say something.
#[derive(Debug)]
struct Speaker {
    posting: Arc<Posting>,
    answers: ResponseReader,
    /// The body of a refusal.
    words: Words,
    /// Of the answer that has begun, or began last.
    status: u16,
    /// The server closes the connection behind that answer.
    closes: bool,
    open: bool,
    served: bool,
    /// A message that was sent, and not yet answered.
    outstanding: bool,
    /// Messages that wait for an answer to the one before them, or for a connection.
    waiting: VecDeque<Vec<u8>>,
}

impl Speaker {
    fn new(posting: Arc<Posting>) -> Self {
        Self {
            posting,
            answers: ResponseReader::default(),
            words: Words::default(),
            status: 0,
            closes: false,
            open: false,
            served: false,
            outstanding: false,
            waiting: VecDeque::new(),
        }
    }

    fn go_on(&mut self, out: &mut Output) {
        if !self.open || self.outstanding {
            return;
        }
        if let Some(text) = self.waiting.pop_front() {
            self.send(&text, out);
        }
    }

    fn send(&mut self, text: &[u8], out: &mut Output) {
        let template = &self.posting.template;
        out.send.push(Layer::Http, |bytes| template.render_with_body(bytes, text.len()));
        out.send.push(Layer::Payload, |bytes| bytes.extend_from_slice(text));
        out.note(Note::Request);
        self.outstanding = true;
    }

    fn begun(&mut self, head: &ResponseHead, out: &mut Output) {
        self.words.begin(head.coding.as_deref());
        out.notes.extend(head.retry_after.as_deref().copied().map(Note::RetryAfter));
        (self.status, self.closes) = (head.status, head.close);
    }

    /// An answer is complete.
    fn answered(&mut self, out: &mut Output) {
        (self.outstanding, self.served) = (false, true);
        let said = self.words.take();
        if self.status != TAKEN {
            let (status, request) = (self.status, self.posting.describe());
            let error = ProtocolError::Status { status, request, expected: "201", said };
            out.note(Note::Failed(error));
        }
        if self.closes {
            self.open = false;
            out.demand = Demand::HangUp;
        } else {
            self.go_on(out);
        }
    }

    #[cold]
    fn unreadable(&self, error: ResponseError) -> ProtocolError {
        let request = self.posting.describe();
        match error {
            ResponseError::Head(source) => ProtocolError::Head { request, source },
            ResponseError::Chunk(source) => ProtocolError::Body { request, source },
        }
    }
}

impl Session for Speaker {
    fn opened(&mut self, out: &mut Output) {
        self.answers.restart();
        (self.open, self.served, self.outstanding) = (true, false, false);
        out.note(Note::Subscribed);
        self.go_on(out);
    }

    fn receive(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        while self.outstanding {
            match self.answers.next(&mut input) {
                Ok(Some(Piece::Framing(bytes))) => out.count(Layer::Framing, bytes),
                Ok(Some(Piece::Data(data))) => {
                    out.count(Layer::Http, data.len());
                    self.words.extend(data);
                }
                Ok(Some(Piece::HeadPart(bytes))) => out.count(Layer::Http, bytes),
                Ok(Some(Piece::Head(head, bytes))) => {
                    out.count(Layer::Http, bytes);
                    self.begun(&head, out);
                }
                Ok(Some(Piece::End)) => self.answered(out),
                Ok(None) => return Ok(()),
                Err(error) => return Err(self.unreadable(error)),
            }
        }
        if input.is_empty() {
            return Ok(());
        }
        Err(ProtocolError::Unasked(self.posting.describe()))
    }

    fn say(&mut self, text: &[u8], out: &mut Output) -> bool {
        if self.open && !self.outstanding {
            self.send(text, out);
        } else {
            self.waiting.push_back(text.to_vec());
        }
        true
    }

    fn is_saying(&self) -> bool {
        self.outstanding || !self.waiting.is_empty()
    }

    /// Whether the server took what was outstanding is not known, and it is not said again: a hearer
    /// would have it twice.
    fn closed(&mut self, _out: &mut Output) -> Ending {
        let unanswered = std::mem::take(&mut self.outstanding);
        self.open = false;
        if unanswered { Ending::Broken } else { Ending::Idle { served: self.served } }
    }

    fn close(&mut self, out: &mut Output) {
        out.demand = Demand::Close;
    }
}

/// The speakers of a plan's clients.
pub(super) fn sessions(plan: &LoadPlan, talk: Talk) -> Make {
    let plan = plan.clone();
    let postings = OfRoom::default();
    Box::new(move |client| {
        let posting = || Arc::new(Posting::new(&plan, &talk, client));
        let speaker = |posting: &Arc<Posting>| Speaker::new(posting.clone());
        Box::new(postings.with(talk.room_of(client), posting, speaker))
    })
}
