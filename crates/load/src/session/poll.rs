//! The state that short and long polls have in common: a cursor, and answers that move it on.

use pushbench_core::feed::identity::{Identity, IdentityReader};
use pushbench_core::{Delivery, Seq};
use pushbench_protocol::http::ResponseHead;

use super::body::{BodyError, BodyReader};
use super::error::ProtocolError;
use super::output::Output;
use super::request::RequestTarget;

/// The news in an answer that is as a poll's should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Messages.
    Messages,
    /// None that the client had not.
    Stale,
    /// None: there was no body, or a value that the client had.
    None,
}

/// Reads the answers to polls and keeps the cursor.
#[derive(Debug)]
pub(super) struct Poll {
    body: BodyReader,
    delivery: Delivery,
    /// The sequence number in the tag of the answer that has begun.
    tag: Option<Seq>,
    /// An answer that brings messages has begun.
    arriving: bool,
    /// The last answer could not hold all that there was.
    full: bool,
    /// Where the client stands: its last message, or where the server said it starts.
    pub(super) cursor: Option<Seq>,
    /// The newest message that it has.
    newest: Seq,
}

impl Poll {
    /// For a client without a cursor.
    pub(super) fn new(delivery: Delivery, identity: IdentityReader) -> Self {
        Self {
            body: BodyReader::new(delivery, identity),
            delivery,
            tag: None,
            arriving: false,
            full: false,
            cursor: None,
            newest: Seq::NONE,
        }
    }

    /// An answer has begun that brings messages or says that there are none.
    pub(super) fn begun(&mut self, head: &ResponseHead, brings_messages: bool) {
        self.body.begin(self.cursor.unwrap_or(Seq::NONE));
        (self.tag, self.arriving) = (head.cursor, brings_messages);
    }

    /// Bytes of messages came.
    pub(super) fn data(&mut self, data: &[u8], out: &mut Output) -> Result<(), BodyError> {
        self.body.data(data, out)
    }

    /// Whether messages are under way: the last answer was full, or one that brings some has begun.
    pub(super) const fn under_way(&self) -> bool {
        self.full || self.arriving
    }

    /// The answer has been refused.
    pub(super) const fn refused(&mut self) {
        self.full = false;
    }

    /// An answer that had begun does not come any more.
    pub(super) const fn cut(&mut self) {
        self.arriving = false;
    }

    /// The answer to `target` is complete.
    ///
    /// # Errors
    ///
    /// A body that cannot be read, and [`ProtocolError::NoCursor`].
    pub(super) fn answered(
        &mut self,
        target: RequestTarget<'_>,
        out: &mut Output,
    ) -> Result<News, ProtocolError> {
        let brings_messages = std::mem::take(&mut self.arriving);
        let last =
            if brings_messages { self.body.end().map_err(|error| error.of(target))? } else { None };
        self.full = self.delivery == Delivery::Every
            && last.is_some_and(|(place, _)| self.tag > Some(place) || self.body.is_full());
        let news = self.news(last, out);
        if self.cursor.is_none() && self.delivery == Delivery::Every {
            return Err(ProtocolError::NoCursor(target.describe()));
        }
        Ok(news)
    }

    /// Moves the cursor on to the last message of an answer.
    fn news(&mut self, last: Option<(Seq, Identity)>, out: &mut Output) -> News {
        let Some((last, message)) = last else {
            self.cursor = self.cursor.max(self.tag);
            return News::None;
        };
        match self.delivery {
            // Not the tag: an answer that is full stops short of the newest message.
            Delivery::Every if last <= self.newest => return News::Stale,
            Delivery::Every => self.cursor = self.cursor.max(Some(last)),
            Delivery::Latest => {
                self.cursor = self.tag.or(Some(last));
                if last <= self.newest {
                    return News::None;
                }
                out.messages.push(message);
            }
        }
        self.newest = self.newest.max(last);
        News::Messages
    }
}
