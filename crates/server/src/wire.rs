//! The languages of streams: the form of the messages, and the server's own words between them.
//!
//! Each is a row of one table and a file of its own. Streams, the ring and the books know a place in
//! the table and nothing else of it.

mod coding;
mod conversation;
mod events;
mod frames;

use bytes::Bytes;
use pushbench_core::Seq;
use pushbench_core::feed::message::Content;
use pushbench_protocol::deflate::{Compressor, Side};
use pushbench_protocol::gzip::Sum;

pub(crate) use self::coding::{Codings, Encoding, SharedCoding};
use self::conversation::Conversation;
pub(crate) use self::conversation::ConversationState;
pub(crate) use self::events::begin_gzip;
use crate::ring::Entry;

/// A language of streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Events of WHATWG HTML §9.2, each in a chunk of its own.
    Events,
    /// Frames of RFC 6455.
    Frames,
}

/// The languages, in the order of the type.
const TABLE: [Row; Language::ALL.len()] = [events::ROW, frames::ROW];

/// The state of a stream beside its place in the feed. Most have none: it is boxed.
#[derive(Debug, Default)]
struct State {
    /// Begins once the client has said something that matters, or the server ends it.
    conversation: Option<Conversation>,
    /// The compressor of messages that no other stream has in this way.
    compressor: Option<Compressor>,
    /// The bounds of the client's messages where it may compress them.
    client: Option<Side>,
    /// The sum of the client's gzip member so far, if it has one.
    member: Option<Sum>,
    /// The stream has no chunks, and ends with its connection.
    until_close: bool,
    /// Where the client wants to be told how many are in the room: how many it was told last.
    presence: Option<Told>,
}

/// The number that a client has been told, if one.
type Told = Option<u32>;

impl State {
    /// The conversation, which begins where there is none.
    fn begin(&mut self) -> &mut Conversation {
        self.conversation.get_or_insert_with(|| Conversation::new(self.client))
    }
}

/// It is there once there is something in it.
type Beside = Option<Box<State>>;

/// Takes bytes from the client of a stream with such a coding, and appends the answers to them.
type Receive = fn(&mut Beside, Coding, &mut [u8], &mut Vec<u8>, &mut dyn Ears) -> ConversationState;

/// A language's row: all that is said of it in one place.
struct Row {
    language: Language,
    /// Its streams, in the books.
    name: &'static str,
    /// A message in this form, one and the same for every stream that has it.
    encode: fn(Seq, Content, &[u8]) -> Bytes,
    /// The length of that, without making it.
    len: fn(Seq, Content, &[u8]) -> usize,
    /// Takes bytes from the client, and appends the answers to them, messages in the stream's coding.
    receive: Receive,
    /// Appends the last words to a client that has had the messages up to a cursor.
    end: fn(&mut Beside, End, Seq, &mut Vec<u8>),
    /// The client has to answer the last words.
    end_is_answered: bool,
    /// Appends the word that keeps a silent stream open.
    keep_alive: fn(&mut Beside, &mut Vec<u8>),
    /// Appends how many are in the room.
    presence: fn(&mut Beside, u32, &mut Vec<u8>),
}

// A language's number is its place in the table.
const _: () = {
    let mut place = 0;
    while place < TABLE.len() {
        assert!(TABLE[place].language as usize == place, "the table is in the order of the type");
        place += 1;
    }
};

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::Events, Self::Frames];

    const fn row(self) -> &'static Row {
        const ROWS: &[Row] = &TABLE;
        &ROWS[self as usize]
    }

    /// The name of its streams in the books.
    pub(crate) const fn name(self) -> &'static str {
        self.row().name
    }

    /// The message in this form.
    pub(crate) fn encode(self, seq: Seq, content: Content, payload: &[u8]) -> Bytes {
        (self.row().encode)(seq, content, payload)
    }

    /// The length of the message in this form, without making it.
    pub(crate) fn len(self, seq: Seq, content: Content, payload: &[u8]) -> usize {
        (self.row().len)(seq, content, payload)
    }
}

/// Reasons for which the server ends a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// The cursor fell off the ring, whose oldest message is this.
    Gone { oldest: Seq },
    /// The server stops.
    Stop,
    /// There is no memory for what the client says.
    Full,
}

/// The coding of one stream's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// None: they travel as they are.
    None,
    /// One that the ring has for all streams that share it.
    Shared(SharedCoding),
    /// That of a compressor of the stream's own, which has seen every message before.
    Own,
}

/// Whoever hears the messages of clients.
pub(crate) trait Ears {
    /// The most bytes of a message.
    fn longest(&self) -> usize;

    /// Hears a message. What is said to it at once goes back the way it came.
    ///
    /// # Errors
    ///
    /// Why the client is not heard any more.
    fn hear(&mut self, content: Content, payload: &[u8], back: Back<'_>) -> Result<(), Parting>;
}

/// The way back to a client, before anything else is said to it.
pub(crate) struct Back<'a> {
    coding: Coding,
    compressor: Option<&'a mut Compressor>,
    out: &'a mut Vec<u8>,
}

impl Back<'_> {
    /// Says a message, compressed as the stream's are.
    pub(crate) fn say(self, content: Content, payload: &[u8], codings: &Codings) {
        let Self { coding, compressor, out } = self;
        match (coding, compressor) {
            (Coding::Own, Some(compressor)) if codings.takes(payload.len()) => {
                out.extend_from_slice(&codings.frame(compressor, content, payload));
            }
            (Coding::Shared(SharedCoding::Deflate(window)), _) if codings.takes(payload.len()) => {
                out.extend_from_slice(&codings.deflated(window, content, payload));
            }
            _ => frames::push(out, content, payload),
        }
    }
}

/// A close that ends what a client may say (RFC 6455 §7.4).
#[derive(Debug)]
pub(crate) struct Parting {
    pub(crate) code: u16,
    pub(crate) reason: String,
}

/// The number of those in a room as clients are told it.
fn presence(connected: u32) -> String {
    format!("{{\"connected\":{connected}}}")
}

/// One stream's side of its language.
#[derive(Debug)]
pub(crate) struct Wire {
    language: Language,
    coding: Coding,
    beside: Beside,
}

impl Wire {
    /// A wire of messages as they are.
    pub(crate) const fn new(language: Language) -> Self {
        Self { language, coding: Coding::None, beside: None }
    }

    /// The same with its messages in a coding that others share.
    pub(crate) fn sharing(self, coding: SharedCoding) -> Self {
        Self { coding: Coding::Shared(coding), ..self }
    }

    /// The same with its messages compressed by `compressor`.
    pub(crate) fn compressing(mut self, compressor: Compressor) -> Self {
        self.beside.get_or_insert_default().compressor = Some(compressor);
        Self { coding: Coding::Own, ..self }
    }

    /// The same of a client that may compress its messages within these bounds.
    pub(crate) fn hearing(mut self, client: Side) -> Self {
        self.beside.get_or_insert_default().client = Some(client);
        self
    }

    /// The same of events as the middle of a gzip member, which has begun.
    pub(crate) fn in_gzip(mut self) -> Self {
        self.beside.get_or_insert_default().member = Some(Sum::default());
        self.sharing(SharedCoding::Gzip)
    }

    /// The same of events without chunks, which end with the connection (RFC 9112 §6.3).
    pub(crate) fn until_close(mut self) -> Self {
        self.beside.get_or_insert_default().until_close = true;
        self.sharing(SharedCoding::UntilClose)
    }

    /// The same of WebSocket messages whose text says what it is.
    pub(crate) fn tagged(self) -> Self {
        self.with_presence().sharing(SharedCoding::Tagged)
    }

    /// The same of a client that wants to be told how many are in the room.
    pub(crate) fn with_presence(mut self) -> Self {
        self.beside.get_or_insert_default().presence = Some(None);
        self
    }

    /// The stream has begun to write this message: keeps what its end has to say of it.
    #[inline]
    pub(crate) fn pass(&mut self, entry: &Entry) {
        if !self.is_plain() {
            self.count(entry);
        }
    }

    /// Adds the message to the sum of a gzip member, if it is in one.
    #[inline(never)]
    fn count(&mut self, entry: &Entry) {
        let member = self.beside.as_mut().and_then(|state| state.member.as_mut());
        if let (Some(member), Some(text)) = (member, entry.text_in_gzip()) {
            *member = member.with(text);
        }
    }

    #[inline]
    pub(crate) const fn language(&self) -> Language {
        self.language
    }

    pub(crate) const fn coding(&self) -> Coding {
        self.coding
    }

    /// Whether its messages travel as they are.
    #[inline]
    pub(crate) const fn is_plain(&self) -> bool {
        matches!(self.coding, Coding::None)
    }

    /// The compressor of a stream that shares no coding.
    pub(crate) fn compressor(&mut self) -> Option<&mut Compressor> {
        self.beside.as_mut()?.compressor.as_mut()
    }

    /// Takes bytes from the client, and appends the answers to them; its messages are for `ears`. The
    /// bytes of a client that has only to listen mean nothing.
    pub(crate) fn receive(
        &mut self,
        input: &mut [u8],
        answers: &mut Vec<u8>,
        ears: &mut dyn Ears,
    ) -> ConversationState {
        (self.language.row().receive)(&mut self.beside, self.coding, input, answers, ears)
    }

    /// Whether the client wants to be told that so many are in the room, and has not been.
    pub(crate) fn lacks_presence(&self, connected: u32) -> bool {
        let wanted = self.beside.as_ref().and_then(|state| state.presence);
        wanted.is_some_and(|told| told != Some(connected))
    }

    /// Appends that.
    pub(crate) fn tell_presence(&mut self, connected: u32, words: &mut Vec<u8>) {
        (self.language.row().presence)(&mut self.beside, connected, words);
        self.beside.get_or_insert_default().presence = Some(Some(connected));
    }

    /// Bytes of memory that an unfinished message of the client takes.
    pub(crate) fn held(&self) -> usize {
        let conversation = self.beside.as_ref().and_then(|state| state.conversation.as_ref());
        conversation.map_or(0, Conversation::held)
    }

    /// Appends the last words to a client that has had the messages up to `cursor`. Whether it has
    /// to answer them.
    pub(crate) fn end(&mut self, why: End, cursor: Seq, words: &mut Vec<u8>) -> bool {
        let row = self.language.row();
        (row.end)(&mut self.beside, why, cursor, words);
        row.end_is_answered
    }

    /// Appends that word.
    pub(crate) fn keep_alive(&mut self, words: &mut Vec<u8>) {
        (self.language.row().keep_alive)(&mut self.beside, words);
    }
}
