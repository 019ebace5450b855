//! Readings of what a transport delivers: by the identity that our own payloads carry, or by rules.
//!
//! A session is built around one or the other, so that neither pays for the other.

use std::fmt;
use std::sync::Arc;

use pushbench_core::feed::identity::{Identity, IdentityReader};
use pushbench_core::feed::number::NumberError;
use pushbench_core::feed::stamp::Stamped;
use pushbench_core::{Sender, Seq};
use pushbench_protocol::frame::Opcode;
use pushbench_protocol::rules::{Engine, Fault, Reader, Sink};
use pushbench_protocol::sse::Base64Payload;

use super::book::Book;
use super::output::{Output, Wake};
use super::talk::Talk;

/// A message whose number is looked for by whoever keeps a cursor; `None` where rules have taken
/// what came.
pub(super) type Found = Result<Option<Identity>, NumberError>;

/// A message of the client's own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Text or binary.
    pub(super) kind: Opcode,
    pub(super) payload: Vec<u8>,
}

/// Reads texts that come in pieces, one after another.
pub(super) trait Reading: fmt::Debug + Send {
    /// It may have something to say, and have a client wait for something.
    const SPEAKS: bool;

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

    /// The place of a message in its source's order, behind that of the one `before`.
    fn place(&self, message: Identity, _before: Seq) -> Seq {
        message.seq
    }

    /// Takes a piece in base64: how many bytes it stands for. Unless it is a feed's it is taken as it came.
    fn push_base64(&mut self, _coded: &mut Base64Payload, piece: &[u8], out: &mut Output) -> usize {
        self.push(piece, out);
        piece.len()
    }

    /// A text in base64 has ended.
    fn last_base64(&mut self, _coded: &mut Base64Payload, out: &mut Output) -> Found {
        self.last(&[], out)
    }

    /// Whether the subscription has come to stand: its stream has begun, and what the client waits for
    /// has come. Told once for each connection.
    fn stands(&mut self) -> bool {
        true
    }

    /// The connection is open.
    fn opened(&mut self, _out: &mut Output) {}

    /// Something that was put off is due; whether it was for this connection.
    fn woken(&mut self, _wake: Wake, _out: &mut Output) -> bool {
        false
    }

    /// The message that ends next is of this kind, where its transport tells them apart.
    fn is_of(&mut self, _kind: Opcode) {}

    /// The messages that are to be sent now, in order.
    fn said(&mut self) -> Vec<Said> {
        Vec::new()
    }

    /// The subprotocols that are offered.
    fn subprotocols(&self) -> &[String] {
        &[]
    }
}

impl Reading for IdentityReader {
    const SPEAKS: bool = false;

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
    fn place(&self, message: Identity, before: Seq) -> Seq {
        Self::place(self, message, before)
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
    client: u32,
    /// The text that the client waits for has come on this connection.
    ready: bool,
    /// That its subscription stands has been told.
    stood: bool,
    /// Bytes that are no part of a message, and that count as payload still, since they came before
    /// that was known.
    envelope: u64,
    talk: Talk,
}

impl RuleReader {
    /// For a client with this number.
    pub(super) fn new(book: &Arc<Book>, client: u32) -> Self {
        let engine = book.engine.clone();
        let ready = !engine.waits();
        let (reader, book) = (Reader::new(engine, client), book.clone());
        Self { reader, book, client, ready, stood: false, envelope: 0, talk: Talk::default() }
    }

    /// The rules at work.
    pub(super) fn engine(&self) -> Arc<Engine> {
        self.book.engine.clone()
    }

    /// An answer with messages does not say where the next poll goes on.
    pub(super) fn lacks_cursor(&self, body: &[u8]) {
        self.book.unreadable(Fault::NO_CURSOR, body);
    }

    /// Reads a piece of so many bytes. What is around its messages is framing.
    fn read(
        &mut self,
        length: usize,
        out: &mut Output,
        read: impl FnOnce(&mut Reader, &mut Findings<'_>),
    ) {
        let Self { reader, book, ready, talk, envelope, .. } = self;
        let before = reader.undecided();
        let mut found = Findings { book, ready, said: &mut talk.texts, taken: 0, out };
        read(reader, &mut found);
        let taken = found.taken;
        // A text of which only the start is looked at has more bytes than were kept of it.
        let decided = (before + length).saturating_sub(reader.undecided());
        *envelope += decided.saturating_sub(taken) as u64;
        if *envelope > 0 {
            *envelope = out.around_messages(*envelope);
        }
    }
}

impl Reading for RuleReader {
    const SPEAKS: bool = true;

    fn restart(&mut self) {
        self.reader.restart();
        self.ready = !self.reader.engine().waits();
        self.stood = false;
        self.talk.restart();
    }

    fn pass_over(&mut self) {
        self.reader.drop_text();
    }

    fn push(&mut self, piece: &[u8], out: &mut Output) {
        self.read(piece.len(), out, |reader, sink| reader.push(piece, sink));
    }

    fn last(&mut self, piece: &[u8], out: &mut Output) -> Found {
        self.read(piece.len(), out, |reader, sink| reader.last(piece, sink));
        Ok(None)
    }

    fn stands(&mut self) -> bool {
        self.ready && !std::mem::replace(&mut self.stood, true)
    }

    fn opened(&mut self, out: &mut Output) {
        self.talk.opened(&self.book.rules, self.client, out);
    }

    fn woken(&mut self, wake: Wake, out: &mut Output) -> bool {
        self.talk.woken(wake, &self.book.rules, self.client, out)
    }

    fn said(&mut self) -> Vec<Said> {
        let texts = std::mem::take(&mut self.talk.texts);
        texts.into_iter().map(|text| Said { kind: Opcode::of(&text), payload: text }).collect()
    }

    fn subprotocols(&self) -> &[String] {
        &self.book.rules.subprotocol
    }
}

/// Where the findings of one call go.
struct Findings<'a> {
    book: &'a Book,
    ready: &'a mut bool,
    said: &'a mut Vec<Vec<u8>>,
    /// The bytes of messages.
    taken: usize,
    out: &'a mut Output,
}

impl Sink for Findings<'_> {
    fn message(&mut self, message: Stamped, length: usize) {
        self.taken += length;
        self.out.stamped.push(message);
    }

    fn sender(&mut self, name: &[u8]) -> Option<Sender> {
        self.book.sender(name)
    }

    fn unreadable(&mut self, fault: Fault, message: &[u8]) {
        self.taken += message.len();
        self.book.unreadable(fault, message);
    }

    fn unmatched(&mut self, text: &[u8], more: bool) {
        self.book.unmatched(text, more);
    }

    fn ignored(&mut self) {
        self.book.ignored();
    }

    fn say(&mut self, reply: usize, text: Vec<u8>) {
        self.book.replied(reply);
        self.said.push(text);
    }

    fn ready(&mut self) {
        *self.ready = true;
    }
}
