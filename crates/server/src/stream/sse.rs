//! The server's own words on an event stream, in chunks (WHATWG HTML §9.2, RFC 9112 §7.1).

use pushbench_core::Seq;
use pushbench_protocol::chunked::{self, LAST_CHUNK};
use pushbench_protocol::sse;

use crate::counters::Kind;

/// Connections that are event streams.
pub(crate) const KIND: Kind = Kind::stream(1, "sse");

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_fell_behind_ends_with_the_oldest_message() {
        let mut out = Vec::new();
        end_gone(&mut out, Seq(7), Seq(2));
        assert_eq!(out, b"2a\r\nevent: gone\ndata: {\"oldest\":7,\"after\":2}\n\n\r\n0\r\n\r\n");
    }
}
