//! The sender and the number of a said message, read as its payload arrives, of which nothing is kept.

use crate::feed::message::{SEQ_DIGITS, Seq};
use crate::feed::number::NumberError;

/// Reads one said message after another for its sender and its number.
#[derive(Debug, Clone, Copy, Default)]
pub struct SaidReader {
    sender: u64,
    number: u64,
    /// Digits read; what comes behind them is filling.
    digits: u8,
    failed: Option<NumberError>,
}

impl SaidReader {
    /// Takes the last piece of the message; the next one begins.
    ///
    /// # Errors
    ///
    /// Why it is no said message.
    #[inline]
    pub fn last(&mut self, piece: &[u8]) -> Result<(u32, Seq), NumberError> {
        self.push(piece);
        self.finish()
    }

    /// Takes the next piece of the message.
    #[inline]
    pub fn push(&mut self, piece: &[u8]) {
        for &byte in piece.iter().take(2 * SEQ_DIGITS - usize::from(self.digits)) {
            if !byte.is_ascii_digit() {
                self.failed = self.failed.or(Some(NumberError::Said));
                return;
            }
            let part = if usize::from(self.digits) < SEQ_DIGITS {
                &mut self.sender
            } else {
                &mut self.number
            };
            *part = *part * 10 + u64::from(byte - b'0');
            self.digits += 1;
        }
    }

    /// Sender and number of the message that ends here; the next one begins.
    ///
    /// # Errors
    ///
    /// Why it is no said message.
    #[inline]
    pub fn finish(&mut self) -> Result<(u32, Seq), NumberError> {
        let Self { sender, number, digits, failed } = std::mem::take(self);
        if let Some(error) = failed {
            return Err(error);
        }
        if usize::from(digits) < 2 * SEQ_DIGITS {
            return Err(if digits == 0 { NumberError::Empty } else { NumberError::Said });
        }
        match (u32::try_from(sender), number) {
            (Err(_), _) => Err(NumberError::TooLarge),
            (_, 0) => Err(NumberError::Zero),
            (Ok(sender), number) => Ok((sender, Seq(number))),
        }
    }

    /// Gives up on the message, whatever else comes of it.
    pub const fn fail(&mut self, error: NumberError) {
        self.failed = Some(error);
    }

    /// Whether the rest of the message changes nothing.
    #[inline]
    #[must_use]
    pub const fn is_decided(&self) -> bool {
        self.failed.is_some() || self.digits as usize == 2 * SEQ_DIGITS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_pieces_is_the_same_message() {
        let (message, text) = ((12, Seq(9)), b"00000000120000000009 hello");
        for cut in 0..text.len() {
            let mut reader = SaidReader::default();
            reader.push(&text[..cut]);
            assert_eq!(reader.last(&text[cut..]), Ok(message), "cut at {cut}");
            assert_eq!(reader.last(text), Ok(message), "the next one begins anew");
        }
    }

    #[test]
    fn other_messages_are_told_why_they_are_none() {
        for (text, error) in [
            (&b""[..], NumberError::Empty),
            (b"0000000012000000000", NumberError::Said),
            (b"000000001200000x0009", NumberError::Said),
            (b"{\"seq\":\"0000000001\"}", NumberError::Said),
            (b"00000000010000000000", NumberError::Zero),
            (b"99999999990000000001", NumberError::TooLarge),
        ] {
            assert_eq!(SaidReader::default().last(text), Err(error), "{text:?}");
        }
    }
}
