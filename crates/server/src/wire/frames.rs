//! WebSockets: messages as frames, and the server's own words: pings and close frames (RFC 6455
//! §5.2, §5.5).

use bytes::Bytes;
use pushbench_core::feed::message::Content;
use pushbench_protocol::frame::{Opcode, push_unmasked, unmasked_len};

use super::conversation::{Conversation, ConversationState};
use super::{End, Language, Row, presence};

/// WebSockets, whose clients may talk.
pub(super) const ROW: Row = Row {
    language: Language::Frames,
    name: "websocket",
    encode: |_, content, payload| frame(content, payload),
    len: |_, _, payload| unmasked_len(payload.len()),
    receive: |beside, coding, input, answers, ears| {
        let state = beside.get_or_insert_default();
        state.begin();
        let compressor = &mut state.compressor;
        let Some(conversation) = &mut state.conversation else { return ConversationState::Open };
        conversation.receive(input, (coding, compressor), answers, ears)
    },
    end: |beside, why, _, words| end(beside.get_or_insert_default().begin(), why, words),
    end_is_answered: true,
    keep_alive: |_, words| words.extend_from_slice(PING),
    presence: |_, connected, words| {
        let text = tagged(PRESENCE_TAG, presence(connected).as_bytes());
        push(words, Content::Text, &text);
    },
};

/// The close code of a stream whose cursor fell off the ring; the reason names the oldest
/// message still held. Of the range for applications (RFC 6455 §7.4.2), after HTTP's 410.
const CLOSE_GONE: u16 = 4410;

/// The close codes of a server that stops (RFC 6455 §7.4.1), and of one that has no room for what is said
/// (its registry, §11.7: "try again later").
const CLOSE_AWAY: u16 = 1001;
const CLOSE_BUSY: u16 = 1013;

/// A ping without payload (RFC 6455 §5.5.2).
const PING: &[u8] = &[0x89, 0x00];

/// The first characters of text to clients that want to be told what it is.
const MESSAGE_TAG: u8 = b'm';
const PRESENCE_TAG: u8 = b'p';

/// A message as one unmasked frame, in an allocation of its own size.
fn frame(content: Content, payload: &[u8]) -> Bytes {
    encode(content, false, payload)
}

/// A message that has been compressed as one unmasked frame (RFC 7692 §6.1).
pub(super) fn compressed_frame(content: Content, compressed: &[u8]) -> Bytes {
    encode(content, true, compressed)
}

/// A text message to a client that wants to be told what text is.
pub(super) fn tagged_message(payload: &[u8]) -> Bytes {
    frame(Content::Text, &tagged(MESSAGE_TAG, payload))
}

fn tagged(tag: u8, text: &[u8]) -> Vec<u8> {
    [&[tag], text].concat()
}

fn encode(content: Content, compressed: bool, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(unmasked_len(payload.len()));
    push_unmasked(&mut frame, opcode(content), compressed, payload);
    frame.into()
}

/// Appends a message.
pub(super) fn push(out: &mut Vec<u8>, content: Content, payload: &[u8]) {
    push_unmasked(out, opcode(content), false, payload);
}

const fn opcode(content: Content) -> Opcode {
    match content {
        Content::Text => Opcode::Text,
        Content::Binary => Opcode::Binary,
    }
}

/// Says close, and why: to a stream whose cursor fell off the ring, which message is the oldest.
fn end(conversation: &mut Conversation, why: End, out: &mut Vec<u8>) {
    match why {
        End::Gone { oldest } => {
            conversation.close(CLOSE_GONE, &format!("oldest held is {oldest}"), out);
        }
        End::Stop => conversation.close(CLOSE_AWAY, "the server stops", out),
        End::Full => conversation.close(CLOSE_BUSY, "too much is being said; try again later", out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_frame_of_its_kind() {
        assert_eq!(&frame(Content::Text, b"hi")[..], b"\x81\x02hi");
        assert_eq!(&frame(Content::Binary, b"hi")[..], b"\x82\x02hi");
        assert_eq!(&tagged_message(b"hi")[..], b"\x81\x03mhi");
    }
}
