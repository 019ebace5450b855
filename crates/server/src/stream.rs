//! A connection that receives the feed as a stream: a cursor into the ring, and no queue.
//!
//! What a stream has yet to write is named by its cursor; what it has begun to write is the
//! rest of one message ([`Stream::partial`]). So a client that never reads keeps one message
//! alive beside the ring, whatever is published meanwhile. Once it reads again it goes on from
//! the ring, and where the ring has moved past its cursor its delivery decides: `every` ends the
//! stream and names the oldest message held, `latest` goes to the newest.
//!
//! Control bytes (pongs, comments, the close) wait in a small buffer for the end of the message
//! that is being written, and what would fill that buffer is not read.

mod closing;
pub(crate) mod protocol;
pub(crate) mod sse;
mod tip;
pub(crate) mod websocket;

use std::io::{self, IoSlice};
use std::task::{Context, Poll, Waker};

use bytes::{Buf as _, Bytes};
use pushbench_core::{Delivery, MonoInstant, Seq};
use pushbench_os::time::clock;
use tokio::net::TcpStream;

use self::closing::End;
use self::protocol::{Protocol, Verdict};
use crate::config::ServerConfig;
use crate::counters::{Counters, Kind};
use crate::feed_id::FeedId;
use crate::ring::{Entry, Ring};
use crate::stamps::{Peer, StampLog};

/// Messages written with one call.
const SLICES_PER_WRITE: usize = 16;

/// Bytes after which a stream that catches up lets others have their turn.
const BYTES_PER_TURN: usize = 256 << 10;

/// Reads after which a client that talks lets others have their turn.
const READS_PER_TURN: usize = 4;

/// Control bytes that may wait; above that nothing is read.
const CONTROL_LIMIT: usize = 4 << 10;

/// How a stream speaks.
#[derive(Debug)]
pub(crate) enum Wire {
    Sse,
    /// The conversation, once the client has said something or the server ends it.
    Websocket(Option<Box<Protocol>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Messages flow.
    Open,
    /// The server has said close, and the client has not yet: only WebSocket.
    Closing,
    /// Nothing will be added to what waits; then the server's side of the socket is shut.
    Ending,
    /// The server's side is shut; what the client still sends is thrown away. Closing a socket
    /// with unread bytes would reset it, and the client might lose what it was sent last.
    Draining,
    /// To be dropped.
    Dead,
}

/// What a write led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// There is nothing more to write.
    All,
    /// There is more, and the turn is over.
    More,
    /// The socket is full.
    Full,
}

/// What streams and polls share while one of them acts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) ring: &'a Ring,
    pub(crate) counters: &'a Counters,
    pub(crate) config: &'a ServerConfig,
    pub(crate) stamps: &'a StampLog,
    /// Which feed it is.
    pub(crate) feed: FeedId,
    pub(crate) now: MonoInstant,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: TcpStream,
    wire: Wire,
    delivery: Delivery,
    /// The last message that was written, begun, or skipped.
    cursor: Seq,
    /// The rest of what is being written.
    partial: Bytes,
    /// To be written before the next message.
    control: Vec<u8>,
    phase: Phase,
    /// The socket is full or the last turn was too short: its own task goes on, and the fan-out
    /// passes it over.
    behind: bool,
    /// When the socket last took a byte.
    sent_at: MonoInstant,
    /// Wakes the stream's task.
    waker: Option<Waker>,
    /// What is written is stamped.
    peer: Option<Peer>,
}

impl Stream {
    /// A stream that begins with `head` and goes on with the messages after `cursor`.
    pub(crate) fn new(
        socket: TcpStream,
        wire: Wire,
        delivery: Delivery,
        cursor: Seq,
        head: Vec<u8>,
        now: MonoInstant,
        peer: Option<Peer>,
    ) -> Self {
        Self {
            socket,
            wire,
            delivery,
            cursor,
            partial: head.into(),
            control: Vec::new(),
            phase: Phase::Open,
            behind: false,
            sent_at: now,
            waker: None,
            peer: peer.map(|peer| peer.streams_after(cursor)),
        }
    }

    pub(crate) const fn kind(&self) -> Kind {
        match self.wire {
            Wire::Sse => Kind::Sse,
            Wire::Websocket(_) => Kind::Websocket,
        }
    }

    /// Whether the fan-out has anything to do with it.
    #[inline]
    pub(crate) const fn is_at_tip(&self) -> bool {
        !self.behind && matches!(self.phase, Phase::Open)
    }

    pub(crate) const fn is_dead(&self) -> bool {
        matches!(self.phase, Phase::Dead)
    }

    /// Writes what waits, and takes care that its task is woken where something remains.
    #[inline]
    pub(crate) fn write(&mut self, with: Surroundings<'_>) {
        let written = self.write_turn(with);
        self.behind = written != Written::All;
        match written {
            Written::All if self.phase == Phase::Ending => self.shut(),
            Written::More => self.wake(),
            Written::All | Written::Full => {}
        }
    }

    fn write_turn(&mut self, with: Surroundings<'_>) -> Written {
        let mut turn = BYTES_PER_TURN;
        loop {
            if self.phase == Phase::Open
                && self.delivery == Delivery::Every
                && !with.ring.holds_after(self.cursor)
            {
                with.counters.overrun.add(1);
                self.end(End::Gone { oldest: with.ring.oldest() });
            }
            if self.partial.is_empty() && !self.control.is_empty() {
                self.partial = std::mem::take(&mut self.control).into();
            }
            let begun = self.peer.as_ref().map(|_| clock::now());
            match self.write_once(with.ring) {
                Ok(None) => return Written::All,
                Ok(Some(bytes)) => {
                    self.sent_at = with.now;
                    self.advance(bytes, with);
                    if let (Some(peer), Some(at)) = (&mut self.peer, begun) {
                        with.stamps.reached(peer, last_whole(self.cursor, &self.partial), at);
                    }
                    turn = turn.saturating_sub(bytes);
                    if turn == 0 {
                        return Written::More;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Readiness may have come between the write and this question.
                    if self.is_full() {
                        return Written::Full;
                    }
                }
                Err(_) => {
                    self.die();
                    return Written::All;
                }
            }
        }
    }

    /// One write of as much as there is; `None` where there is nothing.
    #[inline]
    fn write_once(&self, ring: &Ring) -> io::Result<Option<usize>> {
        let mut slices = [IoSlice::new(&[]); SLICES_PER_WRITE];
        let (mut count, mut bytes) = (0, 0);
        if !self.partial.is_empty() {
            slices[0] = IoSlice::new(&self.partial);
            (count, bytes) = (1, self.partial.len());
        }
        if self.phase == Phase::Open && self.control.is_empty() {
            for (slice, entry) in slices[count..].iter_mut().zip(self.waiting(ring)) {
                if bytes >= BYTES_PER_TURN {
                    break;
                }
                let encoded = self.encoded(entry);
                *slice = IoSlice::new(encoded);
                (count, bytes) = (count + 1, bytes + encoded.len());
            }
        }
        match count {
            0 => Ok(None),
            1 => self.socket.try_write(&slices[0]).map(Some),
            _ => self.socket.try_write_vectored(&slices[..count]).map(Some),
        }
    }

    /// The messages to be written, in order.
    #[inline]
    fn waiting<'a>(&self, ring: &'a Ring) -> impl Iterator<Item = &'a Entry> + use<'a> {
        let cursor = match self.delivery {
            Delivery::Every => self.cursor,
            Delivery::Latest => self.cursor.max(Seq(ring.newest().0.saturating_sub(1))),
        };
        ring.after(cursor)
    }

    #[inline]
    fn encoded<'a>(&self, entry: &'a Entry) -> &'a Bytes {
        match self.wire {
            Wire::Sse => entry.event(),
            Wire::Websocket(_) => entry.frame(),
        }
    }

    /// Takes note that the socket took `bytes`.
    #[inline]
    fn advance(&mut self, bytes: usize, with: Surroundings<'_>) {
        let begun = bytes.min(self.partial.len());
        self.partial.advance(begun);
        let mut left = bytes - begun;
        if left == 0 {
            if self.partial.is_empty() {
                self.partial = Bytes::new();
            }
            return;
        }
        for entry in self.waiting(with.ring) {
            with.counters.superseded.add(entry.seq().0 - self.cursor.0 - 1);
            self.cursor = entry.seq();
            let encoded = self.encoded(entry);
            if encoded.len() > left {
                self.partial = encoded.slice(left..);
                return;
            }
            left -= encoded.len();
            if left == 0 {
                return;
            }
        }
    }

    /// Asks to be woken when the socket takes bytes again; whether it is full at all.
    fn is_full(&self) -> bool {
        // Without a waker its task has not run yet, and asks when it does.
        let Some(waker) = &self.waker else { return true };
        self.socket.poll_write_ready(&mut Context::from_waker(waker)).is_pending()
    }

    /// The turn of the stream's own task: reads, and writes what the fan-out left.
    pub(crate) fn attend(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
        with: Surroundings<'_>,
    ) {
        if self.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
        let ended = self.read(cx, scratch);
        if !self.is_dead() {
            self.write(with);
        }
        if ended {
            self.die();
        }
        if self.control.is_empty() && !self.is_dead() {
            // Nothing holds reading back now: it may have been held back before the write.
            if self.socket.poll_read_ready(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
        }
    }

    /// Reads what has arrived; whether the client has ended its side.
    fn read(&mut self, cx: &mut Context<'_>, scratch: &mut [u8]) -> bool {
        for _ in 0..READS_PER_TURN {
            if self.control.len() > CONTROL_LIMIT {
                return false;
            }
            match self.socket.poll_read_ready(cx) {
                Poll::Pending => return false,
                Poll::Ready(Err(_)) => return true,
                Poll::Ready(Ok(())) => {}
            }
            match self.socket.try_read(scratch) {
                Ok(0) => return true,
                Ok(bytes) => self.received(&scratch[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return true,
            }
        }
        false
    }

    /// Takes bytes from the client. Those of an SSE client mean nothing.
    pub(crate) fn received(&mut self, input: &[u8]) {
        let Wire::Websocket(protocol) = &mut self.wire else { return };
        if !matches!(self.phase, Phase::Open | Phase::Closing) || input.is_empty() {
            return;
        }
        let protocol = protocol.get_or_insert_with(|| Box::new(Protocol::new()));
        if protocol.receive(input, &mut self.control) == Verdict::Over {
            self.phase = Phase::Ending;
        }
    }

    fn die(&mut self) {
        self.phase = Phase::Dead;
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}

/// The last message that the socket has taken all of, where the cursor is at one that was begun;
/// or the one before, where control bytes are what is left.
const fn last_whole(cursor: Seq, partial: &Bytes) -> Seq {
    if partial.is_empty() { cursor } else { Seq(cursor.0.saturating_sub(1)) }
}
