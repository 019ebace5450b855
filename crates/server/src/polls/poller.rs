//! One connection that polls: its requests as far as they have been read, and what it has yet to
//! send.

use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll};

use pushbench_core::{Delivery, MonoInstant, Seq};
use pushbench_protocol::http::ContentCoding;
use tokio::io::ReadBuf;

use super::common::PollsCommon;
use super::reply::Reply;
use super::request::Persistence;
use crate::access::Cors;
use crate::connection::{Connection, ConnectionState};
use crate::counters::EndpointRow;
use crate::rooms::guest::Guest;
use crate::rooms::key::RoomKey;
use crate::view::View;

/// A long poll that waits.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) room: RoomKey,
    /// The number of its connection.
    pub(super) connection: u32,
    pub(super) endpoint: EndpointRow,
    pub(super) cursor: Seq,
    pub(super) delivery: Delivery,
    pub(super) persistence: Persistence,
    pub(super) coding: ContentCoding,
    pub(super) cors: Cors,
    pub(super) deadline: MonoInstant,
    pub(super) condition: Option<Box<[u8]>>,
}

/// The rest of a response that a full socket has not taken.
#[derive(Debug)]
struct Unsent {
    bytes: Rc<Vec<u8>>,
    from: usize,
    to: usize,
    /// The messages in it: those after the first up to the second.
    holds: Option<(Seq, Seq)>,
}

/// One connection that polls, or has not said yet what it wants.
#[derive(Debug)]
pub(crate) struct Poller {
    pub(super) connection: Connection,
    /// The long poll that waits, where the connection does.
    pub(super) wait: Option<Wait>,
    /// Read, and not yet answered: a head's beginning, or requests behind one that is being
    /// answered. Holds no memory otherwise.
    pub(crate) unread: Vec<u8>,
    /// Boxed, since most sockets take all.
    unsent: Option<Box<Unsent>>,
}

impl Poller {
    /// A connection that waits for a request, of which `unread` has been read.
    pub(crate) fn new(mut connection: Connection, unread: Vec<u8>, now: MonoInstant) -> Self {
        connection.enter(ConnectionState::Idle, now);
        Self { connection, wait: None, unread, unsent: None }
    }

    /// The connection, and what was read from it and not answered.
    pub(crate) fn into_parts(self) -> (Connection, Vec<u8>) {
        (self.connection, self.unread)
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) const fn state(&self) -> ConnectionState {
        self.connection.state()
    }

    pub(crate) const fn is_loopback(&self) -> bool {
        self.connection.is_loopback()
    }

    /// The client as rooms know it.
    pub(crate) fn guest(&mut self) -> &mut Guest {
        self.connection.guest()
    }

    /// Whether a response, or a part of one, waits for the socket.
    pub(crate) const fn is_behind(&self) -> bool {
        self.connection.is_behind()
    }

    /// Whether a request may be answered now.
    pub(crate) const fn takes_requests(&self) -> bool {
        !self.connection.is_behind()
            && matches!(self.state(), ConnectionState::Idle | ConnectionState::Receiving)
    }

    /// Begins the turn of the connection's own task.
    pub(crate) fn attend(&mut self, cx: &Context<'_>, view: View<'_>) {
        self.connection.remember(cx.waker());
        if self.is_behind() {
            self.flush(view);
        }
    }

    /// Reads as [`Connection::poll_read`]; a connection that ends or breaks is dead.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        common: &mut PollsCommon,
        view: View<'_>,
    ) -> Poll<usize> {
        self.connection.poll_read(cx, &mut ReadBuf::new(buffer)).map(|read| match read {
            Ok(count) if count > 0 => count,
            Ok(_) | Err(_) => {
                self.leave_wait(common, view);
                self.die();
                0
            }
        })
    }

    /// The first bytes of a request are there.
    pub(crate) const fn begin_receiving(&mut self, now: MonoInstant) {
        if matches!(self.state(), ConnectionState::Idle) {
            self.connection.enter(ConnectionState::Receiving, now);
        }
    }

    pub(super) fn send(
        &mut self,
        endpoint: EndpointRow,
        reply: Reply<'_>,
        (persistence, cors): (Persistence, Cors),
        view: View<'_>,
    ) {
        view.counters.answered(endpoint, reply.status);
        if cors.is_asked() {
            let bytes = cors.insert_into(&reply.bytes[..reply.len], &view.config.access);
            let (len, bytes) = (bytes.len(), Rc::new(bytes));
            let whole = Reply { bytes: &bytes, len, ..reply };
            return self.write(whole, persistence, view);
        }
        self.write(reply, persistence, view);
    }

    fn write(&mut self, reply: Reply<'_>, persistence: Persistence, view: View<'_>) {
        if persistence == Persistence::Closes {
            self.connection.go_on(ConnectionState::Ending);
        }
        let begun = self.connection.stamp();
        let slice = [IoSlice::new(&reply.bytes[..reply.len])];
        let Ok(taken) = self.connection.write(&slice, view.now) else { return self.die() };
        let from = taken.unwrap_or(0);
        if from < reply.len {
            let (bytes, to, holds) = (Rc::clone(reply.bytes), reply.len, reply.holds);
            self.unsent = Some(Box::new(Unsent { bytes, from, to, holds }));
        } else {
            self.connection.answered(view.stamps, reply.holds, begun);
        }
        self.flush(view);
    }

    /// Sends what a full socket has not taken, and takes care that the task is woken where
    /// something remains.
    fn flush(&mut self, view: View<'_>) {
        match self.write_unsent(view) {
            Err(_) => self.die(),
            Ok(()) if self.state() == ConnectionState::Ending && !self.is_behind() => self.die(),
            Ok(()) => {}
        }
    }

    fn write_unsent(&mut self, view: View<'_>) -> io::Result<()> {
        while let Some(unsent) = &mut self.unsent {
            let begun = self.connection.stamp();
            let rest = [IoSlice::new(&unsent.bytes[unsent.from..unsent.to])];
            let Some(taken) = self.connection.write(&rest, view.now)? else { return Ok(()) };
            unsent.from += taken;
            if unsent.from == unsent.to {
                self.connection.answered(view.stamps, unsent.holds, begun);
                self.unsent = None;
            }
        }
        self.connection.flush()
    }

    /// Looks at what time it is. A long poll that waits has a time of its own.
    pub(super) fn tick(&mut self, common: &mut PollsCommon, view: View<'_>) {
        if self.connection.give_up_overdue(view.config, view.now).is_some() {
            self.leave_wait(common, view);
            self.die();
        }
        if self.wait.is_none()
            && let Some(guest) = self.connection.known_guest()
        {
            guest.leaves_unless_it_asked(view.now);
        }
    }

    /// A long poll that waits has been left before.
    fn die(&mut self) {
        self.unsent = None;
        self.connection.die();
    }

    /// The room in which its long poll waits.
    pub(super) fn waits_in(&self) -> Option<RoomKey> {
        self.wait.as_ref().map(|wait| wait.room)
    }

    pub(super) fn leave_wait(&mut self, common: &mut PollsCommon, view: View<'_>) -> Option<Wait> {
        let wait = self.wait.take()?;
        common.waiting.remove(wait.room, wait.connection);
        view.counters.waiting.down();
        self.connection.enter(ConnectionState::Idle, view.now);
        if let Some(guest) = self.connection.known_guest() {
            guest.has_waited(view.now);
        }
        Some(wait)
    }

    /// Closes a connection without a request once everything is sent, since the server stops.
    pub(super) fn end(&mut self, view: View<'_>) {
        if matches!(self.state(), ConnectionState::Idle | ConnectionState::Receiving) {
            self.connection.go_on(ConnectionState::Ending);
        }
        self.flush(view);
    }
}
