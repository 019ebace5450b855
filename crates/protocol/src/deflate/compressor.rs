//! The sender's side (RFC 7692 §7.2.1).

use pushbench_core::deflate::{DeflateSettings, MemLevel, WindowBits};

use crate::zlib::{Deflater, FLUSHED};

/// The payload of an empty message (RFC 7692 §7.2.3.6).
const EMPTY: u8 = 0x00;

/// Compresses one message after another.
#[derive(Debug)]
pub struct Compressor {
    deflater: Deflater,
    takeover: bool,
}

impl Compressor {
    /// A compressor whose messages refer to those before them, or do not: then each is the same
    /// bytes for whoever receives it, whatever came before.
    #[must_use]
    pub fn new(settings: DeflateSettings, takeover: bool) -> Self {
        Self { deflater: Deflater::new(settings), takeover }
    }

    /// Appends the payload of a frame, or of the fragments, that carry `message`.
    pub fn push(&mut self, message: &[u8], out: &mut Vec<u8>) {
        if message.is_empty() {
            out.push(EMPTY);
            return;
        }
        self.deflater.flush(message, self.takeover, out);
        out.truncate(out.len() - FLUSHED.len());
    }

    /// The bytes of memory that a compressor of any level holds: with window bits 15 and memory
    /// level 8, 380,288.
    ///
    /// zlib's own formula, 2^(window + 2) + 2^(level of memory + 9), says 262,144 there. zlib-rs
    /// has 65,536 hash heads whatever the settings, and symbols and output in separate buffers. It
    /// asks for all of it at once; pages of it that no message touches are not resident.
    #[must_use]
    pub const fn memory(window: WindowBits, memory: MemLevel) -> u64 {
        /// Hash heads of two bytes.
        const HEADS: u64 = 65_536 * 2;
        /// Code trees and all else that has one size; what is between aligned parts.
        const STATE: u64 = 3_456;
        // The window twice, so that it seldom slides, and a link of two bytes for each place in it.
        let history = 4 << window.get();
        // Four bytes of output and three of symbols for each that a block can have.
        let symbols = 7 << (memory.get() + 6);
        history + HEADS + symbols + STATE
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::deflate::Level;

    use super::*;

    /// The payloads of some messages in turn.
    fn compressed(takeover: bool, messages: &[&str]) -> Vec<Vec<u8>> {
        let mut compressor = Compressor::new(DeflateSettings::default(), takeover);
        let payload = |message: &&str| {
            let mut out = Vec::new();
            compressor.push(message.as_bytes(), &mut out);
            out
        };
        messages.iter().map(payload).collect()
    }

    const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

    #[test]
    fn without_takeover_a_message_is_the_example_of_rfc_7692_each_time() {
        assert_eq!(compressed(false, &["Hello", "Hello"]), [HELLO, HELLO]);
    }

    #[test]
    fn with_takeover_a_second_message_is_the_example_of_rfc_7692() {
        let second = vec![0xf2, 0x00, 0x11, 0x00, 0x00];
        assert_eq!(compressed(true, &["Hello", "Hello"]), [HELLO.to_vec(), second]);
    }

    #[test]
    fn an_empty_message_is_one_byte_wherever_it_stands() {
        for takeover in [false, true] {
            let [first, hello, second, third] =
                compressed(takeover, &["", "Hello", "", ""]).try_into().unwrap();
            assert_eq!([&first, &second, &third], [&[0]; 3], "takeover {takeover}");
            assert_eq!(hello, HELLO, "takeover {takeover}");
        }
    }

    #[test]
    fn what_does_not_compress_grows_by_little_and_level_0_stores() {
        let noise: Vec<u8> = (0..200_000_u64)
            .map(|at| pushbench_core::random::bits(1, 2, at).to_le_bytes()[0])
            .collect();
        for level in [Level::MIN, Level::default(), Level::MAX] {
            let settings = DeflateSettings { level, ..DeflateSettings::default() };
            let mut out = Vec::new();
            Compressor::new(settings, false).push(&noise, &mut out);
            let grown = out.len() - noise.len();
            assert!((5..200).contains(&grown), "level {level:?} adds {grown} bytes");
        }
    }
}
