//! TLS above a connection's socket.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use pushbench_os::net::rx_stamp::WallStamp;
use pushbench_tls::{Acceptor, Handshake, Layer, ServerEnd};
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

use super::{read_socket, read_stamped};

/// A socket, and TLS above it.
#[derive(Debug)]
pub(crate) struct Tls {
    socket: TcpStream,
    layer: Layer<ServerEnd>,
}

impl Drop for Tls {
    /// However a connection ends, its client hears that nothing more comes (RFC 8446 §6.1): else it
    /// could not tell the end from an attacker's.
    fn drop(&mut self) {
        // One that does not read it is closed all the same.
        let _ = self.finish();
    }
}

impl Tls {
    pub(super) fn new(acceptor: &Acceptor, socket: TcpStream) -> Self {
        Self { socket, layer: acceptor.layer() }
    }

    pub(super) const fn socket(&self) -> &TcpStream {
        &self.socket
    }

    pub(super) const fn socket_mut(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    pub(super) const fn is_open(&self) -> bool {
        self.layer.is_open()
    }

    pub(super) fn is_resumed(&self) -> bool {
        self.layer.is_resumed()
    }

    pub(super) const fn waits(&self) -> bool {
        self.layer.waits()
    }

    pub(super) fn open(&mut self) -> io::Result<Handshake> {
        let Self { socket, layer } = self;
        layer.advance(|buffer| socket.try_read(buffer), |bytes| socket.try_write(bytes))
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        mut stamp: Option<&mut Option<WallStamp>>,
    ) -> Poll<io::Result<usize>> {
        let Self { socket, layer } = self;
        let read = layer.read(buffer.initialize_unfilled(), |records| {
            let mut records = ReadBuf::new(records);
            let read = match &mut stamp {
                None => read_socket(socket, cx, &mut records),
                Some(stamp) => read_stamped(socket, cx, &mut records, stamp),
            };
            match read {
                Poll::Ready(read) => read,
                Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            }
        });
        // What TLS itself has to answer, as to a client that wants to negotiate anew (RFC 5246 §7.2.2):
        // there may be no write for it to go with. What does not go now goes with the next one.
        if layer.waits() {
            let _ = layer.flush(|bytes| socket.try_write(bytes));
        }
        match read {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
            Ok(read) => {
                let count = read.unwrap_or(0);
                buffer.advance(count);
                Poll::Ready(Ok(count))
            }
        }
    }

    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let Self { socket, layer } = self;
        layer.write(slices, |bytes| socket.try_write(bytes))
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Self { socket, layer } = self;
        let waits = layer.flush(|bytes| socket.try_write(bytes))?;
        if waits { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }

    /// Says that nothing more will come.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let Self { socket, layer } = self;
        layer.finish(|bytes| socket.try_write(bytes))
    }
}
