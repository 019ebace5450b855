//! A reader of gzip in whatever pieces it arrives.

use thiserror::Error;

use crate::zlib::{Inflater, Invalid};

/// A body that is no gzip, or too large.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum GzipError {
    /// A header, a block or a checksum is wrong.
    #[error("a body is no gzip, or its checksum is wrong (RFC 1952)")]
    Invalid,
    /// It ends before its last member does.
    #[error("a gzip body ends too early (RFC 1952 §2.2)")]
    CutShort,
    /// It has more bytes than it may have.
    #[error("a gzip body has more than {0} bytes")]
    TooLarge(u64),
}

impl From<Invalid> for GzipError {
    fn from(Invalid: Invalid) -> Self {
        Self::Invalid
    }
}

/// Reads a body: one member after another (RFC 1952 §2.2), whatever optional fields their headers
/// have. What has been flushed can be had as soon as it arrives.
#[derive(Debug)]
pub struct GzipReader {
    inflater: Inflater,
    /// The most bytes that the body may have.
    limit: u64,
    /// Bytes of it so far, inflated.
    length: u64,
    /// A member has begun.
    begun: bool,
    /// The last member that began has ended.
    ended: bool,
}

impl GzipReader {
    /// A reader of one body of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { inflater: Inflater::gzip(), limit, length: 0, begun: false, ended: false }
    }

    /// Inflates the next bytes of the body into the front of `buffer`, which has room for one at
    /// least, off the front of `input`; `None` once the input is used up.
    ///
    /// # Errors
    ///
    /// [`GzipError`]; nothing can be read any more. A body is too large as soon as one byte more
    /// than its limit has been inflated.
    pub fn next<'a>(
        &mut self,
        input: &mut &[u8],
        buffer: &'a mut [u8],
    ) -> Result<Option<&'a [u8]>, GzipError> {
        let left = usize::try_from(self.limit - self.length).unwrap_or(usize::MAX);
        let room = buffer.len().min(left.saturating_add(1));
        loop {
            if input.is_empty() && (self.ended || !self.begun) {
                return Ok(None);
            }
            if self.ended {
                (self.inflater, self.ended) = (Inflater::gzip(), false);
            }
            self.begun = true;
            let step = self.inflater.step(input, &mut buffer[..room])?;
            *input = &input[step.read..];
            self.ended = step.ended;
            if step.written > 0 {
                return self.counted(step.written).map(|()| Some(&buffer[..step.written]));
            }
            match (step.ended, input.is_empty()) {
                (false, true) => return Ok(None),
                (false, false) if step.read == 0 => return Err(GzipError::Invalid),
                _ => {}
            }
        }
    }

    /// Whether the body may end here.
    ///
    /// # Errors
    ///
    /// [`GzipError::CutShort`] within a member, and before the first.
    pub const fn finish(&self) -> Result<(), GzipError> {
        if self.ended { Ok(()) } else { Err(GzipError::CutShort) }
    }

    fn counted(&mut self, bytes: usize) -> Result<(), GzipError> {
        self.length += bytes as u64;
        if self.length > self.limit { Err(GzipError::TooLarge(self.limit)) } else { Ok(()) }
    }
}
