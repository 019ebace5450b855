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
mod tip;

use std::io::{self, IoSlice};
use std::ops::RangeInclusive;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use pushbench_core::{Delivery, MonoInstant, Seq};
use tokio::io::ReadBuf;

pub(crate) use self::tip::Tip;
use crate::connection::{Connection, ConnectionState};
use crate::counters::ConnectionKind;
use crate::ring::{Entry, Ring};
use crate::rooms::guest::Guest;
use crate::turn;
use crate::view::View;
use crate::wire::{ConversationState, Ears, End, Wire};

/// Messages written with one call.
const SLICES_PER_WRITE: usize = 16;

/// Bytes after which a stream that catches up lets others have their turn.
const BYTES_PER_TURN: usize = 256 << 10;

/// Reads after which a client that talks lets others have their turn.
const READS_PER_TURN: usize = 4;

/// Control bytes that may wait; above that nothing is read.
const CONTROL_LIMIT: usize = 4 << 10;

/// Control bytes whose memory is kept once they are written, for the next of a client that talks.
const CONTROL_KEPT: RangeInclusive<usize> = 64..=CONTROL_LIMIT;

/// How writing left off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// There is nothing more to write.
    All,
    /// There is more, and the turn is over.
    More,
    /// The socket is full.
    Full,
}

/// How reading left off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The task is woken when more comes.
    Waits,
    /// More may be there.
    Unfinished,
    /// The client has ended its side.
    Over,
}

#[derive(Debug)]
pub(crate) struct Stream {
    /// It is behind where the socket is full or the last turn was too short: its own task goes on,
    /// and the fan-out passes it over.
    connection: Connection,
    wire: Wire,
    delivery: Delivery,
    /// The last message that was written, begun, or skipped.
    cursor: Seq,
    /// The rest of what is being written.
    partial: Bytes,
    /// To be written before the next message.
    control: Vec<u8>,
}

/// A stream that is to begin.
#[derive(Debug)]
pub(crate) struct Opening {
    /// The response head, to the byte.
    pub(crate) head: Vec<u8>,
    pub(crate) wire: Wire,
    pub(crate) delivery: Delivery,
    /// The message before the first that it brings.
    pub(crate) cursor: Seq,
}

impl Stream {
    /// A stream that begins on a connection. Its head waits for the turn of its task, which is to come
    /// before any fan-out.
    pub(crate) fn new(mut connection: Connection, opening: Opening, now: MonoInstant) -> Self {
        let Opening { head, wire, delivery, cursor } = opening;
        connection.enter(ConnectionState::Streaming, now);
        if let Some(peer) = connection.peer() {
            peer.passed(cursor);
        }
        let (partial, control) = (head.into(), Vec::new());
        Self { connection, wire, delivery, cursor, partial, control }
    }

    pub(crate) const fn kind(&self) -> ConnectionKind {
        ConnectionKind::of(self.wire.language())
    }

    /// Whether the fan-out has anything to do with it.
    #[inline]
    pub(crate) const fn is_at_tip(&self) -> bool {
        !self.connection.is_behind()
            && matches!(self.connection.state(), ConnectionState::Streaming)
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) const fn is_dead(&self) -> bool {
        self.connection.is_dead()
    }

    /// Writes what waits, and takes care that its task is woken where something remains.
    #[inline]
    pub(crate) fn write(&mut self, view: View<'_>) {
        match self.write_turn(view) {
            Ok(Written::All) if self.connection.state() == ConnectionState::Ending => {
                self.connection.shut();
            }
            Ok(Written::All | Written::Full) => {}
            Ok(Written::More) => self.connection.take_turns(),
            Err(_) => self.connection.die(),
        }
    }

    fn write_turn(&mut self, view: View<'_>) -> io::Result<Written> {
        let mut turn = BYTES_PER_TURN;
        loop {
            if self.connection.state() == ConnectionState::Streaming
                && self.delivery == Delivery::Every
                && !view.ring.holds_after(self.cursor)
            {
                view.counters.overrun.add(1);
                self.end(End::Gone { oldest: view.ring.oldest() });
            }
            if self.partial.is_empty() && !self.control.is_empty() {
                let Some(bytes) = self.write_control(view)? else { return Ok(Written::Full) };
                turn = turn.saturating_sub(bytes);
                continue;
            }
            if self.partial.is_empty() {
                self.begin_next(view);
            }
            let begun = self.connection.stamp();
            match self.write_once(view)? {
                Some(0) => return self.flush(),
                Some(bytes) => {
                    self.advance(bytes, view);
                    let last = last_whole(self.cursor, &self.partial);
                    self.connection.reached(view.stamps, last, begun);
                    turn = turn.saturating_sub(bytes);
                    if turn == 0 {
                        return Ok(Written::More);
                    }
                }
                None => return Ok(Written::Full),
            }
        }
    }

    /// One write of the control bytes; what of them is not taken is what is being written from then on.
    fn write_control(&mut self, view: View<'_>) -> io::Result<Option<usize>> {
        let taken = self.connection.write(&[IoSlice::new(&self.control)], view.now)?;
        let Some(bytes) = taken else { return Ok(None) };
        if bytes == self.control.len() && CONTROL_KEPT.contains(&self.control.capacity()) {
            self.control.clear();
        } else {
            self.partial = std::mem::take(&mut self.control).into();
            self.advance(bytes, view);
        }
        Ok(taken)
    }

    /// One write of as much as there is, 0 where there is nothing; `None` where the socket is full.
    #[inline]
    fn write_once(&mut self, view: View<'_>) -> io::Result<Option<usize>> {
        let mut slices = [IoSlice::new(&[]); SLICES_PER_WRITE];
        let (mut count, mut bytes) = (0, 0);
        if !self.partial.is_empty() {
            slices[0] = IoSlice::new(&self.partial);
            (count, bytes) = (1, self.partial.len());
        }
        if self.connection.state() == ConnectionState::Streaming && self.control.is_empty() {
            for (slice, entry) in slices[count..].iter_mut().zip(self.waiting(view.ring)) {
                if bytes >= BYTES_PER_TURN {
                    break;
                }
                let Some(encoded) = view.ring.shared(entry, &self.wire) else { break };
                *slice = IoSlice::new(encoded);
                (count, bytes) = (count + 1, bytes + encoded.len());
            }
        }
        if count == 0 {
            return Ok(Some(0));
        }
        self.connection.write(&slices[..count], view.now)
    }

    /// Everything was taken: moves what of it the channel has kept back.
    #[inline]
    fn flush(&mut self) -> io::Result<Written> {
        self.connection.flush()?;
        Ok(if self.connection.is_behind() { Written::Full } else { Written::All })
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

    /// Begins what is to be written from a copy of the stream's own: a message that no other stream has
    /// as this one has it.
    fn begin_next(&mut self, view: View<'_>) {
        if self.connection.state() == ConnectionState::Streaming {
            let Some(entry) = self.waiting(view.ring).next() else { return };
            let Some(own) = view.ring.own(entry, &mut self.wire) else { return };
            self.partial = own;
            self.pass(entry, view);
        }
    }

    /// The message is the last that was written or begun.
    fn pass(&mut self, entry: &Entry, view: View<'_>) {
        view.counters.superseded.add(entry.seq().0 - self.cursor.0 - 1);
        self.cursor = entry.seq();
        self.wire.pass(entry);
    }

    /// Goes on behind `bytes` that were taken.
    #[inline]
    fn advance(&mut self, bytes: usize, view: View<'_>) {
        let begun = bytes.min(self.partial.len());
        self.partial.advance(begun);
        let mut left = bytes - begun;
        if left == 0 {
            if self.partial.is_empty() {
                self.partial = Bytes::new();
            }
            return;
        }
        for entry in self.waiting(view.ring) {
            self.pass(entry, view);
            let Some(encoded) = view.ring.shared(entry, &self.wire) else { return };
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

    /// Begins the turn of the stream's own task: reads what has arrived, for `ears`.
    pub(crate) fn read(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
        ears: &mut dyn Ears,
    ) -> Reading {
        self.connection.remember(cx.waker());
        for _ in 0..READS_PER_TURN {
            if self.control.len() > CONTROL_LIMIT {
                break;
            }
            match self.connection.poll_read(cx, &mut ReadBuf::new(scratch)) {
                Poll::Pending => return Reading::Waits,
                Poll::Ready(Ok(0) | Err(_)) => return Reading::Over,
                Poll::Ready(Ok(bytes)) => self.received(&mut scratch[..bytes], ears),
            }
        }
        Reading::Unfinished
    }

    /// Goes on with the turn: writes what the fan-out left, and what reading has brought about.
    pub(crate) fn attend(&mut self, reading: Reading, cx: &Context<'_>, view: View<'_>) {
        if !self.is_dead() {
            self.write(view);
        }
        if reading == Reading::Over {
            self.connection.die();
        }
        // Where control bytes still wait, the socket is full and the task comes back anyway.
        if reading == Reading::Unfinished && self.control.is_empty() && !self.is_dead() {
            turn::again(cx.waker());
        }
    }

    /// Takes bytes from the client, whose messages are for `ears`.
    pub(crate) fn received(&mut self, input: &mut [u8], ears: &mut dyn Ears) {
        let is_heard = matches!(
            self.connection.state(),
            ConnectionState::Streaming | ConnectionState::Closing
        );
        if !is_heard || input.is_empty() {
            return;
        }
        match self.wire.receive(input, &mut self.control, ears) {
            ConversationState::Open => {}
            ConversationState::Closing => self.connection.go_on(ConnectionState::Closing),
            ConversationState::Over => self.connection.go_on(ConnectionState::Ending),
        }
    }

    /// Bytes of memory that the client's words take, until they have been heard or sent back.
    pub(crate) fn held(&self) -> usize {
        self.wire.held() + self.control.capacity() + self.partial.len()
    }

    /// The client as rooms know it.
    pub(crate) fn guest(&mut self) -> &mut Guest {
        self.connection.guest()
    }

    /// Tells a client that wants to know it how many are in the room, unless it has been told. Whether
    /// there is nothing left to be told to it, now that it could be.
    pub(crate) fn tell_presence(&mut self, connected: u32, view: View<'_>) -> bool {
        let is_open = self.connection.state() == ConnectionState::Streaming;
        if !is_open || !self.wire.lacks_presence(connected) {
            return true;
        }
        // It is told the number of then as soon as it has taken what waits.
        if self.connection.is_behind() {
            return false;
        }
        self.wire.tell_presence(connected, &mut self.control);
        self.write(view);
        true
    }
}

/// The last message that the socket has taken all of, where the cursor is at one that was begun;
/// or the one before, where control bytes are what is left.
const fn last_whole(cursor: Seq, partial: &Bytes) -> Seq {
    if partial.is_empty() { cursor } else { Seq(cursor.0.saturating_sub(1)) }
}
