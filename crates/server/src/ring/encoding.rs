//! The forms in which messages travel on streams.

use bytes::Bytes;
use pushbench_core::Seq;
use pushbench_core::message::Content;
use pushbench_protocol::{chunked, sse};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

/// A form of a message on the wire, one and the same for every stream that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// A frame of RFC 6455: header and payload.
    Frame,
    /// An event of WHATWG HTML §9.2 in a chunk of its own.
    Event,
}

impl Encoding {
    pub(crate) const ALL: [Self; 2] = [Self::Frame, Self::Event];

    /// The message in this form.
    pub(super) fn encode(self, seq: Seq, content: Content, payload: &[u8]) -> Bytes {
        match self {
            Self::Frame => frame(content, payload),
            Self::Event => chunk(seq, content, payload),
        }
    }

    /// The length of the message in this form, without making it.
    pub(super) fn len(self, seq: Seq, content: Content, payload: &[u8]) -> usize {
        match self {
            Self::Frame => frame_len(payload.len()),
            Self::Event => chunk_len(seq, content, payload),
        }
    }
}

/// The longest header of a server's frame: it is never masked.
const MAX_HEADER: usize = 10;

/// A message as one unmasked frame, in an allocation of its own size.
pub(crate) fn frame(content: Content, payload: &[u8]) -> Bytes {
    let opcode = match content {
        Content::Text => Data::Text,
        Content::Binary => Data::Binary,
    };
    let header = FrameHeader { opcode: OpCode::Data(opcode), ..FrameHeader::default() };
    let mut head = Vec::with_capacity(MAX_HEADER);
    header.format(payload.len() as u64, &mut head).expect("a Vec takes every byte");
    [&head, payload].concat().into()
}

/// The length of a [`frame`] with a payload of `len` bytes (RFC 6455 §5.2).
fn frame_len(len: usize) -> usize {
    let header = match len {
        0..126 => 2,
        126..0x1_0000 => 4,
        _ => MAX_HEADER,
    };
    header + len
}

/// A message as an event in a chunk of its own.
fn chunk(seq: Seq, content: Content, payload: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(event_len(seq, content, payload));
    sse::push(&mut event, seq, content, payload);
    let mut chunk = Vec::with_capacity(in_chunk(event.len()));
    chunked::push(&mut chunk, &event);
    chunk.into()
}

/// The length of [`chunk`], without making it.
fn chunk_len(seq: Seq, content: Content, payload: &[u8]) -> usize {
    in_chunk(event_len(seq, content, payload))
}

fn event_len(seq: Seq, content: Content, payload: &[u8]) -> usize {
    let digits = seq.0.checked_ilog10().unwrap_or(0) as usize + 1;
    let id = "id: \n".len() + digits;
    let data = match content {
        Content::Text => {
            let feeds = payload.iter().filter(|&&byte| byte == b'\n').count();
            payload.len() - feeds + (feeds + 1) * "data: \n".len()
        }
        Content::Binary => {
            let event = "event: \n".len() + sse::BINARY_EVENT.len();
            event + "data: \n".len() + payload.len().div_ceil(3) * 4
        }
    };
    id + data + "\n".len()
}

fn in_chunk(len: usize) -> usize {
    let digits = len.checked_ilog2().unwrap_or(0) as usize / 4 + 1;
    digits + "\r\n\r\n".len() + len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_are_those_of_what_is_made() {
        for len in [10, 11, 12, 64, 240, 250, 4000, 4096, 65_536] {
            for seq in [1, 9, 10, 99_999] {
                for fill in [b'a', b'\n', b'\r'] {
                    let payload = vec![fill; len];
                    let content = Content::of(&payload);
                    let made = chunk(Seq(seq), content, &payload);
                    assert_eq!(made.len(), chunk_len(Seq(seq), content, &payload));
                }
            }
        }
    }

    /// RFC 6455 §5.2: 7 bits of length, or 16, or 64.
    #[test]
    fn a_header_has_the_size_that_its_length_needs() {
        for (len, header) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let frame = frame(Content::Text, &vec![b'x'; len]);
            assert_eq!(frame.len() - len, header, "{len} bytes");
            assert_eq!(frame.len(), frame_len(len));
        }
        assert_eq!(&frame(Content::Text, b"hi")[..], b"\x81\x02hi");
        assert_eq!(&frame(Content::Binary, b"hi")[..], b"\x82\x02hi");
    }
}
