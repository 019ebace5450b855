//! Records that hide nothing, to hold all that uses a channel to its contract before there is TLS.
//!
//! A record is five bytes and up to 16 KiB of plaintext (the layout of RFC 8446 §5.1). It opens only
//! when it is whole, and one read opens one, however many have come.

use std::io;

use pushbench_os::net::rx_stamp::WallStamp;

use super::{Received, Written};

/// The type and version of a record of data (RFC 8446 §5.1); its length follows.
const START: [u8; 3] = [0x17, 3, 3];

/// Bytes before each record's plaintext.
pub(super) const HEADER: usize = 5;

/// The most plaintext in a record.
pub(super) const LONGEST: usize = 16 << 10;

/// The bytes that a channel keeps back.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// Bytes that have come, and how many of them were opened before.
    received: Vec<u8>,
    opened: usize,
    /// Bytes of records without plaintext, which no read has given out yet.
    empty: usize,
    /// Records for the socket, and how much of it the socket has taken.
    sealed: Vec<u8>,
    sent: usize,
}

impl Records {
    /// Opens the next record into `buffer`. `take` reads from the socket.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        mut take: impl FnMut(&mut [u8]) -> io::Result<(usize, Option<WallStamp>)>,
    ) -> io::Result<Option<Received>> {
        let mut stamp = None;
        loop {
            if let Some(plaintext) = self.open(buffer)? {
                let sealed = HEADER + plaintext + std::mem::take(&mut self.empty);
                return Ok(Some(Received { plaintext, sealed, more: true, stamp }));
            }
            let (length, when) = take(buffer)?;
            if length == 0 {
                return Ok(None);
            }
            stamp = when;
            self.received.drain(..std::mem::take(&mut self.opened));
            self.received.extend_from_slice(&buffer[..length]);
        }
    }

    /// The plaintext of the next record that has some, if it is whole.
    fn open(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            let rest = &self.received[self.opened..];
            let Some((&[a, b, c, high, low], rest)) = rest.split_first_chunk() else {
                return Ok(None);
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            if [a, b, c] != START || length > LONGEST {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "no record of data"));
            }
            let Some(plaintext) = rest.get(..length) else { return Ok(None) };
            buffer[..length].copy_from_slice(plaintext);
            self.opened += HEADER + length;
            if length > 0 {
                return Ok(Some(length));
            }
            self.empty += HEADER;
        }
    }

    /// Seals as much of `plaintext` as a record holds.
    pub(super) fn seal(&mut self, plaintext: &[u8]) -> Written {
        let taken = plaintext.len().min(LONGEST);
        let [.., high, low] = taken.to_be_bytes();
        self.sealed.extend_from_slice(&START);
        self.sealed.extend_from_slice(&[high, low]);
        self.sealed.extend_from_slice(&plaintext[..taken]);
        Written { taken, sealed: HEADER + taken }
    }

    /// Sealed bytes that the socket has not taken.
    pub(super) fn unsent(&self) -> &[u8] {
        &self.sealed[self.sent..]
    }

    /// The socket has taken the first `length` of them.
    pub(super) fn sent(&mut self, length: usize) {
        self.sent += length;
        if self.sent == self.sealed.len() {
            self.sealed.clear();
            self.sent = 0;
        }
    }

    /// Bytes that have come and were given out in no read.
    pub(super) fn unopened(&self) -> usize {
        self.received.len() - self.opened + self.empty
    }
}
