//! HTTP/1.1 chunked transfer coding (RFC 9112 §7.1).

use crate::Malformed;

/// The end of a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Appends `data` as one chunk. Empty data appends nothing, since an empty chunk ends a body.
pub fn push(body: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    body.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
    body.extend_from_slice(data);
    body.extend_from_slice(b"\r\n");
}

/// The bytes that [`push`] appends for data of `len` bytes that is not empty.
#[must_use]
pub fn encoded_len(len: usize) -> usize {
    let digits = len.checked_ilog2().unwrap_or(0) as usize / 4 + 1;
    digits + "\r\n\r\n".len() + len
}

const fn malformed(fault: &'static str) -> Malformed {
    Malformed { what: "a chunked body breaks RFC 9112 §7.1", fault }
}

/// A piece of a chunked body by its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes of sizes, extensions, line ends and trailers.
    Framing(usize),
    /// Bytes of the body.
    Data(&'a [u8]),
}

/// Reads a chunked body as it arrives in pieces.
#[derive(Debug, Clone, Default)]
pub struct ChunkedReader {
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Within a chunk's size: the number so far, and whether it has digits.
    Size { number: u64, digits: bool },
    /// Behind the size, before the line feed: extensions and the carriage return.
    SizeEnd { number: u64 },
    /// Within a chunk.
    Data { left: u64 },
    /// Behind a chunk: its line end, as bytes still to come.
    DataEnd { left: u8 },
    /// Behind the last chunk: bytes of the current trailer line.
    Trailer { line: usize },
    /// The body has ended.
    Done,
}

impl Default for State {
    fn default() -> Self {
        Self::Size { number: 0, digits: false }
    }
}

impl ChunkedReader {
    /// Whether the body has ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes the next piece off the front of `input`; `None` where it is empty or the body has
    /// ended.
    ///
    /// # Errors
    ///
    /// [`Malformed`] where a size or a line end is malformed.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, Malformed> {
        if let State::Data { left } = self.state {
            let length = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
            let (data, rest) = input.split_at(length);
            *input = rest;
            let left = left - data.len() as u64;
            self.state = if left == 0 { State::DataEnd { left: 2 } } else { State::Data { left } };
            return Ok((!data.is_empty()).then_some(Piece::Data(data)));
        }
        let mut used = 0;
        for &byte in *input {
            if matches!(self.state, State::Data { .. } | State::Done) {
                break;
            }
            self.state = self.state.after(byte)?;
            used += 1;
        }
        *input = &input[used..];
        Ok((used > 0).then_some(Piece::Framing(used)))
    }
}

impl State {
    /// The state behind a `byte` that is none of the body's.
    fn after(self, byte: u8) -> Result<Self, Malformed> {
        match (self, byte) {
            (Self::Size { number, .. }, _) if byte.is_ascii_hexdigit() => {
                // However many zeros come first.
                if number >> 60 != 0 {
                    return Err(malformed("a size has more than 64 bits"));
                }
                let value = char::from(byte).to_digit(16).unwrap_or(0);
                Ok(Self::Size { number: number * 16 + u64::from(value), digits: true })
            }
            (Self::Size { digits: false, .. }, _) => Err(malformed("a chunk has no size")),
            (Self::Size { number, .. }, b'\r' | b';' | b' ' | b'\t') => {
                Ok(Self::SizeEnd { number })
            }
            (Self::Size { .. }, _) => Err(malformed("a size holds something else than digits")),
            (Self::SizeEnd { number: 0 }, b'\n') => Ok(Self::Trailer { line: 0 }),
            (Self::SizeEnd { number }, b'\n') => Ok(Self::Data { left: number }),
            (Self::SizeEnd { .. }, _) => Ok(self),
            (Self::DataEnd { left: 2 }, b'\r') => Ok(Self::DataEnd { left: 1 }),
            (Self::DataEnd { left: 1 }, b'\n') => Ok(Self::default()),
            (Self::DataEnd { .. }, _) => Err(malformed("a chunk does not end in CR LF")),
            (Self::Trailer { line: 0 }, b'\n') => Ok(Self::Done),
            (Self::Trailer { .. }, b'\n') => Ok(Self::Trailer { line: 0 }),
            (Self::Trailer { .. }, b'\r') => Ok(self),
            (Self::Trailer { line }, _) => Ok(Self::Trailer { line: line + 1 }),
            (Self::Data { .. } | Self::Done, _) => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The body, its framing bytes, and what was left over, read in pieces of `step` bytes.
    fn read(wire: &[u8], step: usize) -> Result<(Vec<u8>, usize, bool), Malformed> {
        let (mut reader, mut body, mut framing) = (ChunkedReader::default(), Vec::new(), 0);
        for mut piece in wire.chunks(step) {
            while let Some(part) = reader.next(&mut piece)? {
                match part {
                    Piece::Framing(bytes) => framing += bytes,
                    Piece::Data(data) => body.extend_from_slice(data),
                }
            }
        }
        Ok((body, framing, reader.is_done()))
    }

    proptest! {
        #[test]
        fn chunks_read_back_however_they_are_cut(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..6),
            step in 1_usize..64,
        ) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                let before = wire.len();
                push(&mut wire, chunk);
                prop_assert!(chunk.is_empty() || wire.len() - before == encoded_len(chunk.len()));
            }
            wire.extend_from_slice(LAST_CHUNK);
            let body = chunks.concat();
            let framing = wire.len() - body.len();
            prop_assert_eq!(read(&wire, step), Ok((body, framing, true)));
        }
    }

    #[test]
    fn extensions_and_trailers_are_passed_over() {
        let wire = b"4;name=value\r\nWiki\r\n0\r\nExpires: never\r\n\r\n";
        assert_eq!(read(wire, 3), Ok((b"Wiki".to_vec(), wire.len() - 4, true)));
    }

    #[test]
    fn a_size_may_have_zeros_before_it() {
        let wire = b"000000000000000000004\r\nWiki\r\n000\r\n\r\n";
        assert_eq!(read(wire, 5), Ok((b"Wiki".to_vec(), wire.len() - 4, true)));
    }

    #[test]
    fn malformed_chunks_are_refused() {
        for wire in [&b"x\r\n"[..], b"\r\n", b"2\r\nabc", b"10000000000000000\r\n"] {
            assert!(read(wire, 16).is_err(), "{wire:?}");
        }
    }
}
