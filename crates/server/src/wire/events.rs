//! Event streams: messages as events, and the server's own words, in chunks (WHATWG HTML §9.2,
//! RFC 9112 §7.1).

use std::borrow::Cow;

use bytes::Bytes;
use pushbench_core::Seq;
use pushbench_core::feed::message::Content;
use pushbench_protocol::chunked::{self, LAST_CHUNK};
use pushbench_protocol::{gzip, sse};

use super::{Beside, ConversationState, End, Language, Row, presence};

/// Event streams, whose clients have only to listen.
pub(super) const ROW: Row = Row {
    language: Language::Events,
    name: "sse",
    encode: |seq, content, payload| chunk(&event(seq, content, payload)),
    len: chunk_len,
    receive: |_, _, _, _, _| ConversationState::Open,
    end,
    end_is_answered: false,
    keep_alive: |beside, words| push(beside, sse::KEEP_ALIVE, words),
    presence: |beside, connected, words| {
        let mut event = Vec::new();
        sse::push_named(&mut event, PRESENCE_EVENT, &presence(connected));
        push(beside, &event, words);
    },
};

/// The type of an event that tells how many are in the room.
const PRESENCE_EVENT: &str = "presence";

/// The form of a message in an event. Text with a carriage return is sent as bytes are, since a line of an
/// event ends there (WHATWG HTML §9.2.6).
fn form(content: Content, payload: &[u8]) -> Content {
    match content {
        Content::Text if !payload.contains(&b'\r') => Content::Text,
        _ => Content::Binary,
    }
}

/// A message as an event.
pub(super) fn event(seq: Seq, content: Content, payload: &[u8]) -> Vec<u8> {
    let content = form(content, payload);
    let mut event = Vec::with_capacity(event_len(seq, content, payload));
    sse::push(&mut event, seq, content, payload);
    event
}

/// Bytes of the body in a chunk of their own.
pub(super) fn chunk(bytes: &[u8]) -> Bytes {
    let mut chunk = Vec::with_capacity(chunked::encoded_len(bytes.len()));
    chunked::push(&mut chunk, bytes);
    chunk.into()
}

/// The beginning of a gzip member, as a chunk.
pub(crate) fn begin_gzip(out: &mut Vec<u8>) {
    chunked::push(out, &gzip::HEADER);
}

/// Whether the stream has no chunks.
fn is_until_close(beside: &Beside) -> bool {
    beside.as_ref().is_some_and(|state| state.until_close)
}

/// Appends words of the server's own.
fn push(beside: &mut Beside, words: &[u8], out: &mut Vec<u8>) {
    if is_until_close(beside) {
        return out.extend_from_slice(words);
    }
    chunked::push(out, &coded(beside, words));
}

/// Words of the server's own as the stream has them. In a gzip member they are stored, since they are
/// few and short.
fn coded<'a>(beside: &mut Beside, words: &'a [u8]) -> Cow<'a, [u8]> {
    let Some(member) = beside.as_mut().and_then(|state| state.member.as_mut()) else {
        return words.into();
    };
    let mut stored = Vec::new();
    *member = member.then(gzip::push_stored(words, &mut stored));
    stored.into()
}

/// The length of a message's chunk, without making it.
fn chunk_len(seq: Seq, content: Content, payload: &[u8]) -> usize {
    chunked::encoded_len(event_len(seq, form(content, payload), payload))
}

/// The length of an event in this form.
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

/// The end of a stream; of one whose cursor fell off the ring an event says so, and which message is
/// the oldest.
fn end(beside: &mut Beside, why: End, after: Seq, out: &mut Vec<u8>) {
    if let End::Gone { oldest } = why {
        let mut event = Vec::new();
        let data = format!("{{\"oldest\":{oldest},\"after\":{after}}}");
        sse::push_named(&mut event, sse::GONE_EVENT, &data);
        push(beside, &event, out);
    }
    if let Some(member) = beside.as_ref().and_then(|state| state.member) {
        let mut trailer = Vec::new();
        gzip::push_trailer(member, &mut trailer);
        chunked::push(out, &trailer);
    }
    if !is_until_close(beside) {
        out.extend_from_slice(LAST_CHUNK);
    }
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
                    let made = chunk(&event(Seq(seq), content, &payload));
                    assert_eq!(made.len(), chunk_len(Seq(seq), content, &payload));
                }
            }
        }
    }

    #[test]
    fn a_stream_that_fell_behind_ends_with_the_oldest_message() {
        let mut out = Vec::new();
        end(&mut None, End::Gone { oldest: Seq(7) }, Seq(2), &mut out);
        assert_eq!(out, b"2a\r\nevent: gone\ndata: {\"oldest\":7,\"after\":2}\n\n\r\n0\r\n\r\n");
    }
}
