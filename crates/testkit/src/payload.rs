//! Bodies to publish, and what becomes of them.

use pushbench_core::Seq;
use pushbench_core::feed::message::SEQ_DIGITS;

/// The sizes of payloads at which something changes, of those that can be published by hand: the
/// least (10 bytes are a schedule's privilege); the WebSocket header's 7, 16 and 64 bits of
/// length on both sides; more than a read's buffer; the most.
pub const SIZES: [usize; 7] = [11, 125, 126, 1024, 65_535, 65_536, 1 << 20];

/// A body that becomes a payload of `size` bytes, in which each line and each byte is of use to
/// find a mistake: lines of different lengths, empty ones, and a space in front.
#[must_use]
pub fn text(size: usize) -> Vec<u8> {
    let pattern = " grüße: data: 1\n\nid: 2\n:x\n {\"a\": 0}\n".as_bytes();
    let room = size.saturating_sub(SEQ_DIGITS);
    let mut body: Vec<u8> = pattern.iter().copied().cycle().take(room).collect();
    // Two bytes are one letter of the pattern: do not end within it.
    if std::str::from_utf8(&body).is_err() {
        body.pop();
        body.push(b'u');
    }
    body
}

/// A body that becomes a payload of `size` bytes that are no text: every value of a byte, in an
/// order that no text has.
#[must_use]
pub fn binary(size: usize) -> Vec<u8> {
    let room = size.saturating_sub(SEQ_DIGITS);
    (0..room).map(|index| (index.wrapping_mul(167) ^ 0xff) as u8).collect()
}

/// The payload that the server makes of a body published by hand: its number before it.
#[must_use]
pub fn numbered(seq: Seq, body: &[u8]) -> Vec<u8> {
    [&seq.digits(), body].concat()
}

#[cfg(test)]
mod tests {
    use pushbench_core::feed::message::Content;

    use super::*;

    #[test]
    fn bodies_have_their_size_and_their_kind() {
        for size in SIZES {
            let payload = numbered(Seq(3), &text(size));
            assert_eq!((payload.len(), Content::of(&payload)), (size, Content::Text));
            let payload = numbered(Seq(3), &binary(size));
            assert_eq!(payload.len(), size);
            assert_eq!(Content::of(&payload), Content::Binary, "{size} bytes");
        }
    }
}
