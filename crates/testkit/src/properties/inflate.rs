//! Compressed messages of a WebSocket.

use pushbench_core::deflate::DeflateSettings;
use pushbench_protocol::deflate::{Compressor, Decompressor, InflateError};

use super::however_cut;

/// The most bytes that a message may have here.
const LIMIT: usize = 10_000;

pub(super) fn holds(input: &[u8]) {
    for takeover in [false, true] {
        let whole = however_cut(input, |pieces| message(pieces, takeover, 64));
        for room in [1, 7, 4096] {
            assert_eq!(message(&[input], takeover, room), whole, "{room} bytes at a time");
        }
        comes_back(input, takeover);
    }
}

/// The message whose payload are these pieces, inflated `room` bytes at a time; none where it fails.
/// How is not compared: a fault behind the first byte too many is seen, or is not.
fn message(pieces: &[&[u8]], takeover: bool, room: usize) -> Option<Vec<u8>> {
    let pieces = if pieces.is_empty() { &[&[][..]] } else { pieces };
    read(&mut Decompressor::new(takeover, LIMIT), pieces, room).ok()
}

fn read(
    decompressor: &mut Decompressor,
    pieces: &[&[u8]],
    room: usize,
) -> Result<Vec<u8>, InflateError> {
    let (mut message, mut buffer) = (Vec::new(), vec![0; room]);
    for (at, piece) in pieces.iter().enumerate() {
        let (mut input, last) = (*piece, at + 1 == pieces.len());
        while let Some(data) = decompressor.next(&mut input, last, &mut buffer)? {
            message.extend_from_slice(data);
            assert!(message.len() <= LIMIT, "{} bytes are beyond the limit", message.len());
        }
        assert!(input.is_empty(), "{} bytes were left", input.len());
    }
    Ok(message)
}

/// The input's lines as messages, as far as they are within the limit.
fn comes_back(input: &[u8], takeover: bool) {
    let mut compressor = Compressor::new(DeflateSettings::default(), takeover);
    let mut decompressor = Decompressor::new(takeover, LIMIT);
    for line in input.split(|&byte| byte == b'\n') {
        let mut payload = Vec::new();
        compressor.push(line, &mut payload);
        assert!(!payload.is_empty(), "an empty message has a byte");
        let read = read(&mut decompressor, &[&payload], 4096);
        if line.len() > LIMIT {
            assert_eq!(read, Err(InflateError::TooLarge(LIMIT)));
            return;
        }
        assert_eq!(read.as_deref(), Ok(line));
    }
}
