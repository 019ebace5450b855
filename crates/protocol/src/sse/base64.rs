//! Payloads that arrive as base64 (RFC 4648 §4), since an event stream is UTF-8 text.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use pushbench_core::feed::identity::{Identity, IdentityReader};
use pushbench_core::feed::number::NumberError;

/// Base64 characters that are decoded at a time: as many as a number as pushbench writes it needs.
const BASE64_STEP: usize = 28;

/// Decodes one payload after another, as far as their messages' identities need it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Base64Payload {
    /// Characters of a group of four that is not complete.
    group: [u8; 4],
    length: u8,
    /// Characters so far, padding left out.
    characters: u64,
}

impl Base64Payload {
    /// Takes the next piece of the data, for `reader` to read, and says how many bytes of the payload it stands for: four
    /// characters are three bytes.
    pub fn push(&mut self, piece: &[u8], reader: &mut IdentityReader) -> usize {
        let padding = piece.iter().rev().take_while(|&&byte| byte == b'=').count();
        let before = self.characters * 3 / 4;
        self.characters += (piece.len() - padding) as u64;
        let decoded = usize::try_from(self.characters * 3 / 4 - before).unwrap_or(piece.len());
        self.read(piece, reader);
        decoded
    }

    fn read(&mut self, mut piece: &[u8], reader: &mut IdentityReader) {
        // The line feed between two lines of data is no character of base64.
        if piece == b"\n" {
            return;
        }
        while !reader.is_decided() && !piece.is_empty() {
            let whole = (piece.len() & !3).min(BASE64_STEP);
            if self.length == 0 && whole > 0 {
                decode(&piece[..whole], reader);
                piece = &piece[whole..];
                continue;
            }
            self.group[usize::from(self.length)] = piece[0];
            self.length += 1;
            piece = &piece[1..];
            if self.length == 4 {
                self.length = 0;
                decode(&self.group, reader);
            }
        }
    }

    /// The identity of the message whose payload ends here; the next one begins.
    ///
    /// # Errors
    ///
    /// Why the message cannot be told from others.
    pub fn finish(&mut self, reader: &mut IdentityReader) -> Result<Identity, NumberError> {
        if self.length > 0 && !reader.is_decided() {
            reader.fail(NumberError::Base64);
        }
        *self = Self::default();
        reader.finish()
    }
}

/// Has `reader` read what whole groups of four characters stand for.
fn decode(groups: &[u8], reader: &mut IdentityReader) {
    let mut bytes = [0; BASE64_STEP / 4 * 3];
    match STANDARD.decode_slice(groups, &mut bytes) {
        Ok(length) => reader.push(&bytes[..length]),
        // One by one, as if they had arrived so: what stands before the fault counts.
        Err(_) if groups.len() > 4 => groups.chunks(4).for_each(|group| decode(group, reader)),
        Err(_) if reader.is_decided() => {}
        Err(_) => reader.fail(NumberError::Base64),
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::Seq;

    use super::*;

    const FOUND: Identity = Identity::of_feed(Seq(42));

    #[test]
    fn a_number_is_found_in_base64_of_any_length() {
        for start in [&b"0000000042"[..], b"{ \"a long name of a member\": 42,\r\n"] {
            for length in start.len()..start.len() + 30 {
                let mut payload = start.to_vec();
                payload.resize(length, 0xff);
                for step in [1, 3, 7, 1000] {
                    let mut data = Base64Payload::default();
                    let mut reader = IdentityReader::default();
                    for piece in STANDARD.encode(&payload).as_bytes().chunks(step) {
                        data.push(piece, &mut reader);
                    }
                    assert_eq!(data.finish(&mut reader), Ok(FOUND), "{length} bytes by {step}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_base64_is_named_and_the_next_one_is_read() {
        let (mut data, mut reader) = (Base64Payload::default(), IdentityReader::default());
        for text in [&b"{\"n\":5}"[..], b"MDAw*", b"MDAwMDAwMDA0M"] {
            data.push(text, &mut reader);
            let found = data.finish(&mut reader);
            assert_eq!(found, Err(NumberError::Base64), "{}", text.escape_ascii());
            data.push(b"MDAwMDAwMDA0Mg==", &mut reader);
            assert_eq!(data.finish(&mut reader), Ok(FOUND));
        }
    }
}
