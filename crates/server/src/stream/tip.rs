//! The common case of the fan-out: a stream that lacks the newest message and nothing else.

use pushbench_os::time::clock;
use rustix::net::{SendFlags, send};

use super::{Stream, Surroundings};
use crate::ring::Entry;

impl Stream {
    /// Writes the newest message with one call, where that is all that the stream lacks. Whether
    /// it has nothing more to write; otherwise [`write`](Stream::write) is to go on.
    ///
    /// The system is asked and not the runtime, whose books on a socket are on cache lines of
    /// their own: of a socket that is full, the other way lets it know.
    #[inline]
    pub(crate) fn write_tip(&mut self, newest: &Entry, with: Surroundings<'_>) -> bool {
        let lacks_more = !self.partial.is_empty() || !self.control.is_empty();
        let seq = newest.seq();
        if lacks_more || self.cursor.next() != seq {
            return false;
        }
        let encoded = self.encoded(newest);
        let stamped = self.peer.is_some() && with.stamps.takes(seq);
        let begun = stamped.then(clock::now);
        let Ok(bytes) = send(&self.socket, encoded, SendFlags::NOSIGNAL) else { return false };
        self.sent_at = with.now;
        if bytes < encoded.len() {
            self.advance(bytes, with);
            return false;
        }
        self.cursor = seq;
        if let Some(peer) = &mut self.peer {
            match begun {
                Some(at) => with.stamps.reached(peer, seq, at),
                None => peer.passed(seq),
            }
        }
        true
    }
}
