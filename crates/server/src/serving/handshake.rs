//! The opening of a connection: what secures it is agreed upon, and nothing else.
//!
//! A step of a handshake costs up to a millisecond, most of it a signature. One is made in each round
//! of the event loop, whoever is due: a storm of clients that connect does not hold up messages.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::Poll;

use pushbench_tls::{Handshake, TlsError};
use tokio::task::yield_now;

use crate::connection::{Connection, ConnectionState};
use crate::http::last_words;
use crate::shared::Shared;

/// Opens a connection; `None` where it came to nothing, of which the client is told.
pub(super) async fn open(shared: Rc<Shared>, mut connection: Connection) -> Option<Connection> {
    connection.enter(ConnectionState::Opening, shared.clock.get());
    let connection = Rc::new(RefCell::new(connection));
    let key = shared.in_tasks.borrow_mut().insert(Rc::clone(&connection));
    let outcome = shake_hands(&shared, &connection).await;
    match &outcome {
        Ok(()) => count(&shared, &connection),
        // That was the server, and no client's failure.
        Err(_) if shared.stopping.get() => {}
        Err(error) => {
            shared.counters.failed_handshakes.add(1);
            part(&shared, &connection, error).await;
        }
    }
    shared.in_tasks.borrow_mut().remove(key);
    let connection = Rc::into_inner(connection).expect("nobody else has it").into_inner();
    outcome.is_ok().then_some(connection)
}

/// Has what secures a connection agreed upon, step by step, each in its turn.
pub(crate) async fn shake_hands(
    shared: &Shared,
    connection: &RefCell<Connection>,
) -> io::Result<()> {
    if connection.borrow().is_open() {
        return Ok(());
    }
    let mut has_begun = false;
    loop {
        wait(shared, connection).await?;
        let turn = shared.handshakes.acquire().await.map_err(io::Error::other)?;
        let step = step(shared, &mut connection.borrow_mut(), has_begun)?;
        if step == Handshake::Done {
            return Ok(());
        }
        has_begun = true;
        yield_now().await;
        drop(turn);
    }
}

/// Takes a handshake on, unless that is of no use any more: whoever has left before the server's part
/// of it began would still cost a signature, and those behind it their time.
fn step(shared: &Shared, connection: &mut Connection, has_begun: bool) -> io::Result<Handshake> {
    check(shared, connection)?;
    if !has_begun && connection.channel().has_left() {
        return Err(TlsError::EndedInHandshake.into());
    }
    connection.channel().open()
}

/// Says so where the connection is given up, or the server stops.
fn check(shared: &Shared, connection: &Connection) -> io::Result<()> {
    if connection.is_dead() || shared.stopping.get() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(())
}

/// Waits until the socket lets the handshake go on.
async fn wait(shared: &Shared, connection: &RefCell<Connection>) -> io::Result<()> {
    poll_fn(|cx| {
        let mut connection = connection.borrow_mut();
        connection.remember(cx.waker());
        check(shared, &connection)?;
        connection.channel().poll_openable(cx)
    })
    .await
}

fn count(shared: &Shared, connection: &RefCell<Connection>) {
    shared.counters.handshakes.add(1);
    if connection.borrow_mut().channel().is_resumed() {
        shared.counters.resumed.add(1);
    }
}

/// Lets the client read why: an alert that was sent, or a sentence where it knows no TLS.
async fn part(shared: &Shared, connection: &RefCell<Connection>, error: &io::Error) {
    if matches!(TlsError::within(error), Some(TlsError::NotTls)) {
        connection.borrow_mut().channel().write_in_clear(&last_words::not_in_clear());
    }
    if !connection.borrow().is_dead() {
        connection.borrow_mut().enter(ConnectionState::Ending, shared.clock.get());
    }
    poll_fn(|cx| {
        let mut connection = connection.borrow_mut();
        if shared.stopping.get() { Poll::Ready(()) } else { connection.poll_leave(cx) }
    })
    .await;
}
