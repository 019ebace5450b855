//! Sessions: the protocol of each transport as a client speaks it, and nothing else.
//!
//! A session takes bytes and gives bytes. It knows neither socket nor clock nor recorder, so it
//! can be tested with a slice, and the time at which a message arrived is stamped in one place
//! for all transports: the [runner](crate::runner).
//!
//! Within, a transport is a `Subscription`, which speaks in requests, heads and pieces of bodies;
//! `Http1` has them travel as HTTP/1.1. Each transport is a file of its own and a row of one table.

mod answering;
mod body;
mod book;
mod decoding;
mod error;
mod http1;
mod inflating;
mod long_poll;
mod output;
mod poll;
mod reading;
mod request;
mod retryability;
mod rooms;
mod ruled_poll;
mod short_poll;
mod speaker;
mod sse;
mod subscription;
mod tagged_poll;
mod talk;
mod websocket;
mod words;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pushbench_core::Transport;
use pushbench_core::feed::identity::IdentityReader;
use pushbench_core::rules::Found;
use pushbench_metrics::record::control::LoadPlan;
pub use pushbench_protocol::frame::FrameError;
pub use pushbench_protocol::http::{HeadError, RetryAfter};
pub use pushbench_protocol::websocket::HandshakeError;

pub use self::answering::Answer;
use self::book::Book;
pub use self::error::ProtocolError;
pub use self::output::{Demand, Ending, Note, Output, Sending, Wake};
pub use self::retryability::Retryability;

/// One client of one transport.
///
/// Calls come in an order that makes sense: [`opened`](Self::opened) once for each connection,
/// then [`receive`](Self::receive) until [`closed`](Self::closed); [`tick`](Self::tick) at any
/// time. Each fills an [`Output`] that was cleared before.
///
/// ```
/// use pushbench_core::{Contender, Identity, Seq};
/// use pushbench_load::session::{Output, Sessions};
/// use pushbench_metrics::record::control::LoadPlan;
///
/// let plan = LoadPlan::new("127.0.0.1:80".parse()?, Contender::SSE, 1);
/// let (mut session, mut out) = (Sessions::new(&plan).session(0), Output::default());
/// session.opened(&mut out);
/// assert!(out.send.bytes().starts_with(b"GET /feed/sse HTTP/1.1\r\n"));
///
/// let input = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nETag: \"6\"\r\n\r\n\
///               id: 7\ndata: 0000000007\n\n";
/// out.clear();
/// session.receive(input, &mut out)?;
/// assert_eq!(out.messages, [Identity::of_feed(Seq(7))]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Session: fmt::Debug + Send {
    /// A connection is open: gives what is to be sent first.
    fn opened(&mut self, out: &mut Output);

    /// Bytes were read. All of them are attributed to a layer, except where it fails.
    ///
    /// # Errors
    ///
    /// An act of the server that makes the connection useless.
    fn receive(&mut self, input: &[u8], out: &mut Output) -> Result<(), ProtocolError>;

    /// The period has come round. Only transports with a [cadence](Sessions::cadence) hear this.
    fn tick(&mut self, _out: &mut Output) {}

    /// The pause is over that an answer without news had to be followed by, or none was needed:
    /// asks again, where nothing is outstanding. Only who demands it hears this.
    fn ask_again(&mut self, _out: &mut Output) {}

    /// A time is over that the session asked for, on a connection that may have ended since.
    ///
    /// # Errors
    ///
    /// What has not come by then, where the connection is of no use without it.
    fn woken(&mut self, _wake: Wake, _out: &mut Output) -> Result<(), ProtocolError> {
        Ok(())
    }

    /// Says a text of the client's own; `false` where it cannot be said now.
    fn say(&mut self, _text: &[u8], _out: &mut Output) -> bool {
        false
    }

    /// Whether something that it has to say has yet to be sent, or to be answered where it is.
    fn is_saying(&self) -> bool {
        false
    }

    /// The connection has ended, whoever ended it, or could not be opened. There may be messages
    /// that only the end completes.
    fn closed(&mut self, out: &mut Output) -> Ending;

    /// Of a client that polls, whether messages are on their way to it: its last answer was full,
    /// or one that brings some has begun. Of a stream the bytes that come say it.
    fn under_way(&self) -> bool {
        false
    }

    /// The trial is over: says good-bye, or demands that the connection be dropped.
    fn close(&mut self, out: &mut Output);
}

/// Makes a session for the client with a number.
type Make = Box<dyn Fn(u32) -> Box<dyn Session> + Send + Sync>;

/// The way from a plan, and from how messages are told apart, by their payloads or by rules, to the
/// sessions of its clients.
type Maker = fn(&LoadPlan, IdentityReader, Option<&Arc<Book>>) -> Make;

/// A transport, and the maker of its clients' sessions.
struct Row(Transport, Maker);

/// The transports. Nothing else in this crate knows one from the other.
const TABLE: [Row; Transport::ALL.len()] = [
    Row(Transport::ShortPoll, short_poll::sessions),
    Row(Transport::LongPoll, long_poll::sessions),
    Row(Transport::Sse, sse::sessions),
    Row(Transport::Websocket, websocket::sessions),
];

/// Makes the sessions of a load process, and holds what they share.
pub struct Sessions {
    make: Make,
    /// Where what clients say goes on connections of its own.
    speaker: Option<Make>,
    /// Where there are rules.
    book: Option<Arc<Book>>,
    cadence: Option<Duration>,
}

impl Sessions {
    /// The sessions of a plan's clients.
    ///
    /// # Panics
    ///
    /// Where a transport has no row, which the tests exclude: they play all of them.
    #[must_use]
    pub fn new(plan: &LoadPlan) -> Self {
        let is_its_row = |row: &&Row| row.0 == plan.contender.transport;
        let Row(_, sessions) = TABLE.iter().find(is_its_row).expect("each transport has a row");
        let cadence = plan.contender.shape().asks().then_some(plan.poll_interval);
        let book = &plan.subject.rules;
        let book = book.as_ref().map(|rules| Book::new(rules, plan.subject.has_schedule));
        let make = match &plan.talk {
            Some(talk) => rooms::sessions(plan, *talk, *sessions),
            None => sessions(plan, IdentityReader::default(), book.as_ref()),
        };
        let speaks_apart = plan.talk.filter(|_| !plan.contender.transport.is_duplex());
        let speaker = speaks_apart.map(|talk| speaker::sessions(plan, talk));
        Self { make, speaker, book, cadence }
    }

    /// The period of ticks, where the transport has one.
    #[must_use]
    pub const fn cadence(&self) -> Option<Duration> {
        self.cadence
    }

    /// The outcome of the rules so far, over all sessions; empty where the plan has none.
    #[must_use]
    pub fn found(&self) -> Found {
        self.book.as_ref().map(|book| book.found()).unwrap_or_default()
    }

    /// Whether what clients say goes on connections of its own.
    #[must_use]
    pub const fn speak_apart(&self) -> bool {
        self.speaker.is_some()
    }

    /// A session for the connection on which the client with this number speaks; `None` where it
    /// speaks on that on which it listens, or not at all.
    #[must_use]
    pub fn speaker(&self, client: u32) -> Option<Box<dyn Session>> {
        self.speaker.as_ref().map(|make| make(client))
    }

    /// A session for the client with this number among all of the trial's.
    #[must_use]
    pub fn session(&self, client: u32) -> Box<dyn Session> {
        (self.make)(client)
    }
}

/// A client of a WebSocket at the plan's path, whoever's server it is, that answers messages. It has no
/// part in a trial: it is for suites that hold a client to the standard.
#[must_use]
pub fn answering(plan: &LoadPlan, answer: Answer) -> Box<dyn Session> {
    websocket::answering(plan, answer)
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("cadence", &self.cadence).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
