//! Long polling: a request that the server holds until there is something, and the next one at
//! once (RFC 6202 §2).

use std::sync::Arc;

use pushbench_core::{Delivery, Seq};
use pushbench_metrics::observe::ledger::Layer;

use super::Session;
use super::error::ProtocolError;
use super::http::RequestHead;
use super::output::{Demand, Ending, Note, Output};
use super::poll::{Answer, PollReader};

/// The two requests of a long poll.
#[derive(Debug)]
pub(super) struct Requests {
    /// Asks where the feed stands, and is answered at once.
    pub(super) subscribe: RequestHead,
    /// Waits for what comes after the cursor.
    pub(super) wait: RequestHead,
}

/// One client that waits.
#[derive(Debug)]
pub(super) struct LongPoll {
    requests: Arc<Requests>,
    poll: PollReader,
    outstanding: bool,
    /// The cursor that the outstanding request was sent with.
    asked: Option<Seq>,
}

impl LongPoll {
    pub(super) fn new(requests: Arc<Requests>, delivery: Delivery) -> Self {
        let poll = PollReader::new(delivery, "200 or 204");
        Self { requests, poll, outstanding: false, asked: None }
    }

    fn ask(&mut self, out: &mut Output) {
        self.asked = self.poll.cursor;
        let request = request(&self.requests, self.asked);
        out.send.push(Layer::Http, |bytes| request.render(bytes, self.asked, |_| {}));
        out.note(Note::Request);
        self.outstanding = true;
    }

    fn answered(&mut self, answer: Answer, out: &mut Output) -> Result<(), ProtocolError> {
        self.outstanding = false;
        match answer {
            Answer::Messages => {}
            Answer::Stale => out.note(Note::StaleResponse),
            Answer::Empty => out.note(Note::EmptyResponse),
            // To ask again at once would be to ask as fast as the server refuses.
            Answer::Refused(error) => return Err(error),
        }
        if self.poll.cursor.is_none() {
            return Err(ProtocolError::NoCursor(self.requests.subscribe.describe(None)));
        }
        if self.asked.is_none() {
            out.note(Note::Subscribed);
        }
        Ok(())
    }
}

/// What a client with this cursor asks.
fn request(requests: &Requests, cursor: Option<Seq>) -> &RequestHead {
    if cursor.is_some() { &requests.wait } else { &requests.subscribe }
}

impl Session for LongPoll {
    fn opened(&mut self, out: &mut Output) {
        if self.poll.cursor.is_some() {
            // Back after a loss. No answer may come for long; waiting is being ready.
            out.note(Note::Subscribed);
        }
        self.ask(out);
    }

    fn receive(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), ProtocolError> {
        let requests = self.requests.clone();
        while !input.is_empty() {
            let asked = (request(&requests, self.asked), self.asked);
            if !self.outstanding {
                return Err(ProtocolError::Unasked(asked.0.describe(asked.1)));
            }
            let Some((answer, closes)) = self.poll.next(&mut input, asked, out)? else { break };
            let news = matches!(answer, Answer::Messages);
            self.answered(answer, out)?;
            match () {
                // Where the server closes, asking again has to wait for the next connection.
                () if closes => out.demand = Demand::HangUp,
                // The answer to a subscription is to come at once.
                () if news || self.asked.is_none() => self.ask(out),
                () => out.demand = Demand::AskAgain,
            }
        }
        Ok(())
    }

    fn ask_again(&mut self, out: &mut Output) {
        if !self.outstanding {
            self.ask(out);
        }
    }

    fn closed(&mut self, out: &mut Output) -> Ending {
        let requests = self.requests.clone();
        let asked = (request(&requests, self.asked), self.asked);
        let finished = match self.poll.finish(asked, out) {
            Ok(Some((answer, _))) => self.answered(answer, out),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = finished {
            out.note(Note::Failed(error));
        }
        let outstanding = std::mem::take(&mut self.outstanding);
        if outstanding { Ending::Broken } else { Ending::Idle { served: true } }
    }

    fn under_way(&self) -> bool {
        self.poll.under_way()
    }

    fn close(&mut self, out: &mut Output) {
        out.demand = Demand::Close;
    }
}

#[cfg(test)]
mod tests;
