//! Readings of what a transport delivers: by the identity that our own payloads carry, or by rules.
//!
//! A session is built around one or the other, so that neither pays for the other.

use std::fmt;
use std::sync::Arc;

use pushbench_core::Sender;
use pushbench_core::feed::identity::{Identity, IdentityReader};
use pushbench_core::feed::number::NumberError;
use pushbench_core::feed::stamp::Stamped;
use pushbench_protocol::rules::{Engine, Fault, Reader, Sink};
use pushbench_protocol::sse::Base64Payload;

use super::book::Book;
use super::output::Output;

/// A message whose number is looked for by whoever keeps a cursor; `None` where rules have taken
/// what came.
pub(super) type Found = Result<Option<Identity>, NumberError>;

/// Reads texts that come in pieces, one after another.
pub(super) trait Reading: fmt::Debug + Send {
    /// It may have something to say, and have a client wait for something.
    const BY_RULES: bool;

    /// Forgets the text that has begun: another stream of them begins.
    fn restart(&mut self);

    /// Forgets the text that has begun: it is none of the feed's.
    fn pass_over(&mut self) {
        self.restart();
    }

    /// Takes a piece.
    fn push(&mut self, piece: &[u8], out: &mut Output);

    /// Takes the last piece, most often the only one.
    fn last(&mut self, piece: &[u8], out: &mut Output) -> Found;

    /// Takes a piece in base64: how many bytes it stands for.
    fn push_base64(&mut self, coded: &mut Base64Payload, piece: &[u8], out: &mut Output) -> usize;

    /// A text in base64 has ended.
    fn last_base64(&mut self, coded: &mut Base64Payload, out: &mut Output) -> Found;

    /// Whether what the client waits for has come, so that its subscription stands.
    fn is_ready(&self) -> bool {
        true
    }

    /// Hands over the texts that are to be sent, in order.
    fn take_said(&mut self, _texts: &mut Vec<Vec<u8>>) {}

    /// The rules that it reads by, and what they found.
    fn book(&self) -> Option<Arc<Book>> {
        None
    }
}

impl Reading for IdentityReader {
    const BY_RULES: bool = false;

    fn restart(&mut self) {
        Self::restart(self);
    }

    #[inline]
    fn push(&mut self, piece: &[u8], _out: &mut Output) {
        Self::push(self, piece);
    }

    #[inline]
    fn last(&mut self, piece: &[u8], _out: &mut Output) -> Found {
        Self::last(self, piece).map(Some)
    }

    #[inline]
    fn push_base64(&mut self, coded: &mut Base64Payload, piece: &[u8], _out: &mut Output) -> usize {
        coded.push(piece, self)
    }

    #[inline]
    fn last_base64(&mut self, coded: &mut Base64Payload, _out: &mut Output) -> Found {
        coded.finish(self).map(Some)
    }
}

/// Reads by rules, for one client.
#[derive(Debug)]
pub(super) struct RuleReader {
    reader: Reader,
    book: Arc<Book>,
    /// What the client waits for has come on this connection.
    ready: bool,
    said: Vec<Vec<u8>>,
}

impl RuleReader {
    /// For a client with this number.
    pub(super) fn new(book: &Arc<Book>, client: u32) -> Self {
        let engine = book.engine.clone();
        let ready = !engine.waits();
        Self { reader: Reader::new(engine, client), book: book.clone(), ready, said: Vec::new() }
    }

    /// The rules at work.
    pub(super) fn engine(&self) -> Arc<Engine> {
        self.book.engine.clone()
    }

    fn read(&mut self, out: &mut Output, read: impl FnOnce(&mut Reader, &mut Findings<'_>)) {
        let Self { reader, book, ready, said } = self;
        read(reader, &mut Findings { book, ready, said, out });
    }
}

impl Reading for RuleReader {
    const BY_RULES: bool = true;

    fn restart(&mut self) {
        self.reader.restart();
        self.ready = !self.reader.engine().waits();
        self.said.clear();
    }

    fn pass_over(&mut self) {
        self.reader.drop_text();
    }

    fn push(&mut self, piece: &[u8], out: &mut Output) {
        self.read(out, |reader, sink| reader.push(piece, sink));
    }

    fn last(&mut self, piece: &[u8], out: &mut Output) -> Found {
        self.read(out, |reader, sink| reader.last(piece, sink));
        Ok(None)
    }

    // Rules look at what came as it came.
    fn push_base64(&mut self, _coded: &mut Base64Payload, piece: &[u8], out: &mut Output) -> usize {
        self.push(piece, out);
        piece.len()
    }

    fn last_base64(&mut self, _coded: &mut Base64Payload, out: &mut Output) -> Found {
        self.last(&[], out)
    }

    fn is_ready(&self) -> bool {
        self.ready
    }

    fn take_said(&mut self, texts: &mut Vec<Vec<u8>>) {
        texts.append(&mut self.said);
    }

    fn book(&self) -> Option<Arc<Book>> {
        Some(self.book.clone())
    }
}

/// Where the findings of one call go.
struct Findings<'a> {
    book: &'a Book,
    ready: &'a mut bool,
    said: &'a mut Vec<Vec<u8>>,
    out: &'a mut Output,
}

impl Sink for Findings<'_> {
    fn message(&mut self, message: Stamped) {
        self.out.stamped.push(message);
    }

    fn sender(&mut self, name: &[u8]) -> Option<Sender> {
        self.book.sender(name)
    }

    fn unreadable(&mut self, fault: Fault, message: &[u8]) {
        self.book.unreadable(fault, message);
    }

    fn unmatched(&mut self, text: &[u8], more: bool) {
        self.book.unmatched(text, more);
    }

    fn ignored(&mut self) {
        self.book.ignored();
    }

    fn say(&mut self, text: Vec<u8>) {
        self.said.push(text);
    }

    fn ready(&mut self) {
        *self.ready = true;
    }
}
