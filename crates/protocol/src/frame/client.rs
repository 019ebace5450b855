//! Frames of a client, which are masked (RFC 6455 §5): a reader that gives back whole messages.
//!
//! A message that lies in one frame, whole in the bytes just read, is unmasked in its place and lent
//! from there. Any other is gathered, up to a bound of the caller's, and let go once it has been
//! given back. Text is checked as it comes, and what is compressed inflated (RFC 7692).

mod header;
mod inflating;

use thiserror::Error;

pub use self::header::unmask;
use self::header::{HEADER_LIMIT, Header, header};
use self::inflating::Inflating;
use super::{CONTROL_LIMIT, FrameError, Opcode, clamp, close_payload};
use crate::deflate::{InflateError, Side};
use crate::utf8::Utf8Reader;

/// Something that a client has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// A message.
    Message {
        /// Text, which is UTF-8, or bytes.
        is_text: bool,
        /// All of it, inflated.
        payload: &'a [u8],
    },
    /// A question whether the server is there, to be answered with the same payload (§5.5.2).
    Ping(&'a [u8]),
    /// An answer to one (§5.5.3).
    Pong,
    /// Its last word, with the code that it has (§5.5.1).
    Close(Option<u16>),
}

/// Why a client's words are not heard any more.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum SaidError {
    /// They break the protocol.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A compressed message cannot be had.
    #[error(transparent)]
    Inflate(#[from] InflateError),
    /// A message has more bytes than it may have.
    #[error("a message has more than {0} bytes (RFC 6455 §10.4)")]
    TooLarge(usize),
}

impl SaidError {
    /// The code of the close frame that fails the connection (§7.1.7, §7.4.1).
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Frame(error) => error.close_code(),
            Self::Inflate(error) => error.close_code(),
            Self::TooLarge(_) => 1009,
        }
    }
}

/// The kind of a message whose first frame has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    is_text: bool,
    compressed: bool,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Header,
    /// Within a data frame: whether it is the message's last, the bytes still to come, and the mask of
    /// the next of them.
    Data { last: bool, left: u64, mask: [u8; 4] },
    /// Within a control frame.
    Control { opcode: Opcode, left: u64, mask: [u8; 4] },
}

/// The outcome of gathering.
enum Gathered {
    Nothing,
    Message { is_text: bool },
    Control(Opcode),
}

/// Reads what a client says.
#[derive(Debug, Default)]
pub struct ClientReader {
    state: State,
    /// The message whose first frame has been read and whose last has not.
    within: Option<Kind>,
    /// The start of a header that arrived in pieces.
    partial: [u8; HEADER_LIMIT],
    partial_len: u8,
    /// The message so far, where it is not lent.
    message: Vec<u8>,
    utf8: Utf8Reader,
    /// The payload of a control frame that arrived in pieces.
    control: Vec<u8>,
    /// Where messages may be compressed. Boxed, since few clients do.
    inflating: Option<Box<Inflating>>,
}

impl ClientReader {
    /// A reader of a client that may compress its messages within these bounds, or may not.
    #[must_use]
    pub fn new(client: Option<Side>) -> Self {
        let inflating = client.map(|client| Box::new(Inflating::new(client)));
        Self { inflating, ..Self::default() }
    }

    /// Bytes of memory that what is unfinished takes.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.message.capacity()
    }

    /// Takes the next thing that the client says off the front of `input`, whose bytes are unmasked where
    /// they are; `None` once they are used up. A message has at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`SaidError`] where it must not be so. Nothing can be read any more.
    #[inline]
    pub fn next<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i mut [u8],
        limit: usize,
    ) -> Result<Option<Said<'a>>, SaidError> {
        if self.within.is_none() && self.message.capacity() > 0 {
            self.message = Vec::new();
        }
        loop {
            if let State::Header = self.state {
                let Some(header) = self.header(input)? else { return Ok(None) };
                if let Some(whole) = self.begin(header, input, limit)? {
                    return Ok(Some(whole));
                }
                continue;
            }
            if input.is_empty() && !self.is_at_end() {
                return Ok(None);
            }
            match self.gather(input, limit)? {
                Gathered::Nothing => {}
                Gathered::Message { is_text } => {
                    return Ok(Some(Said::Message { is_text, payload: &self.message }));
                }
                Gathered::Control(opcode) => return Ok(Some(control(opcode, &self.control)?)),
            }
        }
    }

    /// The next header, as soon as it is complete.
    #[inline]
    fn header(&mut self, input: &mut &mut [u8]) -> Result<Option<Header>, FrameError> {
        if self.partial_len > 0 {
            return self.complete_header(input);
        }
        if let Some((header, used)) = header(input)? {
            take(input, used);
            return Ok(Some(header));
        }
        let used = input.len();
        self.partial[..used].copy_from_slice(input);
        // A header that is not complete has less than fourteen bytes.
        self.partial_len = used as u8;
        take(input, used);
        Ok(None)
    }

    /// Adds to the start of a header, byte by byte until it is complete.
    #[cold]
    fn complete_header(&mut self, input: &mut &mut [u8]) -> Result<Option<Header>, FrameError> {
        while let [byte, ..] = take(input, 1) {
            self.partial[usize::from(self.partial_len)] = *byte;
            self.partial_len += 1;
            if let Some((header, _)) = header(&self.partial[..usize::from(self.partial_len)])? {
                self.partial_len = 0;
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    /// Begins a frame. One that says something whole, and is all there, is lent at once.
    #[inline]
    fn begin<'a>(
        &mut self,
        header: Header,
        input: &mut &'a mut [u8],
        limit: usize,
    ) -> Result<Option<Said<'a>>, SaidError> {
        let Header { opcode, last, compressed, length, mask } = header;
        if compressed {
            self.check_compressed(opcode)?;
        }
        if opcode.is_control() {
            return self.begin_control(header, input);
        }
        if (opcode == Opcode::Continuation) != self.within.is_some() {
            return Err(FrameError::Fragment.into());
        }
        let kind = self.within.unwrap_or(Kind { is_text: opcode == Opcode::Text, compressed });
        // The inflater has a bound of its own.
        if !kind.compressed && self.message.len() as u64 + length > limit as u64 {
            return Err(SaidError::TooLarge(limit));
        }
        let is_there = length <= input.len() as u64;
        if last && is_there && !kind.compressed && self.within.is_none() {
            let payload = take(input, clamp(length, input.len()));
            unmask(payload, mask);
            if kind.is_text && std::str::from_utf8(payload).is_err() {
                return Err(FrameError::Text.into());
            }
            return Ok(Some(Said::Message { is_text: kind.is_text, payload }));
        }
        self.within = Some(kind);
        self.state = State::Data { last, left: length, mask };
        Ok(None)
    }

    /// Begins a control frame, or takes it where all of it is there.
    #[cold]
    fn begin_control<'a>(
        &mut self,
        Header { opcode, last, length, mask, .. }: Header,
        input: &mut &'a mut [u8],
    ) -> Result<Option<Said<'a>>, SaidError> {
        if !last || length > CONTROL_LIMIT {
            return Err(FrameError::Control.into());
        }
        if length <= input.len() as u64 {
            let payload = take(input, clamp(length, input.len()));
            unmask(payload, mask);
            return control(opcode, payload).map(Some);
        }
        self.control.clear();
        self.state = State::Control { opcode, left: length, mask };
        Ok(None)
    }

    /// Whether a frame may be marked as compressed (RFC 7692 §6.1).
    #[cold]
    const fn check_compressed(&self, opcode: Opcode) -> Result<(), FrameError> {
        match opcode {
            _ if self.inflating.is_none() => Err(FrameError::Reserved),
            Opcode::Text | Opcode::Binary => Ok(()),
            _ => Err(FrameError::Compressed),
        }
    }

    /// Whether the frame has no further bytes.
    const fn is_at_end(&self) -> bool {
        matches!(self.state, State::Data { left: 0, .. } | State::Control { left: 0, .. })
    }

    /// Takes the next bytes of a frame.
    fn gather(&mut self, input: &mut &mut [u8], limit: usize) -> Result<Gathered, SaidError> {
        let (State::Data { left, mut mask, .. } | State::Control { left, mut mask, .. }) =
            self.state
        else {
            return Ok(Gathered::Nothing);
        };
        let data = take(input, clamp(left, input.len()));
        unmask(data, mask);
        mask.rotate_left(data.len() % 4);
        let left = left - data.len() as u64;
        let (state, gathered) = match self.state {
            State::Control { opcode, .. } => {
                self.control.extend_from_slice(data);
                (State::Control { opcode, left, mask }, Gathered::Control(opcode))
            }
            State::Data { last, .. } => {
                let kind = self.within.unwrap_or(Kind { is_text: false, compressed: false });
                let ends = last && left == 0;
                self.add(kind, data, ends, limit)?;
                let gathered = Gathered::Message { is_text: kind.is_text };
                (State::Data { last, left, mask }, if ends { gathered } else { Gathered::Nothing })
            }
            State::Header => (State::Header, Gathered::Nothing),
        };
        if left > 0 {
            self.state = state;
            return Ok(Gathered::Nothing);
        }
        self.state = State::Header;
        if matches!(gathered, Gathered::Message { .. }) {
            self.within = None;
        }
        Ok(gathered)
    }

    /// Adds bytes to a message, which ends with them or does not.
    fn add(&mut self, kind: Kind, data: &[u8], ends: bool, limit: usize) -> Result<(), SaidError> {
        let Self { message, utf8, inflating, .. } = self;
        let not_text = |_| FrameError::Text;
        match inflating {
            Some(inflating) if kind.compressed => {
                inflating.inflate(data, ends, limit, |piece| {
                    message.extend_from_slice(piece);
                    if kind.is_text { utf8.push(piece).map_err(not_text) } else { Ok(()) }
                })?;
            }
            _ => {
                if kind.is_text {
                    utf8.push(data).map_err(not_text)?;
                }
                message.extend_from_slice(data);
            }
        }
        if ends && kind.is_text {
            utf8.finish().map_err(not_text)?;
        }
        Ok(())
    }
}

/// A control frame that is complete.
fn control(opcode: Opcode, payload: &[u8]) -> Result<Said<'_>, SaidError> {
    Ok(match opcode {
        Opcode::Close => Said::Close(close_payload(payload)?.0),
        Opcode::Ping => Said::Ping(payload),
        _ => Said::Pong,
    })
}

/// The first `count` bytes, or all that there are.
#[inline]
fn take<'a>(input: &mut &'a mut [u8], count: usize) -> &'a mut [u8] {
    let whole = std::mem::take(input);
    let (first, rest) = whole.split_at_mut(count.min(whole.len()));
    *input = rest;
    first
}

#[cfg(test)]
mod tests;
