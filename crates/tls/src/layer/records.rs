//! Records: what has come is opened, what is to go is sealed.

use std::io;

use rustls::unbuffered::{ConnectionState, UnbufferedStatus};

use super::{Layer, State};
use crate::end::End;
use crate::error::TlsError;
use crate::scratch::{INCOMING, MAX_RECORD};

/// The most that an open connection keeps of what has come: a record that is not whole, behind the
/// beginning of a message, such as a ticket, that spans several. Without it a peer that sends
/// messages in fragments decides how much memory each of its connections takes.
pub(super) const MAX_KEPT: usize = MAX_RECORD + (8 << 10);

/// One step through what has come.
#[derive(Debug, Default)]
struct Step {
    /// Bytes that are done with.
    used: usize,
    /// Plaintext, of which there is as much in the buffer as fits.
    plaintext: usize,
    /// Bytes of the record that was to be sealed, if it was.
    sealed: Option<usize>,
}

/// A record to be made, and the room for it.
struct Outgoing<'a> {
    content: Content<'a>,
    room: &'a mut [u8],
}

/// The part that this end has to say.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    Plaintext(&'a [u8]),
    /// That it says no more (RFC 8446 §6.1).
    CloseNotify,
}

impl<E: End> Layer<E> {
    /// Puts what was kept before what is received behind it, or nothing where this end begins; how
    /// many bytes that is, `None` at the socket's end.
    pub(super) fn fill(
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

    /// Opens what `incoming` holds, which is all that has come and was not opened, and keeps the rest;
    /// how much plaintext there was. An error is behind it.
    #[inline]
    pub(super) fn open(&mut self, incoming: &mut [u8], buffer: &mut [u8]) -> usize {
        let step = self.step(incoming, buffer, None);
        let rest = &incoming[step.used..];
        let most = if self.is_open() { MAX_KEPT } else { INCOMING - 1 };
        if rest.len() > most {
            self.state = State::Broken(Box::new(TlsError::TooLong));
        }
        if rest.len() + self.kept.capacity() > 0 {
            self.kept = rest.to_vec();
        }
        step.plaintext
    }

    pub(super) fn seal(&mut self, content: Content<'_>, room: &mut [u8]) -> io::Result<usize> {
        let mut kept = std::mem::take(&mut self.kept);
        let step = self.step(&mut kept, &mut [], Some(Outgoing { content, room }));
        kept.drain(..step.used);
        self.kept = kept;
        self.check()?;
        let plaintext =
            if let Content::Plaintext(plaintext) = content { plaintext.len() } else { 0 };
        let sealed = step.sealed.ok_or(io::ErrorKind::NotConnected)?;
        self.overhead.sent += (sealed - plaintext) as u64;
        Ok(sealed)
    }

    /// Goes through what has come. An error ends that: of what is behind it nothing is opened, and
    /// all of it is accounted for.
    #[inline]
    fn step(
        &mut self,
        incoming: &mut [u8],
        buffer: &mut [u8],
        outgoing: Option<Outgoing<'_>>,
    ) -> Step {
        let mut step = Step::default();
        if let Err(error) = self.process(incoming, buffer, outgoing, &mut step) {
            self.state = State::Broken(Box::new(error));
            step.used = incoming.len();
        }
        self.overhead.received += (step.used - step.plaintext) as u64;
        step
    }

    /// Goes through the states of rustls until it needs more bytes, or has done what it could.
    fn process(
        &mut self,
        incoming: &mut [u8],
        buffer: &mut [u8],
        mut outgoing: Option<Outgoing<'_>>,
        step: &mut Step,
    ) -> Result<(), TlsError> {
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
                    if !matches!(self.state, State::Open) {
                        self.state = State::Open;
                    }
                    if let Some(Outgoing { content, room }) = outgoing.take() {
                        let sealed = match content {
                            Content::Plaintext(plaintext) => traffic.encrypt(plaintext, room),
                            Content::CloseNotify => traffic.queue_close_notify(room),
                        };
                        step.sealed = Some(sealed.map_err(TlsError::of_room)?);
                    }
                    return Ok(());
                }
                Ok(_) => return Ok(()),
                Err(error) => {
                    let error =
                        if self.is_open() { error.into() } else { TlsError::of_handshake(error) };
                    // Who knows no TLS does not know what an alert is.
                    if !matches!(error, TlsError::NotTls) {
                        self.alert(&mut incoming[step.used..]);
                    }
                    return Err(error);
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
