//! A connection's bytes: its socket and, above it, a layer that may keep bytes back.
//!
//! Above a channel there are plaintext bytes, below it those of the socket. The two differ in
//! time as in number, so a channel promises this, whatever is in it:
//!
//! - A read that is [`Pending`](Poll::Pending) holds nothing back: the next plaintext needs further
//!   bytes of the socket, for which the task is woken. Any other read may have left some, so
//!   whoever stops reading before `Pending` comes back without being woken. 0 bytes are the end.
//! - A write says how much plaintext it *took*. That is the channel's from then on: a cursor and
//!   the write deadline follow it. Bytes that were taken and that the socket has not, are moved by
//!   [`flush`](Channel::flush), and until that succeeds the connection waits for the socket.
//! - [`shut`](Channel::shut) comes after a flush: what was taken is ahead of the end.

mod records;

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::net::{SendFlags, Shutdown, send, shutdown};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::TcpStream;

use self::records::Records;

/// The layer between socket and plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::manual_non_exhaustive, reason = "what is hidden is for tests, and made by them")]
pub enum ChannelKind {
    /// None: the socket's bytes are the plaintext.
    #[default]
    Clear,
    /// Records as of TLS 1.2 (RFC 5246 §6.2.1), with nothing secret in them: for tests of
    /// everything that has to hold over a channel that keeps bytes back.
    #[doc(hidden)]
    Records,
}

/// A connection's socket, and the layer above it.
#[derive(Debug)]
pub(crate) enum Channel {
    Clear(TcpStream),
    Records(Box<Records>),
}

impl Channel {
    pub(crate) fn new(kind: ChannelKind, socket: TcpStream) -> Self {
        match kind {
            ChannelKind::Clear => Self::Clear(socket),
            ChannelKind::Records => Self::Records(Box::new(Records::new(socket))),
        }
    }

    const fn socket(&self) -> &TcpStream {
        match self {
            Self::Clear(socket) => socket,
            Self::Records(records) => records.socket(),
        }
    }

    /// The address on this side.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    /// Plaintext that has arrived, as much as `buffer` has room for; how much that is.
    #[inline]
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Clear(socket) => read_socket(socket, cx, buffer),
            Self::Records(records) => records.poll_read(cx, buffer),
        }
    }

    /// Takes as much of `slices` as it can now; [`WouldBlock`](io::ErrorKind::WouldBlock) where
    /// that is nothing.
    #[inline]
    pub(crate) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, slices) {
            (Self::Clear(socket), [one]) => socket.try_write(one),
            (Self::Clear(socket), _) => socket.try_write_vectored(slices),
            (Self::Records(records), _) => records.write(slices),
        }
    }

    /// Takes as much of `bytes` as one call to the system does, where nothing is kept back: `None`
    /// where [`write`](Self::write) is to be asked.
    ///
    /// The system is asked and not the runtime, whose books on a socket are on cache lines of
    /// their own: of a socket that is full, the other way lets it know.
    #[inline]
    pub(crate) fn write_directly(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Clear(socket) => send(socket, bytes, SendFlags::NOSIGNAL).ok(),
            Self::Records(_) => None,
        }
    }

    /// Moves what was taken to the socket; [`WouldBlock`](io::ErrorKind::WouldBlock) as long as
    /// some of it waits.
    #[inline]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(_) => Ok(()),
            Self::Records(records) => records.flush(),
        }
    }

    /// Whether the socket takes bytes, which wakes the task once it does.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket().poll_write_ready(cx)
    }

    /// Ends this side. The other may go on.
    pub(crate) fn shut(&self) -> io::Result<()> {
        Ok(shutdown(self.socket(), Shutdown::Write)?)
    }
}

fn read_socket(
    socket: &mut TcpStream,
    cx: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<usize>> {
    let before = buffer.filled().len();
    ready!(Pin::new(socket).poll_read(cx, buffer))?;
    Poll::Ready(Ok(buffer.filled().len() - before))
}
