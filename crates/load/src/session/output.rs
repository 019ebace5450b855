//! The output of a session, for whoever runs it: one buffer, cleared and filled again and again.

use std::time::Duration;

use pushbench_core::Identity;
use pushbench_core::feed::stamp::Stamped;
use pushbench_metrics::observe::ledger::{Direction, Layer, Tally};
use pushbench_protocol::http::RetryAfter;

use super::error::ProtocolError;
use super::inflating::Bench;

/// The output of one call of a [`Session`](super::Session).
///
/// One of these serves all the sessions of a load process, so that a message costs no allocation.
#[derive(Debug, Default)]
pub struct Output {
    /// Messages that are complete now, in the order of arrival, duplicates too.
    pub messages: Vec<Identity>,
    /// Messages that rules found, in the order of arrival, duplicates too: where the plan's subject
    /// has rules these are filled, and `messages` never.
    pub stamped: Vec<Stamped>,
    /// The bytes just received, by layer: all of them, whatever they were.
    pub received: Tally,
    /// Bytes to be written, in this order.
    pub send: Sending,
    /// Everything else that happened.
    pub notes: Vec<Note>,
    /// The future of the connection.
    pub demand: Demand,
    /// The means of reading compressed messages and answers, whichever session's.
    pub(super) bench: Bench,
}

impl Output {
    /// Forgets everything, and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        self.messages.clear();
        self.stamped.clear();
        self.received = Tally::default();
        self.send.clear();
        self.notes.clear();
        self.demand = Demand::Keep;
    }

    /// Whether there is nothing beside messages and received bytes: the hot path.
    #[inline]
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.send.is_empty() && self.notes.is_empty() && matches!(self.demand, Demand::Keep)
    }

    /// Attributes `bytes` received bytes to `layer`.
    #[inline]
    pub const fn count(&mut self, layer: Layer, bytes: usize) {
        self.received.add(Direction::Down, layer, bytes as u64);
    }

    /// Says that compression made `inflated` bytes of messages travel as `compressed` ones.
    pub(super) const fn saved(&mut self, inflated: usize, compressed: usize) {
        self.received.saved += inflated as i64 - compressed as i64;
    }

    /// Moves `bytes` of texts, as they are read, from payload to framing: what is around messages. How
    /// many are left, where less than that has come now. Of compressed texts it is their share.
    pub(super) fn around_messages(&mut self, bytes: u64) -> u64 {
        let payload = self.received.get(Direction::Down, Layer::Payload);
        let read = payload.saturating_add_signed(self.received.saved);
        let moved = bytes.min(read);
        if moved == 0 {
            return bytes;
        }
        // No more than `payload`, since `moved` is no more than `read`.
        let travelled = (u128::from(payload) * u128::from(moved) / u128::from(read)) as u64;
        self.received.down[Layer::Payload as usize] -= travelled;
        self.received.down[Layer::Framing as usize] += travelled;
        self.received.saved -= moved as i64 - travelled as i64;
        bytes - moved
    }

    /// Notes something.
    pub fn note(&mut self, note: Note) {
        self.notes.push(note);
    }
}

/// Something that happened to a client beside messages and bytes.
#[derive(Debug)]
pub enum Note {
    /// A request was queued for sending.
    Request,
    /// A response came without a message.
    EmptyResponse,
    /// An answer came that brought nothing but what the client had.
    StaleResponse,
    /// A refusal says how long the server is to be left alone.
    RetryAfter(RetryAfter),
    /// A stream that has ended had set how long a client is to wait before it opens another.
    Reconnection(Duration),
    /// A tick found a request outstanding, or no connection to send one on.
    SkippedPoll,
    /// The client is ready to receive: its subscription stands.
    Subscribed,
    /// Something failed, and the connection can go on.
    Failed(ProtocolError),
    /// An event came whose type is none of the feed's: that type, or its start.
    OtherEvent(Box<str>),
    /// The session wants to be [woken](super::Session::woken) after this time.
    Wake(Duration, Wake),
    /// Both sides have said that they close: the server is about to close the connection.
    Closing,
}

/// A thing that a session has put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wake {
    /// Which of those of its rules.
    pub(super) which: usize,
    /// The connection that it is for.
    pub(super) connection: u32,
}

/// The future that a session wants for its connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Demand {
    /// It stays as it is.
    #[default]
    Keep,
    /// A new one, now; one that is still open is to be dropped.
    Connect,
    /// It stays, and the session asks again on it after a pause, if one is due: what was asked for
    /// last was answered without news.
    AskAgain,
    /// It is to be dropped, since the server has said that it closes it: a client that has read the
    /// last answer does as well (RFC 9112 §9.6). What comes of that is as if the server had been
    /// first.
    HangUp,
    /// It is to be dropped; none is needed until further notice.
    Close,
}

/// Whether a client needs another connection after one has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// No: the end was meant, or the next tick opens another.
    Done,
    /// Yes: the client meant to keep it.
    Broken,
    /// Yes, and nothing is wrong: nothing was outstanding, and a server may close a connection
    /// between an answer and the next request (RFC 9112 §9.5).
    Idle {
        /// Whether there has been an answer on it.
        served: bool,
    },
}

/// Bytes to be written, and which layer each of them belongs to.
///
/// Bytes are attributed when they *are* written: those that a dying connection never took were
/// not sent, and no ledger should say so.
#[derive(Debug, Default)]
pub struct Sending {
    bytes: Vec<u8>,
    /// Runs of bytes of one layer; their lengths sum to `bytes.len()`.
    runs: Vec<(Layer, usize)>,
}

impl Sending {
    /// Whether there is nothing to write.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes to be written.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends what `write` appends to a buffer; all of it belongs to `layer`.
    pub fn push(&mut self, layer: Layer, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.bytes.len();
        write(&mut self.bytes);
        self.runs.push((layer, self.bytes.len() - before));
    }

    /// Takes the first `written` bytes off, and adds them to `tally`.
    pub fn sent(&mut self, written: usize, tally: &mut Tally) {
        let mut left = written;
        for (layer, run) in &mut self.runs {
            let taken = left.min(*run);
            tally.add(Direction::Up, *layer, taken as u64);
            *run -= taken;
            left -= taken;
        }
        self.runs.retain(|&(_, run)| run > 0);
        self.bytes.drain(..written);
    }

    /// Appends all of `other`, which is empty afterwards.
    pub fn append(&mut self, other: &mut Self) {
        self.bytes.append(&mut other.bytes);
        self.runs.append(&mut other.runs);
    }

    #[inline]
    fn clear(&mut self) {
        self.bytes.clear();
        self.runs.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_written_bytes_are_attributed() {
        let mut sending = Sending::default();
        sending.push(Layer::Http, |bytes| bytes.extend_from_slice(b"GET /"));
        sending.push(Layer::Framing, |bytes| bytes.extend_from_slice(b"abc"));
        let mut tally = Tally::default();
        sending.sent(3, &mut tally);
        assert_eq!((sending.bytes(), tally.layer(Layer::Http)), (&b" /abc"[..], 3));
        sending.sent(4, &mut tally);
        assert_eq!((tally.layer(Layer::Http), tally.layer(Layer::Framing)), (5, 2));
        let mut rest = Sending::default();
        rest.append(&mut sending);
        assert!(sending.is_empty());
        rest.sent(1, &mut tally);
        assert!(rest.is_empty());
        assert_eq!(tally.total(Direction::Up), 8);
    }
}
