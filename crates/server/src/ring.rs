//! The messages of the past, already encoded for each transport, within a bound.

use std::cell::OnceCell;
use std::collections::VecDeque;

use bytes::Bytes;
use pushbench_core::Seq;
use pushbench_core::message::Content;

use crate::config::RingLimits;
use crate::stream::{sse, websocket};

/// What an entry takes beside its encodings: itself, and what [`Bytes`] allocates to share them.
const ENTRY_OVERHEAD: usize = size_of::<Entry>() + 64;

/// A message as it goes onto the wire.
#[derive(Debug)]
pub(crate) struct Entry {
    seq: Seq,
    content: Content,
    /// A WebSocket frame: header and payload in one allocation.
    frame: Bytes,
    /// The frame's payload: the same allocation.
    payload: Bytes,
    /// The SSE event as a chunk, encoded when it is first wanted.
    event: OnceCell<Bytes>,
    /// What the entry takes once everything is encoded.
    cost: usize,
}

impl Entry {
    pub(crate) fn new(seq: Seq, content: Content, payload: &[u8]) -> Self {
        let frame = websocket::data_frame(content, payload);
        let cost = ENTRY_OVERHEAD + frame.len() + sse::chunk_len(seq, content, payload);
        let payload = frame.slice(frame.len() - payload.len()..);
        Self { seq, content, frame, payload, event: OnceCell::new(), cost }
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

    /// The message as a WebSocket frame.
    pub(crate) const fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// The message as an SSE event in a chunk of its own.
    pub(crate) fn event(&self) -> &Bytes {
        self.event.get_or_init(|| sse::chunk(self.seq, self.content, &self.payload))
    }
}

/// The last messages, in order and without gaps.
#[derive(Debug)]
pub(crate) struct Ring {
    entries: VecDeque<Entry>,
    newest: Seq,
    bytes: usize,
    limits: RingLimits,
}

impl Ring {
    pub(crate) const fn new(limits: RingLimits) -> Self {
        Self { entries: VecDeque::new(), newest: Seq::NONE, bytes: 0, limits }
    }

    /// Adds the message after the newest, and lets go of the oldest that are beyond the bound.
    pub(crate) fn push(&mut self, entry: Entry) {
        debug_assert_eq!(entry.seq, self.newest.next(), "messages come without gaps");
        self.newest = entry.seq;
        self.bytes += entry.cost;
        self.entries.push_back(entry);
        while self.entries.len() > 1 && self.is_beyond_limits() {
            if let Some(oldest) = self.entries.pop_front() {
                self.bytes -= oldest.cost;
            }
        }
    }

    fn is_beyond_limits(&self) -> bool {
        self.bytes > self.limits.bytes || self.entries.len() > self.limits.messages
    }

    /// The number of the newest message, 0 before the first.
    pub(crate) const fn newest(&self) -> Seq {
        self.newest
    }

    /// The number of the oldest message held, 0 where there is none.
    pub(crate) fn oldest(&self) -> Seq {
        self.entries.front().map_or(Seq::NONE, Entry::seq)
    }

    /// Whether nothing after `cursor` has been let go.
    #[inline]
    pub(crate) fn holds_after(&self, cursor: Seq) -> bool {
        cursor.0 >= self.newest.0 || cursor.next() >= self.oldest()
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

    /// Bytes held, over every encoding, whether made yet or not.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ring(messages: usize, bytes: usize) -> Ring {
        Ring::new(RingLimits { messages, bytes })
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
                    .map(|entry| entry.frame().len() + entry.event().len() + ENTRY_OVERHEAD)
                    .sum();
                prop_assert_eq!(ring.bytes(), held);
                prop_assert!(held <= limit || ring.len() == 1);
            }
        }
    }
}
