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
//! - [`open`](Channel::open) comes first, step by step, where there is something to agree upon.
//!   Until it is done nothing is read or written.
//! - [`shut`](Channel::shut) comes after a flush: what was taken is ahead of the end. It may have to
//!   wait for the socket too, and is asked again then.
//!
//! The bytes of either side are counted at the other end of the connection, in the ledger.

mod tls;

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use pushbench_os::net::rx_stamp::{self, WallStamp};
use pushbench_os::net::tcp_info::TcpInfo;
use pushbench_tls::{Acceptor, Handshake};
use rustix::net::{SendFlags, Shutdown, send, shutdown};
use tokio::io::{AsyncRead as _, Interest, ReadBuf};
use tokio::net::TcpStream;

use self::tls::Tls;

/// The layer between socket and plaintext.
#[derive(Debug, Clone, Default)]
pub enum ChannelKind {
    /// None: the socket's bytes are the plaintext.
    #[default]
    Clear,
    /// TLS.
    Tls(Acceptor),
}

/// A connection's socket, and the layer above it.
#[derive(Debug)]
pub(crate) enum Channel {
    Clear(TcpStream),
    Tls(Box<Tls>),
}

impl Channel {
    pub(crate) fn new(kind: &ChannelKind, socket: TcpStream) -> Self {
        match kind {
            ChannelKind::Clear => Self::Clear(socket),
            ChannelKind::Tls(acceptor) => Self::Tls(Box::new(Tls::new(acceptor, socket))),
        }
    }

    const fn socket(&self) -> &TcpStream {
        match self {
            Self::Clear(socket) => socket,
            Self::Tls(tls) => tls.socket(),
        }
    }

    /// The address on this side.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    /// The kernel's counters of the socket.
    pub(crate) fn tcp_info(&self) -> Option<TcpInfo> {
        TcpInfo::of(self.socket()).ok()
    }

    /// Whether plaintext may flow.
    pub(crate) const fn is_open(&self) -> bool {
        match self {
            Self::Clear(_) => true,
            Self::Tls(tls) => tls.is_open(),
        }
    }

    /// Takes the opening on by one step, with what the socket has.
    pub(crate) fn open(&mut self) -> io::Result<Handshake> {
        match self {
            Self::Clear(_) => Ok(Handshake::Done),
            Self::Tls(tls) => tls.open(),
        }
    }

    /// Whether the opening can go on, which wakes the task once it does.
    pub(crate) fn poll_openable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tls(tls) if !tls.waits() => self.socket().poll_read_ready(cx),
            _ => self.socket().poll_write_ready(cx),
        }
    }

    /// Whether the client is known to send no more, whatever it has sent before.
    pub(crate) fn has_left(&self) -> bool {
        let ready = pin!(self.socket().ready(Interest::READABLE));
        let ready = ready.poll(&mut Context::from_waker(Waker::noop()));
        matches!(ready, Poll::Ready(Ok(ready)) if ready.is_read_closed())
    }

    /// Whether the session of an earlier connection was taken up again.
    pub(crate) fn is_resumed(&self) -> bool {
        matches!(self, Self::Tls(tls) if tls.is_resumed())
    }

    /// Has the kernel say when it had what reads give; where it does not, they say nothing.
    pub(crate) fn ask_for_stamps(&self) {
        let _ = rx_stamp::enable(self.socket());
    }

    /// Plaintext that has arrived, as much as `buffer` has room for; how much that is. Who asks for a
    /// stamp gets the kernel's of the last byte that came from the socket for it, where there is one.
    #[inline]
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        stamp: Option<&mut Option<WallStamp>>,
    ) -> Poll<io::Result<usize>> {
        match (self, stamp) {
            (Self::Clear(socket), None) => read_socket(socket, cx, buffer),
            (Self::Clear(socket), Some(stamp)) => read_stamped(socket, cx, buffer, stamp),
            (Self::Tls(tls), stamp) => tls.poll_read(cx, buffer, stamp),
        }
    }

    /// Takes as much of `slices` as it can now; [`WouldBlock`](io::ErrorKind::WouldBlock) where
    /// that is nothing.
    #[inline]
    pub(crate) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, slices) {
            (Self::Clear(socket), [one]) => socket.try_write(one),
            (Self::Clear(socket), _) => socket.try_write_vectored(slices),
            (Self::Tls(tls), _) => tls.write(slices),
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
            Self::Tls(_) => None,
        }
    }

    /// Moves what was taken to the socket; [`WouldBlock`](io::ErrorKind::WouldBlock) as long as
    /// some of it waits.
    #[inline]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(_) => Ok(()),
            Self::Tls(tls) => tls.flush(),
        }
    }

    /// Whether the socket takes bytes, which wakes the task once it does.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket().poll_write_ready(cx)
    }

    /// Ends this side; [`WouldBlock`](io::ErrorKind::WouldBlock) where the word for that waits for the
    /// socket. The other side may go on.
    pub(crate) fn shut(&mut self) -> io::Result<()> {
        if let Self::Tls(tls) = self {
            tls.finish()?;
        }
        Ok(shutdown(self.socket(), Shutdown::Write)?)
    }

    /// Says something to a client whose bytes are not of the layer above its socket.
    pub(crate) fn write_in_clear(&self, bytes: &[u8]) {
        // One that does not read it is closed all the same.
        let _ = self.socket().try_write(bytes);
    }

    /// Throws away what the socket gives, whatever it is, until its end.
    pub(crate) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = match self {
            Self::Clear(socket) => socket,
            Self::Tls(tls) => tls.socket_mut(),
        };
        let mut scratch = [0; 1024];
        while ready!(read_socket(socket, cx, &mut ReadBuf::new(&mut scratch)))? > 0 {}
        Poll::Ready(Ok(()))
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

/// The same, with the kernel's stamp of the last byte.
fn read_stamped(
    socket: &TcpStream,
    cx: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
    stamp: &mut Option<WallStamp>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(socket.poll_read_ready(cx))?;
        let unfilled = buffer.initialize_unfilled();
        match socket.try_io(Interest::READABLE, || rx_stamp::receive(socket, unfilled)) {
            Ok(read) => {
                buffer.advance(read.length);
                *stamp = read.stamp;
                return Poll::Ready(Ok(read.length));
            }
            // The runtime knows now, and wakes the task once there is something.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}
