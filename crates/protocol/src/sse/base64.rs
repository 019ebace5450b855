//! The numbers of payloads that arrive as base64 (RFC 4648 §4), since an event stream is UTF-8 text.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use pushbench_core::Seq;
use pushbench_core::feed::number::{NumberError, NumberReader};

/// Base64 characters that are decoded at a time: as many as a number as pushbench writes it needs.
const BASE64_STEP: usize = 28;

/// Reads the number of a payload that arrives as base64 (RFC 4648 §4).
#[derive(Debug, Clone, Copy, Default)]
pub struct Base64Number {
    number: NumberReader,
    /// Characters of a group of four that is not complete.
    group: [u8; 4],
    length: u8,
    /// Characters so far, padding left out.
    characters: u64,
}

impl Base64Number {
    /// Takes the next piece of the data, and says how many bytes of the payload it stands for: four
    /// characters are three bytes.
    pub fn push(&mut self, piece: &[u8]) -> usize {
        let padding = piece.iter().rev().take_while(|&&byte| byte == b'=').count();
        let before = self.characters * 3 / 4;
        self.characters += (piece.len() - padding) as u64;
        let decoded = usize::try_from(self.characters * 3 / 4 - before).unwrap_or(piece.len());
        self.read(piece);
        decoded
    }

    fn read(&mut self, mut piece: &[u8]) {
        // The line feed between two lines of data is no character of base64.
        if piece == b"\n" {
            return;
        }
        while !self.number.is_decided() && !piece.is_empty() {
            let whole = (piece.len() & !3).min(BASE64_STEP);
            if self.length == 0 && whole > 0 {
                self.decode(&piece[..whole]);
                piece = &piece[whole..];
                continue;
            }
            self.group[usize::from(self.length)] = piece[0];
            self.length += 1;
            piece = &piece[1..];
            if self.length == 4 {
                self.length = 0;
                let group = self.group;
                self.decode(&group);
            }
        }
    }

    fn decode(&mut self, groups: &[u8]) {
        let mut bytes = [0; BASE64_STEP / 4 * 3];
        match STANDARD.decode_slice(groups, &mut bytes) {
            Ok(length) => self.number.push(&bytes[..length]),
            // One by one, as if they had arrived so: what stands before the fault counts.
            Err(_) if groups.len() > 4 => groups.chunks(4).for_each(|group| self.decode(group)),
            Err(_) if self.number.is_decided() => {}
            Err(_) => self.number.fail(NumberError::Base64),
        }
    }

    /// The number of the payload that ends here; the next one begins.
    ///
    /// # Errors
    ///
    /// The reason why it has none.
    pub fn finish(&mut self) -> Result<Seq, NumberError> {
        if self.length > 0 && !self.number.is_decided() {
            self.number.fail(NumberError::Base64);
        }
        (self.length, self.characters) = (0, 0);
        self.number.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_base64_of_any_length() {
        for start in [&b"0000000042"[..], b"{ \"a long name of a member\": 42,\r\n"] {
            for length in start.len()..start.len() + 30 {
                let mut payload = start.to_vec();
                payload.resize(length, 0xff);
                for step in [1, 3, 7, 1000] {
                    let mut number = Base64Number::default();
                    for piece in STANDARD.encode(&payload).as_bytes().chunks(step) {
                        number.push(piece);
                    }
                    assert_eq!(number.finish(), Ok(Seq(42)), "{length} bytes by {step}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_base64_is_named_and_the_next_one_is_read() {
        let mut number = Base64Number::default();
        for data in [&b"{\"n\":5}"[..], b"MDAw*", b"MDAwMDAwMDA0M"] {
            number.push(data);
            assert_eq!(number.finish(), Err(NumberError::Base64), "{}", data.escape_ascii());
            number.push(b"MDAwMDAwMDA0Mg==");
            assert_eq!(number.finish(), Ok(Seq(42)));
        }
    }
}
