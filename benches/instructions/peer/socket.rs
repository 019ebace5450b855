//! Sockets of either side, in clear or in TLS.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use pushbench_tls::{End, Layer, Stream};

/// A socket, and what secures it.
pub(super) enum Socket<E> {
    Clear(TcpStream),
    Tls(Box<Stream<TcpStream, E>>),
}

impl<E> fmt::Debug for Socket<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clear(socket) => socket.fmt(f),
            Self::Tls(stream) => stream.fmt(f),
        }
    }
}

impl<E: End> Socket<E> {
    /// Opens what is to secure a socket, if anything is.
    pub(super) fn open(layer: Option<Layer<E>>, socket: TcpStream) -> io::Result<Self> {
        match layer {
            None => Ok(Self::Clear(socket)),
            Some(layer) => Stream::open(layer, socket).map(|stream| Self::Tls(Box::new(stream))),
        }
    }

    /// The socket itself.
    pub(super) fn below(&self) -> &TcpStream {
        match self {
            Self::Clear(socket) => socket,
            Self::Tls(stream) => stream.socket(),
        }
    }
}

impl<E: End> Read for Socket<E> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl<E: End> Write for Socket<E> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
