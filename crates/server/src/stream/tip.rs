//! The common case of the fan-out: a stream that lacks the newest message and nothing else.

use pushbench_core::Seq;

use super::Stream;
use crate::ring::Entry;
use crate::view::View;

/// The newest message, as all streams are to have it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tip<'a> {
    entry: &'a Entry,
    seq: Seq,
    /// Writes of it are stamped, on connections that are sampled.
    is_stamped: bool,
}

impl<'a> Tip<'a> {
    /// `None` before the first message.
    pub(crate) fn new(view: View<'a>) -> Option<Self> {
        let entry = view.ring.last()?;
        let seq = entry.seq();
        Some(Self { entry, seq, is_stamped: view.stamps.takes(seq) })
    }
}

impl Stream {
    /// Writes the newest message with one call, where that is all that the stream lacks. Whether
    /// it has nothing more to write; otherwise [`write`](Stream::write) is to go on.
    #[inline]
    pub(crate) fn write_tip(&mut self, tip: Tip<'_>, view: View<'_>) -> bool {
        // Otherwise the stream would be behind.
        debug_assert!(self.partial.is_empty() && self.control.is_empty(), "nothing else waits");
        if self.cursor.next() != tip.seq {
            return false;
        }
        let Some(encoded) = view.ring.shared(tip.entry, &self.wire) else { return false };
        let begun = if tip.is_stamped { self.connection.stamp() } else { None };
        let Some(bytes) = self.connection.write_directly(encoded, view.now) else { return false };
        if bytes < encoded.len() {
            self.advance(bytes, view);
            return false;
        }
        self.cursor = tip.seq;
        self.wire.pass(tip.entry);
        if let Some(peer) = self.connection.peer() {
            match begun {
                Some(at) => view.stamps.reached(peer, tip.seq, at),
                None => peer.passed(tip.seq),
            }
        }
        true
    }
}
