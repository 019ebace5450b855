//! TLS over somebody's socket: opening, reading and writing, without a socket of its own.
//!
//! Whoever has the socket gives functions that receive and send, and that say
//! [`WouldBlock`](io::ErrorKind::WouldBlock) where the socket does. A [`Layer`] keeps of a connection
//! only what cannot be passed on yet: a record that is not whole, and sealed bytes that the socket
//! has not taken. What it works in is shared by all connections of a thread.
//!
//! A record is allocated once and copied twice, sealed or opened: so the interface of rustls 0.23
//! without buffers has it.

use std::fmt;
use std::io::{self, IoSlice};

use pushbench_core::security::Agreed;
use rustls::ProtocolVersion;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, ReadTraffic, UnbufferedStatus,
};

use crate::agreed;
use crate::bare::{Opener, Sealer};
use crate::end::End;
use crate::error::TlsError;
use crate::scratch::{Scratch, with_scratch};

/// The most plaintext in a record (RFC 8446 §5.1).
pub const MAX_PLAINTEXT: usize = 16 << 10;

/// The longest record: header, and what TLS 1.2 may add to the most plaintext (RFC 5246 §6.2.3).
pub const MAX_RECORD: usize = 5 + MAX_PLAINTEXT + 2048;

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

/// The security layer of one connection.
pub struct Layer<E> {
    end: E,
    /// Received and not opened: a record that is not whole.
    kept: Vec<u8>,
    pending: Pending,
    /// The first bytes are this end's.
    begins: bool,
    is_open: bool,
    overhead: Overhead,
}

impl<E> fmt::Debug for Layer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layer").field("is_open", &self.is_open).finish_non_exhaustive()
    }
}

/// Bytes for either side that it has not taken.
#[derive(Debug, Default)]
struct Pending {
    /// Plaintext for which there was no room.
    plaintext: Vec<u8>,
    /// Sealed bytes for the socket, the first `sent` of which it has.
    sealed: Vec<u8>,
    sent: usize,
    /// The other end has said that it sends no more.
    is_ended: bool,
    /// Behind the plaintext that was given out came what broke the connection.
    broken: Option<io::Error>,
}

/// One step through what has come.
#[derive(Debug, Default)]
struct Step {
    /// Bytes that are done with.
    used: usize,
    /// Plaintext, of which there is as much in the buffer as fits.
    plaintext: usize,
    /// Bytes of the record that was to be sealed, if it was.
    sealed: Option<usize>,
    /// Plaintext may flow.
    is_open: bool,
}

impl<E: End> Layer<E> {
    /// A layer whose opening has not begun; the client's end does that.
    pub(crate) fn new(end: E, begins: bool) -> Self {
        Self {
            end,
            kept: Vec::new(),
            pending: Pending::default(),
            begins,
            is_open: false,
            overhead: Overhead::default(),
        }
    }

    /// Whether plaintext may flow.
    #[inline]
    pub const fn is_open(&self) -> bool {
        self.is_open
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

    /// The bytes beside plaintext since this was last asked; those of a record count once it is
    /// whole.
    #[inline]
    pub fn take_overhead(&mut self) -> Overhead {
        std::mem::take(&mut self.overhead)
    }

    /// Those of them that were received.
    #[inline]
    pub fn take_overhead_received(&mut self) -> u64 {
        std::mem::take(&mut self.overhead.received)
    }

    /// Those of them that were sent.
    #[inline]
    pub fn take_overhead_sent(&mut self) -> u64 {
        std::mem::take(&mut self.overhead.sent)
    }

    /// Bytes that a connection which is given up leaves: of a record that never became whole, and
    /// sealed ones that were never sent.
    #[must_use]
    pub const fn leftover(&self) -> Overhead {
        let sent = (self.pending.sealed.len() - self.pending.sent) as u64;
        Overhead { sent, received: self.kept.len() as u64 }
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
        let step = with_scratch(|Scratch { incoming, .. }| {
            let length = match self.fill(incoming, receive) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                filled => filled?.ok_or(TlsError::EndedInHandshake)?,
            };
            self.open(&mut incoming[..length], &mut []).map(Some)
        });
        let flushed = self.flush(&mut send);
        let Some(step) = step? else { return Ok(Handshake::Waits) };
        flushed?;
        self.is_open = step.is_open;
        Ok(if step.is_open { Handshake::Done } else { Handshake::Stepped })
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
                if let Some(error) = self.pending.broken.take() {
                    return Err(error);
                }
                if self.pending.is_ended {
                    return Ok(None);
                }
                let length = self.fill(incoming, &mut receive)?.ok_or(TlsError::CutShort)?;
                let step = self.open(&mut incoming[..length], buffer)?;
                if step.plaintext > 0 {
                    return Ok(Some(step.plaintext.min(buffer.len())));
                }
            }
        })
    }

    /// Whether a read may give plaintext although the socket has nothing.
    #[inline]
    pub const fn may_give_more(&self) -> bool {
        let Pending { plaintext, is_ended, broken, .. } = &self.pending;
        !plaintext.is_empty() || *is_ended || broken.is_some()
    }

    /// Takes of `slices` what one record holds, seals it, and sends that as far as the socket takes
    /// it; how much was taken. The rest is sent by [`flush`](Self::flush), or by the next write
    /// before it takes anything.
    ///
    /// # Errors
    ///
    /// `WouldBlock` where sealed bytes wait already; else a connection that broke.
    #[inline]
    pub fn write(
        &mut self,
        slices: &[IoSlice<'_>],
        mut send: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if self.flush(&mut send)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        with_scratch(|Scratch { gathered, sealed, .. }| {
            let plaintext = match slices {
                [one] => &one[..one.len().min(MAX_PLAINTEXT)],
                several => gather(several, gathered),
            };
            let length = self.seal(plaintext, sealed)?;
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

    /// Says that this end sends no more (RFC 8446 §6.1), as far as the socket takes that.
    ///
    /// # Errors
    ///
    /// A connection that broke.
    pub fn finish(&mut self, mut send: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        if !self.is_open {
            // An alert, if anything.
            return self.flush(&mut send).map(drop);
        }
        let UnbufferedStatus { state: Ok(ConnectionState::WriteTraffic(mut traffic)), .. } =
            self.end.process(&mut self.kept)
        else {
            return Ok(());
        };
        let mut alert = [0; 64];
        let length = traffic.queue_close_notify(&mut alert).map_err(io::Error::other)?;
        self.overhead.sent += length as u64;
        self.pending.sealed.extend_from_slice(&alert[..length]);
        self.flush(&mut send).map(drop)
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

    /// Puts what was kept before what is received behind it, or nothing where this end begins; how
    /// many bytes that is, `None` at the socket's end.
    fn fill(
        &mut self,
        incoming: &mut [u8],
        receive: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<Option<usize>> {
        let kept = self.kept.len();
        if std::mem::take(&mut self.begins) {
            return Ok(Some(0));
        }
        let received = receive(&mut incoming[kept..])?;
        if received == 0 {
            return Ok(None);
        }
        incoming[..kept].copy_from_slice(&self.kept);
        Ok(Some(kept + received))
    }

    /// Opens what `incoming` holds, which is all that has come and was not opened, and keeps the rest.
    ///
    /// An error comes behind the plaintext that is ahead of it. Nothing is opened after it, so that
    /// all that has come is accounted for.
    #[inline]
    fn open(&mut self, incoming: &mut [u8], buffer: &mut [u8]) -> io::Result<Step> {
        let mut step = Step::default();
        if let Err(error) = self.process(incoming, buffer, None, &mut step) {
            self.kept = Vec::new();
            self.overhead.received += (incoming.len() - step.plaintext) as u64;
            if step.plaintext == 0 {
                return Err(error);
            }
            self.pending.broken = Some(error);
            return Ok(step);
        }
        self.overhead.received += (step.used - step.plaintext) as u64;
        let rest = &incoming[step.used..];
        if rest.len() + self.kept.capacity() > 0 {
            self.kept = rest.to_vec();
        }
        Ok(step)
    }

    fn seal(&mut self, plaintext: &[u8], sealed: &mut [u8]) -> io::Result<usize> {
        let (mut kept, mut step) = (std::mem::take(&mut self.kept), Step::default());
        let processed = self.process(&mut kept, &mut [], Some((plaintext, sealed)), &mut step);
        self.kept = kept;
        processed?;
        self.kept.drain(..step.used);
        self.overhead.received += (step.used - step.plaintext) as u64;
        let sealed = step.sealed.ok_or(io::ErrorKind::NotConnected)?;
        self.overhead.sent += (sealed - plaintext.len()) as u64;
        Ok(sealed)
    }

    /// Goes through the states of rustls until it needs more bytes, or has done what it could.
    fn process(
        &mut self,
        incoming: &mut [u8],
        buffer: &mut [u8],
        mut to_seal: Option<(&[u8], &mut [u8])>,
        step: &mut Step,
    ) -> io::Result<()> {
        loop {
            let UnbufferedStatus { discard, state } = self.end.process(&mut incoming[step.used..]);
            step.used += discard;
            match state {
                Ok(ConnectionState::ReadTraffic(traffic)) => {
                    step.plaintext += self.pending.take(traffic, buffer, step.plaintext)?;
                }
                Ok(ConnectionState::EncodeTlsData(data)) => {
                    self.overhead.sent += self.pending.encode(data)? as u64;
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.pending.is_ended = true,
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    if let Some((plaintext, sealed)) = to_seal.take() {
                        step.sealed =
                            Some(traffic.encrypt(plaintext, sealed).map_err(io::Error::other)?);
                    }
                    step.is_open = true;
                    return Ok(());
                }
                Ok(_) => return Ok(()),
                Err(error) => {
                    let error = TlsError::from(error);
                    self.is_open = false;
                    // Who knows no TLS does not know what an alert is.
                    if !matches!(error, TlsError::NotTls) {
                        self.alert(&mut incoming[step.used..]);
                    }
                    return Err(error.into());
                }
            }
        }
    }

    /// Takes the alert that rustls has for the other end, after an error in what `rest` begins with.
    ///
    /// It is asked no further: it would find the same error again, and without `rest` lose the
    /// places that it keeps in it.
    fn alert(&mut self, rest: &mut [u8]) {
        while self.end.common().wants_write() {
            let UnbufferedStatus { state, .. } = self.end.process(rest);
            let Ok(ConnectionState::EncodeTlsData(data)) = state else { return };
            self.overhead.sent += self.pending.encode(data).unwrap_or(0) as u64;
        }
    }
}

impl Pending {
    /// Moves plaintext to `buffer` behind what `given` says is there, as far as there is room, and
    /// keeps the rest; how much that is in all.
    fn take<D>(
        &mut self,
        mut traffic: ReadTraffic<'_, '_, D>,
        buffer: &mut [u8],
        given: usize,
    ) -> io::Result<usize> {
        let mut taken = 0;
        while let Some(record) = traffic.next_record() {
            let plaintext = record.map_err(TlsError::from)?.payload;
            let room = buffer.get_mut(given + taken..).unwrap_or_default();
            let fits = plaintext.len().min(room.len());
            room[..fits].copy_from_slice(&plaintext[..fits]);
            self.plaintext.extend_from_slice(&plaintext[fits..]);
            taken += plaintext.len();
        }
        Ok(taken)
    }

    /// Gives out plaintext that was kept.
    fn give(&mut self, buffer: &mut [u8]) -> usize {
        let count = self.plaintext.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.plaintext[..count]);
        self.plaintext.drain(..count);
        if self.plaintext.is_empty() {
            self.plaintext = Vec::new();
        }
        count
    }

    /// Puts a record of rustls' own behind what waits for the socket; its length.
    fn encode<D>(&mut self, mut data: EncodeTlsData<'_, D>) -> io::Result<usize> {
        let before = self.sealed.len();
        if let Err(EncodeError::InsufficientSize(size)) = data.encode(&mut []) {
            self.sealed.resize(before + size.required_size, 0);
            data.encode(&mut self.sealed[before..]).map_err(io::Error::other)?;
        }
        Ok(self.sealed.len() - before)
    }

    /// Sends what waits; whether some still does.
    fn send(&mut self, mut send: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<bool> {
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
fn send_now(bytes: &[u8], mut send: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match send(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            sent => return sent,
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
