//! The receiver's side (RFC 7692 §7.2.2).

use thiserror::Error;

use crate::zlib::{FLUSHED, Inflater, Invalid};

/// The end of a message whose history ends with it: behind the flush that its sender took away, a
/// last block (RFC 1951 §3.2.3). A message that breaks off within a block does not get there.
const LAST: [u8; 9] = [0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff];

/// A compressed message that cannot be had.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum InflateError {
    /// RFC 7692 §7.2.2: its bytes are no blocks of DEFLATE.
    #[error("a compressed message is no DEFLATE (RFC 7692 §7.2.2)")]
    Invalid,
    /// It has more bytes than a message may have.
    #[error("a compressed message has more than {0} bytes (RFC 6455 §10.4)")]
    TooLarge(usize),
}

impl InflateError {
    /// The code of the close frame that fails the connection (RFC 6455 §7.4.1).
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Invalid => 1007,
            Self::TooLarge(_) => 1009,
        }
    }
}

impl From<Invalid> for InflateError {
    fn from(Invalid: Invalid) -> Self {
        Self::Invalid
    }
}

/// Reads one compressed message after another, in whatever pieces they arrive.
///
/// It accepts everything of RFC 7692 §7.2.3: fragments, stored blocks, several blocks, a block with
/// BFINAL set. Behind such a block history begins anew, as it does for a sender that had to end its
/// stream there.
#[derive(Debug)]
pub struct Decompressor {
    inflater: Inflater,
    takeover: bool,
    /// The most bytes that a message may have.
    limit: usize,
    /// Bytes of the message so far, inflated.
    length: usize,
    /// The message has had a byte.
    begun: bool,
    /// The last block has ended, and nothing came behind it.
    ended: bool,
    /// Bytes of the message's end that have been read.
    closed: usize,
}

impl Decompressor {
    /// A decompressor of messages of at most `limit` bytes that may refer to those before them, or
    /// may not: then it can serve another connection between two messages.
    #[must_use]
    pub fn new(takeover: bool, limit: usize) -> Self {
        Self {
            inflater: Inflater::raw(),
            takeover,
            limit,
            length: 0,
            begun: false,
            ended: false,
            closed: 0,
        }
    }

    /// The bytes of memory that a decompressor of any window holds. zlib's own formula, 2^window and
    /// some 7 KB, says 40 KB for the largest, which is what zlib-rs always has, beside larger code
    /// tables.
    #[must_use]
    pub const fn memory() -> u64 {
        47_680
    }

    /// Inflates the next bytes of a message into the front of `buffer`, which has room for one at
    /// least, off the front of `input`, which is the message's `last` piece or is not. `None` once
    /// the input is used up; where it was the last piece, the message is complete and the next one
    /// begins.
    ///
    /// A message that breaks off within a block is [`InflateError::Invalid`] without takeover. With
    /// it that shows with a later message, or never.
    ///
    /// # Errors
    ///
    /// [`InflateError`]; nothing can be read any more. A message is too large as soon as one byte
    /// more than its limit has been inflated.
    pub fn next<'a>(
        &mut self,
        input: &mut &[u8],
        last: bool,
        buffer: &'a mut [u8],
    ) -> Result<Option<&'a [u8]>, InflateError> {
        let room = buffer.len().min((self.limit - self.length).saturating_add(1));
        self.begun |= !input.is_empty();
        loop {
            let closing = last && input.is_empty();
            if closing && self.is_complete()? {
                self.begin();
                return Ok(None);
            }
            let source = if closing { &self.end()[self.closed..] } else { *input };
            let step = self.inflater.step(source, &mut buffer[..room])?;
            let idle = step.read == 0 && step.written == 0 && !step.ended;
            if closing {
                self.closed += step.read;
            } else {
                *input = &input[step.read..];
            }
            if step.read > 0 {
                self.ended = false;
            }
            if step.ended {
                self.inflater.reset_raw();
                self.ended = true;
            }
            if step.written > 0 {
                return self.counted(step.written).map(|()| Some(&buffer[..step.written]));
            }
            if input.is_empty() && !last {
                return Ok(None);
            }
            if idle {
                return self.rested(closing).map(|()| None);
            }
        }
    }

    /// The bytes that are read behind a message's own.
    const fn end(&self) -> &'static [u8] {
        if self.takeover { &FLUSHED } else { &LAST }
    }

    /// Whether nothing of the message is left to be read, all its own bytes having been.
    fn is_complete(&self) -> Result<bool, InflateError> {
        // An empty message has a byte (§7.2.3.6); nothing of its end is behind a last block, save
        // all of it, for a sender that did not add a byte to a block that ended its stream.
        let cut = self.ended && self.closed > 0 && self.closed < self.end().len();
        if !self.begun || cut { Err(InflateError::Invalid) } else { Ok(self.ended) }
    }

    /// Nothing moves any more: with takeover, where no block is the last, the message is complete
    /// if that is behind its end.
    fn rested(&mut self, closing: bool) -> Result<(), InflateError> {
        if !(self.takeover && closing && self.closed == FLUSHED.len()) {
            return Err(InflateError::Invalid);
        }
        self.begin();
        Ok(())
    }

    fn counted(&mut self, bytes: usize) -> Result<(), InflateError> {
        self.length += bytes;
        if self.length > self.limit { Err(InflateError::TooLarge(self.limit)) } else { Ok(()) }
    }

    /// Begins the next message.
    fn begin(&mut self) {
        (self.length, self.begun, self.ended, self.closed) = (0, false, false, 0);
    }
}

#[cfg(test)]
mod tests;
