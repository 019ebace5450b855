//! The protocol of a transport in terms of HTTP: requests, heads, pieces of bodies and their ends.
//!
//! A subscription does not know how these are written on a connection, nor whether others share it:
//! today [`Http1`](super::http1::Http1) stands between it and the bytes.

use std::borrow::Cow;
use std::fmt;

use pushbench_core::feed::number::NumberError;
use pushbench_core::{Identity, Seq};
use pushbench_protocol::http::ResponseHead;

use super::error::ProtocolError;
use super::output::{Ending, Note, Output, Wake};
use super::reading::Found;
use super::request::RequestTarget;
use super::words::oldest_in;

/// A request that is to be sent.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) target: RequestTarget<'a>,
    /// A field that is this request's own, beside those that all have.
    pub(super) field: Option<(&'static str, Cow<'a, [u8]>)>,
}

/// An answer that is complete.
#[derive(Debug)]
pub(super) enum Answer {
    /// One that brings the feed.
    Feed,
    /// One that says that there is no news.
    Empty,
    /// Any other.
    Refused(ProtocolError),
}

/// How a subscription goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// With a request, at once.
    Request,
    /// With a request, after a pause if one is due: there was no news.
    Pause,
    /// As it is: nothing is to be sent for now.
    Rest,
    /// As it is, on a connection that has served its purpose: it is the server that closes it.
    Served,
    /// Without the request that was due now.
    Skip,
    /// With another connection, and a request on it.
    Connect,
    /// Not at all.
    Leave,
}

/// How far an exchange had come when its connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// There never was a connection.
    Unopened,
    /// Nothing was outstanding; whether there had been an answer.
    Idle { served: bool },
    /// No answer had begun.
    Unanswered,
    /// An answer had begun.
    Cut,
}

impl Last {
    /// The end of a connection that was meant to be kept.
    pub(super) const fn ending(self) -> Ending {
        match self {
            Self::Idle { served } => Ending::Idle { served },
            Self::Unopened | Self::Unanswered | Self::Cut => Ending::Broken,
        }
    }
}

/// One client's way to the feed, by one transport.
pub(super) trait Subscription: fmt::Debug + Send {
    /// The status of an answer that brings the feed. Behind a 101 there are no more answers, and
    /// all that comes is [data](Self::data) (RFC 9110 §7.8).
    const FEED: u16 = 200;

    /// The statuses of an answer that there is no news.
    const EMPTY: &[u16] = &[];

    /// The answer that brings the feed goes on until somebody ends it.
    const STREAMS: bool = false;

    /// A field that is wanted of heads.
    const FIELD: Option<&'static str> = None;

    /// The statuses that would be right, for a person to read.
    fn expected(&self) -> &'static str;

    /// The request that is to be sent now.
    fn request(&mut self) -> Request<'_>;

    /// The request that errors are about.
    fn target(&self) -> RequestTarget<'_>;

    /// A connection is open.
    fn opened(&mut self, _out: &mut Output) -> Next {
        Next::Request
    }

    /// An answer has begun that brings the feed or says that there is no news, with the value of
    /// the [field](Self::FIELD) that is wanted.
    fn begun(
        &mut self,
        head: &ResponseHead,
        field: Option<&[u8]>,
        out: &mut Output,
    ) -> Result<(), ProtocolError>;

    /// Bytes of the feed came. All of them are attributed to a layer, except where it fails.
    fn data(&mut self, data: &[u8], out: &mut Output) -> Result<(), ProtocolError>;

    /// An answer is complete. Of a stream that is wrong, and of a refusal all is known now.
    fn answered(&mut self, answer: Answer, _out: &mut Output) -> Result<Next, ProtocolError> {
        Err(match answer {
            Answer::Feed | Answer::Empty => ProtocolError::StreamEnded(self.target().describe()),
            Answer::Refused(error) => error,
        })
    }

    /// The period has come round, and nothing is outstanding.
    fn due(&mut self, _open: bool) -> Next {
        Next::Rest
    }

    /// Something that was put off is due.
    fn woken(&mut self, _wake: Wake, _out: &mut Output) {}

    /// The connection has ended, or could not be opened.
    fn closed(&mut self, last: Last, out: &mut Output) -> Ending;

    /// Whether messages are under way, as [`Session::under_way`](super::Session::under_way) says.
    fn under_way(&self) -> bool {
        false
    }

    /// The trial is over.
    fn close(&mut self, _out: &mut Output) -> Next {
        Next::Leave
    }

    /// Where the feed goes on after a loss.
    fn cursor(&mut self) -> &mut Option<Seq>;

    /// The cursor has fallen off the server's ring, which `said` so: goes on from the oldest
    /// message, where that is named.
    #[cold]
    fn gone(&mut self, said: &str) -> ProtocolError {
        let (request, oldest) = (self.target().describe(), oldest_in(said));
        let after = self.cursor().take().unwrap_or(Seq::NONE);
        *self.cursor() = oldest.map(|oldest| Seq(oldest.0.saturating_sub(1)));
        ProtocolError::Gone { request, after, oldest }
    }

    /// A stream begins with `head`.
    #[cold]
    fn stands(&mut self, head: &ResponseHead) -> Result<(), ProtocolError> {
        let start = self.target().start_of(head);
        let cursor = self.cursor();
        *cursor = start.max(*cursor);
        if cursor.is_none() {
            return Err(ProtocolError::NoCursor(self.target().describe()));
        }
        Ok(())
    }

    /// The place of a message of a stream in its source's order, behind that of the one `before`.
    #[inline]
    fn place(&self, message: Identity, _before: Seq) -> Seq {
        message.seq
    }

    /// Says a text of the client's own on the connection on which it listens; `false` where it is not
    /// open, or what clients say goes another way.
    fn say(&mut self, _text: &[u8], _out: &mut Output) -> bool {
        false
    }

    /// A message of a stream is complete.
    #[inline]
    fn arrived(&mut self, message: Found, out: &mut Output) {
        let message = match message {
            Ok(Some(message)) => message,
            // Rules have seen to it.
            Ok(None) => return,
            Err(source) => return self.unnumbered(source, out),
        };
        let before = self.cursor().unwrap_or(Seq::NONE);
        let place = self.place(message, before);
        if place > before {
            *self.cursor() = Some(place);
        }
        out.messages.push(message);
    }

    /// A message of a stream had no number. The stream is in order, and the next one may have one.
    #[cold]
    fn unnumbered(&self, source: NumberError, out: &mut Output) {
        let request = self.target().describe();
        out.note(Note::Failed(ProtocolError::NoSequence { request, source }));
    }
}
