//! Polls: HTTP/1.1 connections whose requests are answered without hyper.
//!
//! A poll is answered with bytes that are mostly there already ([`reply`]), so that each response
//! to a poll is made in one place and its head is the header profile's to the byte.
//!
//! A long poll that waits is an entry with a cursor and a deadline. It holds no buffer, and what it
//! waits for is written to its channel by the loop that fans a message out, as to a stream: no task
//! is woken for it. The connection's task only reads.

mod answering;
mod common;
mod gzip;
mod poller;
mod receipt;
mod reply;
pub(crate) mod request;
mod template;
mod waiting;

use std::rc::Rc;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_protocol::headers::HeaderProfile;
use slab::Slab;
use tokio::sync::Notify;

pub(crate) use self::common::PollsCommon;
pub(crate) use self::poller::Poller;
use crate::rooms::Rooms;
use crate::rooms::key::RoomKey;
use crate::view::View;

/// Deadlines are looked at no more often than this, since each look is at all connections.
const DEADLINE_GRAIN: Duration = Duration::from_millis(10);

/// The connections that poll, or have not said yet what they want.
#[derive(Debug)]
pub(crate) struct Polls {
    pub(crate) pollers: Slab<Poller>,
    pub(crate) common: PollsCommon,
}

impl Polls {
    pub(crate) fn new(profile: &HeaderProfile) -> Self {
        Self { pollers: Slab::new(), common: PollsCommon::new(profile) }
    }

    /// Answers every long poll that waits for what is new in the room.
    pub(crate) fn fan_out(&mut self, view: View<'_>) {
        if view.counters.waiting.get() == 0 {
            return;
        }
        let Self { pollers, common } = self;
        let mut waiting = common.waiting.take(view.ring.whose.room);
        waiting.retain(|&key| !pollers[key as usize].end_wait_with_news(common, view));
        common.waiting.put_back(view.ring.whose.room, waiting);
    }

    /// Looks at each connection's timeouts.
    pub(crate) fn tick(&mut self, view: View<'_>) {
        for (_, poller) in &mut self.pollers {
            poller.tick(&mut self.common, view);
        }
    }

    /// Answers what waits and closes all connections, since the server stops.
    pub(crate) fn stop(&mut self, rooms: &Rooms, books: View<'_>) {
        self.common.stopping = true;
        for (_, poller) in &mut self.pollers {
            end_wait(poller, &mut self.common, rooms, books);
            poller.end(books);
        }
    }

    /// When the time of a long poll may be over, and who says that this has come nearer.
    pub(crate) fn next_deadline(&self) -> (Option<MonoInstant>, Rc<Notify>) {
        (self.common.next_deadline, Rc::clone(&self.common.alarm))
    }

    /// Answers the long polls whose time is over.
    pub(crate) fn expire(&mut self, rooms: &Rooms, books: View<'_>) {
        let mut earliest: Option<MonoInstant> = None;
        for (_, poller) in &mut self.pollers {
            if poller.deadline().is_some_and(|deadline| deadline <= books.now) {
                end_wait(poller, &mut self.common, rooms, books);
            }
            let deadline = poller.deadline();
            earliest = deadline.map_or(earliest, |at| Some(earliest.map_or(at, |e| e.min(at))));
        }
        self.common.next_deadline = earliest.map(|at| at.max(books.now + DEADLINE_GRAIN));
    }

    /// Nobody waits in a room any more, which has ended.
    pub(crate) fn forget(&mut self, room: RoomKey) {
        self.common.waiting.forget(room);
    }
}

/// Answers a long poll that waits, in whichever room, with nothing.
fn end_wait(poller: &mut Poller, common: &mut PollsCommon, rooms: &Rooms, books: View<'_>) {
    let Some(room) = poller.waits_in() else { return };
    let room = rooms.get(room);
    let ring = room.ring.borrow();
    poller.end_wait_with_nothing(common, room.view(books, &ring));
}
