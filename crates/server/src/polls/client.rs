//! One connection in the lane: what it reads, what it answers, and what it waits for.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use http::StatusCode;
use pushbench_core::headers::{Content, ResponseParts};
use pushbench_core::{Delivery, MonoInstant, Seq, Transport};
use pushbench_probe::clock;
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::TcpStream;

use super::reply::{Found, Reply, Terms, always_closes, connection};
use super::request::{self, Ask, Parsed, Persistence};
use super::{Desk, MAX_HEAD};
use crate::counters::Endpoint;
use crate::http::answer;
use crate::hub::Gone;
use crate::query::Query;
use crate::stream::Surroundings;

/// What is said to a client whose request does not arrive (RFC 9110 §15.5.9).
pub(crate) const TOO_SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Reads after which a client lets others have their turn.
const READS_PER_TURN: usize = 4;

/// A long poll that waits.
#[derive(Debug)]
struct Wait {
    cursor: Seq,
    delivery: Delivery,
    persistence: Persistence,
    deadline: MonoInstant,
    condition: Option<Box<[u8]>>,
}

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
}

/// What a connection's task does after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It waits until it is woken.
    Waits,
    /// It closes the connection.
    Over,
    /// It hands the connection to hyper.
    Foreign,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Client {
    socket: TcpStream,
    doing: Doing,
    /// Read, and not yet answered: a head's beginning, or requests behind one that is being
    /// answered. Holds no memory otherwise.
    unread: Vec<u8>,
    unsent: Option<Unsent>,
    /// Wakes the connection's task.
    waker: Option<Waker>,
}

impl Client {
    pub(super) fn new(socket: TcpStream, read_already: &[u8], now: MonoInstant) -> Self {
        let unread = read_already.to_vec();
        Self { socket, doing: Doing::Idle(now), unread, unsent: None, waker: None }
    }

    /// The socket, and what was read from it and not answered.
    pub(super) fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.socket, self.unread)
    }

    /// The turn of the connection's own task.
    pub(super) fn attend(
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
            match request::parse(rest, &with.config.headers) {
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

    /// Answers a poll, or has it wait.
    pub(super) fn answer(&mut self, ask: &Ask<'_>, desk: &mut Desk, with: Surroundings<'_>) {
        let closes = desk.stopping || always_closes(&with.config.headers);
        let persistence = if closes { Persistence::Closes } else { ask.persistence };
        let terms =
            Terms { head_only: ask.head_only, persistence, condition: ask.condition.as_deref() };
        self.doing = Doing::Idle(with.now);
        let query = match &ask.query {
            Ok(query) => query,
            Err(error) => {
                let (media_type, body) = (answer::TEXT, format!("{error}\n"));
                let status = StatusCode::BAD_REQUEST;
                return self.refuse(ask.endpoint, status, media_type, &body, terms, with);
            }
        };
        let found = match (ask.endpoint, query.after, query.delivery) {
            // Without a cursor that is the newest message again and again, as naive polling
            // has it.
            (Endpoint::Poll, None, Delivery::Latest) => Ok(Found::newest(with.ring)),
            (_, after, delivery) => {
                let cursor = after.unwrap_or(with.ring.newest());
                Found::after(with.ring, cursor, delivery)
            }
        };
        match found {
            Ok(Found::Nothing(cursor))
                if ask.endpoint == Endpoint::LongPoll
                    && !query.timeout.is_zero()
                    && !desk.stopping =>
            {
                self.wait(cursor, query, terms, desk, with);
            }
            found => self.respond(ask.endpoint, found, terms, desk, with),
        }
    }

    /// Waits for what comes after `cursor` (RFC 6202 §2).
    fn wait(
        &mut self,
        cursor: Seq,
        query: &Query,
        terms: Terms<'_>,
        desk: &mut Desk,
        with: Surroundings<'_>,
    ) {
        let deadline = clock::now() + query.timeout;
        desk.wait_until(deadline);
        with.counters.waiting.up();
        self.doing = Doing::Waiting(Wait {
            cursor,
            delivery: query.delivery,
            persistence: terms.persistence,
            deadline,
            condition: terms.condition.map(Into::into),
        });
    }

    fn respond(
        &mut self,
        endpoint: Endpoint,
        found: Result<Found, Gone>,
        terms: Terms<'_>,
        desk: &mut Desk,
        with: Surroundings<'_>,
    ) {
        match found {
            Ok(found) => {
                let reply = desk.replies.reply(found, terms, with);
                self.send(endpoint, reply, terms.persistence, with);
            }
            Err(gone) => {
                let (status, body) = (StatusCode::GONE, gone.to_json());
                self.refuse(endpoint, status, answer::JSON, &body, terms, with);
            }
        }
    }

    /// An answer that is none of a poll's own; nothing that has to be fast.
    fn refuse(
        &mut self,
        endpoint: Endpoint,
        status: StatusCode,
        media_type: &str,
        body: &str,
        terms: Terms<'_>,
        with: Surroundings<'_>,
    ) {
        let content = Content::Body { media_type, length: body.len() };
        let own = connection(terms.persistence).map(|value| ("connection", value));
        let own = own.as_slice();
        let parts = ResponseParts { status: status.as_u16(), content, etag: None, own };
        let mut bytes = Vec::new();
        with.config.headers.render_response(Transport::ShortPoll, &parts, &mut bytes);
        if !terms.head_only {
            bytes.extend_from_slice(body.as_bytes());
        }
        let (len, bytes) = (bytes.len(), Rc::new(bytes));
        self.send(endpoint, Reply { status, bytes: &bytes, len }, terms.persistence, with);
    }

    fn send(
        &mut self,
        endpoint: Endpoint,
        reply: Reply<'_>,
        persistence: Persistence,
        with: Surroundings<'_>,
    ) {
        with.counters.answered(endpoint, reply.status);
        if persistence == Persistence::Closes {
            self.doing = Doing::Closing;
        }
        let sent = match self.socket.try_write(&reply.bytes[..reply.len]) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => return self.die(with),
        };
        if sent < reply.len {
            let (bytes, since) = (Rc::clone(reply.bytes), with.now);
            self.unsent = Some(Unsent { bytes, from: sent, to: reply.len, since });
        }
        self.flush(with);
    }

    /// Sends what a full socket has not taken, and takes care that the task is woken where
    /// something remains.
    fn flush(&mut self, with: Surroundings<'_>) {
        while let Some(unsent) = &mut self.unsent {
            match self.socket.try_write(&unsent.bytes[unsent.from..unsent.to]) {
                Ok(sent) => {
                    (unsent.from, unsent.since) = (unsent.from + sent, with.now);
                    if unsent.from == unsent.to {
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

    /// Answers a long poll that waits for what is there now.
    pub(super) fn news(&mut self, desk: &mut Desk, with: Surroundings<'_>) {
        let Doing::Waiting(wait) = &self.doing else { return };
        let found = Found::after(with.ring, wait.cursor, wait.delivery);
        if !matches!(found, Ok(Found::Nothing(_))) {
            self.end_wait(found, desk, with);
        }
    }

    /// When the time of a long poll is over that waits.
    pub(super) fn deadline(&self) -> Option<MonoInstant> {
        if let Doing::Waiting(wait) = &self.doing { Some(wait.deadline) } else { None }
    }

    /// Answers a long poll whose time is over.
    pub(super) fn expire(&mut self, desk: &mut Desk, with: Surroundings<'_>) {
        match &self.doing {
            Doing::Waiting(wait) if wait.deadline <= with.now => {
                let found = Found::Nothing(wait.cursor);
                self.end_wait(Ok(found), desk, with);
            }
            _ => {}
        }
    }

    fn end_wait(&mut self, found: Result<Found, Gone>, desk: &mut Desk, with: Surroundings<'_>) {
        let Some(wait) = self.leave_wait(with) else { return };
        let persistence = if desk.stopping { Persistence::Closes } else { wait.persistence };
        let condition = wait.condition.as_deref();
        let terms = Terms { head_only: false, persistence, condition };
        self.respond(Endpoint::LongPoll, found, terms, desk, with);
        if !self.unread.is_empty() {
            self.wake();
        }
    }

    fn leave_wait(&mut self, with: Surroundings<'_>) -> Option<Wait> {
        match std::mem::replace(&mut self.doing, Doing::Idle(with.now)) {
            Doing::Waiting(wait) => {
                with.counters.waiting.down();
                Some(wait)
            }
            doing => {
                self.doing = doing;
                None
            }
        }
    }

    /// Looks at what time it is. A long poll that waits has a time of its own.
    pub(super) fn tick(&mut self, with: Surroundings<'_>) {
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
    pub(super) fn stop(&mut self, desk: &mut Desk, with: Surroundings<'_>) {
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
