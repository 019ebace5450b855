//! One connection in the lane: what it reads, and what it has yet to send.

mod answering;

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use pushbench_core::{MonoInstant, Seq};
use pushbench_os::time::clock;
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::TcpStream;

use self::answering::Wait;
use super::reply::{Found, Reply};
use super::request::{self, Parsed, Persistence};
use super::{Desk, MAX_HEAD};
use crate::access::Cors;
use crate::connection::Link;
use crate::counters::Endpoint;
use crate::stamps::Peer;
use crate::stream::Surroundings;

/// What is said to a client whose request does not arrive (RFC 9110 §15.5.9).
pub(crate) const TOO_SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Reads after which a client lets others have their turn.
const READS_PER_TURN: usize = 4;

#[derive(Debug)]
enum Doing {
    /// It waits for a request since then.
    Idle(MonoInstant),
    /// It has had the first bytes of a request since then.
    Receiving(MonoInstant),
    /// It waits for a message.
    Waiting(Wait),
    /// Nothing more is read. It is to be dropped once everything is sent.
    Closing,
    /// It is to be dropped.
    Dead,
    /// Its next request is none for the lane.
    Foreign,
}

/// The rest of a response that a full socket has not taken.
#[derive(Debug)]
struct Unsent {
    bytes: Rc<Vec<u8>>,
    from: usize,
    to: usize,
    /// Since when nothing was taken.
    since: MonoInstant,
    /// The messages in it: those after the first up to the second.
    holds: Option<(Seq, Seq)>,
}

/// What a connection's task does after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::polls) enum Turn {
    /// It waits until it is woken.
    Waits,
    /// It closes the connection.
    Over,
    /// It hands the connection to hyper.
    Foreign,
}

/// One connection.
#[derive(Debug)]
pub(in crate::polls) struct Client {
    socket: TcpStream,
    doing: Doing,
    /// Read, and not yet answered: a head's beginning, or requests behind one that is being
    /// answered. Holds no memory otherwise.
    unread: Vec<u8>,
    unsent: Option<Unsent>,
    /// Wakes the connection's task.
    waker: Option<Waker>,
    /// What is written is stamped.
    peer: Option<Peer>,
    /// Its address on this side is a loopback one.
    is_loopback: bool,
}

impl Client {
    pub(in crate::polls) fn new(link: Link, read_already: &[u8], now: MonoInstant) -> Self {
        let Link { socket, peer, is_loopback } = link;
        let unread = read_already.to_vec();
        let doing = Doing::Idle(now);
        Self { socket, doing, unread, unsent: None, waker: None, peer, is_loopback }
    }

    /// The socket, and what was read from it and not answered.
    pub(in crate::polls) fn into_parts(self) -> (Link, Vec<u8>) {
        let Self { socket, peer, is_loopback, unread, .. } = self;
        (Link { socket, peer, is_loopback }, unread)
    }

    /// The turn of the connection's own task.
    pub(in crate::polls) fn attend(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
        desk: &mut Desk,
        with: Surroundings<'_>,
    ) -> Turn {
        if self.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
        self.flush(with);
        if matches!(self.doing, Doing::Idle(_)) && !self.unread.is_empty() {
            self.resume(desk, with);
        }
        for _ in 0..READS_PER_TURN {
            match self.doing {
                Doing::Dead => return Turn::Over,
                Doing::Foreign if self.unsent.is_none() => return Turn::Foreign,
                _ if self.unsent.is_some() => return Turn::Waits,
                Doing::Waiting(_) if self.unread.len() >= MAX_HEAD => return Turn::Waits,
                _ => {}
            }
            let mut buffer = ReadBuf::new(scratch);
            match Pin::new(&mut self.socket).poll_read(cx, &mut buffer) {
                Poll::Pending => return Turn::Waits,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.received(buffer.filled(), desk, with);
                }
                Poll::Ready(_) => self.die(with),
            }
        }
        cx.waker().wake_by_ref();
        Turn::Waits
    }

    fn received(&mut self, input: &[u8], desk: &mut Desk, with: Surroundings<'_>) {
        if !self.unread.is_empty() {
            self.unread.extend_from_slice(input);
            return self.resume(desk, with);
        }
        let used = self.requests(input, desk, with);
        self.unread.extend_from_slice(&input[used..]);
    }

    /// Goes on with what was read before.
    fn resume(&mut self, desk: &mut Desk, with: Surroundings<'_>) {
        let mut unread = std::mem::take(&mut self.unread);
        let used = self.requests(&unread, desk, with);
        if used < unread.len() {
            unread.drain(..used);
            self.unread = unread;
        }
    }

    /// Answers the requests that `input` has, one after another; how many bytes they took.
    fn requests(&mut self, input: &[u8], desk: &mut Desk, with: Surroundings<'_>) -> usize {
        let mut used = 0;
        while self.unsent.is_none() && matches!(self.doing, Doing::Idle(_) | Doing::Receiving(_)) {
            let rest = &input[used..];
            if rest.is_empty() {
                break;
            }
            match request::parse(rest, with.config, self.is_loopback) {
                Parsed::Poll(ask, length) => {
                    used += length;
                    self.answer(&ask, desk, with);
                }
                // hyper says what is wrong with a head that is too long.
                Parsed::Partial if rest.len() > MAX_HEAD => self.doing = Doing::Foreign,
                Parsed::Partial => {
                    if matches!(self.doing, Doing::Idle(_)) {
                        self.doing = Doing::Receiving(with.now);
                    }
                    break;
                }
                Parsed::Foreign => self.doing = Doing::Foreign,
            }
        }
        used
    }

    fn send(
        &mut self,
        endpoint: Endpoint,
        reply: Reply<'_>,
        (persistence, cors): (Persistence, Cors),
        with: Surroundings<'_>,
    ) {
        with.counters.answered(endpoint, reply.status);
        if cors.is_asked() {
            let bytes = cors.insert_into(&reply.bytes[..reply.len], &with.config.access);
            let (len, bytes) = (bytes.len(), Rc::new(bytes));
            let whole = Reply { bytes: &bytes, len, ..reply };
            return self.write(whole, persistence, with);
        }
        self.write(reply, persistence, with);
    }

    fn write(&mut self, reply: Reply<'_>, persistence: Persistence, with: Surroundings<'_>) {
        if persistence == Persistence::Closes {
            self.doing = Doing::Closing;
        }
        let begun = self.peer.map(|_| clock::now());
        let sent = match self.socket.try_write(&reply.bytes[..reply.len]) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => return self.die(with),
        };
        if sent < reply.len {
            let (bytes, since) = (Rc::clone(reply.bytes), with.now);
            let holds = reply.holds;
            self.unsent = Some(Unsent { bytes, from: sent, to: reply.len, since, holds });
        } else if let (Some(peer), Some(at)) = (&self.peer, begun) {
            with.stamps.answered(peer, reply.holds, at);
        }
        self.flush(with);
    }

    /// Sends what a full socket has not taken, and takes care that the task is woken where
    /// something remains.
    fn flush(&mut self, with: Surroundings<'_>) {
        while let Some(unsent) = &mut self.unsent {
            let begun = self.peer.map(|_| clock::now());
            match self.socket.try_write(&unsent.bytes[unsent.from..unsent.to]) {
                Ok(sent) => {
                    (unsent.from, unsent.since) = (unsent.from + sent, with.now);
                    if unsent.from == unsent.to {
                        if let (Some(peer), Some(at)) = (&self.peer, begun) {
                            with.stamps.answered(peer, unsent.holds, at);
                        }
                        self.unsent = None;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Readiness may have come between the write and this question. Without a
                    // waker the task has not run yet, and asks when it does.
                    let Some(waker) = &self.waker else { return };
                    let mut cx = Context::from_waker(waker);
                    if self.socket.poll_write_ready(&mut cx).is_pending() {
                        return;
                    }
                }
                Err(_) => self.die(with),
            }
        }
        if matches!(self.doing, Doing::Closing) {
            self.die(with);
        }
    }

    /// Looks at what time it is. A long poll that waits has a time of its own.
    pub(in crate::polls) fn tick(&mut self, with: Surroundings<'_>) {
        let past = |since: MonoInstant, timeout| with.now >= since + timeout;
        let config = with.config;
        if let Some(unsent) = &self.unsent {
            if past(unsent.since, config.write_timeout) {
                self.die(with);
            }
            return;
        }
        match self.doing {
            Doing::Idle(since) if past(since, config.idle_timeout) => self.die(with),
            Doing::Receiving(since) if past(since, config.request_timeout) => {
                // Whoever dawdles may not read it either, so one try is enough.
                let _ = self.socket.try_write(TOO_SLOW);
                self.die(with);
            }
            _ => {}
        }
    }

    /// Answers a long poll that waits, and closes the connection once everything is sent.
    pub(in crate::polls) fn stop(&mut self, desk: &mut Desk, with: Surroundings<'_>) {
        if let Doing::Waiting(wait) = &self.doing {
            let found = Found::Nothing(wait.cursor);
            self.end_wait(Ok(found), desk, with);
        }
        if matches!(self.doing, Doing::Idle(_) | Doing::Receiving(_)) {
            self.doing = Doing::Closing;
        }
        self.flush(with);
    }

    fn die(&mut self, with: Surroundings<'_>) {
        self.leave_wait(with);
        self.unsent = None;
        self.doing = Doing::Dead;
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}
