//! What short and long polls have in common: a cursor, and answers that move it on.

use pushbench_core::{Delivery, Seq};

use super::body::{BodyError, BodyReader, Kind, oldest_in};
use super::error::ProtocolError;
use super::http::{Head, Part, RequestHead, ResponseReader};
use super::output::Output;

/// What an answer to a poll amounts to, once it is complete.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It brought messages.
    Messages,
    /// It brought none that the client had not.
    Stale,
    /// It brought none: 204, 304, or a value that the client had.
    Empty,
    /// It is not one that a poll should get. The cursor is where polling can go on.
    Refused(ProtocolError),
}

/// Reads the answers to polls and keeps the cursor.
#[derive(Debug)]
pub(crate) struct PollReader {
    http: ResponseReader,
    body: BodyReader,
    delivery: Delivery,
    expected: &'static str,
    head: Option<Head>,
    /// Where the client stands: its last message, or what the server said it starts from.
    pub(crate) cursor: Option<Seq>,
    /// The newest message that it has.
    newest: Seq,
    /// The last answer could not hold all that there was.
    full: bool,
}

impl PollReader {
    /// For a client without a cursor; `expected` names the right statuses in errors.
    pub(crate) fn new(delivery: Delivery, expected: &'static str) -> Self {
        Self {
            http: ResponseReader::default(),
            body: BodyReader::default(),
            delivery,
            expected,
            head: None,
            cursor: None,
            newest: Seq::NONE,
            full: false,
        }
    }

    /// Takes input up to the end of an answer; `None` where that is yet to come. `asked` is what
    /// was asked for, and with which cursor.
    ///
    /// # Errors
    ///
    /// What makes the connection useless.
    pub(crate) fn next(
        &mut self,
        input: &mut &[u8],
        asked: (&RequestHead, Option<Seq>),
        out: &mut Output,
    ) -> Result<Option<(Answer, bool)>, ProtocolError> {
        let request = || asked.0.describe(asked.1);
        while let Some(part) = self.http.next(input, out).map_err(|e| e.of(request()))? {
            match part {
                Part::Head(head) => {
                    asked.0.check_coding(&head, asked.1)?;
                    let messages = match self.delivery {
                        Delivery::Every => Kind::Batch,
                        Delivery::Latest => Kind::Single,
                    };
                    self.body.begin(if head.status == 200 { messages } else { Kind::Words });
                    self.body.said.begin(&head);
                    self.head = Some(head);
                }
                Part::Data(data) => {
                    self.body.data(data, out).map_err(|error| broken(error, request()))?;
                }
                Part::End => return self.answer(asked, out).map(Some),
            }
        }
        Ok(None)
    }

    /// Whether messages are under way: the last answer was full, or one that brings some has begun.
    pub(crate) fn under_way(&self) -> bool {
        self.full || self.head.as_ref().is_some_and(|head| head.status == 200)
    }

    /// The connection has ended: the answer that this completes, where one had no other end.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::Truncated`] where it cut one short.
    pub(crate) fn finish(
        &mut self,
        asked: (&RequestHead, Option<Seq>),
        out: &mut Output,
    ) -> Result<Option<(Answer, bool)>, ProtocolError> {
        let finished = self.http.finish();
        if let Ok(Some(_)) = finished {
            return self.answer(asked, out).map(Some);
        }
        // What had begun does not come any more.
        self.head = None;
        match finished {
            Ok(_) => Ok(None),
            Err(()) => Err(ProtocolError::Truncated(asked.0.describe(asked.1))),
        }
    }

    /// The answer that is complete, and whether the server closes the connection behind it.
    fn answer(
        &mut self,
        asked: (&RequestHead, Option<Seq>),
        out: &mut Output,
    ) -> Result<(Answer, bool), ProtocolError> {
        let request = || asked.0.describe(asked.1);
        // A body follows its head.
        let Some(head) = self.head.take() else { return Err(ProtocolError::Unasked(request())) };
        let last = self.body.end().map_err(|error| broken(error, request()))?;
        self.full = self.delivery == Delivery::Every
            && last.is_some_and(|last| head.cursor > Some(last) || self.body.is_full());
        let answer = match head.status {
            200 => self.news(last, head.cursor, out),
            204 | 304 => {
                self.cursor = self.cursor.max(head.cursor);
                Answer::Empty
            }
            status => Answer::Refused(self.refusal(status, asked)),
        };
        let subscribed = !matches!(answer, Answer::Refused(_));
        if subscribed && self.cursor.is_none() && self.delivery == Delivery::Every {
            return Err(ProtocolError::NoCursor(request()));
        }
        Ok((answer, head.close))
    }

    /// Moves the cursor on to the last message of an answer.
    fn news(&mut self, last: Option<Seq>, tag: Option<Seq>, out: &mut Output) -> Answer {
        let Some(last) = last else {
            self.cursor = self.cursor.max(tag);
            return Answer::Empty;
        };
        match self.delivery {
            // Not the tag: an answer that is full stops short of the newest message.
            Delivery::Every if last <= self.newest => return Answer::Stale,
            Delivery::Every => self.cursor = self.cursor.max(Some(last)),
            Delivery::Latest => {
                self.cursor = tag.or(Some(last));
                if last <= self.newest {
                    return Answer::Empty;
                }
                out.messages.push(last);
            }
        }
        self.newest = self.newest.max(last);
        Answer::Messages
    }

    /// What is wrong with a status, and after 410 a cursor that can be served.
    fn refusal(&mut self, status: u16, asked: (&RequestHead, Option<Seq>)) -> ProtocolError {
        let (request, said) = (asked.0.describe(asked.1), self.body.said.take());
        if status != 410 {
            return ProtocolError::Status { status, request, expected: self.expected, said };
        }
        let oldest = oldest_in(&said);
        let after = self.cursor.take().unwrap_or(Seq::NONE);
        self.cursor = oldest.map(before);
        ProtocolError::Gone { request, after, oldest }
    }
}

/// The cursor that has `seq` come next.
pub(crate) fn before(seq: Seq) -> Seq {
    Seq(seq.0.saturating_sub(1))
}

/// What is wrong with the body of the answer to `request`.
pub(crate) fn broken(error: BodyError, request: String) -> ProtocolError {
    match error {
        BodyError::Batch(source) => ProtocolError::Batch { request, source },
        BodyError::NoSequence(source) => ProtocolError::NoSequence { request, source },
    }
}
