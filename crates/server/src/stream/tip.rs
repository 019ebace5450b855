//! The common case of the fan-out: a stream that lacks the newest message and nothing else.

use pushbench_os::time::clock;

use super::Stream;
use crate::ring::Entry;
use crate::view::View;

impl Stream {
    /// Writes the newest message with one call, where that is all that the stream lacks. Whether
    /// it has nothing more to write; otherwise [`write`](Stream::write) is to go on.
    #[inline]
    pub(crate) fn write_tip(&mut self, newest: &Entry, view: View<'_>) -> bool {
        // Otherwise the stream would be behind.
        debug_assert!(self.partial.is_empty() && self.control.is_empty(), "nothing else waits");
        let seq = newest.seq();
        if self.cursor.next() != seq {
            return false;
        }
        let encoded = newest.encoded(self.wire.encoding());
        let stamped = self.connection.peer().is_some() && view.stamps.takes(seq);
        let begun = stamped.then(clock::now);
        let Some(bytes) = self.connection.write_directly(encoded, view.now) else { return false };
        if bytes < encoded.len() {
            self.advance(bytes, view);
            return false;
        }
        self.cursor = seq;
        if let Some(peer) = self.connection.peer() {
            match begun {
                Some(at) => view.stamps.reached(peer, seq, at),
                None => peer.passed(seq),
            }
        }
        true
    }
}
