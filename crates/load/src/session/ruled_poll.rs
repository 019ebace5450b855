//! Polls of an application, short and long: what an answer brings is found by rules, and what of it
//! is new by its numbers, its instants, its entity tag, or by being another body.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use pushbench_core::contender::{Connection, Stack};
use pushbench_core::feed::stamp::{Stamp, Stamped};
use pushbench_core::{Sender, Seq};
use pushbench_metrics::observe::ledger::Layer;
use pushbench_metrics::record::control::LoadPlan;
use pushbench_protocol::http::ResponseHead;
use pushbench_protocol::rules::LONGEST_TEXT;

use super::Make;
use super::book::Book;
use super::error::ProtocolError;
use super::http1::Http1;
use super::output::{Ending, Note, Output};
use super::reading::{Reading as _, RuleReader};
use super::request::{FeedRequest, RequestTarget};
use super::short_poll::ShortPoll;
use super::subscription::{Answer, Last, Next, Request, Subscription};

/// When a client asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// With its period.
    Period,
    /// As soon as it is answered: the server holds the request until there is news.
    Held,
}

/// A message as it is told from others.
type Key = (Sender, Option<Seq>, Option<Stamp>);

/// One client that polls.
#[derive(Debug)]
pub(super) struct RuledPoll {
    request: Arc<FeedRequest>,
    reading: RuleReader,
    pace: Pace,
    /// Asks for what is newer than its tag (RFC 9110 §13.1.2).
    conditional: bool,
    /// Each request has a connection of its own (`Connection: close`, RFC 9112 §9.6).
    closes: bool,
    subscribed: bool,
    /// An answer that brings a body has begun.
    arriving: bool,
    body: Vec<u8>,
    /// Of the last answer that had one; else empty.
    tag: Vec<u8>,
    /// Of the answer that has begun.
    next_tag: Vec<u8>,
    /// Where the next request goes on, if answers say it.
    place: Vec<u8>,
    /// The messages of the last answer with any.
    known: HashSet<Key>,
    /// That answer's body, as far as it tells it from others.
    digest: u64,
    cursor: Option<Seq>,
}

impl RuledPoll {
    fn new(request: Arc<FeedRequest>, reading: RuleReader, pace: Pace, stack: Stack) -> Self {
        Self {
            request,
            reading,
            pace,
            conditional: pace == Pace::Held || stack.conditional,
            closes: stack.connection == Connection::Closed,
            subscribed: false,
            arriving: false,
            body: Vec::new(),
            tag: Vec::new(),
            next_tag: Vec::new(),
            place: Vec::new(),
            known: HashSet::new(),
            digest: 0,
            cursor: None,
        }
    }

    /// Takes what the answer brought; whether any of it is new, and whether there was any.
    fn take(&mut self, out: &mut Output) -> (bool, bool) {
        let is_other_tag = !self.next_tag.is_empty() && self.next_tag != self.tag;
        let has_tag = !self.next_tag.is_empty();
        if has_tag {
            std::mem::swap(&mut self.tag, &mut self.next_tag);
        }
        if !std::mem::take(&mut self.arriving) {
            return (false, false);
        }
        let before = out.stamped.len();
        // What was read into it is taken back below.
        let body = std::mem::take(&mut self.body);
        let _ = self.reading.last(&body, out);
        let engine = self.reading.engine();
        let is_paged = engine.is_paged();
        match engine.cursor(&body) {
            Some(place) => self.place = place.into_owned(),
            None if is_paged && out.stamped.len() > before => self.reading.lacks_cursor(&body),
            None => {}
        }
        let digest = digest(&body);
        let is_other = if has_tag { is_other_tag } else { digest != self.digest };
        (self.digest, self.body) = (digest, body);
        let found = out.stamped.split_off(before);
        let had_any = !found.is_empty();
        // Pages follow each other: what comes twice in them was sent twice.
        let is_new = |it: &Stamped| match key(it) {
            _ if is_paged => true,
            (_, None, None) => is_other,
            key => !self.known.contains(&key),
        };
        out.stamped.extend(found.iter().filter(|it| is_new(it)));
        if had_any {
            self.known.clear();
            self.known.extend(found.iter().map(key));
        }
        (out.stamped.len() > before, had_any)
    }

    /// How to go on once all is well.
    fn go_on(&mut self, is_news: bool, out: &mut Output) -> Next {
        match self.pace {
            Pace::Held if is_news => Next::Request,
            Pace::Held => Next::Pause,
            Pace::Period => {
                if !std::mem::replace(&mut self.subscribed, true) {
                    out.note(Note::Subscribed);
                }
                self.rest()
            }
        }
    }

    /// Until the period comes round again.
    const fn rest(&self) -> Next {
        if self.closes { Next::Served } else { Next::Rest }
    }
}

/// A message as it is told from others.
const fn key(message: &Stamped) -> Key {
    (message.sender, message.seq, message.stamp)
}

fn digest(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

impl Subscription for RuledPoll {
    const EMPTY: &[u16] = &[204, 304, 408];
    const FIELD: Option<&'static str> = Some("ETag");

    fn expected(&self) -> &'static str {
        "200, 204, 304 or 408"
    }

    fn request(&mut self) -> Request<'_> {
        let tag = (self.conditional && !self.tag.is_empty()).then_some(&self.tag[..]);
        let field = tag.map(|tag| ("If-None-Match", Cow::Borrowed(tag)));
        Request { target: self.target(), field }
    }

    fn target(&self) -> RequestTarget<'_> {
        self.request.at(&self.place)
    }

    fn opened(&mut self, out: &mut Output) -> Next {
        match self.pace {
            // Nothing is answered before there is a message; waiting is being ready.
            Pace::Held => out.note(Note::Subscribed),
            Pace::Period if !self.subscribed || self.closes => {}
            Pace::Period => {
                // Back after a loss: ready, and the next tick asks.
                out.note(Note::Subscribed);
                return Next::Rest;
            }
        }
        Next::Request
    }

    fn begun(
        &mut self,
        head: &ResponseHead,
        tag: Option<&[u8]>,
        _out: &mut Output,
    ) -> Result<(), ProtocolError> {
        self.body.clear();
        self.arriving = head.status == Self::FEED;
        self.next_tag.clear();
        self.next_tag.extend_from_slice(tag.unwrap_or_default());
        Ok(())
    }

    fn data(&mut self, data: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        out.count(Layer::Payload, data.len());
        let room = (LONGEST_TEXT + 1).saturating_sub(self.body.len());
        self.body.extend_from_slice(&data[..data.len().min(room)]);
        Ok(())
    }

    fn answered(&mut self, answer: Answer, out: &mut Output) -> Result<Next, ProtocolError> {
        if let Answer::Refused(error) = answer {
            // A client that never got an answer is to try again, one that did goes on polling.
            if self.pace == Pace::Held || !self.subscribed {
                return Err(error);
            }
            out.note(Note::Failed(error));
            return Ok(self.rest());
        }
        let (is_news, had_any) = self.take(out);
        if !is_news {
            let is_stale = self.pace == Pace::Held && had_any;
            out.note(if is_stale { Note::StaleResponse } else { Note::EmptyResponse });
        }
        Ok(self.go_on(is_news, out))
    }

    fn due(&mut self, open: bool) -> Next {
        match (self.subscribed, self.closes) {
            (true, true) => Next::Connect,
            (true, false) if open => Next::Request,
            _ => Next::Skip,
        }
    }

    fn closed(&mut self, last: Last, out: &mut Output) -> Ending {
        self.arriving = false;
        if self.pace == Pace::Held {
            return last.ending();
        }
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
        self.arriving
    }

    fn cursor(&mut self) -> &mut Option<Seq> {
        &mut self.cursor
    }
}

/// Clients that poll an application.
pub(super) fn sessions(plan: &LoadPlan, book: &Arc<Book>, pace: Pace) -> Make {
    let request = Arc::new(match pace {
        Pace::Period => ShortPoll::request(plan),
        Pace::Held => FeedRequest::new(plan, &[], &[]),
    });
    let (book, stack) = (book.clone(), plan.contender.stack);
    Box::new(move |client| {
        let reading = RuleReader::new(&book, client);
        Box::new(Http1::new(RuledPoll::new(request.clone(), reading, pace, stack)))
    })
}

#[cfg(test)]
mod tests;
