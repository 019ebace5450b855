use pushbench_core::message::Content;
use pushbench_core::wire::{chunked, sse};
use pushbench_core::{Delivery, Transport};

use crate::session::tests::{Heard, call, feed, payload, session};
use crate::session::*;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: \"4\"\r\n\r\n";

fn opened() -> Box<dyn Session> {
    let mut session = session(Transport::Sse, Delivery::Every);
    call(|out| session.opened(out));
    assert_eq!(feed(&mut *session, HEAD, 1000).unwrap().subscribed, 1);
    session
}

fn chunk(stream: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    chunked::push(&mut wire, stream);
    wire
}

fn event(seq: u64, content: Content, payload: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    sse::push(&mut stream, pushbench_core::Seq(seq), content, payload);
    chunk(&stream)
}

#[test]
fn it_resumes_behind_its_last_message() {
    let mut session = session(Transport::Sse, Delivery::Latest);
    let asked = call(|out| session.opened(out));
    let request = "GET /feed/sse?delivery=latest HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
    assert_eq!((asked.text(), asked.requests), (request, 1));
    feed(&mut *session, HEAD, 1000).unwrap();
    assert_eq!(session.closed(&mut Output::default()), Ending::Broken);
    assert!(call(|out| session.opened(out)).text().contains("?delivery=latest&after=4 "));
    feed(&mut *session, HEAD, 1000).unwrap();
    feed(&mut *session, &event(9, Content::Text, &payload(9, 64)), 1000).unwrap();
    call(|out| _ = session.closed(out));
    assert!(call(|out| session.opened(out)).text().contains("?delivery=latest&after=9 "));
}

#[test]
fn a_message_is_there_with_its_blank_line_and_not_before() {
    let mut session = opened();
    let wire = event(5, Content::Text, &payload(5, 64));
    // The blank line, and the chunk's own line end.
    let behind = 3;
    let heard = feed(&mut *session, &wire[..wire.len() - behind], 1000).unwrap();
    assert_eq!(heard.messages, [] as [u64; 0]);
    let heard = feed(&mut *session, &wire[wire.len() - behind..][..1], 1000).unwrap();
    assert_eq!(heard.messages, [5]);
}

/// REFERENCES §2: +8 bytes around a one-line payload, and its id; and RFC 9112 §7.1.
#[test]
fn what_is_around_a_payload_is_framing() {
    let mut session = opened();
    let wire = event(5, Content::Text, &payload(5, 64));
    let around = "4f\r\n".len() + "id: 5\n".len() + 8 + 2;
    for step in [1, 7, 1000] {
        let heard = feed(&mut *session, &wire, step).unwrap();
        assert_eq!((heard.layers(), wire.len()), ([64, around as u64, 0], 64 + around));
    }
    let lines = event(6, Content::Text, b"0000000006\nand a second line\n");
    assert_eq!(feed(&mut *session, &lines, 1000).unwrap().layers()[0], 29);
}

#[test]
fn base64_is_payload_by_its_decoded_length() {
    let mut session = opened();
    for size in [10, 11, 12, 13, 64, 1000] {
        let mut bytes = payload(5, size);
        if size > 10 {
            bytes[size - 1] = 0xff;
        }
        let wire = event(5, Content::Binary, &bytes);
        for step in [1, 2, 3, 5, 64, 5000] {
            let Heard { messages, received, .. } = feed(&mut *session, &wire, step).unwrap();
            assert_eq!((messages, received.down[0]), (vec![5], size as u64), "{size} by {step}");
        }
    }
}

#[test]
fn comments_and_foreign_events_are_framing() {
    let mut session = opened();
    for stream in [sse::KEEP_ALIVE, b"event: weather\ndata: fine\n\n", b"retry: 10\n\n"] {
        let wire = chunk(stream);
        let heard = feed(&mut *session, &wire, 4).unwrap();
        assert_eq!((heard.messages.len(), heard.layers()), (0, [0, wire.len() as u64, 0]));
    }
}

#[test]
fn a_stream_that_fell_behind_says_so_and_goes_on_from_the_oldest() {
    let mut session = opened();
    let mut stream = Vec::new();
    sse::push_named(&mut stream, sse::GONE_EVENT, "{\"oldest\":70,\"after\":4}");
    let error = feed(&mut *session, &chunk(&stream), 6).unwrap_err();
    assert!(matches!(error, ProtocolError::Gone { oldest: Some(_), .. }), "{error}");
    call(|out| _ = session.closed(out));
    assert!(call(|out| session.opened(out)).text().contains("?after=69 "));
}

#[test]
fn a_stream_that_ends_is_an_error() {
    let error = feed(&mut *opened(), chunked::LAST_CHUNK, 2).unwrap_err();
    assert!(matches!(error, ProtocolError::StreamEnded(_)), "{error}");
}
