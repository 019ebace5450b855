//! Server-sent events on an HTTP/1.1 response that is chunked and has no end of its own.

use bytes::Bytes;
use pushbench_core::message;
use pushbench_core::{Contender, Seq};
use pushbench_protocol::chunked::{self, LAST_CHUNK};
use pushbench_protocol::headers::{Content, HeaderProfile, ResponseParts};
use pushbench_protocol::sse;

/// The response head, to be followed by chunks: the profile's, and what it cannot do without.
///
/// - `Content-Type`: an `EventSource` fails on any other (WHATWG HTML §9.2.2);
/// - `Transfer-Encoding: chunked`: how a client tells the stream's end from a broken connection
///   (RFC 9112 §8);
/// - `ETag`: the cursor that the stream continues from, as on every transport.
pub(crate) fn head(profile: &HeaderProfile, cursor: Seq) -> Vec<u8> {
    let tag = format!("\"{cursor}\"");
    let own = [("transfer-encoding", "chunked"), ("etag", tag.as_str())];
    let content = Content::Stream { media_type: "text/event-stream" };
    let parts = ResponseParts { status: 200, content, etag: Some(&tag), own: &own };
    let mut head = Vec::new();
    profile.render_response(Contender::SSE, &parts, &mut head);
    head
}

/// A message as an event in a chunk of its own.
pub(crate) fn chunk(seq: Seq, content: message::Content, payload: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(event_len(seq, content, payload));
    sse::push(&mut event, seq, content, payload);
    let mut chunk = Vec::with_capacity(in_chunk(event.len()));
    chunked::push(&mut chunk, &event);
    chunk.into()
}

/// The length of [`chunk`], without making it.
pub(crate) fn chunk_len(seq: Seq, content: message::Content, payload: &[u8]) -> usize {
    in_chunk(event_len(seq, content, payload))
}

/// A comment that keeps a silent stream open.
pub(crate) fn keep_alive(out: &mut Vec<u8>) {
    chunked::push(out, sse::KEEP_ALIVE);
}

/// The end of a stream whose cursor fell off the ring: says so, and which message is the oldest.
pub(crate) fn end_gone(out: &mut Vec<u8>, oldest: Seq, after: Seq) {
    let mut event = Vec::new();
    let data = format!("{{\"oldest\":{oldest},\"after\":{after}}}");
    sse::push_named(&mut event, sse::GONE_EVENT, &data);
    chunked::push(out, &event);
    end(out);
}

/// The end of a stream.
pub(crate) fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(LAST_CHUNK);
}

fn event_len(seq: Seq, content: message::Content, payload: &[u8]) -> usize {
    let digits = seq.0.checked_ilog10().unwrap_or(0) as usize + 1;
    let id = "id: \n".len() + digits;
    let data = match content {
        message::Content::Text => {
            let feeds = payload.iter().filter(|&&byte| byte == b'\n').count();
            payload.len() - feeds + (feeds + 1) * "data: \n".len()
        }
        message::Content::Binary => {
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
                    let content = message::Content::of(&payload);
                    let made = chunk(Seq(seq), content, &payload);
                    assert_eq!(made.len(), chunk_len(Seq(seq), content, &payload));
                }
            }
        }
    }

    #[test]
    fn a_stream_that_fell_behind_ends_with_the_oldest_message() {
        let mut out = Vec::new();
        end_gone(&mut out, Seq(7), Seq(2));
        assert_eq!(out, b"2a\r\nevent: gone\ndata: {\"oldest\":7,\"after\":2}\n\n\r\n0\r\n\r\n");
    }
}
