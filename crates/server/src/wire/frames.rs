//! WebSockets: messages as frames, and the server's own words: pings and close frames (RFC 6455
//! §5.2, §5.5).

use bytes::Bytes;
use pushbench_core::feed::message::Content;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use super::conversation::Conversation;
use super::{Beside, End, Language, Row};

/// WebSockets, whose clients may talk.
pub(super) const ROW: Row = Row {
    language: Language::Frames,
    name: "websocket",
    encode: |_, content, payload| frame(content, payload),
    len: |_, _, payload| frame_len(payload.len()),
    receive: |beside, input, answers| begun(beside).receive(input, answers),
    end: |beside, why, _, words| end(begun(beside), why, words),
    end_is_answered: true,
    silence: |config| config.ping_interval,
    keep_alive: |_, words| words.extend_from_slice(PING),
};

/// The close code of a stream whose cursor fell off the ring; the reason names the oldest
/// message still held. Of the range for applications (RFC 6455 §7.4.2), after HTTP's 410.
const CLOSE_GONE: u16 = 4410;

/// A ping without payload (RFC 6455 §5.5.2).
const PING: &[u8] = &[0x89, 0x00];

/// The longest header of a server's frame: it is never masked.
const MAX_HEADER: usize = 10;

/// A message as one unmasked frame, in an allocation of its own size.
fn frame(content: Content, payload: &[u8]) -> Bytes {
    encode(FrameHeader::default(), content, payload)
}

/// A message that has been compressed as one unmasked frame (RFC 7692 §6.1).
pub(super) fn compressed_frame(content: Content, compressed: &[u8]) -> Bytes {
    encode(FrameHeader { rsv1: true, ..FrameHeader::default() }, content, compressed)
}

fn encode(header: FrameHeader, content: Content, payload: &[u8]) -> Bytes {
    let opcode = match content {
        Content::Text => Data::Text,
        Content::Binary => Data::Binary,
    };
    let header = FrameHeader { opcode: OpCode::Data(opcode), ..header };
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

fn begun(beside: &mut Beside) -> &mut Conversation {
    beside.get_or_insert_default().begun()
}

/// Says close: to a stream whose cursor fell off the ring which message is the oldest, to others
/// that the server stops.
fn end(conversation: &mut Conversation, why: End, out: &mut Vec<u8>) {
    match why {
        End::Gone { oldest } => {
            let code = CloseCode::Library(CLOSE_GONE);
            conversation.close(code, &format!("oldest held is {oldest}"), out);
        }
        End::Stop => conversation.close(CloseCode::Away, "the server stops", out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
