//! The tasks of the lane: one for each connection, which reads, and one for the deadlines.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pushbench_os::time::clock;
use tokio::time::timeout;

use super::client::{Client, Turn};
use super::{Ask, Lane};
use crate::connection::{self, Link};
use crate::counters::Kind;
use crate::hub::Hub;
use crate::shared::Shared;

/// Takes a connection into the lane, with a poll that hyper has read from it, if it did, and what
/// was read behind that.
pub(crate) fn adopt(shared: &Rc<Shared>, link: Link, ask: Option<Ask<'_>>, read_already: &[u8]) {
    let mut hub = shared.hub.borrow_mut();
    let Hub { ring, lane, .. } = &mut *hub;
    let with = shared.surroundings(ring);
    let mut client = Client::new(link, read_already, with.now);
    if let Some(ask) = ask {
        client.answer(&ask, &mut lane.desk, with);
    }
    let key = lane.clients.insert(client);
    tokio::task::spawn_local(Attendant { shared: Rc::clone(shared), key });
}

/// The task of one connection. Only it removes the connection, so its key stays good.
struct Attendant {
    shared: Rc<Shared>,
    key: usize,
}

impl Future for Attendant {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let shared = &self.shared;
        let mut hub = shared.hub.borrow_mut();
        let Hub { ring, lane: Lane { clients, desk }, scratch, .. } = &mut *hub;
        let turn = clients[self.key].attend(cx, scratch, desk, shared.surroundings(ring));
        if turn == Turn::Waits {
            return Poll::Pending;
        }
        let (link, unread) = clients.remove(self.key).into_parts();
        if turn == Turn::Foreign {
            tokio::task::spawn_local(connection::serve(Rc::clone(shared), link, unread));
        } else {
            shared.counters.closed(Kind::Http);
        }
        Poll::Ready(())
    }
}

/// Ends long polls when their time is over, for as long as it is polled.
pub(crate) async fn keep_time(shared: Rc<Shared>) {
    let alarm = Rc::clone(&shared.hub.borrow().lane.desk.alarm);
    loop {
        let next = shared.hub.borrow().lane.desk.next_deadline;
        let Some(next) = next else {
            alarm.notified().await;
            continue;
        };
        let left = next.saturating_since(clock::now());
        if !left.is_zero() {
            // Either way the deadline is looked at again.
            let _ = timeout(left, alarm.notified()).await;
            continue;
        }
        shared.clock.set(clock::now());
        let mut hub = shared.hub.borrow_mut();
        let Hub { ring, lane, .. } = &mut *hub;
        lane.expire(shared.surroundings(ring));
    }
}
