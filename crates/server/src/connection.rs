//! A connection from accept to close, whoever serves it: its channel, what it is doing, since
//! when, and whom to wake.
//!
//! Timeouts are held against the instant of the last step ([`deadline()`]) whenever
//! somebody looks, and are no timers of each request.

mod deadline;

use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use pushbench_core::{MonoInstant, Seq};
use pushbench_os::net::tcp_info::TcpInfo;
use pushbench_os::time::clock;
use tokio::io::ReadBuf;

use crate::byte_count::ByteCount;
use crate::channel::Channel;
use crate::config::ServerConfig;
use crate::http::last_words;
use crate::rooms::guest::Guest;
use crate::stamps::{Peer, StampLog};
use crate::turn;

pub(crate) use self::deadline::Overdue;
use self::deadline::deadline;

/// The states of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionState {
    /// Its security is being agreed upon.
    Opening,
    /// It waits for a request.
    Idle,
    /// It has had the first bytes of a request.
    Receiving,
    /// A request is being answered.
    Answering,
    /// A long poll waits for a message. It has a deadline of its own.
    Waiting,
    /// Messages flow.
    Streaming,
    /// The server has said close, and the client has not yet: only WebSocket.
    Closing,
    /// Nothing will be added to what waits; then the server's side is shut, or all of it closed.
    Ending,
    /// The server's side is shut; what the client still sends is thrown away. Closing a socket
    /// with unread bytes would reset it, and the client might lose what it was sent last.
    Draining,
    /// To be dropped.
    Dead,
}

/// A connection that is sampled or counted, or whose client has been in a room.
#[derive(Debug, Default)]
struct Beside {
    /// Its writes are stamped.
    peer: Option<Peer>,
    /// Its bytes are counted.
    count: Option<Rc<ByteCount>>,
    guest: Guest,
}

#[derive(Debug)]
pub(crate) struct Connection {
    channel: Channel,
    /// Wakes the connection's task.
    waker: Option<Waker>,
    /// Boxed, since most connections have nothing of it.
    beside: Option<Box<Beside>>,
    /// When the state began, or the client last took bytes.
    since: MonoInstant,
    state: ConnectionState,
    /// Something was to be written, and not all of it has been flushed: the task goes on, at the
    /// latest once the socket takes more.
    is_behind: bool,
    /// Its address on this side is a loopback one.
    is_loopback: bool,
}

impl Connection {
    /// One that was accepted at `now`.
    pub(crate) fn new(
        channel: Channel,
        peer: Option<Peer>,
        is_loopback: bool,
        now: MonoInstant,
    ) -> Self {
        if peer.is_some_and(|peer| peer.stamps_reads()) {
            channel.ask_for_stamps();
        }
        let beside = peer.map(|peer| Box::new(Beside { peer: Some(peer), ..Beside::default() }));
        let state = ConnectionState::Idle;
        Self { channel, waker: None, beside, since: now, state, is_behind: false, is_loopback }
    }

    /// This, its bytes counted until it is closed.
    pub(crate) fn counted(mut self, count: &Rc<ByteCount>) -> Self {
        count.accepted();
        self.beside.get_or_insert_default().count = Some(Rc::clone(count));
        self
    }

    /// The kernel's counters of it; `None` where it has none any more.
    pub(crate) fn tcp_info(&self) -> Option<TcpInfo> {
        self.channel.tcp_info()
    }

    #[inline]
    pub(crate) const fn state(&self) -> ConnectionState {
        self.state
    }

    pub(crate) const fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    #[inline]
    pub(crate) const fn is_behind(&self) -> bool {
        self.is_behind
    }

    #[inline]
    pub(crate) const fn is_dead(&self) -> bool {
        matches!(self.state, ConnectionState::Dead)
    }

    /// How long it has been in its state, or since the client last took bytes.
    pub(crate) fn waited(&self, now: MonoInstant) -> Duration {
        now.saturating_since(self.since)
    }

    /// Begins a state.
    #[inline]
    pub(crate) const fn enter(&mut self, state: ConnectionState, now: MonoInstant) {
        (self.state, self.since) = (state, now);
    }

    /// Goes on with another state of the same goodbye, whose deadline is one.
    pub(crate) const fn go_on(&mut self, state: ConnectionState) {
        self.state = state;
    }

    /// Gives the connection up where a deadline has passed; which one.
    pub(crate) fn give_up_overdue(
        &mut self,
        config: &ServerConfig,
        now: MonoInstant,
    ) -> Option<Overdue> {
        let (overdue, timeout) = deadline(self.state, self.is_behind, config)?;
        if now < self.since + timeout {
            return None;
        }
        if overdue == Overdue::Request && !self.is_behind {
            // Whoever dawdles may not read it either, so one try is enough.
            let _ = self.channel.write(&[IoSlice::new(&last_words::too_slow())]);
        }
        self.die();
        Some(overdue)
    }

    /// Has the connection dropped as soon as its task runs.
    pub(crate) fn die(&mut self) {
        self.state = ConnectionState::Dead;
        self.wake();
    }

    /// Has the connection's task look at what has changed.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Has the connection's task do more of what it could go on with, behind all who are ready.
    pub(crate) fn take_turns(&self) {
        if let Some(waker) = &self.waker {
            turn::again(waker);
        }
    }

    /// Keeps who is to be woken.
    #[inline]
    pub(crate) fn remember(&mut self, waker: &Waker) {
        if self.waker.as_ref().is_none_or(|own| !own.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
    }

    /// Reads as [`Channel::poll_read`].
    #[inline]
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.sampled().is_some_and(Peer::stamps_reads) {
            return self.poll_read_stamped(cx, buffer);
        }
        self.channel.poll_read(cx, buffer, None)
    }

    #[cold]
    fn poll_read_stamped(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut stamp = None;
        let read = ready!(self.channel.poll_read(cx, buffer, Some(&mut stamp)))?;
        if let Some(peer) = self.peer() {
            peer.was_read(stamp);
        }
        Poll::Ready(Ok(read))
    }

    /// Writes as much as the channel takes, and keeps when that was; `None` where it takes nothing,
    /// and the task will be woken. Until a flush, the connection is behind.
    #[inline]
    pub(crate) fn write(
        &mut self,
        slices: &[IoSlice<'_>],
        now: MonoInstant,
    ) -> io::Result<Option<usize>> {
        self.is_behind = true;
        loop {
            match self.channel.write(slices) {
                Ok(taken) => {
                    self.since = now;
                    return Ok(Some(taken));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.is_full() {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes with one call, where the channel has such a way: see [`Channel::write_directly`].
    #[inline]
    pub(crate) fn write_directly(&mut self, bytes: &[u8], now: MonoInstant) -> Option<usize> {
        let taken = self.channel.write_directly(bytes)?;
        self.since = now;
        Some(taken)
    }

    /// Moves to the socket what the channel has taken. Where all of it is, the connection is no
    /// longer behind; otherwise its task will be woken.
    #[inline]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        loop {
            match self.channel.flush() {
                Ok(()) => {
                    self.is_behind = false;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.is_full() {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks for the task to be woken when the socket takes bytes again; whether it is full at all,
    /// since readiness may have come between a write and this question.
    fn is_full(&self) -> bool {
        // Without a waker the task has not run yet, and asks when it does.
        let Some(waker) = &self.waker else { return true };
        self.channel.poll_writable(&mut Context::from_waker(waker)).is_pending()
    }

    /// Whether plaintext may flow.
    pub(crate) const fn is_open(&self) -> bool {
        self.channel.is_open()
    }

    /// The channel of a connection that is being opened, or that failed to.
    pub(crate) const fn channel(&mut self) -> &mut Channel {
        &mut self.channel
    }

    /// Shuts the server's side and waits for the client's. Where the last word does not fit into the
    /// socket the connection is behind, and this is to be called again.
    pub(crate) fn shut(&mut self) {
        loop {
            match self.channel.shut() {
                Ok(()) => {
                    self.is_behind = false;
                    return self.go_on(ConnectionState::Draining);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_behind = true;
                    if self.is_full() {
                        return self.go_on(ConnectionState::Ending);
                    }
                }
                Err(_) => return self.die(),
            }
        }
    }

    /// Shuts the server's side, and throws away what comes until the client leaves, or is given up.
    pub(crate) fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.remember(cx.waker());
        if !matches!(self.state, ConnectionState::Draining | ConnectionState::Dead) {
            self.shut();
        }
        match self.state {
            ConnectionState::Draining => self.channel.poll_drain(cx).map(drop),
            ConnectionState::Dead => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    /// The client as rooms know it.
    pub(crate) fn guest(&mut self) -> &mut Guest {
        &mut self.beside.get_or_insert_default().guest
    }

    /// The same, where it has been in a room or is sampled.
    pub(crate) fn known_guest(&mut self) -> Option<&mut Guest> {
        self.beside.as_mut().map(|beside| &mut beside.guest)
    }

    #[inline]
    fn sampled(&self) -> Option<&Peer> {
        self.beside.as_ref().and_then(|beside| beside.peer.as_ref())
    }

    /// The instant before a write whose messages are stamped.
    #[inline]
    pub(crate) fn stamp(&self) -> Option<MonoInstant> {
        self.sampled().map(|_| clock::now())
    }

    /// The peer whose writes are stamped.
    #[inline]
    pub(crate) fn peer(&mut self) -> Option<&mut Peer> {
        self.beside.as_mut().and_then(|beside| beside.peer.as_mut())
    }

    /// A write begun at `at` has completed a response that holds these messages.
    #[inline]
    pub(crate) fn answered(
        &self,
        stamps: &StampLog,
        holds: Option<(Seq, Seq)>,
        at: Option<MonoInstant>,
    ) {
        if let (Some(peer), Some(at)) = (self.sampled(), at) {
            stamps.answered(peer, holds, at);
        }
    }

    /// Writes begun at `at` have brought a stream so far that its client has all up to `last`.
    #[inline]
    pub(crate) fn reached(&mut self, stamps: &StampLog, last: Seq, at: Option<MonoInstant>) {
        if let (Some(peer), Some(at)) = (self.peer(), at) {
            stamps.reached(peer, last, at);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(count) = self.beside.as_ref().and_then(|beside| beside.count.as_ref()) {
            count.closed(self.channel.tcp_info().as_ref());
        }
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::feed::FeedSpec;
    use pushbench_core::feed::payload::Payload;
    use pushbench_core::feed::schedule::Schedule;

    use super::*;

    #[test]
    fn whatever_a_connection_waits_for_has_a_deadline() {
        let payload = Payload::Recorded { payloads: ["x".into()].into() };
        let config = ServerConfig::new(FeedSpec { seed: 1, schedule: Schedule::Manual, payload });
        for (state, at_rest, behind) in [
            // So does a handshake.
            (ConnectionState::Opening, Some(Overdue::Handshake), Some(Overdue::Handshake)),
            (ConnectionState::Idle, Some(Overdue::Idle), Some(Overdue::Write)),
            // A request that dawdles does so whatever else waits.
            (ConnectionState::Receiving, Some(Overdue::Request), Some(Overdue::Request)),
            (ConnectionState::Answering, None, Some(Overdue::Write)),
            (ConnectionState::Waiting, None, Some(Overdue::Write)),
            (ConnectionState::Streaming, None, Some(Overdue::Write)),
            (ConnectionState::Closing, Some(Overdue::Close), Some(Overdue::Write)),
            (ConnectionState::Ending, Some(Overdue::Close), Some(Overdue::Write)),
            (ConnectionState::Draining, Some(Overdue::Close), Some(Overdue::Write)),
            (ConnectionState::Dead, None, None),
        ] {
            for (is_behind, expected) in [(false, at_rest), (true, behind)] {
                let found = deadline(state, is_behind, &config).map(|(overdue, _)| overdue);
                assert_eq!(found, expected, "{state:?}, behind: {is_behind}");
            }
        }
    }
}
