//! Bytes that a connection keeps because neither side has taken them yet.

use std::io;

use rustls::unbuffered::{EncodeError, EncodeTlsData, ReadTraffic};

use crate::error::TlsError;

/// Bytes for either side that it has not taken.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Plaintext for which there was no room.
    pub(super) plaintext: Vec<u8>,
    /// Sealed bytes for the socket, the first `sent` of which it has.
    pub(super) sealed: Vec<u8>,
    pub(super) sent: usize,
    /// The other end has said that it sends no more.
    pub(super) is_ended: bool,
}

impl Pending {
    /// Moves plaintext to `buffer` behind what `given` says is there, as far as there is room, and
    /// keeps the rest; how much that is in all.
    pub(super) fn take<D>(
        &mut self,
        mut traffic: ReadTraffic<'_, '_, D>,
        buffer: &mut [u8],
        given: usize,
    ) -> Result<usize, TlsError> {
        let mut taken = 0;
        while let Some(record) = traffic.next_record() {
            let plaintext = record?.payload;
            let room = buffer.get_mut(given + taken..).unwrap_or_default();
            let fits = plaintext.len().min(room.len());
            room[..fits].copy_from_slice(&plaintext[..fits]);
            self.plaintext.extend_from_slice(&plaintext[fits..]);
            taken += plaintext.len();
        }
        Ok(taken)
    }

    /// Gives out plaintext that was kept.
    pub(super) fn give(&mut self, buffer: &mut [u8]) -> usize {
        let count = self.plaintext.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.plaintext[..count]);
        self.plaintext.drain(..count);
        if self.plaintext.is_empty() {
            self.plaintext = Vec::new();
        }
        count
    }

    /// Puts a record of rustls' own behind what waits for the socket; its length.
    pub(super) fn encode<D>(&mut self, mut data: EncodeTlsData<'_, D>) -> Result<usize, TlsError> {
        let before = self.sealed.len();
        if let Err(EncodeError::InsufficientSize(size)) = data.encode(&mut []) {
            self.sealed.resize(before + size.required_size, 0);
            data.encode(&mut self.sealed[before..]).map_err(TlsError::of_room)?;
        }
        Ok(self.sealed.len() - before)
    }

    /// Sends what waits; whether some still does.
    pub(super) fn send(
        &mut self,
        mut send: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<bool> {
        while self.sent < self.sealed.len() {
            match send(&self.sealed[self.sent..]) {
                Ok(moved) => self.sent += moved,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        (self.sealed, self.sent) = (Vec::new(), 0);
        Ok(false)
    }
}

/// Sends as much as the socket takes now.
pub(super) fn send_now(
    bytes: &[u8],
    mut send: impl FnMut(&[u8]) -> io::Result<usize>,
) -> io::Result<usize> {
    loop {
        match send(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            sent => return sent,
        }
    }
}
