//! TLS between a client's socket and its plaintext.

use std::io::{self, IoSlice, Read as _, Write as _};

use mio::net::TcpStream;
use pushbench_core::security::Agreed;
use pushbench_os::net::rx_stamp::WallStamp;
use pushbench_tls::{ClientEnd, Handshake, Layer, Overhead};

use super::{Moved, Received, Written};

/// The security of a connection.
#[derive(Debug)]
pub(super) struct Secured {
    layer: Layer<ClientEnd>,
}

/// Reads of a socket, counted.
fn receiving<'a>(
    mut socket: &'a TcpStream,
    moved: &'a mut u64,
) -> impl FnMut(&mut [u8]) -> io::Result<usize> + 'a {
    move |buffer| {
        let length = socket.read(buffer)?;
        *moved += length as u64;
        Ok(length)
    }
}

/// Writes of a socket, counted.
fn sending<'a>(
    mut socket: &'a TcpStream,
    moved: &'a mut u64,
) -> impl FnMut(&[u8]) -> io::Result<usize> + 'a {
    move |bytes| {
        let length = socket.write(bytes)?;
        *moved += length as u64;
        Ok(length)
    }
}

impl Secured {
    pub(super) const fn new(layer: Layer<ClientEnd>) -> Self {
        Self { layer }
    }

    pub(super) const fn waits(&self) -> bool {
        self.layer.waits()
    }

    pub(super) const fn is_ended(&self) -> bool {
        self.layer.is_ended()
    }

    pub(super) fn take_overhead(&mut self) -> Overhead {
        std::mem::take(self.layer.overhead())
    }

    pub(super) fn agreed(&self) -> Agreed {
        self.layer.agreed()
    }

    pub(super) fn is_resumed(&self) -> bool {
        self.layer.is_resumed()
    }

    /// Takes the handshake on as far as the socket lets it; whether it is done.
    pub(super) fn advance(&mut self, socket: &TcpStream, moved: &mut Moved) -> io::Result<bool> {
        let Moved { up, down } = moved;
        loop {
            match self.layer.advance(receiving(socket, down), sending(socket, up))? {
                Handshake::Stepped => {}
                Handshake::Waits => return Ok(false),
                Handshake::Done => return Ok(true),
            }
        }
    }

    /// Opens what `take` reads from the socket into `buffer`.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        mut take: impl FnMut(&mut [u8]) -> io::Result<(usize, Option<WallStamp>)>,
    ) -> io::Result<Option<Received>> {
        let (mut stamp, mut is_empty) = (None, false);
        let read = self.layer.read(buffer, |records| {
            let (length, when) = take(records)?;
            (stamp, is_empty) = (when, length < records.len());
            Ok(length)
        })?;
        Ok(read.map(|plaintext| {
            let overhead = std::mem::take(&mut self.layer.overhead().received);
            let sealed = plaintext + usize::try_from(overhead).unwrap_or(usize::MAX);
            // Plaintext that was kept says nothing about the socket.
            let more = !is_empty || self.layer.may_give_more();
            Received { plaintext, sealed, more, stamp }
        }))
    }

    /// Sends what TLS itself has to answer to what was read, as to a server that wants to negotiate
    /// anew (RFC 5246 §7.2.2): there may be no write for it to go with.
    pub(super) fn answer(&mut self, socket: &TcpStream, moved: &mut Moved) {
        if self.waits() {
            // What does not go now goes with the next write, which also says what is wrong.
            let _ = self.flush(socket, moved);
        }
    }

    pub(super) fn write(
        &mut self,
        plaintext: &[u8],
        socket: &TcpStream,
        moved: &mut Moved,
    ) -> io::Result<Written> {
        let taken = self.layer.write(&[IoSlice::new(plaintext)], sending(socket, &mut moved.up))?;
        let overhead = std::mem::take(&mut self.layer.overhead().sent);
        Ok(Written { taken, sealed: taken + usize::try_from(overhead).unwrap_or(usize::MAX) })
    }

    pub(super) fn flush(&mut self, socket: &TcpStream, moved: &mut Moved) -> io::Result<bool> {
        self.layer.flush(sending(socket, &mut moved.up))
    }

    /// Says that nothing more will come.
    pub(super) fn finish(&mut self, socket: &TcpStream, moved: &mut Moved) -> io::Result<()> {
        self.layer.finish(sending(socket, &mut moved.up))
    }

    pub(super) fn close(&mut self, moved: &mut Moved) -> Overhead {
        let (overhead, leftover) = (self.take_overhead(), self.layer.leftover());
        moved.up += leftover.sent;
        Overhead { received: overhead.received + leftover.received, ..overhead }
    }
}
