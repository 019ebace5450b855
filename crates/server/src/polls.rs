//! The lane for polls: HTTP/1.1 connections whose requests are answered without hyper.
//!
//! Every connection begins here. A `GET` for a poll without a body is parsed where it was read,
//! in a buffer that all connections share, and answered with bytes that are mostly there already
//! ([`reply`]). Anything else goes to hyper with all its bytes (`connection`), and a poll that
//! hyper reads comes back, so that each response to a poll is made in one place and its head is
//! the header profile's to the byte.
//!
//! A long poll that waits is an entry in the lane with a cursor and a deadline. It holds no
//! buffer, and what it waits for is written to its socket by the loop that fans a message out,
//! as to a stream: no task is woken for it. The connection's task ([`task`]) only reads.

mod client;
mod reply;
mod request;
pub(crate) mod task;
mod template;

use std::rc::Rc;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_protocol::headers::HeaderProfile;
use slab::Slab;
use tokio::sync::Notify;

use self::client::Client;
use self::reply::Replies;
use crate::stream::Surroundings;

pub(crate) use self::client::TOO_SLOW;
pub(crate) use self::request::{Ask, Meant, lists, read_by_hyper};

/// The longest request line and header section.
pub(crate) const MAX_HEAD: usize = 16 << 10;

/// Deadlines are looked at no more often than this, since each look is at all connections.
const DEADLINE_GRAIN: Duration = Duration::from_millis(10);

/// The connections that are in the lane.
#[derive(Debug)]
pub(crate) struct Lane {
    clients: Slab<Client>,
    desk: Desk,
}

/// What the connections of the lane share.
#[derive(Debug, Default)]
struct Desk {
    replies: Replies,
    /// No long poll's time is over before this.
    next_deadline: Option<MonoInstant>,
    /// Says that `next_deadline` has come nearer.
    alarm: Rc<Notify>,
    /// Every response of the profile says that it is the last.
    always_closes: bool,
    stopping: bool,
}

impl Desk {
    /// Has the lane look at its deadlines no later than at this one.
    fn wait_until(&mut self, deadline: MonoInstant) {
        if self.next_deadline.is_none_or(|next| deadline < next) {
            self.next_deadline = Some(deadline);
            self.alarm.notify_one();
        }
    }
}

impl Lane {
    pub(crate) fn new(profile: &HeaderProfile) -> Self {
        let always_closes = reply::always_closes(profile);
        Self { clients: Slab::new(), desk: Desk { always_closes, ..Desk::default() } }
    }

    /// Answers every long poll that waits for what is new.
    pub(crate) fn fan_out(&mut self, with: Surroundings<'_>) {
        if with.counters.waiting.get() == 0 {
            return;
        }
        for (_, client) in &mut self.clients {
            client.news(&mut self.desk, with);
        }
    }

    /// Looks at each connection's timeouts.
    pub(crate) fn tick(&mut self, with: Surroundings<'_>) {
        for (_, client) in &mut self.clients {
            client.tick(with);
        }
    }

    /// Answers what waits and closes all connections, since the server stops.
    pub(crate) fn stop(&mut self, with: Surroundings<'_>) {
        self.desk.stopping = true;
        for (_, client) in &mut self.clients {
            client.stop(&mut self.desk, with);
        }
    }

    /// Answers the long polls whose time is over.
    fn expire(&mut self, with: Surroundings<'_>) {
        let mut earliest: Option<MonoInstant> = None;
        for (_, client) in &mut self.clients {
            client.expire(&mut self.desk, with);
            let deadline = client.deadline();
            earliest = deadline.map_or(earliest, |at| Some(earliest.map_or(at, |e| e.min(at))));
        }
        self.desk.next_deadline = earliest.map(|at| at.max(with.now + DEADLINE_GRAIN));
    }
}
