//! TLS over somebody's socket: opening, reading and writing, without a socket of its own.
//!
//! Whoever has the socket gives functions that receive and send, and that say
//! [`WouldBlock`](io::ErrorKind::WouldBlock) where the socket does. A [`Layer`] keeps of a connection
//! only what cannot be passed on yet: a record that is not whole, and sealed bytes that the socket
//! has not taken. What it works in is shared by all connections of a thread.
//!
//! A record is allocated once and copied twice, sealed or opened: so the interface of rustls 0.23
//! without buffers has it.

mod pending;
mod records;

use std::fmt;
use std::io::{self, IoSlice};

use pushbench_core::security::Agreed;
use rustls::ProtocolVersion;

use self::pending::{Pending, send_now};
use self::records::Content;
use crate::agreed;
use crate::bare::{Opener, Sealer};
use crate::end::End;
use crate::error::TlsError;
use crate::scratch::{MAX_PLAINTEXT, Scratch, with_scratch};

/// Bytes of the socket that are no plaintext, by direction: handshake, tickets, alerts, and what
/// each record adds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overhead {
    /// Sent.
    pub sent: u64,
    /// Received.
    pub received: u64,
}

/// How far a handshake has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// It goes on when the socket has more, or takes more.
    Waits,
    /// It may go on at once: a step was made, and others may have theirs in between.
    Stepped,
    /// Plaintext may flow, and some may be there already.
    Done,
}

/// How far a connection has come.
#[derive(Debug)]
enum State {
    /// Its security is being agreed upon.
    Opening,
    /// Plaintext may flow.
    Open,
    /// Nothing is opened or sealed any more. rustls is not asked again: it counts places in bytes
    /// that are gone, and nothing follows a fatal alert (RFC 8446 §6.2).
    Broken(Box<TlsError>),
}

/// The security layer of one connection.
pub struct Layer<E> {
    end: E,
    state: State,
    /// Received and not opened: a record that is not whole.
    kept: Vec<u8>,
    pending: Pending,
    /// The first bytes are this end's.
    begins: bool,
    overhead: Overhead,
}

impl<E> fmt::Debug for Layer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layer").field("state", &self.state).finish_non_exhaustive()
    }
}

impl<E: End> Layer<E> {
    /// A layer whose opening has not begun; the client's end does that.
    pub(crate) fn new(end: E, begins: bool) -> Self {
        Self {
            end,
            state: State::Opening,
            kept: Vec::new(),
            pending: Pending::default(),
            begins,
            overhead: Overhead::default(),
        }
    }

    /// Whether plaintext may flow.
    #[inline]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// The agreement that both ends came to; what is not known yet is empty.
    pub fn agreed(&self) -> Agreed {
        agreed::agreed(self.end.common())
    }

    /// Whether the session of an earlier connection was taken up again.
    pub fn is_resumed(&self) -> bool {
        agreed::is_resumed(self.end.common())
    }

    /// Whether sealed bytes wait for the socket.
    #[inline]
    pub const fn waits(&self) -> bool {
        !self.pending.sealed.is_empty()
    }

    /// The bytes beside plaintext, from which whoever accounts for them takes; those of a record
    /// count once it is whole.
    #[inline]
    pub const fn overhead(&mut self) -> &mut Overhead {
        &mut self.overhead
    }

    /// Bytes that a connection which is given up leaves: of a record that never became whole,
    /// plaintext that nobody has read, and sealed ones that were never sent.
    #[must_use]
    pub const fn leftover(&self) -> Overhead {
        let sent = (self.pending.sealed.len() - self.pending.sent) as u64;
        Overhead { sent, received: (self.kept.len() + self.pending.plaintext.len()) as u64 }
    }

    /// Takes the handshake on, by one read of the socket at most.
    ///
    /// # Errors
    ///
    /// Why there will be no connection. The alert that tells the other end is sent, where the socket
    /// takes it.
    pub fn advance(
        &mut self,
        receive: impl FnOnce(&mut [u8]) -> io::Result<usize>,
        mut send: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<Handshake> {
        if self.flush(&mut send)? {
            return Ok(Handshake::Waits);
        }
        let has_read = self.is_open() || self.advance_by(receive)?;
        let flushed = self.flush(&mut send);
        self.check()?;
        Ok(match (flushed?, has_read) {
            (true, _) | (_, false) => Handshake::Waits,
            _ if self.is_open() => Handshake::Done,
            _ => Handshake::Stepped,
        })
    }

    /// Takes the handshake on by what the socket has; whether that was anything.
    fn advance_by(
        &mut self,
        receive: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<bool> {
        self.check()?;
        with_scratch(|Scratch { incoming, .. }| {
            let length = match self.fill(incoming, receive) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                filled => filled?.ok_or(TlsError::EndedInHandshake)?,
            };
            self.open(&mut incoming[..length], &mut []);
            Ok(true)
        })
    }

    /// Reads plaintext into `buffer`; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// `WouldBlock` where there is none yet; else a connection that broke, or whose bytes are not
    /// what the other end has sealed.
    #[inline]
    pub fn read(
        &mut self,
        buffer: &mut [u8],
        mut receive: impl FnMut(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<Option<usize>> {
        if !self.pending.plaintext.is_empty() {
            return Ok(Some(self.pending.give(buffer)));
        }
        with_scratch(|Scratch { incoming, .. }| {
            loop {
                self.check()?;
                if self.pending.is_ended {
                    return Ok(None);
                }
                let length = self.fill(incoming, &mut receive)?.ok_or(TlsError::CutShort)?;
                let plaintext = self.open(&mut incoming[..length], buffer);
                if plaintext > 0 {
                    return Ok(Some(plaintext.min(buffer.len())));
                }
            }
        })
    }

    /// Whether a read may give plaintext although the socket has nothing.
    #[inline]
    pub const fn may_give_more(&self) -> bool {
        let Pending { plaintext, is_ended, .. } = &self.pending;
        !plaintext.is_empty() || *is_ended || !self.is_open()
    }

    /// Whether the other end has said that it sends no more.
    pub const fn is_ended(&self) -> bool {
        self.pending.is_ended
    }

    /// Takes of `slices` what one record holds, seals it, and sends that as far as the socket takes
    /// it; how much was taken. The rest is sent by [`flush`](Self::flush), or by the next write
    /// before it takes anything.
    ///
    /// # Errors
    ///
    /// `WouldBlock` where sealed bytes wait already; else a connection that broke, also because of
    /// what was read from it, or that is not open yet.
    #[inline]
    pub fn write(
        &mut self,
        slices: &[IoSlice<'_>],
        mut send: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        self.check()?;
        if self.flush(&mut send)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        with_scratch(|Scratch { gathered, sealed, .. }| {
            let plaintext = match slices {
                [one] => &one[..one.len().min(MAX_PLAINTEXT)],
                several => gather(several, gathered),
            };
            let length = self.seal(Content::Plaintext(plaintext), sealed)?;
            // What has waited since goes before it. What was sealed was taken, also where the
            // connection has broken: the next call says so.
            let begun =
                if self.waits() { 0 } else { send_now(&sealed[..length], send).unwrap_or(0) };
            self.pending.sealed.extend_from_slice(&sealed[begun..length]);
            Ok(plaintext.len())
        })
    }

    /// Sends what waits; whether some still does.
    ///
    /// # Errors
    ///
    /// A connection that broke.
    #[inline]
    pub fn flush(&mut self, send: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<bool> {
        if self.waits() { self.pending.send(send) } else { Ok(false) }
    }

    /// Says that this end sends no more (RFC 8446 §6.1): once, however often it is called. Behind an
    /// error it only sends the alert.
    ///
    /// # Errors
    ///
    /// `WouldBlock` where that waits for the socket; else a connection that broke.
    pub fn finish(&mut self, mut send: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        if self.is_open() {
            let mut alert = [0; 64];
            // Where it is not sealed it has been said, or what came last broke the connection.
            let length = self.seal(Content::CloseNotify, &mut alert).unwrap_or(0);
            self.pending.sealed.extend_from_slice(&alert[..length]);
        }
        if self.flush(&mut send)? { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }

    /// Sealer and opener of the records to come, without a library of TLS.
    ///
    /// # Errors
    ///
    /// A version of TLS other than 1.3.
    pub(crate) fn into_bare(self) -> io::Result<(Sealer, Opener)> {
        if self.end.common().protocol_version() != Some(ProtocolVersion::TLSv1_3) {
            return Err(io::Error::other("only records of TLS 1.3 are known without a library"));
        }
        let secrets = self.end.into_secrets().map_err(io::Error::other)?;
        Ok((Sealer::new(secrets.tx)?, Opener::new(secrets.rx, self.kept)?))
    }

    /// Says why nothing goes on, where that is so.
    #[inline]
    fn check(&self) -> io::Result<()> {
        match &self.state {
            State::Broken(error) => Err(TlsError::clone(error).into()),
            State::Opening | State::Open => Ok(()),
        }
    }
}

/// As much of `slices` as a record holds, in one piece.
fn gather<'a>(slices: &[IoSlice<'_>], room: &'a mut [u8]) -> &'a [u8] {
    let mut length = 0;
    for slice in slices {
        let fits = slice.len().min(room.len() - length);
        room[length..length + fits].copy_from_slice(&slice[..fits]);
        length += fits;
    }
    &room[..length]
}

#[cfg(test)]
mod tests;
