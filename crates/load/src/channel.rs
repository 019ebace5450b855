//! A connection of a client: a socket, and what secures it.
//!
//! # The contract
//!
//! Above a [`Channel`] is plaintext, below it are the bytes of a socket, and both are counted:
//! their difference is the ledger's `tls` row. The two need not move together, since a record may be
//! read by half, and sealed bytes may wait for the socket to take them. So:
//!
//! - **A read** gives at least one byte of plaintext, or is [`WouldBlock`](io::ErrorKind::WouldBlock)
//!   although bytes may have come, or `None` at the stream's end. [`Received`] says how much
//!   plaintext there is, how many bytes of the socket it took, and whether there may be
//!   more *without a further readiness*: an edge-triggered loop must read on then. It carries the
//!   kernel's stamp of the last byte where that was [asked for](Channel::ask_for_stamps).
//! - **A write** says how much plaintext was *taken*, which never has to be given again: cursors,
//!   deadlines and the ledger's layers follow that. What was sealed of it may still
//!   [wait](Channel::waits) when the write returns; it goes out with [`Channel::flush`] once the
//!   socket is writable. Nothing more is taken before.
//! - **Opening** is a state: [`Channel::advance`] takes it on with each readiness, until the
//!   connection stands and what secures it is agreed upon. It ends with an error or open.
//! - **Closing** is a state of the protocols above, as their good-byes are plaintext; the socket is
//!   closed by [`Channel::close`], which says what is left of a record that never became whole.
//!
//! A channel knows no clock. Whoever drives it has the deadlines of both: of opening, that of all
//! connecting; of closing, the time that good-byes may take.
//!
//! Nothing else in a load process has a socket: registration, `TCP_INFO`, stamps and the local
//! address go through the channel. Where nothing secures it a read is one `recv` and a write one
//! `send`.

mod tls;

use std::io::{self, Read as _, Write as _};
use std::net::{self, IpAddr, Shutdown, SocketAddr};
use std::time::Duration;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use pushbench_core::security::Agreed;
use pushbench_os::net::rx_stamp::{self, WallStamp};
use pushbench_os::net::source::connect_from;
use pushbench_os::net::tcp_info::{Parting, TcpInfo, TcpState};
pub use pushbench_tls::{ClientEnd, Layer, Overhead};

use self::tls::Secured;

/// Bytes that system calls said they moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// From client to server.
    pub up: u64,
    /// From server to client.
    pub down: u64,
}

/// Plaintext that a read gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Bytes of it, from the buffer's start; at least one.
    pub plaintext: usize,
    /// Bytes of the socket that they were, with what secured them.
    pub sealed: usize,
    /// There may be more without a further readiness.
    pub more: bool,
    /// When the kernel had the last byte that it gave, where it was asked to say.
    pub stamp: Option<WallStamp>,
}

/// Plaintext that a write took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Bytes of it.
    pub taken: usize,
    /// Bytes for the socket that were made of them.
    pub sealed: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The handshake of TCP is under way.
    Connecting,
    /// The connection's security is being agreed upon.
    Securing,
    Open,
}

/// One connection, as the module says.
#[derive(Debug)]
pub struct Channel {
    socket: TcpStream,
    state: State,
    stamped: bool,
    /// `None` where the socket's bytes are the plaintext.
    secured: Option<Box<Secured>>,
}

impl Channel {
    /// Begins to connect to `target`, from `source` where there is one, secured by `layer` if that is
    /// one; `registry` wakes its poll for `token`, once for each change of what can be read or
    /// written.
    ///
    /// # Errors
    ///
    /// A refusal of the system at once. The rest is said by [`Channel::advance`].
    pub fn connect(
        layer: Option<Layer<ClientEnd>>,
        target: SocketAddr,
        source: Option<IpAddr>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let mut socket = match source {
            Some(source) => TcpStream::from_std(connect_from(source, target)?),
            None => TcpStream::connect(target)?,
        };
        // A request or a pong is one write, and must not wait for the ACK of the one before.
        socket.set_nodelay(true)?;
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        let secured = layer.map(|layer| Box::new(Secured::new(layer)));
        Ok(Self { socket, state: State::Connecting, stamped: false, secured })
    }

    /// Connects to `target`, and waits for that at most so long; what [secures](Self::secure) it is
    /// still to be agreed upon. Such a channel wakes no poll: it is for whoever asks it again and
    /// again.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub fn connect_within(
        layer: Option<Layer<ClientEnd>>,
        target: SocketAddr,
        limit: Duration,
    ) -> io::Result<Self> {
        let socket = net::TcpStream::connect_timeout(&target, limit)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let socket = TcpStream::from_std(socket);
        let secured = layer.map(|layer| Box::new(Secured::new(layer)));
        Ok(Self { socket, state: State::Securing, stamped: false, secured })
    }

    /// Takes the opening on; whether the channel is open now.
    ///
    /// # Errors
    ///
    /// Why there will be no connection.
    pub fn advance(&mut self, event: &Event, moved: &mut Moved) -> io::Result<bool> {
        let broke = event.is_error() || event.is_write_closed();
        if self.state == State::Connecting && event.is_writable() && !broke {
            self.state = State::Securing;
        }
        // What the other end said before it left is a better reason than that it did.
        if !self.secure(moved)? && broke {
            let error = self.socket.take_error().ok().flatten();
            return Err(error.unwrap_or_else(|| io::ErrorKind::ConnectionAborted.into()));
        }
        Ok(self.is_open())
    }

    /// Whether TCP has yet to open the connection.
    #[must_use]
    pub fn is_connecting(&self) -> bool {
        self.state == State::Connecting
    }

    /// Takes on what secures a connection that TCP has opened; whether the channel is open now.
    ///
    /// # Errors
    ///
    /// Why there will be no connection.
    pub fn secure(&mut self, moved: &mut Moved) -> io::Result<bool> {
        if self.state == State::Securing {
            let is_secured = match &mut self.secured {
                Some(secured) => secured.advance(&self.socket, moved)?,
                None => true,
            };
            self.state = if is_secured { State::Open } else { State::Securing };
        }
        Ok(self.is_open())
    }

    /// Whether it has been opened.
    #[inline]
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// This end's address.
    ///
    /// # Errors
    ///
    /// A socket that has none any more.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Has each read say when the kernel had its last byte. Where the kernel does not, reads say
    /// nothing.
    pub fn ask_for_stamps(&mut self) {
        // Whoever evaluates stamps tells how many there are.
        let _ = rx_stamp::enable(&self.socket);
        self.stamped = true;
    }

    /// Whether reads say when the kernel had what they give.
    #[inline]
    #[must_use]
    pub const fn is_stamped(&self) -> bool {
        self.stamped
    }

    /// Reads plaintext into `buffer`, which has room for a record at least; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] where there is no plaintext yet; else a connection that broke.
    #[inline]
    pub fn read(&mut self, buffer: &mut [u8], moved: &mut Moved) -> io::Result<Option<Received>> {
        if self.stamped || self.secured.is_some() {
            return self.read_specially(buffer, moved);
        }
        let length = self.socket.read(buffer)?;
        moved.down += length as u64;
        Ok(clear(length, buffer.len(), None))
    }

    #[cold]
    fn read_specially(
        &mut self,
        buffer: &mut [u8],
        moved: &mut Moved,
    ) -> io::Result<Option<Received>> {
        let (mut socket, stamped) = (&self.socket, self.stamped);
        let mut take = |buffer: &mut [u8]| {
            let length = if stamped {
                let read = rx_stamp::receive(socket, buffer)?;
                (read.length, read.stamp)
            } else {
                (socket.read(buffer)?, None)
            };
            moved.down += length.0 as u64;
            Ok(length)
        };
        match &mut self.secured {
            Some(secured) => {
                let read = secured.read(buffer, take);
                secured.answer(&self.socket, moved);
                read
            }
            None => take(buffer).map(|(length, stamp)| clear(length, buffer.len(), stamp)),
        }
    }

    /// Takes of `plaintext` what it can.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] where that is nothing; else a connection that broke.
    #[inline]
    pub fn write(&mut self, plaintext: &[u8], moved: &mut Moved) -> io::Result<Written> {
        if let Some(secured) = &mut self.secured {
            return secured.write(plaintext, &self.socket, moved);
        }
        let taken = self.socket.write(plaintext)?;
        moved.up += taken as u64;
        Ok(Written { taken, sealed: taken })
    }

    /// Whether sealed bytes wait for the socket to be writable.
    #[inline]
    #[must_use]
    pub fn waits(&self) -> bool {
        self.secured.as_ref().is_some_and(|secured| secured.waits())
    }

    /// Writes sealed bytes that wait; whether some still do.
    ///
    /// # Errors
    ///
    /// A connection that broke.
    pub fn flush(&mut self, moved: &mut Moved) -> io::Result<bool> {
        match &mut self.secured {
            Some(secured) => secured.flush(&self.socket, moved),
            None => Ok(false),
        }
    }

    /// Bytes of the socket beside plaintext that no read and no write has told of: those of the
    /// opening, and what comes behind it without plaintext.
    #[inline]
    pub fn take_overhead(&mut self) -> Overhead {
        self.secured.as_mut().map_or(Overhead::default(), |secured| secured.take_overhead())
    }

    /// The agreement that secures the connection; `None` in clear.
    #[must_use]
    pub fn agreed(&self) -> Option<Agreed> {
        self.secured.as_ref().map(|secured| secured.agreed())
    }

    /// Whether it takes up the session of an earlier connection; `None` in clear.
    #[must_use]
    pub fn is_resumed(&self) -> Option<bool> {
        self.secured.as_ref().map(|secured| secured.is_resumed())
    }

    /// The kernel's account of the connection; `None` where there never was one, and within, where
    /// the kernel does not tell.
    #[must_use]
    pub fn tcp_info(&self) -> Option<Option<TcpInfo>> {
        let info = TcpInfo::of(&self.socket).ok();
        let stood = |info: &TcpInfo| !matches!(info.state, TcpState::Opening | TcpState::Closed);
        if self.is_open() { Some(info) } else { info.filter(stood).map(Some) }
    }

    /// Who has said above TCP that nothing more comes, once this end has
    /// [taken its leave](Self::take_leave).
    #[must_use]
    pub fn parting(&self) -> Parting {
        match &self.secured {
            None => Parting::Silent,
            Some(secured) if secured.is_ended() => Parting::Second,
            Some(_) => Parting::First,
        }
    }

    /// Says to the other end that this one will send no more; it may still be read.
    ///
    /// # Errors
    ///
    /// A socket that is not connected any more.
    pub fn finish(&mut self, moved: &mut Moved) -> io::Result<()> {
        if let Some(secured) = &mut self.secured {
            secured.finish(&self.socket, moved)?;
        }
        self.socket.shutdown(Shutdown::Write)
    }

    /// Says where there is a word for it that this end sends no more, as far as the socket takes
    /// that. [`close`](Self::close) does so too; the kernel's last account, taken in between, has it.
    pub fn take_leave(&mut self, moved: &mut Moved) {
        if let Some(secured) = &mut self.secured {
            // What the socket does not take is not waited for.
            let _ = secured.finish(&self.socket, moved);
        }
    }

    /// Closes the socket, and says which bytes no read and no write has told of, a record that never
    /// became whole included. Sealed bytes that still wait count as moved, like those that a kernel
    /// has taken and never sends.
    pub fn close(mut self, moved: &mut Moved) -> Overhead {
        self.take_leave(moved);
        self.secured.as_mut().map_or(Overhead::default(), |secured| secured.close(moved))
    }
}

/// A read of a socket that nothing secures. One that leaves room in the buffer has emptied it.
#[inline]
fn clear(length: usize, room: usize, stamp: Option<WallStamp>) -> Option<Received> {
    let received = Received { plaintext: length, sealed: length, more: length == room, stamp };
    (length > 0).then_some(received)
}

#[cfg(test)]
pub(crate) mod tests;
