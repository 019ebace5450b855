//! The languages of streams: the form of the messages, and the server's own words between them.
//!
//! Each is a row of one table and a file of its own. Streams, the ring and the books know a place in
//! the table and nothing else of it.

mod conversation;
mod events;
mod frames;

use std::time::Duration;

use bytes::Bytes;
use pushbench_core::Seq;
use pushbench_core::feed::message::Content;

use self::conversation::Conversation;
pub(crate) use self::conversation::ConversationState;
use crate::config::ServerConfig;

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

/// A conversation begins once the client has said something that matters, or the server ends it.
type Talk = Option<Box<Conversation>>;

/// A language's row: all that is said of it in one place.
struct Row {
    language: Language,
    /// Its streams, in the books.
    name: &'static str,
    /// A message in this form, one and the same for every stream that has it.
    encode: fn(Seq, Content, &[u8]) -> Bytes,
    /// The length of that, without making it.
    len: fn(Seq, Content, &[u8]) -> usize,
    /// Takes bytes from the client, and appends the answers to them.
    receive: fn(&mut Talk, &[u8], &mut Vec<u8>) -> ConversationState,
    /// Appends the last words to a client that has had the messages up to a cursor.
    end: fn(&mut Talk, End, Seq, &mut Vec<u8>),
    /// The client has to answer the last words.
    end_is_answered: bool,
    /// The silence after which a word is due that keeps the stream open.
    silence: fn(&ServerConfig) -> Option<Duration>,
    /// Appends that word.
    keep_alive: fn(&mut Vec<u8>),
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
}

/// One stream's side of its language.
#[derive(Debug)]
pub(crate) struct Wire {
    language: Language,
    talk: Talk,
}

impl Wire {
    pub(crate) const fn new(language: Language) -> Self {
        Self { language, talk: None }
    }

    #[inline]
    pub(crate) const fn language(&self) -> Language {
        self.language
    }

    /// Takes bytes from the client, and appends the answers to them. Those of a client that has
    /// only to listen mean nothing.
    pub(crate) fn receive(&mut self, input: &[u8], answers: &mut Vec<u8>) -> ConversationState {
        (self.language.row().receive)(&mut self.talk, input, answers)
    }

    /// Appends the last words to a client that has had the messages up to `cursor`. Whether it has
    /// to answer them.
    pub(crate) fn end(&mut self, why: End, cursor: Seq, words: &mut Vec<u8>) -> bool {
        let row = self.language.row();
        (row.end)(&mut self.talk, why, cursor, words);
        row.end_is_answered
    }

    /// The silence after which a word is due that keeps the stream open.
    pub(crate) fn silence(&self, config: &ServerConfig) -> Option<Duration> {
        (self.language.row().silence)(config)
    }

    /// Appends that word.
    pub(crate) fn keep_alive(&self, words: &mut Vec<u8>) {
        (self.language.row().keep_alive)(words);
    }
}
