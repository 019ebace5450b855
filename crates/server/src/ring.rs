//! The messages of the past, each encoded once for every stream of one form, within a bound.

use std::cell::{Cell, OnceCell};
use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;
use pushbench_core::feed::message::Content;
use pushbench_core::{Delivery, Seq};
use pushbench_protocol::gzip::Suffix;

use crate::config::RingLimits;
use crate::feed_id::FeedId;
use crate::rooms::key::RoomKey;
use crate::wire::{Coding, Codings, Encoding, Language, SharedCoding, Wire};

/// The size of an entry beside its encodings: itself, and what [`Bytes`] allocates to share them.
const ENTRY_OVERHEAD: usize = size_of::<Entry>() + 64;

/// The size of what is coded beside its bytes.
const CODED_OVERHEAD: usize = size_of::<Coded>() + 64;

/// A cursor that the ring no longer covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the messages after {after} are no longer held; the oldest that is held is {oldest}")]
pub(crate) struct Gone {
    pub(crate) after: Seq,
    pub(crate) oldest: Seq,
}

impl Gone {
    /// The same for a program (RFC 9110 §15.5.11): names the oldest message that is held.
    pub(crate) fn to_json(self) -> String {
        serde_json::json!({ "error": self.to_string(), "oldest": self.oldest }).to_string()
    }
}

/// A message, and what it is on each wire.
#[derive(Debug)]
pub(crate) struct Entry {
    seq: Seq,
    content: Content,
    /// A part of the frame's allocation.
    payload: Bytes,
    /// By [`Language`], made when it is first wanted.
    encodings: [OnceCell<Bytes>; Language::ALL.len()],
    /// Those in a coding, in the order in which they were first wanted.
    coded: Link,
    /// The bytes of the entry once it is encoded in every language, without a coding.
    cost: usize,
}

/// The rest of a list that only grows, so that what is in it can be lent.
type Link = OnceCell<Box<Coded>>;

/// A message in a language and a coding.
#[derive(Debug)]
struct Coded {
    language: Language,
    coding: SharedCoding,
    encoding: Encoding,
    next: Link,
}

impl Coded {
    fn cost(&self) -> usize {
        CODED_OVERHEAD + self.encoding.bytes.len()
    }
}

impl Entry {
    pub(crate) fn new(seq: Seq, content: Content, payload: &[u8]) -> Self {
        let lens = Language::ALL.map(|language| language.len(seq, content, payload));
        let cost = ENTRY_OVERHEAD + lens.iter().sum::<usize>();
        // The payload is in its frame as it is, so one allocation holds both.
        let frame = Language::Frames.encode(seq, content, payload);
        let payload = frame.slice(frame.len() - payload.len()..);
        let mut encodings = [const { OnceCell::new() }; Language::ALL.len()];
        encodings[Language::Frames as usize] = frame.into();
        Self { seq, content, payload, encodings, coded: Link::new(), cost }
    }

    pub(crate) const fn seq(&self) -> Seq {
        self.seq
    }

    pub(crate) const fn content(&self) -> Content {
        self.content
    }

    pub(crate) const fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The message in this language.
    #[inline]
    pub(crate) fn encoded(&self, language: Language) -> &Bytes {
        let made = &self.encodings[language as usize];
        made.get_or_init(|| language.encode(self.seq, self.content, &self.payload))
    }

    fn coded(&self) -> impl Iterator<Item = &Coded> {
        std::iter::successors(self.coded.get(), |coded| coded.next.get()).map(|coded| &**coded)
    }

    /// The sum of its text in a gzip member, once it has been encoded for one.
    pub(crate) fn text_in_gzip(&self) -> Option<Suffix> {
        let made = self.coded().find(|made| made.coding == SharedCoding::Gzip);
        made.map(|made| made.encoding.text)
    }

    /// The bytes of the entry as of now.
    fn cost(&self) -> usize {
        self.cost + self.coded().map(Coded::cost).sum::<usize>()
    }
}

/// The room whose messages a ring holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) room: RoomKey,
    /// Tells it from another one under its name, whose messages have the same numbers: of the feed, from
    /// that of another start.
    pub(crate) feed: FeedId,
}

/// The last messages, in order and without gaps.
#[derive(Debug)]
pub(crate) struct Ring {
    pub(crate) whose: Whose,
    entries: VecDeque<Entry>,
    newest: Seq,
    bytes: Cell<usize>,
    limits: RingLimits,
    /// The compressors, which are the server's.
    pub(crate) codings: Rc<Codings>,
}

impl Ring {
    pub(crate) const fn new(whose: Whose, limits: RingLimits, codings: Rc<Codings>) -> Self {
        let newest = Seq::NONE;
        Self { whose, entries: VecDeque::new(), newest, bytes: Cell::new(0), limits, codings }
    }

    /// The same of a room whose messages up to `newest` are gone.
    pub(crate) const fn going_on_after(&mut self, newest: Seq) {
        self.newest = newest;
    }

    /// Adds the message after the newest, and lets go of the oldest that are beyond the bound.
    pub(crate) fn push(&mut self, entry: Entry) {
        debug_assert_eq!(entry.seq, self.newest.next(), "messages come without gaps");
        self.newest = entry.seq;
        *self.bytes.get_mut() += entry.cost();
        self.entries.push_back(entry);
        while self.entries.len() > 1 && self.is_beyond_limits() {
            self.let_go();
        }
    }

    /// Lets go of the oldest message.
    fn let_go(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            *self.bytes.get_mut() -= oldest.cost();
        }
    }

    /// Has another bound of its bytes from the next message on.
    pub(crate) const fn limit(&mut self, bytes: usize) {
        self.limits.bytes = bytes;
    }

    /// Lets go of all that is beyond `bytes`, of the newest message too.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        while self.bytes.get() > bytes {
            self.let_go();
        }
    }

    fn is_beyond_limits(&self) -> bool {
        self.bytes.get() > self.limits.bytes || self.entries.len() > self.limits.messages
    }

    /// The number of the newest message, 0 before the first.
    pub(crate) const fn newest(&self) -> Seq {
        self.newest
    }

    /// The number of the oldest message held; of the next one where none is, and 0 before the first.
    pub(crate) fn oldest(&self) -> Seq {
        let next = if self.newest == Seq::NONE { Seq::NONE } else { self.newest.next() };
        self.entries.front().map_or(next, Entry::seq)
    }

    /// Whether nothing after `cursor` has been let go.
    #[inline]
    pub(crate) fn holds_after(&self, cursor: Seq) -> bool {
        cursor.0 >= self.newest.0 || cursor.next() >= self.oldest()
    }

    /// Where a stream continues from: its cursor, or from now on.
    ///
    /// # Errors
    ///
    /// [`Gone`] where messages after the cursor are wanted and no longer held.
    pub(crate) fn subscribe(&self, after: Option<Seq>, delivery: Delivery) -> Result<Seq, Gone> {
        let cursor = after.unwrap_or(self.newest);
        if delivery == Delivery::Every && !self.holds_after(cursor) {
            return Err(Gone { after: cursor, oldest: self.oldest() });
        }
        Ok(cursor)
    }

    /// The messages after `cursor` that are held, oldest first.
    #[inline]
    pub(crate) fn after(&self, cursor: Seq) -> impl Iterator<Item = &Entry> {
        let skipped = cursor.0.saturating_add(1).saturating_sub(self.oldest().0);
        let start =
            usize::try_from(skipped).map_or(self.entries.len(), |n| n.min(self.entries.len()));
        self.entries.range(start..)
    }

    /// The newest message.
    #[inline]
    pub(crate) fn last(&self) -> Option<&Entry> {
        self.entries.back()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes held: over every language, whether made yet or not, and over all that is coded so far.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// A message that is held, as all streams like this one have it; `None` where each has it in
    /// its own way.
    #[inline]
    pub(crate) fn shared<'a>(&'a self, entry: &'a Entry, wire: &Wire) -> Option<&'a Bytes> {
        if wire.is_plain() {
            return Some(entry.encoded(wire.language()));
        }
        self.shared_coded(entry, wire)
    }

    /// The same of a stream with a coding, apart, so that others do not pay for it.
    #[inline(never)]
    fn shared_coded<'a>(&'a self, entry: &'a Entry, wire: &Wire) -> Option<&'a Bytes> {
        match wire.coding() {
            Coding::None => Some(entry.encoded(wire.language())),
            Coding::Shared(coding) => Some(self.coded(entry, wire.language(), coding)),
            Coding::Own => None,
        }
    }

    /// The same as this one stream has it, which is to write it next; `None` where it
    /// [shares](Self::shared) it.
    pub(crate) fn own(&self, entry: &Entry, wire: &mut Wire) -> Option<Bytes> {
        let (language, compressor) = (wire.language(), wire.compressor()?);
        Some(if self.codings.takes(entry.payload.len()) {
            self.codings.frame(compressor, entry.content, &entry.payload)
        } else {
            entry.encoded(language).clone()
        })
    }

    /// The bytes of a new encoding count for the bound, which the next message restores.
    fn coded<'a>(
        &'a self,
        entry: &'a Entry,
        language: Language,
        coding: SharedCoding,
    ) -> &'a Bytes {
        if !self.codings.has(coding, entry.content, entry.payload.len()) {
            return entry.encoded(language);
        }
        let mut link = &entry.coded;
        while let Some(made) = link.get() {
            if (made.language, made.coding) == (language, coding) {
                return &made.encoding.bytes;
            }
            link = &made.next;
        }
        let made = link.get_or_init(|| {
            let Entry { seq, content, payload, .. } = entry;
            let encoding = self.codings.encode(coding, *seq, *content, payload);
            Box::new(Coded { language, coding, encoding, next: Link::new() })
        });
        self.bytes.set(self.bytes.get() + made.cost());
        &made.encoding.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pushbench_core::compression::CompressionTerms;
    use pushbench_core::units::ByteSize;

    use super::*;

    impl Whose {
        pub(crate) const FEED: Self = Self { room: RoomKey::FEED, feed: FeedId::ANY };
    }

    fn ring(messages: usize, bytes: usize) -> Ring {
        Ring::new(Whose::FEED, RingLimits { messages, bytes }, Rc::new(Codings::default()))
    }

    fn publish(ring: &mut Ring, payload: &[u8]) {
        ring.push(Entry::new(ring.newest().next(), Content::of(payload), payload));
    }

    #[test]
    fn the_oldest_go_when_the_count_is_reached() {
        let mut ring = ring(3, usize::MAX);
        assert!(ring.holds_after(Seq(0)) && ring.holds_after(Seq(9)));
        for _ in 0..5 {
            publish(&mut ring, b"0000000001");
        }
        assert_eq!((ring.oldest(), ring.newest(), ring.len()), (Seq(3), Seq(5), 3));
        assert!(ring.holds_after(Seq(2)) && !ring.holds_after(Seq(1)));
        let seqs = |cursor| ring.after(cursor).map(|entry| entry.seq().0).collect::<Vec<_>>();
        assert_eq!(seqs(Seq(0)), [3, 4, 5]);
        assert_eq!(seqs(Seq(4)), [5]);
        assert!(seqs(Seq(5)).is_empty() && seqs(Seq(u64::MAX)).is_empty());
    }

    #[test]
    fn the_newest_is_held_even_beyond_the_bound() {
        let mut ring = ring(10, 100);
        publish(&mut ring, &[b'x'; 1000]);
        publish(&mut ring, &[b'y'; 1000]);
        assert_eq!((ring.oldest(), ring.len()), (Seq(2), 1));
    }

    /// A wire whose messages are compressed with a window that others may share.
    fn deflating(bits: u8) -> Wire {
        Wire::new(Language::Frames).sharing(SharedCoding::Deflate(bits.try_into().unwrap()))
    }

    #[test]
    fn a_message_is_compressed_once_for_all_who_agreed_to_the_same() {
        let terms = CompressionTerms { threshold: ByteSize(11), ..CompressionTerms::default() };
        let limits = RingLimits { messages: 2, bytes: usize::MAX };
        let mut ring = Ring::new(Whose::FEED, limits, Rc::new(Codings::new(Some(terms))));
        publish(&mut ring, &[b'x'; 200]);
        let held = ring.bytes();
        let sizes = [9, 15, 9, 15].map(|bits| {
            let shared = ring.shared(ring.last().unwrap(), &deflating(bits)).unwrap();
            assert_eq!(shared[0], 0xc1, "FIN, RSV1 and the operation code of text");
            shared.len()
        });
        assert_eq!(ring.codings.compressions(), 2, "windows of 9 and of 15 bits");
        assert_eq!(ring.bytes(), held + sizes[0] + sizes[1] + 2 * CODED_OVERHEAD);
        publish(&mut ring, &[b'x'; 10]);
        let short = ring.shared(ring.last().unwrap(), &deflating(9)).unwrap();
        assert_eq!(short.len(), 12, "below the threshold it travels as it is");
        assert_eq!(ring.codings.compressions(), 2);
        for _ in 0..2 {
            publish(&mut ring, &[b'x'; 200]);
        }
        assert_eq!(ring.bytes(), 2 * held, "what is let go of is no longer counted");
    }

    proptest! {
        #[test]
        fn bytes_count_all_that_is_encoded(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 10..300), 1..40),
            limit in 500_usize..20_000,
        ) {
            let mut ring = ring(100, limit);
            for payload in &payloads {
                publish(&mut ring, payload);
                let held: usize = ring.after(Seq(0))
                    .map(|entry| Language::ALL.map(|form| entry.encoded(form).len()).iter().sum::<usize>() + ENTRY_OVERHEAD)
                    .sum();
                prop_assert_eq!(ring.bytes(), held);
                prop_assert!(held <= limit || ring.len() == 1);
            }
        }
    }
}
