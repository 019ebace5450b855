//! The body of a poll under `every`: `<decimal length>\n<message>`, repeated.

/// The largest body that several messages are packed into; a single message may be larger.
pub const MAX_BATCH: usize = 1 << 20;

/// Appends one message with its length before it.
pub fn push(body: &mut Vec<u8>, payload: &[u8]) {
    body.extend_from_slice(itoa::Buffer::new().format(payload.len()).as_bytes());
    body.push(b'\n');
    body.extend_from_slice(payload);
}

/// The bytes that [`push`] appends for a payload of `len` bytes.
#[must_use]
pub fn encoded_len(len: usize) -> usize {
    let digits = len.checked_ilog10().unwrap_or(0) as usize + 1;
    digits + 1 + len
}

/// A body that is not a batch.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum BatchError {
    /// A message's length is not a decimal number of at most seven digits and a line end.
    #[error("a batch holds something other than a message's length where one should stand")]
    Length,
    /// The body ends within a message.
    #[error("a batch ends within a message")]
    Truncated,
}

/// Reads a batch as it arrives in pieces, without keeping it.
#[derive(Debug, Clone, Default)]
pub struct BatchReader {
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Within a length: the number so far, and its digits.
    Length { number: usize, digits: u8 },
    /// Within a message: the bytes still to come.
    Message { left: usize },
}

impl Default for State {
    fn default() -> Self {
        Self::Length { number: 0, digits: 0 }
    }
}

/// A piece of a batch by its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes of a length and its line end.
    Framing(usize),
    /// Bytes of a message; whether they are its last.
    Payload(&'a [u8], bool),
}

impl BatchReader {
    /// Takes the next piece off the front of `input`; `None` once it is used up.
    ///
    /// # Errors
    ///
    /// [`BatchError::Length`] where a length should stand and does not.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, BatchError> {
        match self.state {
            // An empty message is complete with its length.
            State::Length { .. } | State::Message { left: 1.. } if input.is_empty() => Ok(None),
            State::Length { number, digits } => {
                self.length(input, number, digits).map(|used| Some(Piece::Framing(used)))
            }
            State::Message { left } => {
                let (piece, rest) = input.split_at(left.min(input.len()));
                *input = rest;
                let done = piece.len() == left;
                self.state = if done {
                    State::default()
                } else {
                    State::Message { left: left - piece.len() }
                };
                Ok(Some(Piece::Payload(piece, done)))
            }
        }
    }

    fn length(
        &mut self,
        input: &mut &[u8],
        mut number: usize,
        mut digits: u8,
    ) -> Result<usize, BatchError> {
        for (index, &byte) in input.iter().enumerate() {
            if byte == b'\n' && digits > 0 {
                self.state = State::Message { left: number };
                *input = &input[index + 1..];
                return Ok(index + 1);
            }
            if !byte.is_ascii_digit() || digits == 7 {
                return Err(BatchError::Length);
            }
            number = number * 10 + usize::from(byte - b'0');
            digits += 1;
        }
        let used = input.len();
        self.state = State::Length { number, digits };
        *input = &[];
        Ok(used)
    }

    /// Checks that the body ended between two messages.
    ///
    /// # Errors
    ///
    /// [`BatchError::Truncated`] where it did not.
    pub const fn finish(&self) -> Result<(), BatchError> {
        match self.state {
            State::Length { digits: 0, .. } => Ok(()),
            _ => Err(BatchError::Truncated),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a whole batch that arrives in pieces of `step` bytes: messages and framing bytes.
    fn read(body: &[u8], step: usize) -> Result<(Vec<Vec<u8>>, usize), BatchError> {
        let (mut reader, mut messages, mut framing) = (BatchReader::default(), Vec::new(), 0);
        let mut message = Vec::new();
        for mut piece in body.chunks(step) {
            while let Some(part) = reader.next(&mut piece)? {
                match part {
                    Piece::Framing(bytes) => framing += bytes,
                    Piece::Payload(bytes, done) => {
                        message.extend_from_slice(bytes);
                        if done {
                            messages.push(std::mem::take(&mut message));
                        }
                    }
                }
            }
        }
        reader.finish().map(|()| (messages, framing))
    }

    proptest! {
        #[test]
        fn a_batch_reads_back_however_it_is_cut(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
            step in 1_usize..64,
        ) {
            let mut body = Vec::new();
            for message in &messages {
                let before = body.len();
                push(&mut body, message);
                prop_assert_eq!(body.len() - before, encoded_len(message.len()));
            }
            let payload: usize = messages.iter().map(Vec::len).sum();
            prop_assert_eq!(read(&body, step), Ok((messages, body.len() - payload)));
        }
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        assert_eq!(read(b"abc", 8), Err(BatchError::Length));
        assert_eq!(read(b"\n", 8), Err(BatchError::Length));
        assert_eq!(read(b"12345678\n", 8), Err(BatchError::Length));
        assert_eq!(read(b"5\nab", 8), Err(BatchError::Truncated));
        assert_eq!(read(b"5", 8), Err(BatchError::Truncated));
    }
}
