//! WebSocket frames (RFC 6455 §5): readers that take them in whatever pieces they arrive in, and writers.
//! The one for what a server sends keeps nothing of a message; [`client`] gives back whole messages.
//!
//! `tungstenite` has both, around a buffer that each connection owns; a load generator of
//! thousands of connections reads into one that they share. The tests hold this reader and that
//! library against each other.

pub mod client;
mod writer;

use thiserror::Error;

pub use self::writer::{
    push_control, push_head, push_masked, push_message, push_unmasked, unmasked_len,
};

/// The longest payload of a control frame (§5.5).
const CONTROL_LIMIT: u64 = 125;

/// The longest header of a frame from a server: two bytes and a 64-bit length (§5.2).
const HEADER_LIMIT: usize = 10;

/// A frame that breaks the protocol.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum FrameError {
    /// §5.2: a reserved bit is set, and no extension was agreed on that gives it a meaning.
    #[error("a reserved bit is set (RFC 6455 §5.2)")]
    Reserved,
    /// RFC 7692 §6.1: what may not be compressed says that it is.
    #[error("a control frame or a continuation is marked as compressed (RFC 7692 §6.1)")]
    Compressed,
    /// §5.2: an operation code without a meaning.
    #[error("the operation code {0} is not known (RFC 6455 §5.2)")]
    Opcode(u8),
    /// §5.1: a server must not mask.
    #[error("the server masked a frame (RFC 6455 §5.1)")]
    Masked,
    /// §5.1: a client must mask.
    #[error("the client did not mask a frame (RFC 6455 §5.1)")]
    Unmasked,
    /// §5.2: a 64-bit length has its highest bit clear.
    #[error("a frame's length is out of range (RFC 6455 §5.2)")]
    Length,
    /// §5.5: control frames are short and in one piece.
    #[error("a control frame is fragmented or longer than 125 bytes (RFC 6455 §5.5)")]
    Control,
    /// §5.4: a continuation continues something, and nothing else comes between.
    #[error("a message's fragments are out of order (RFC 6455 §5.4)")]
    Fragment,
    /// §8.1: text is UTF-8.
    #[error("a text message is not UTF-8 (RFC 6455 §8.1)")]
    Text,
    /// §5.5.1: a close frame is empty, or has a code of two bytes.
    #[error("a close frame has one byte, which is no code (RFC 6455 §5.5.1)")]
    CloseLength,
    /// §7.4: a code that no close frame may carry.
    #[error("a close frame carries the code {0}, which must not be sent (RFC 6455 §7.4)")]
    CloseCode(u16),
    /// §5.5.1: the reason is UTF-8.
    #[error("a close frame's reason is not UTF-8 (RFC 6455 §5.5.1)")]
    CloseReason,
}

impl FrameError {
    /// The code of the close frame that fails the connection (§7.1.7, §7.4.1).
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Text | Self::CloseReason => 1007,
            _ => 1002,
        }
    }
}

/// Why a connection is closed: the code and the reason of a close frame (§5.5.1); no code where it
/// has none.
///
/// # Errors
///
/// [`FrameError`] where the payload is one byte, its code must not be sent, or its reason is no text.
pub fn close_payload(payload: &[u8]) -> Result<(Option<u16>, &str), FrameError> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok((None, "")) } else { Err(FrameError::CloseLength) };
    };
    let code = u16::from_be_bytes(*code);
    // Those of the standard and its registry (§7.4.1, §11.7), of libraries and of applications
    // (§7.4.2). 1004 has no meaning; 1005, 1006 and 1015 are for what no frame said.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(FrameError::CloseCode(code));
    }
    let reason = std::str::from_utf8(reason).map_err(|_| FrameError::CloseReason)?;
    Ok((Some(code), reason))
}

/// The operation code of a frame (§5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A further part of a message.
    Continuation = 0,
    /// A message of text, or its first part.
    Text = 1,
    /// A message of bytes, or its first part.
    Binary = 2,
    /// The end of what its sender says (§5.5.1).
    Close = 8,
    /// A question whether the peer is there (§5.5.2).
    Ping = 9,
    /// Its answer (§5.5.3).
    Pong = 10,
}

impl Opcode {
    const fn new(code: u8) -> Result<Self, FrameError> {
        Ok(match code {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            other => return Err(FrameError::Opcode(other)),
        })
    }

    /// The kind of a message that says nothing else of it: text where it is UTF-8.
    #[must_use]
    pub fn of(payload: &[u8]) -> Self {
        if std::str::from_utf8(payload).is_ok() { Self::Text } else { Self::Binary }
    }

    const fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// A piece of a stream of frames by its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes of headers and control frames.
    Framing(usize),
    /// Bytes of a message; whether they are its last.
    Data(&'a [u8], bool),
    /// A control frame is complete, its payload is [`FrameReader::control`]. Takes no bytes.
    Control(Opcode),
}

#[derive(Debug, Clone, Copy)]
struct Header {
    opcode: Opcode,
    last: bool,
    /// RSV1.
    compressed: bool,
    length: u64,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Header,
    /// Within a data frame: whether it is the message's last, and the bytes still to come.
    Data { last: bool, left: u64 },
    /// Within a control frame.
    Control { opcode: Opcode, left: u64 },
}

/// Reads the frames that a server sends.
#[derive(Debug, Default)]
pub struct FrameReader {
    state: State,
    /// Messages may be compressed (RFC 7692).
    deflate: bool,
    /// The message is.
    compressed: bool,
    /// A message's first frame is read and its last one is not.
    within_message: bool,
    /// The message is text.
    text: bool,
    /// The start of a header that arrived in pieces.
    partial: [u8; HEADER_LIMIT],
    partial_len: u8,
    /// The payload of the current control frame. Holds no memory until there was one.
    control: Vec<u8>,
}

impl FrameReader {
    /// A reader of a connection whose ends have agreed on permessage-deflate (RFC 7692), or have
    /// not, where no message may be compressed.
    #[must_use]
    pub fn new(deflate: bool) -> Self {
        Self { deflate, ..Self::default() }
    }

    /// The payload of the control frame just read.
    #[must_use]
    pub fn control(&self) -> &[u8] {
        &self.control
    }

    /// Whether the message that the last data belong to is text.
    #[inline]
    #[must_use]
    pub const fn is_text(&self) -> bool {
        self.text
    }

    /// Whether the message that the last data belong to is compressed (RFC 7692 §6.2): its data are
    /// for a [`Decompressor`](crate::deflate::Decompressor).
    #[inline]
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Takes the next piece off the front of `input`; `None` once it is used up.
    ///
    /// # Errors
    ///
    /// [`FrameError`] where the frame must not be so.
    // In each of two sessions that are built of it: a call costs a tenth of what it does.
    #[inline(always)]
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, FrameError> {
        match self.state {
            State::Data { left, .. } if left > 0 && input.is_empty() => Ok(None),
            State::Data { last, left } => {
                let (data, rest) = input.split_at(clamp(left, input.len()));
                *input = rest;
                let left = left - data.len() as u64;
                self.state = if left == 0 { State::Header } else { State::Data { last, left } };
                Ok(Some(Piece::Data(data, last && left == 0)))
            }
            State::Control { opcode, left } => Ok(self.next_control(input, opcode, left)),
            State::Header if input.is_empty() => Ok(None),
            State::Header if self.partial_len == 0 => match header(input)? {
                Some((header, used)) => {
                    *input = &input[used..];
                    self.begin(header).map(|()| Some(Piece::Framing(used)))
                }
                None => Ok(Some(self.keep(input))),
            },
            State::Header => self.complete_header(input).map(Some),
        }
    }

    /// Keeps the start of a header.
    #[cold]
    fn keep(&mut self, input: &mut &[u8]) -> Piece<'static> {
        let used = input.len();
        self.partial[..used].copy_from_slice(input);
        // A header that is not complete has less than ten bytes.
        self.partial_len = used as u8;
        *input = &[];
        Piece::Framing(used)
    }

    /// Adds to the start of a header, byte by byte until it is complete.
    #[cold]
    fn complete_header(&mut self, input: &mut &[u8]) -> Result<Piece<'static>, FrameError> {
        let mut used = 0;
        for &byte in *input {
            let len = usize::from(self.partial_len);
            self.partial[len] = byte;
            self.partial_len += 1;
            used += 1;
            if let Some((header, _)) = header(&self.partial[..=len])? {
                self.partial_len = 0;
                self.begin(header)?;
                break;
            }
        }
        *input = &input[used..];
        Ok(Piece::Framing(used))
    }

    #[inline]
    fn begin(&mut self, header: Header) -> Result<(), FrameError> {
        let Header { opcode, last, compressed, length } = header;
        if compressed {
            self.check_compressed(opcode)?;
        }
        if opcode.is_control() {
            if !last || length > CONTROL_LIMIT {
                return Err(FrameError::Control);
            }
            self.control.clear();
            self.state = State::Control { opcode, left: length };
            return Ok(());
        }
        if (opcode == Opcode::Continuation) != self.within_message {
            return Err(FrameError::Fragment);
        }
        self.within_message = !last;
        if opcode != Opcode::Continuation {
            self.text = opcode == Opcode::Text;
            self.compressed = compressed;
        }
        self.state = State::Data { last, left: length };
        Ok(())
    }

    /// Whether a frame may be marked as compressed (RFC 7692 §6.1); apart, since most are not.
    #[inline(never)]
    const fn check_compressed(&self, opcode: Opcode) -> Result<(), FrameError> {
        match opcode {
            _ if !self.deflate => Err(FrameError::Reserved),
            Opcode::Text | Opcode::Binary => Ok(()),
            _ => Err(FrameError::Compressed),
        }
    }

    #[cold]
    fn next_control(
        &mut self,
        input: &mut &[u8],
        opcode: Opcode,
        left: u64,
    ) -> Option<Piece<'static>> {
        if left == 0 {
            self.state = State::Header;
            return Some(Piece::Control(opcode));
        }
        let (data, rest) = input.split_at(clamp(left, input.len()));
        *input = rest;
        self.control.extend_from_slice(data);
        self.state = State::Control { opcode, left: left - data.len() as u64 };
        (!data.is_empty()).then_some(Piece::Framing(data.len()))
    }
}

fn clamp(left: u64, len: usize) -> usize {
    usize::try_from(left).map_or(len, |left| left.min(len))
}

/// Reads a header and its length (§5.2); `None` where `bytes` ends within it.
#[inline]
fn header(bytes: &[u8]) -> Result<Option<(Header, usize)>, FrameError> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if first & 0x30 != 0 {
        return Err(FrameError::Reserved);
    }
    if second & 0x80 != 0 {
        return Err(FrameError::Masked);
    }
    let (length, used) = match second & 0x7f {
        126 => {
            let Some(length) = rest.first_chunk() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*length)), 4)
        }
        127 => {
            let Some(length) = rest.first_chunk() else { return Ok(None) };
            (u64::from_be_bytes(*length), 10)
        }
        length => (u64::from(length), 2),
    };
    if length >> 63 != 0 {
        return Err(FrameError::Length);
    }
    let opcode = Opcode::new(first & 0x0f)?;
    let (last, compressed) = (first & 0x80 != 0, first & 0x40 != 0);
    Ok(Some((Header { opcode, last, compressed, length }, used)))
}

#[cfg(test)]
mod tests;
