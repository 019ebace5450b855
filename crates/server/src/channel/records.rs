//! Records with a header of five bytes and no secret: what TLS does to the flow of bytes, and
//! nothing of what it does to their meaning.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use tokio::net::TcpStream;

use super::read_socket;

/// Application data of TLS 1.2 (RFC 5246 §6.2.1).
const HEADER: [u8; 3] = [0x17, 0x03, 0x03];

/// The header, with the length.
const HEADER_LEN: usize = HEADER.len() + 2;

/// The most plaintext in a record (RFC 5246 §6.2.1).
const MAX_RECORD: usize = 16 << 10;

/// Bytes of a socket that travel in records.
#[derive(Debug)]
pub(crate) struct Records {
    socket: TcpStream,
    /// Read from the socket: a record's beginning, perhaps behind one that is open.
    arrived: Vec<u8>,
    /// Plaintext at the start of `arrived`, of the record that is open.
    open: usize,
    /// Records that the socket has not taken.
    sealed: Vec<u8>,
}

impl Records {
    pub(super) const fn new(socket: TcpStream) -> Self {
        Self { socket, arrived: Vec::new(), open: 0, sealed: Vec::new() }
    }

    pub(super) const fn socket(&self) -> &TcpStream {
        &self.socket
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        while self.open == 0 {
            if let Some(length) = record(&self.arrived)? {
                self.arrived.drain(..HEADER_LEN);
                self.open = length;
                continue;
            }
            let mut piece = [0; HEADER_LEN + MAX_RECORD];
            match ready!(read_socket(&mut self.socket, cx, &mut piece))? {
                0 if self.arrived.is_empty() => return Poll::Ready(Ok(0)),
                0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                count => self.arrived.extend_from_slice(&piece[..count]),
            }
        }
        let count = self.open.min(buffer.len());
        buffer[..count].copy_from_slice(&self.arrived[..count]);
        self.arrived.drain(..count);
        self.open -= count;
        Poll::Ready(Ok(count))
    }

    /// Takes one record's plaintext, once none waits to be sealed from before.
    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.flush()?;
        self.sealed.extend_from_slice(&HEADER);
        self.sealed.extend_from_slice(&[0; 2]);
        for slice in slices {
            let room = HEADER_LEN + MAX_RECORD - self.sealed.len();
            self.sealed.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        let taken = self.sealed.len() - HEADER_LEN;
        let length = u16::try_from(taken).expect("a record is shorter");
        self.sealed[HEADER.len()..HEADER_LEN].copy_from_slice(&length.to_be_bytes());
        match self.flush() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            Ok(()) | Err(_) => Ok(taken),
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.sealed.is_empty() {
            let moved = self.socket.try_write(&self.sealed)?;
            self.sealed.drain(..moved);
        }
        Ok(())
    }
}

/// The length of the plaintext of the record that `bytes` begin with, once it is whole.
fn record(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some((header, rest)) = bytes.split_at_checked(HEADER_LEN) else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
    if !header.starts_with(&HEADER) || length > MAX_RECORD {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "this is no record"));
    }
    Ok((rest.len() >= length).then_some(length))
}
