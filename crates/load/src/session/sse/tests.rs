use pushbench_core::feed::message::Content;
use pushbench_core::{Contender, Delivery};
use pushbench_protocol::{chunked, sse};

use crate::session::tests::{Heard, call, feed, payload, plan, session};
use crate::session::*;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
    Transfer-Encoding: chunked\r\nETag: \"4\"\r\n\r\n";

fn opened() -> Box<dyn Session> {
    let mut session = session(Contender::SSE, Delivery::Every);
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
    let mut session = session(Contender::SSE, Delivery::Latest);
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
    let weather = b"event: weather\ndata: fine\n\n";
    for (stream, others) in [(sse::KEEP_ALIVE, 0), (weather, 1), (b"retry: 10\n\n", 0)] {
        let wire = chunk(stream);
        let heard = feed(&mut *session, &wire, 4).unwrap();
        assert_eq!((heard.messages.len(), heard.layers()), (0, [0, wire.len() as u64, 0]));
        assert_eq!((heard.other_events.len(), heard.failures.len()), (others, 0));
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

/// A client of a server that is none of ours, and whose feed has events of this type.
fn foreign(event: Option<&str>) -> Box<dyn Session> {
    let mut plan = plan(Contender::SSE, Delivery::Every);
    plan.subject.path = Some("/events".to_owned());
    plan.subject.event = event.map(str::to_owned);
    let mut session = Sessions::new(&plan).session(0);
    call(|out| session.opened(out));
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n\r\n";
    assert_eq!(feed(&mut *session, head, 1000).unwrap().subscribed, 1);
    session
}

#[test]
fn an_event_of_the_default_type_may_say_so() {
    for stream in
        ["event: message\ndata: {\"n\": 5}\n\n", "event:message\r\ndata:{\"n\":5}\r\n\r\n"]
    {
        for step in [1, 1000] {
            let heard = feed(&mut *foreign(None), stream.as_bytes(), step).unwrap();
            assert_eq!((heard.messages, heard.other_events), (vec![5], Vec::<String>::new()));
        }
    }
    let heard = feed(&mut *opened(), &chunk(b"event: message\ndata: 0000000005\n\n"), 3).unwrap();
    assert_eq!((heard.messages.as_slice(), heard.layers()[0]), (&[5][..], 10));
}

#[test]
fn events_of_one_type_can_be_the_feed_and_the_others_are_told() {
    let stream =
        b"event: price\ndata: {\"n\":5}\n\ndata: {\"n\":6}\n\nevent: binary\ndata: {\"n\":7}\n\n\
        event: gone\ndata: 1\n\ndata: {\"n\":8}\nevent: price\n\n";
    for (event, messages, others) in [
        (Some("price"), &[5, 8][..], &["message", "binary", "gone"][..]),
        (Some("binary"), &[7], &["price", "message", "gone", "price"]),
        (Some("message"), &[6], &["price", "gone", "price"]),
    ] {
        for step in [1, 1000] {
            let heard = feed(&mut *foreign(event), stream, step).unwrap();
            assert_eq!(
                (heard.messages.as_slice(), heard.other_events.as_slice()),
                (messages, &*others.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
            );
        }
    }
}

#[test]
fn base64_whose_type_comes_behind_it_is_told_and_the_next_message_counts() {
    let stream = b"data: MDAwMDAwMDAwNA==\nevent: binary\n\ndata: {\"n\":5}\n\n";
    let heard = feed(&mut *foreign(None), stream, 1000).unwrap();
    assert_eq!((heard.messages.as_slice(), heard.failures.len()), (&[5][..], 1));
}

#[test]
fn a_message_without_a_number_is_told_and_the_next_one_counts() {
    let stream =
        b"data: {\"hello\":\"world\"}\n\ndata: {\"n\":1e3}\n\nid: 1\n\ndata: {\"n\":5}\n\n";
    let heard = feed(&mut *foreign(None), stream, 3).unwrap();
    assert_eq!(heard.messages, [5]);
    let [text, exponent] = heard.failures.as_slice() else { panic!("{heard:?}") };
    assert!(text.contains("GET /events") && text.contains("a string of something else"), "{text}");
    assert!(exponent.contains("an exponent"), "{exponent}");
}

/// §9.2.3 and §9.2.4: the id of the last event that was whole, as it came, in UTF-8.
#[test]
fn a_stream_resumes_by_the_id_of_its_last_event() {
    let mut session = foreign(None);
    let header = |session: &mut dyn Session| {
        call(|out| _ = session.closed(out));
        let asked = call(|out| session.opened(out));
        let text = asked.text().to_owned();
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        feed(session, head, 1000).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix("Last-Event-ID: "));
        assert!(!text.contains("after=") && text.ends_with("\r\n\r\n"), "{text}");
        value.map(str::to_owned)
    };
    assert_eq!(header(&mut *session), None);
    let events = "id: 17:0/gr\u{fc}n\ndata: {\"n\":5}\n\nid: 18\ndata: {\"n\":6}\n";
    assert_eq!(feed(&mut *session, events.as_bytes(), 4).unwrap().messages, [5]);
    assert_eq!(header(&mut *session).as_deref(), Some("17:0/gr\u{fc}n"));
    feed(&mut *session, b":still here\n\n", 4).unwrap();
    assert_eq!(header(&mut *session).as_deref(), Some("17:0/gr\u{fc}n"), "kept over a reconnect");
    feed(&mut *session, b"id\n\n", 4).unwrap();
    assert_eq!(header(&mut *session), None, "an empty id forgets it");
}

/// §9.2.3: a browser fails on any other media type.
#[test]
fn only_an_event_stream_is_listened_to() {
    for (line, found) in
        [("", "of no media type"), ("Content-Type: text/html; a=b\r\n", "of type `text/html; a=b`")]
    {
        let mut session = session(Contender::SSE, Delivery::Every);
        call(|out| session.opened(out));
        let wire = format!("HTTP/1.1 200 OK\r\n{line}ETag: \"4\"\r\n\r\ndata: 0000000005\n\n");
        let error = feed(&mut *session, wire.as_bytes(), 1000).unwrap_err().to_string();
        assert!(error.contains("GET /feed/sse") && error.contains(found), "{error}");
    }
}

#[test]
fn a_stream_that_ends_is_an_error() {
    let error = feed(&mut *opened(), chunked::LAST_CHUNK, 2).unwrap_err();
    assert!(matches!(error, ProtocolError::StreamEnded(_)), "{error}");
}
