//! A connection in hyper's hands: from a request that is no poll until one opens a stream, which
//! is the hub's, or is a poll, which is the lane's.
//!
//! A request for a stream or a poll is answered by nobody: its service leaves a [`Takeover`] and
//! stays pending, so hyper writes nothing. The connection's task sees the takeover, takes socket
//! and read buffer back, and hands both over, to the hub together with a response head of our
//! own. That saves a stream hyper's buffers and a body's channel, and the fan-out a task for each.
//!
//! Timeouts are stamps that one housekeeping task looks at ([`ConnectionState::overdue`]), not
//! timers of each request.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pushbench_core::{Delivery, MonoInstant, Seq};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::counters::Kind;
use crate::hub;
use crate::polls::{self, Ask, MAX_HEAD, TOO_SLOW};
use crate::shared::Shared;
use crate::stamps::Peer;
use crate::stream::{Stream, Wire};

/// hyper's buffer for reading; a request's body is read in pieces of at most this size.
const MAX_BUFFER: usize = 64 << 10;

/// A connection, whoever serves it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) socket: TcpStream,
    /// What is written to it is stamped, by whoever takes it over.
    pub(crate) peer: Option<Peer>,
    /// Its address on this side is a loopback one.
    pub(crate) is_loopback: bool,
}

/// What a connection leaves hyper for.
#[derive(Debug)]
pub(crate) enum Takeover {
    /// It is to become a stream.
    Stream {
        /// The response head, to the byte.
        head: Vec<u8>,
        wire: Wire,
        delivery: Delivery,
        /// Where the stream continues from.
        cursor: Seq,
    },
    /// It asks for a poll.
    Poll(Ask<'static>),
}

/// What a connection in hyper's hands is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// It waits for a request since then.
    Idle(MonoInstant),
    /// It has had the first bytes of a request since then.
    Receiving(MonoInstant),
    /// A request is being answered.
    Answering,
}

/// What a connection's task, its service and housekeeping know of each other.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    doing: Cell<Doing>,
    /// Since when the client has taken nothing of what waits for it.
    full_since: Cell<Option<MonoInstant>>,
    /// Whether hyper has handed everything to the socket.
    flushed: Cell<bool>,
    takeover: RefCell<Option<Takeover>>,
    /// Housekeeping has had enough of it.
    cut: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl ConnectionState {
    fn new(now: MonoInstant) -> Self {
        Self {
            doing: Cell::new(Doing::Idle(now)),
            full_since: Cell::new(None),
            flushed: Cell::new(true),
            takeover: RefCell::new(None),
            cut: Cell::new(false),
            waker: RefCell::new(None),
        }
    }

    /// Asks for the connection to be taken over. The service stays pending from then on.
    pub(crate) fn take_over(&self, takeover: Takeover) {
        *self.takeover.borrow_mut() = Some(takeover);
    }

    /// Whether a timeout has passed; an answer in the making has none.
    pub(crate) fn overdue(&self, shared: &Shared) -> bool {
        let (now, config) = (shared.clock.get(), &shared.config);
        let past = |since: MonoInstant, timeout| now >= since + timeout;
        self.full_since.get().is_some_and(|since| past(since, config.write_timeout))
            || match self.doing.get() {
                Doing::Idle(since) => past(since, config.idle_timeout),
                Doing::Receiving(since) => past(since, config.request_timeout),
                Doing::Answering => false,
            }
    }

    /// Drops the connection as soon as its task runs.
    pub(crate) fn cut(&self) {
        self.cut.set(true);
        self.wake();
    }

    /// Has the connection's task look at what has changed.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    fn remember(&self, waker: &Waker) {
        let mut own = self.waker.borrow_mut();
        if own.as_ref().is_none_or(|own| !own.will_wake(waker)) {
            *own = Some(waker.clone());
        }
    }
}

/// Marks a request as being answered for as long as it lives.
pub(crate) struct Answering<'a> {
    state: &'a ConnectionState,
    shared: &'a Shared,
}

impl<'a> Answering<'a> {
    pub(crate) fn new(state: &'a ConnectionState, shared: &'a Shared) -> Self {
        state.doing.set(Doing::Answering);
        Self { state, shared }
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.state.doing.set(Doing::Idle(self.shared.clock.get()));
    }
}

/// A socket that takes note of what hyper does with it.
#[derive(Debug)]
struct Observed {
    socket: TcpStream,
    /// What was read before, and is read again.
    read_before: Bytes,
    state: Rc<ConnectionState>,
    shared: Rc<Shared>,
}

impl Observed {
    fn wrote(&self, result: &Poll<io::Result<usize>>) {
        self.state.flushed.set(false);
        let full = &self.state.full_since;
        match result {
            Poll::Pending if full.get().is_none() => full.set(Some(self.shared.clock.get())),
            Poll::Pending => {}
            Poll::Ready(_) => full.set(None),
        }
    }
}

impl AsyncRead for Observed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = if self.read_before.is_empty() {
            Pin::new(&mut self.socket).poll_read(cx, buffer)
        } else {
            let count = buffer.remaining().min(self.read_before.len());
            buffer.put_slice(&self.read_before.split_to(count));
            Poll::Ready(Ok(()))
        };
        if buffer.filled().len() > before && matches!(self.state.doing.get(), Doing::Idle(_)) {
            self.state.doing.set(Doing::Receiving(self.shared.clock.get()));
        }
        result
    }
}

impl AsyncWrite for Observed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.wrote(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.wrote(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// hyper flushes once its own buffer is empty.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state.flushed.set(true);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

/// How a connection leaves hyper.
enum Leaves {
    /// It is closed, by the client, by hyper, or because it broke.
    Closed,
    /// A timeout has passed.
    Cut,
    /// It is somebody else's from now on.
    Taken(Takeover),
}

/// Serves a connection, of which `read_before` has been read and not answered, until it is closed
/// or taken over.
pub(crate) async fn serve(shared: Rc<Shared>, link: Link, read_before: Vec<u8>) {
    let Link { socket, peer, is_loopback } = link;
    let state = Rc::new(ConnectionState::new(shared.clock.get()));
    let key = shared.connections.borrow_mut().insert(Rc::clone(&state));
    let read_before = Bytes::from(read_before);
    let observed =
        Observed { socket, read_before, state: Rc::clone(&state), shared: Rc::clone(&shared) };
    let service = service_fn(|request| {
        crate::http::handle(Rc::clone(&shared), Rc::clone(&state), is_loopback, request)
    });
    let mut connection = builder().serve_connection(TokioIo::new(observed), service);
    let mut stopping = false;
    let leaves = poll_fn(|cx| {
        state.remember(cx.waker());
        if shared.stopping.get() && !stopping {
            stopping = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        if state.cut.get() {
            return Poll::Ready(Leaves::Cut);
        }
        if Pin::new(&mut connection).poll(cx).is_ready() {
            return Poll::Ready(Leaves::Closed);
        }
        // An earlier response on this connection may still be on its way out.
        let takeover = if state.flushed.get() { state.takeover.borrow_mut().take() } else { None };
        takeover.map_or(Poll::Pending, |takeover| Poll::Ready(Leaves::Taken(takeover)))
    })
    .await;
    shared.connections.borrow_mut().remove(key);
    match leaves {
        Leaves::Closed => shared.counters.closed(Kind::Http),
        Leaves::Cut => {
            shared.counters.closed(Kind::Http);
            let socket = connection.into_parts().io.into_inner().socket;
            complain(&state, &socket);
        }
        Leaves::Taken(takeover) => {
            let parts = connection.into_parts();
            let Observed { socket, read_before, .. } = parts.io.into_inner();
            let unread = [&parts.read_buf[..], &read_before].concat();
            hand_over(&shared, takeover, Link { socket, peer, is_loopback }, &unread);
        }
    }
}

fn hand_over(shared: &Rc<Shared>, takeover: Takeover, link: Link, unread: &[u8]) {
    match takeover {
        Takeover::Poll(ask) => polls::task::adopt(shared, link, Some(ask), unread),
        Takeover::Stream { head, wire, delivery, cursor } => {
            shared.counters.closed(Kind::Http);
            let (now, Link { socket, peer, .. }) = (shared.clock.get(), link);
            let stream = Stream::new(socket, wire, delivery, cursor, head, now, peer);
            hub::adopt(shared, stream, unread);
        }
    }
}

/// Says to a client whose request does not arrive that this is why; nothing where a response is
/// on its way. Whoever dawdles may not read it either, so one try is enough.
fn complain(state: &ConnectionState, socket: &TcpStream) {
    if matches!(state.doing.get(), Doing::Receiving(_)) && state.flushed.get() {
        let _ = socket.try_write(TOO_SLOW);
    }
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
