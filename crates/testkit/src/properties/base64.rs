//! The number of a message that arrives as base64.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use pushbench_core::Seq;
use pushbench_core::feed::identity::IdentityReader;
use pushbench_core::feed::number::{NumberError, NumberReader};
use pushbench_protocol::sse::Base64Payload;

use super::however_cut;

pub(super) fn holds(input: &[u8]) {
    // A line feed comes in a piece of its own.
    let line: Vec<u8> = input.iter().copied().filter(|&byte| byte != b'\n').collect();
    let _ = however_cut(&line, |pieces| read(pieces).0);
    let encoded = STANDARD.encode(input);
    let decoded = however_cut(encoded.as_bytes(), read);
    assert_eq!(decoded, (NumberReader::read(input), input.len()));
}

/// The number, and the bytes that the data stands for.
fn read(pieces: &[&[u8]]) -> (Result<Seq, NumberError>, usize) {
    let (mut data, mut reader) = (Base64Payload::default(), IdentityReader::default());
    let bytes = pieces.iter().map(|piece| data.push(piece, &mut reader)).sum();
    (data.finish(&mut reader).map(|message| message.seq), bytes)
}
