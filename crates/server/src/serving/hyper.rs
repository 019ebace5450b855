//! A connection in hyper's hands: from a request that is no poll until one opens a stream or is a
//! poll.
//!
//! A request for a stream or a poll is answered by nobody: its service leaves a [`Takeover`] and
//! stays pending, so hyper writes nothing, and connection and read buffer are taken back. That
//! saves a stream hyper's buffers and a body's channel, and the fan-out a task for each.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::MAX_HEAD;
use super::service;
use super::takeover::{Exchange, Takeover};
use crate::connection::{Connection, ConnectionState};
use crate::shared::Shared;

/// hyper's buffer for reading; a request's body is read in pieces of at most this size.
const MAX_BUFFER: usize = 64 << 10;

/// The plaintext of a connection, as hyper reads and writes it.
#[derive(Debug)]
struct Plaintext {
    connection: Rc<RefCell<Connection>>,
    /// Read before, and read again.
    read_before: Bytes,
    shared: Rc<Shared>,
}

impl AsyncRead for Plaintext {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { connection, read_before, shared } = &mut *self;
        let mut connection = connection.borrow_mut();
        let count = if read_before.is_empty() {
            ready!(connection.poll_read(cx, buffer))?
        } else {
            let count = buffer.remaining().min(read_before.len());
            buffer.put_slice(&read_before.split_to(count));
            count
        };
        if count > 0 && connection.state() == ConnectionState::Idle {
            connection.enter(ConnectionState::Receiving, shared.clock.get());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Plaintext {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    /// The task that is woken is the connection's, as it remembers.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut connection = self.connection.borrow_mut();
        let taken = connection.write(slices, self.shared.clock.get())?;
        taken.map_or(Poll::Pending, |taken| Poll::Ready(Ok(taken)))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// hyper flushes once its own buffer is empty.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut connection = self.connection.borrow_mut();
        connection.flush()?;
        if connection.is_behind() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut connection = self.connection.borrow_mut();
        connection.shut();
        if connection.is_behind() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

/// A connection that leaves hyper.
pub(super) struct Leaving {
    pub(super) connection: Connection,
    pub(super) takeover: Takeover,
    /// Read and not answered.
    pub(super) unread: Vec<u8>,
}

/// Serves a connection, of which `read_before` has been read and not answered; `None` where it is
/// closed, by the client, by hyper, because it broke, or because a timeout has passed.
pub(super) async fn serve(
    shared: Rc<Shared>,
    mut connection: Connection,
    read_before: Vec<u8>,
) -> Option<Leaving> {
    connection.enter(ConnectionState::Idle, shared.clock.get());
    let connection = Rc::new(RefCell::new(connection));
    let key = shared.in_tasks.borrow_mut().insert(Rc::clone(&connection));
    let exchange = Rc::new(Exchange::new(Rc::clone(&connection)));
    let leaving = serve_registered(&shared, &exchange, read_before.into()).await;
    shared.in_tasks.borrow_mut().remove(key);
    drop(exchange);
    let (takeover, unread) = leaving?;
    let connection = Rc::into_inner(connection).expect("nobody else has it").into_inner();
    Some(Leaving { connection, takeover, unread })
}

async fn serve_registered(
    shared: &Rc<Shared>,
    exchange: &Rc<Exchange>,
    read_before: Bytes,
) -> Option<(Takeover, Vec<u8>)> {
    let connection = Rc::clone(&exchange.connection);
    let plaintext = Plaintext { connection, read_before, shared: Rc::clone(shared) };
    let service =
        service_fn(|request| service::handle(Rc::clone(shared), Rc::clone(exchange), request));
    let mut served = builder().serve_connection(TokioIo::new(plaintext), service);
    let mut stopping = false;
    let takeover = poll_fn(|cx| {
        exchange.connection.borrow_mut().remember(cx.waker());
        if shared.stopping.get() && !stopping {
            stopping = true;
            Pin::new(&mut served).graceful_shutdown();
        }
        let is_dead = exchange.connection.borrow().is_dead();
        if is_dead || Pin::new(&mut served).poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        exchange.takeover().map_or(Poll::Pending, |takeover| Poll::Ready(Some(takeover)))
    })
    .await?;
    let parts = served.into_parts();
    let read_before = parts.io.into_inner().read_before;
    Some((takeover, [&parts.read_buf[..], &read_before].concat()))
}

/// hyper, with its limits. It answers 400 to a request that it cannot parse and 431 to one whose
/// head is too large, both before the service sees it.
fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_BUFFER)
        // No answer of hyper's is kept by a cache, so that none needs a date; those to polls and
        // streams, which hyper does not send, have one where the header profile says so.
        .auto_date_header(false)
        .header_read_timeout(None);
    builder
}
