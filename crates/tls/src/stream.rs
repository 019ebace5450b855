//! A layer over something that waits where it is read and written: for what does one thing at a time.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};

use crate::bare::{Opener, Sealer};
use crate::end::End;
use crate::layer::{Handshake, Layer};

/// A secured stream over `S`.
pub struct Stream<S, E> {
    socket: S,
    layer: Layer<E>,
}

impl<S: fmt::Debug, E> fmt::Debug for Stream<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { socket, layer } = self;
        f.debug_struct("Stream").field("socket", socket).field("layer", layer).finish()
    }
}

impl<S: Read + Write, E: End> Stream<S, E> {
    /// Opens it: plaintext may flow then.
    ///
    /// # Errors
    ///
    /// Why the two ends do not agree, or a connection that broke.
    pub fn open(mut layer: Layer<E>, mut socket: S) -> io::Result<Self> {
        loop {
            let socket = std::cell::RefCell::new(&mut socket);
            let read = |bytes: &mut [u8]| socket.borrow_mut().read(bytes);
            let write = |bytes: &[u8]| socket.borrow_mut().write(bytes);
            match layer.advance(read, write)? {
                Handshake::Done => break,
                Handshake::Stepped => {}
                Handshake::Waits => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
        Ok(Self { socket, layer })
    }

    /// The socket.
    pub const fn socket(&self) -> &S {
        &self.socket
    }

    /// The socket, and what seals and opens the records to come without a library of TLS. Plaintext
    /// that has come and was not read is lost.
    ///
    /// # Errors
    ///
    /// A version of TLS other than 1.3.
    pub fn into_bare(self) -> io::Result<(S, Sealer, Opener)> {
        let (sealer, opener) = self.layer.into_bare()?;
        Ok((self.socket, sealer, opener))
    }
}

impl<S: Read + Write, E: End> Read for Stream<S, E> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self { socket, layer } = self;
        Ok(layer.read(buffer, |bytes| socket.read(bytes))?.unwrap_or(0))
    }
}

impl<S: Read + Write, E: End> Write for Stream<S, E> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self { socket, layer } = self;
        let taken = layer.write(&[IoSlice::new(bytes)], |bytes| socket.write(bytes))?;
        self.flush()?;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        let Self { socket, layer } = self;
        layer.flush(|bytes| socket.write(bytes)).map(drop)
    }
}
