//! The task of a connection, from accept to close, and that of the deadlines of long polls.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use pushbench_os::time::clock;
use tokio::time::timeout;

use super::handshake;
use super::hyper::{self, Leaving};
use super::polling::{self, Turn};
use super::takeover::Takeover;
use crate::connection::Connection;
use crate::counters::ConnectionKind;
use crate::hub::Hub;
use crate::polls::request::PollRequest;
use crate::polls::{Poller, Polls};
use crate::rooms::key::RoomKey;
use crate::rooms::room::{Room, RoomKind};
use crate::rooms::talk;
use crate::shared::Shared;
use crate::stream::{Opening, Stream};

/// A future of one connection. Boxed again, since most connections have none most of the time.
type OwnFuture<T> = Box<Pin<Box<dyn Future<Output = T>>>>;

/// Who serves a connection. Only its task takes it away, so its key stays good.
enum ServedBy {
    /// Nobody yet: what secures it is being agreed upon.
    Handshake(OwnFuture<Option<Connection>>),
    /// Among those that poll, or have not said yet what they want.
    Polls(u32),
    /// In hyper's hands.
    Hyper(OwnFuture<Option<Leaving>>),
    /// Among the streams of a room.
    Streams(RoomKey, u32),
}

/// The task of one connection.
struct Task {
    shared: Rc<Shared>,
    by: ServedBy,
}

/// Serves a connection that was accepted until it is closed.
pub(crate) fn begin(shared: &Rc<Shared>, connection: Connection) {
    let shared = Rc::clone(shared);
    let by = if connection.is_open() {
        ServedBy::Polls(begin_polls(&shared, connection, None, Vec::new()))
    } else {
        ServedBy::Handshake(Box::new(Box::pin(handshake::open(Rc::clone(&shared), connection))))
    };
    tokio::task::spawn_local(Task { shared, by });
}

impl Future for Task {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { shared, by } = self.get_mut();
        loop {
            let next = match by {
                ServedBy::Handshake(opening) => {
                    ready!(poll_handshake(shared, opening.as_mut().as_mut(), cx))
                }
                ServedBy::Polls(key) => ready!(poll_poller(shared, *key, cx)),
                ServedBy::Hyper(served) => {
                    ready!(poll_hyper(shared, served.as_mut().as_mut(), cx))
                }
                ServedBy::Streams(room, key) => ready!(poll_stream(shared, *room, *key, cx)),
            };
            match next {
                Some(next) => *by = next,
                None => return Poll::Ready(()),
            }
        }
    }
}

fn poll_handshake(
    shared: &Shared,
    opening: Pin<&mut dyn Future<Output = Option<Connection>>>,
    cx: &mut Context<'_>,
) -> Poll<Option<ServedBy>> {
    opening.poll(cx).map(|opened| {
        let Some(connection) = opened else {
            shared.counters.closed(ConnectionKind::HTTP);
            return None;
        };
        Some(ServedBy::Polls(begin_polls(shared, connection, None, Vec::new())))
    })
}

/// Where a connection goes on from the polls: `None` where it is closed.
fn poll_poller(shared: &Rc<Shared>, key: u32, cx: &mut Context<'_>) -> Poll<Option<ServedBy>> {
    let mut hub = shared.hub.borrow_mut();
    let Hub { polls: Polls { pollers, common }, scratch } = &mut *hub;
    let turn = polling::attend((&mut pollers[key as usize], key), cx, scratch, common, shared);
    if turn == Turn::Waits {
        return Poll::Pending;
    }
    let (connection, unread) = pollers.remove(key as usize).into_parts();
    if turn == Turn::Over {
        shared.counters.closed(ConnectionKind::HTTP);
        return Poll::Ready(None);
    }
    let served = Box::pin(hyper::serve(Rc::clone(shared), connection, unread));
    Poll::Ready(Some(ServedBy::Hyper(Box::new(served))))
}

fn poll_hyper(
    shared: &Shared,
    served: Pin<&mut dyn Future<Output = Option<Leaving>>>,
    cx: &mut Context<'_>,
) -> Poll<Option<ServedBy>> {
    served.poll(cx).map(|leaving| {
        let Some(Leaving { connection, takeover, unread }) = leaving else {
            shared.counters.closed(ConnectionKind::HTTP);
            return None;
        };
        Some(match takeover {
            Takeover::Poll(request, room) => {
                let asked = (&request, room.as_deref());
                ServedBy::Polls(begin_polls(shared, connection, Some(asked), unread))
            }
            Takeover::Stream(room, opening) => {
                shared.counters.closed(ConnectionKind::HTTP);
                begin_stream(shared, &room, connection, (opening, unread))
            }
        })
    })
}

fn poll_stream(
    shared: &Shared,
    room: RoomKey,
    key: u32,
    cx: &mut Context<'_>,
) -> Poll<Option<ServedBy>> {
    let room = shared.rooms.get(room);
    let mut streams = room.streams.borrow_mut();
    let stream = &mut streams[key as usize];
    if !stream.is_dead() {
        let scratch = &mut shared.hub.borrow_mut().scratch;
        let now = shared.clock.get();
        let reading = talk::listen(&shared.rooms, &room, stream, now, |stream, ears| {
            stream.read(cx, scratch, ears)
        });
        if room.key == RoomKey::ECHO {
            talk::bound(&shared.rooms, &mut streams, key as usize);
        }
        let stream = &mut streams[key as usize];
        stream.attend(reading, cx, shared.view(&room, &room.ring.borrow()));
    }
    let stream = &streams[key as usize];
    if !stream.is_dead() {
        return Poll::Pending;
    }
    shared.counters.closed(stream.kind());
    drop(streams.remove(key as usize));
    Poll::Ready(None)
}

/// Puts a connection among those that poll, with a poll that hyper has read from it, if it did.
fn begin_polls(
    shared: &Shared,
    connection: Connection,
    asked: Option<(&PollRequest<'_>, Option<&str>)>,
    unread: Vec<u8>,
) -> u32 {
    let Polls { pollers, common } = &mut shared.hub.borrow_mut().polls;
    let place = pollers.vacant_entry();
    let key = number(place.key());
    let poller = place.insert(Poller::new(connection, unread, shared.clock.get()));
    if let Some(asked) = asked {
        polling::answer((poller, key), asked, common, shared);
    }
    key
}

/// Puts a connection among the streams of a room, with what has been read of it behind its request.
fn begin_stream(
    shared: &Shared,
    room: &Rc<Room>,
    connection: Connection,
    (opening, mut unread): (Opening, Vec<u8>),
) -> ServedBy {
    let now = shared.clock.get();
    let mut stream = Stream::new(connection, opening, now);
    if let RoomKind::Named(_) = room.kind {
        stream.guest().enters(&room.attendance, now);
    }
    talk::listen(&shared.rooms, room, &mut stream, now, |stream, ears| {
        stream.received(&mut unread, ears);
    });
    shared.counters.opened(stream.kind());
    ServedBy::Streams(room.key, number(room.streams.borrow_mut().insert(stream)))
}

/// The number of a connection, of which there are no more than descriptors.
fn number(key: usize) -> u32 {
    u32::try_from(key).expect("a process has fewer descriptors")
}

/// Ends long polls when their time is over, for as long as it is polled.
pub(crate) async fn keep_time(shared: Rc<Shared>) {
    loop {
        let (next, alarm) = shared.hub.borrow().polls.next_deadline();
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
        shared.with_feed(|books| shared.hub.borrow_mut().polls.expire(&shared.rooms, books));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beside its socket's registration, this is what a client costs for as long as it is there.
    #[test]
    fn an_idle_connection_is_small() {
        // mio's sockets check more where debug assertions are on.
        let checks = if cfg!(debug_assertions) { 8 } else { 0 };
        assert!(size_of::<Poller>() <= 144 + checks, "{} bytes", size_of::<Poller>());
        assert!(size_of::<Stream>() <= 152 + checks, "{} bytes", size_of::<Stream>());
        // The runtime gives a task of up to 24 bytes one unit of its cache lines.
        assert!(size_of::<Task>() <= 24, "{} bytes", size_of::<Task>());
    }
}
