//! The interface between the load generator and whoever keeps what it tells.
//!
//! The runner stamps time and tells an [`Observer`] what happened; sessions know neither. `()`
//! listens to nothing and costs nothing.

use std::time::Duration;

use pushbench_core::feed::stamp::Stamp;
use pushbench_core::{MonoInstant, Sender, Seq, checked_when_read};
use serde::{Deserialize, Serialize};

use crate::observe::ledger::{Phase, Tally};

/// A client has a whole message in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The client's index within this load process, from 0.
    pub client: u32,
    /// Who published the message.
    pub sender: Sender,
    /// Which of the sender's messages it is.
    pub seq: Seq,
    /// Its intended publish instant.
    pub due: MonoInstant,
    /// When its last byte was in the client's hands. Per client it never goes back.
    pub at: MonoInstant,
}

impl Arrival {
    /// From the intended publish instant to the arrival; zero where the clocks disagree so far
    /// that the message seems to come early.
    #[must_use]
    pub const fn latency(&self) -> Duration {
        self.at.saturating_since(self.due)
    }
}

/// A client has a message in hand of a sender whose schedule is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The client's index within this load process, from 0.
    pub client: u32,
    /// The counter that numbered it.
    pub sender: Sender,
    /// Its number, where it has one.
    pub seq: Option<Seq>,
    /// The instant that its sender wrote, where it did.
    pub stamp: Option<Stamp>,
    /// The same on the clock of arrivals, where the two clocks are known to each other.
    pub due: Option<MonoInstant>,
    /// When its last byte was in the client's hands. Per client it never goes back.
    pub at: MonoInstant,
}

impl Finding {
    /// The instant by which it belongs to the window or not: of its stamp, else of its arrival.
    #[must_use]
    pub fn instant(&self) -> MonoInstant {
        self.due.unwrap_or(self.at)
    }

    /// From the stamp to the arrival; zero where the stamp is ahead by what the clocks leave in doubt.
    #[must_use]
    pub fn latency(&self) -> Option<Duration> {
        self.due.map(|due| self.at.saturating_since(due))
    }
}

/// An event of a client beside messages and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A request was sent: a poll, or the request that opens a stream.
    Request {
        /// The client's index.
        client: u32,
    },
    /// A response came that carries no message: 204, 304, or a long poll's timeout.
    EmptyResponse {
        /// The client's index.
        client: u32,
    },
    /// A poll was due while one was outstanding, and so was not sent.
    SkippedPoll,
    /// A client said a message.
    Said {
        /// Its index.
        client: u32,
    },
    /// A connection is secured: a handshake has succeeded.
    Secured {
        /// The client's index.
        client: u32,
        /// It takes up the session of an earlier connection.
        resumed: bool,
        /// From the call that opened the socket until then: TCP and TLS.
        took: Duration,
    },
    /// TCP has opened the first connection of a client.
    TcpOpened {
        /// From the call that opened the socket until then.
        took: Duration,
    },
    /// A client is ready to receive for the first time.
    Connected {
        /// Its index.
        client: u32,
        /// From the call that opened the socket until it was ready: TCP, TLS, and for a stream
        /// the answer to its request.
        took: Duration,
    },
    /// A connection is begun.
    Opening {
        /// The client's index.
        client: u32,
    },
    /// A client leaves of its own accord, and another comes in its place.
    Left {
        /// Its index.
        client: u32,
    },
    /// A connection ended that the client meant to keep.
    ConnectionLost {
        /// Its index.
        client: u32,
        /// How long nothing had come on it.
        quiet: Duration,
    },
    /// A client is ready again after it lost its connection.
    Reconnected {
        /// Its index.
        client: u32,
    },
    /// Something failed: a connection attempt, a response with an unexpected status, a message
    /// that breaks the protocol. Once for each failure.
    Failed {
        /// Its index.
        client: u32,
    },
    /// The failure just told was one of the server's against its protocol.
    BrokeProtocol {
        /// The client's index.
        client: u32,
    },
}

/// Listens to what a load process does. Each method does nothing unless it is given.
pub trait Observer {
    /// A message arrived. Told once for each message that a session hands over, duplicates too.
    #[inline]
    fn arrived(&mut self, _arrival: &Arrival) {}

    /// A message arrived of a sender whose schedule is not known. Told once for each message that
    /// a session hands over, duplicates too.
    fn found(&mut self, _finding: &Finding) {}

    /// Bytes moved, at `at`, in `phase`.
    #[inline]
    fn moved(&mut self, _phase: Phase, _at: MonoInstant, _bytes: &Tally) {}

    /// Something else happened, at `at`, in `phase`.
    #[inline]
    fn happened(&mut self, _phase: Phase, _at: MonoInstant, _event: &Event) {}
}

impl Observer for () {}

/// The measured part of a trial: `[start, end)` in intended publish instants, and the messages
/// that are due in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Window {
    /// The first instant inside, t0.
    pub start: MonoInstant,
    /// The first instant after it, t1.
    pub end: MonoInstant,
    /// The first message due in it.
    pub first: Seq,
    /// The last message due in it; less than `first` where none is.
    pub last: Seq,
}

checked_when_read!(Window);

/// The longest that a window may be: a day.
pub const LONGEST_WINDOW: Duration = Duration::from_secs(86_400);

/// A window that no trial has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// It ends before it begins, or a day or more after it.
    #[error("a window from {start} to {end} is none: it has a day at most")]
    Length {
        /// Where it begins.
        start: MonoInstant,
        /// Where it ends.
        end: MonoInstant,
    },
    /// Its messages end before they begin, or are more than can be counted.
    #[error("a window from message {first} to {last} is none: they are counted from 1 to 2^62")]
    Messages {
        /// The first.
        first: Seq,
        /// The last.
        last: Seq,
    },
}

impl Window {
    /// Checks what the types of its edges cannot.
    ///
    /// # Errors
    ///
    /// Edges that are not in their order, or too far apart.
    pub fn check(&self) -> Result<(), WindowError> {
        let Self { start, end, first, last } = *self;
        if start > end || self.duration() > LONGEST_WINDOW {
            return Err(WindowError::Length { start, end });
        }
        if first == Seq::NONE || last.0 > 1 << 62 || last.0 + 1 < first.0 {
            return Err(WindowError::Messages { first, last });
        }
        Ok(())
    }

    /// Whether `seq` is due in the window.
    #[must_use]
    #[inline]
    pub const fn contains(&self, seq: Seq) -> bool {
        self.first.0 <= seq.0 && seq.0 <= self.last.0
    }

    /// Whether `at` lies in `[start, end)`.
    #[must_use]
    #[inline]
    pub const fn spans(&self, at: MonoInstant) -> bool {
        self.start.0 <= at.0 && at.0 < self.end.0
    }

    /// The second of the window, from 0, in which `at` lies; `None` outside.
    #[must_use]
    #[inline]
    pub fn second(&self, at: MonoInstant) -> Option<usize> {
        let inside = self.spans(at).then(|| (at.0 - self.start.0) / 1_000_000_000);
        usize::try_from(inside?).ok()
    }

    /// How many messages are due in it.
    #[must_use]
    pub const fn len(&self) -> u64 {
        if self.is_empty() { 0 } else { self.last.0 - self.first.0 + 1 }
    }

    /// Whether no message is due in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.first.0 > self.last.0
    }

    /// From `start` to `end`.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.end.saturating_since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_its_edges_as_stated() {
        let (start, end) = (MonoInstant(10), MonoInstant(20));
        let window = Window { start, end, first: Seq(3), last: Seq(5) };
        assert_eq!(window.len(), 3);
        assert!(window.contains(Seq(3)) && window.contains(Seq(5)) && !window.contains(Seq(6)));
        assert!(window.spans(start) && !window.spans(end));
        let window = Window { end: MonoInstant(1_500_000_010), ..window };
        assert_eq!(window.second(MonoInstant(1_000_000_009)), Some(0));
        assert_eq!(window.second(MonoInstant(1_000_000_010)), Some(1));
        assert_eq!((window.second(MonoInstant(9)), window.second(window.end)), (None, None));

        let empty = Window { first: Seq(4), last: Seq(3), ..window };
        assert_eq!((empty.is_empty(), empty.len(), empty.contains(Seq(4))), (true, 0, false));
    }
}
