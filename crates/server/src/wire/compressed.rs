//! Compressed messages of a client (RFC 7692 §6.2), for an engine that knows no extension: their marks
//! are taken off on their way in, and what comes out is inflated.

use std::collections::VecDeque;

use pushbench_protocol::deflate::{Decompressor, InflateError, Side};
use pushbench_protocol::utf8::Utf8Reader;
use tungstenite::protocol::frame::coding::CloseCode;

use super::conversation::MAX_MESSAGE;

/// RSV1, the mark of a compressed message's first frame.
const COMPRESSED: u8 = 0x40;

/// The operation codes of messages of text and of bytes (RFC 6455 §5.2).
const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// The longest header of a client's frame, which is masked.
const MAX_HEADER: usize = 14;

/// The compressed messages of one client.
#[derive(Debug)]
pub(super) struct Compressed {
    client: Side,
    /// The start of a frame's header, until it is complete.
    header: Vec<u8>,
    /// Bytes of the frame's payload still to come.
    left: u64,
    /// The messages begun that the engine has not given back: of a compressed one, whether it is
    /// text.
    begun: VecDeque<Option<bool>>,
    /// Kept between messages where one may refer to those before it.
    decompressor: Option<Decompressor>,
}

impl Compressed {
    pub(super) fn new(client: Side) -> Self {
        let header = Vec::with_capacity(MAX_HEADER);
        Self { client, header, left: 0, begun: VecDeque::new(), decompressor: None }
    }

    /// The frames of `input` without the marks of compressed messages, which then are bytes. A mark
    /// where none may be stays: it breaks the protocol.
    pub(super) fn unmark(&mut self, input: &[u8]) -> Vec<u8> {
        let mut output = input.to_vec();
        let mut at = 0;
        while at < output.len() {
            if self.left > 0 {
                let rest = output.len() - at;
                let skipped = usize::try_from(self.left).map_or(rest, |left| left.min(rest));
                (at, self.left) = (at + skipped, self.left - skipped as u64);
                continue;
            }
            if self.header.is_empty() {
                output[at] = self.begin(output[at]);
            }
            self.header.push(output[at]);
            at += 1;
            if let Some(payload) = payload_len(&self.header) {
                self.left = payload;
                self.header.clear();
            }
        }
        output
    }

    /// The first byte of a frame as the engine is to see it.
    fn begin(&mut self, first: u8) -> u8 {
        let opcode = first & 0x0f;
        if !matches!(opcode, TEXT | BINARY) {
            return first;
        }
        let compressed = first & COMPRESSED != 0;
        self.begun.push_back(compressed.then_some(opcode == TEXT));
        if compressed { first & !(COMPRESSED | 0x0f) | BINARY } else { first }
    }

    /// Looks at the next message that the engine gives back.
    pub(super) fn check(&mut self, message: &[u8]) -> Result<(), (CloseCode, String)> {
        let Some(text) = self.begun.pop_front().flatten() else { return Ok(()) };
        let told = |error: InflateError| (error.close_code().into(), error.to_string());
        let not_text = || (CloseCode::Invalid, "a text message is not UTF-8".to_owned());
        let Side { takeover, .. } = self.client;
        let mut decompressor =
            self.decompressor.take().unwrap_or_else(|| Decompressor::new(takeover, MAX_MESSAGE));
        let (mut input, mut buffer, mut utf8) = (message, [0; 4096], Utf8Reader::default());
        while let Some(piece) = decompressor.next(&mut input, true, &mut buffer).map_err(told)? {
            if text {
                utf8.push(piece).map_err(|_| not_text())?;
            }
        }
        utf8.finish().map_err(|_| not_text())?;
        self.decompressor = takeover.then_some(decompressor);
        Ok(())
    }
}

/// The length of the payload behind a complete header of a client's frame (RFC 6455 §5.2).
fn payload_len(header: &[u8]) -> Option<u64> {
    let [_, second, rest @ ..] = header else { return None };
    let (len, behind) = match second & 0x7f {
        126 => (u16::from_be_bytes(*rest.first_chunk()?).into(), &rest[2..]),
        127 => (u64::from_be_bytes(*rest.first_chunk()?), &rest[8..]),
        len => (len.into(), rest),
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    (behind.len() >= mask).then_some(len)
}
