//! Taking connections, up to the limit, and telling those beyond it.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::channel::Channel;
use crate::connection::Connection;
use crate::counters::ConnectionKind;
use crate::http::last_words;
use crate::serving::{handshake, task};
use crate::shared::Shared;

/// Refused connections that are told so at a time; more than that are dropped without a word.
const REFUSALS: usize = 64;

/// How long a refused connection has to read why.
const REFUSAL_TIME: Duration = Duration::from_secs(1);

/// How long to wait when the system has no descriptor or memory for another connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections for as long as it is polled.
pub(crate) async fn accept(shared: Rc<Shared>, listener: TcpListener) {
    let refusing = Rc::new(Cell::new(0));
    loop {
        match listener.accept().await {
            Ok((socket, client)) => {
                shared.counters.connections.add(1);
                let channel = Channel::new(&shared.config.channel, socket);
                if shared.counters.open() < shared.config.max_connections {
                    shared.counters.opened(ConnectionKind::HTTP);
                    let peer = shared.stamps.peer(client);
                    let is_loopback = is_loopback(&shared, &channel);
                    let connection =
                        Connection::new(channel, peer, is_loopback, shared.clock.get());
                    task::begin(&shared, counted(&shared, connection));
                } else {
                    shared.counters.refused.add(1);
                    let connection = Connection::new(channel, None, false, shared.clock.get());
                    refuse(&shared, &refusing, counted(&shared, connection));
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(_) => tokio::time::sleep(EXHAUSTED_PAUSE).await,
        }
    }
}

/// A connection whose bytes are counted, where they are to be.
fn counted(shared: &Shared, connection: Connection) -> Connection {
    match &shared.byte_count {
        Some(count) => connection.counted(count),
        None => connection,
    }
}

/// Whether the connection's address on this side is a loopback one: the server's own, and asked
/// for where it listens on all.
fn is_loopback(shared: &Shared, channel: &Channel) -> bool {
    let all = shared.address.ip().is_unspecified();
    let own = if all { channel.local_addr().ok() } else { Some(shared.address) };
    own.is_none_or(|address| address.ip().to_canonical().is_loopback())
}

/// Whether the connection broke before it was accepted, which says nothing of the next.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

fn refuse(shared: &Rc<Shared>, refusing: &Rc<Cell<usize>>, connection: Connection) {
    if refusing.get() < REFUSALS {
        let (shared, refusing) = (Rc::clone(shared), Rc::clone(refusing));
        refusing.set(refusing.get() + 1);
        tokio::task::spawn_local(async move {
            let _ = tokio::time::timeout(REFUSAL_TIME, say_busy(&shared, connection)).await;
            refusing.set(refusing.get() - 1);
        });
    }
}

/// Answers and reads until the client closes: closing with unread bytes would reset the
/// connection, and the client might not see the answer.
async fn say_busy(shared: &Shared, connection: Connection) -> io::Result<()> {
    let connection = RefCell::new(connection);
    handshake::shake_hands(shared, &connection).await?;
    let words = last_words::too_many();
    poll_fn(|cx| {
        let mut connection = connection.borrow_mut();
        connection.remember(cx.waker());
        match connection.write(&[IoSlice::new(&words)], shared.clock.get()) {
            Ok(None) => Poll::Pending,
            written => Poll::Ready(written),
        }
    })
    .await?;
    poll_fn(|cx| connection.borrow_mut().poll_leave(cx)).await;
    Ok(())
}
