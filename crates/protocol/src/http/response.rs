//! Responses as they arrive, one after another on a connection (RFC 9112).

use thiserror::Error;

use super::head::{BodyLength, HEAD_LIMIT, HeadError, Kept, Parsed, ResponseHead, parse_head};
use crate::Malformed;
use crate::chunked::{self, ChunkedReader};

/// A piece of a connection's input.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes of a head that is not complete, or of an interim response (RFC 9110 §15.2).
    HeadPart(usize),
    /// A response begins; the bytes that complete its head.
    Head(ResponseHead, usize),
    /// Bytes of sizes and line ends of chunks.
    Framing(usize),
    /// Bytes of a body.
    Data(&'a [u8]),
    /// The response is complete. Takes no bytes.
    End,
}

/// Input that is no HTTP.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum ResponseError {
    /// A head cannot be understood.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// A chunked body is none.
    #[error(transparent)]
    Chunk(#[from] Malformed),
}

/// A connection that ended within a response.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
#[error("the connection ended within a response")]
pub struct CutShort;

#[derive(Debug)]
enum State {
    /// Before a head, or behind the start of one that arrived in pieces. Holds no memory until
    /// there is such a start.
    Head(Vec<u8>),
    Bytes(u64),
    Chunked(ChunkedReader),
    UntilEnd,
}

impl Default for State {
    fn default() -> Self {
        Self::Head(Vec::new())
    }
}

/// Reads one response after another.
#[derive(Debug, Default)]
pub struct ResponseReader {
    state: State,
    /// A field that somebody wants.
    kept: Option<Box<Kept>>,
}

impl ResponseReader {
    /// A reader that keeps the value of the field called `name`, of any length that a head may
    /// have.
    #[must_use]
    pub fn keeping(name: &'static str) -> Self {
        Self { kept: Some(Box::new((name, Vec::new()))), ..Self::default() }
    }

    /// That value, of the last head that [has it](ResponseHead::kept).
    #[must_use]
    pub fn kept(&self) -> &[u8] {
        self.kept.as_ref().map_or(&[], |kept| &kept.1)
    }

    /// Whether a head has come, and the body behind it has not ended.
    #[must_use]
    pub const fn is_in_body(&self) -> bool {
        !matches!(self.state, State::Head(_))
    }

    /// Begins a new connection.
    pub fn restart(&mut self) {
        self.state = State::default();
    }

    /// Takes the next piece off the front of `input`; `None` once it is used up.
    ///
    /// # Errors
    ///
    /// [`ResponseError`] where the input is no HTTP.
    #[inline]
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, ResponseError> {
        match &mut self.state {
            State::Bytes(0) => Ok(Some(self.end())),
            State::Chunked(reader) if reader.is_done() => Ok(Some(self.end())),
            _ if input.is_empty() => Ok(None),
            State::Head(_) => self.head(input).map(Some),
            State::Bytes(left) => {
                let length = usize::try_from(*left).map_or(input.len(), |n| n.min(input.len()));
                let (data, rest) = input.split_at(length);
                *input = rest;
                *left -= data.len() as u64;
                Ok(Some(Piece::Data(data)))
            }
            State::UntilEnd => Ok(Some(Piece::Data(std::mem::take(input)))),
            State::Chunked(reader) => Ok(reader.next(input)?.map(|piece| match piece {
                chunked::Piece::Framing(bytes) => Piece::Framing(bytes),
                chunked::Piece::Data(data) => Piece::Data(data),
            })),
        }
    }

    /// The connection has ended: whether that completes a response whose body had no other end.
    ///
    /// # Errors
    ///
    /// [`CutShort`] where it ended within a response.
    pub fn finish(&mut self) -> Result<bool, CutShort> {
        match std::mem::take(&mut self.state) {
            State::Head(partial) if partial.is_empty() => Ok(false),
            State::UntilEnd => Ok(true),
            _ => Err(CutShort),
        }
    }

    fn end(&mut self) -> Piece<'static> {
        self.state = State::default();
        Piece::End
    }

    fn head(&mut self, input: &mut &[u8]) -> Result<Piece<'static>, ResponseError> {
        let Some((head, used)) = self.parse(input)? else {
            return Ok(Piece::HeadPart(std::mem::take(input).len()));
        };
        *input = &input[used..];
        // An interim response is no answer; 101 is.
        if head.status < 200 && head.status != 101 {
            return Ok(Piece::HeadPart(used));
        }
        self.state = match head.body {
            BodyLength::Bytes(length) => State::Bytes(length),
            BodyLength::Chunked => State::Chunked(ChunkedReader::default()),
            BodyLength::UntilEnd => State::UntilEnd,
        };
        Ok(Piece::Head(head, used))
    }

    /// The head, and how many bytes of `input` it takes. Where it ends later, keeps all of it.
    fn parse(&mut self, input: &[u8]) -> Result<Option<Parsed>, HeadError> {
        let State::Head(partial) = &mut self.state else { return Ok(None) };
        let (before, kept) = (partial.len(), self.kept.as_deref_mut());
        let parsed = if before == 0 {
            parse_head(input, kept)
        } else {
            partial.extend_from_slice(input);
            parse_head(partial, kept)
        };
        match parsed? {
            // In one piece, too.
            Some((_, length)) if length > HEAD_LIMIT => Err(HeadError::TooLong),
            Some((head, length)) => {
                *partial = Vec::new();
                Ok(Some((head, length - before)))
            }
            None if before + input.len() > HEAD_LIMIT => Err(HeadError::TooLong),
            None => {
                if before == 0 {
                    partial.extend_from_slice(input);
                }
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests;
