use pushbench_core::{Contender, Delivery};
use pushbench_protocol::batch;

use crate::session::tests::{Heard, call, feed, payload, response, session};
use crate::session::*;

fn batch_of(seqs: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut body = Vec::new();
    seqs.into_iter().for_each(|seq| batch::push(&mut body, &payload(seq, 64)));
    body
}

/// A session that has learnt that the feed stands at `cursor`, on an open connection.
fn subscribed(contender: Contender, delivery: Delivery, cursor: u64) -> Box<dyn Session> {
    let mut session = session(contender, delivery);
    let asked = call(|out| session.opened(out));
    assert_eq!(asked.requests, 1);
    let heard = feed(&mut *session, &response("204 No Content", cursor, b""), 9).unwrap();
    assert_eq!((heard.subscribed, heard.empty), (1, 1));
    session
}

fn tick(session: &mut dyn Session) -> Heard {
    call(|out| session.tick(out))
}

#[test]
fn every_message_is_asked_for_by_cursor() {
    let mut session = subscribed(Contender::SHORT_POLL, Delivery::Every, 40);
    let asked = tick(&mut *session);
    let request = "GET /feed/poll?after=40 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
    assert_eq!((asked.text(), asked.requests), (request, 1));
    // The tag is the feed's newest, the batch stops short of it.
    let heard = feed(&mut *session, &response("200 OK", 99, &batch_of([41, 42])), 1000).unwrap();
    assert_eq!((heard.messages, heard.empty), (vec![41, 42], 0));
    assert!(tick(&mut *session).text().starts_with("GET /feed/poll?after=42 "));
    let heard = feed(&mut *session, &response("204 No Content", 42, b""), 1000).unwrap();
    assert_eq!((heard.messages, heard.empty), (vec![], 1));
    assert!(tick(&mut *session).text().starts_with("GET /feed/poll?after=42 "));
}

#[test]
fn a_tick_that_finds_a_poll_outstanding_is_skipped() {
    let mut session = subscribed(Contender::SHORT_POLL, Delivery::Every, 1);
    assert_eq!(tick(&mut *session).requests, 1);
    let skipped = tick(&mut *session);
    assert_eq!((skipped.requests, skipped.skipped, skipped.sent.len()), (0, 1, 0));
    // Half an answer is none.
    let answer = response("200 OK", 2, &batch_of([2]));
    feed(&mut *session, &answer[..answer.len() - 1], 1000).unwrap();
    assert_eq!(tick(&mut *session).skipped, 1);
    feed(&mut *session, &answer[answer.len() - 1..], 1000).unwrap();
    assert_eq!(tick(&mut *session).requests, 1);
}

#[test]
fn a_conditional_poll_keeps_cursor_and_tag() {
    let mut session = subscribed(Contender::SHORT_POLL_CONDITIONAL, Delivery::Every, 7);
    assert_eq!(
        tick(&mut *session).text(),
        "GET /feed/poll?after=7 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nIf-None-Match: \"7\"\r\n\r\n"
    );
    let heard = feed(&mut *session, &response("304 Not Modified", 7, b""), 1000).unwrap();
    assert_eq!(heard.empty, 1);
    tick(&mut *session);
    feed(&mut *session, &response("200 OK", 8, &batch_of([8])), 1000).unwrap();
    assert!(tick(&mut *session).text().contains("If-None-Match: \"8\"\r\n"));
}

#[test]
fn the_newest_value_counts_once() {
    for contender in [Contender::SHORT_POLL, Contender::SHORT_POLL_CONDITIONAL] {
        let mut session = subscribed(contender, Delivery::Latest, 0);
        let conditional = contender == Contender::SHORT_POLL_CONDITIONAL;
        for (seq, is_new) in [(3, true), (3, false), (5, true)] {
            let asked = tick(&mut *session);
            assert!(asked.text().starts_with("GET /feed/poll?delivery=latest HTTP/1.1\r\n"));
            assert_eq!(asked.text().contains("If-None-Match"), conditional);
            let answer = response("200 OK", seq, &payload(seq, 21));
            let heard = feed(&mut *session, &answer, 10).unwrap();
            assert_eq!((heard.messages.len(), heard.empty), (is_new.into(), (!is_new).into()));
            // Old or new, its bytes are payload.
            assert_eq!(heard.layers()[0], 21);
        }
    }
}

#[test]
fn each_poll_of_the_closing_kind_has_its_own_connection() {
    let mut session = session(Contender::SHORT_POLL_CLOSE, Delivery::Every);
    let first = call(|out| session.opened(out));
    assert_eq!(
        first.text(),
        "GET /feed/poll HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: close\r\n\r\n"
    );
    let heard = feed(&mut *session, &response("204 No Content", 3, b""), 1000).unwrap();
    assert_eq!((heard.subscribed, heard.demand), (1, Demand::Keep), "the server closes");
    let mut out = Output::default();
    assert_eq!(session.closed(&mut out), Ending::Done);
    assert!(out.is_plain());

    let asked = tick(&mut *session);
    assert_eq!((asked.requests, asked.demand), (0, Demand::Connect));
    assert_eq!(tick(&mut *session).skipped, 1, "while the connection opens");
    let request = call(|out| session.opened(out));
    assert!(request.requests == 1 && request.text().starts_with("GET /feed/poll?after=3 "));
    // Without a length, the body ends with the connection.
    let answer = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), batch_of([4])].concat();
    assert_eq!(feed(&mut *session, &answer, 1000).unwrap().messages, [4]);
    assert_eq!(tick(&mut *session).skipped, 1);
    assert_eq!(call(|out| _ = session.closed(out)).failures, [""; 0]);
    assert_eq!(tick(&mut *session).demand, Demand::Connect);

    call(|out| session.opened(out));
    let cut = call(|out| assert_eq!(session.closed(out), Ending::Done));
    assert_eq!(
        cut.failures,
        ["the connection ended within the answer to GET /feed/poll?after=4; did the server fail?"]
    );
}

#[test]
fn a_refused_poll_is_counted_and_the_next_one_asks_again() {
    let mut session = subscribed(Contender::SHORT_POLL, Delivery::Every, 5);
    tick(&mut *session);
    let answer = response("500 Internal Server Error", 0, b"");
    let heard = feed(&mut *session, &answer, 1000).unwrap();
    let expected = "the server answered 500 Internal Server Error to GET /feed/poll?after=5, \
                    expected 200 or 204";
    assert_eq!(heard.failures, [expected]);
    assert!(tick(&mut *session).text().starts_with("GET /feed/poll?after=5 "));
}

#[test]
fn a_lost_connection_resumes_at_the_cursor() {
    let mut session = subscribed(Contender::SHORT_POLL, Delivery::Every, 5);
    tick(&mut *session);
    let mut out = Output::default();
    assert_eq!(session.closed(&mut out), Ending::Broken);
    assert_eq!(tick(&mut *session).skipped, 1, "there is no connection");
    let back = call(|out| session.opened(out));
    assert_eq!((back.requests, back.subscribed), (0, 1));
    assert!(tick(&mut *session).text().starts_with("GET /feed/poll?after=5 "));
}

#[test]
fn messages_are_under_way_behind_a_full_answer_and_within_one() {
    let mut session = subscribed(Contender::SHORT_POLL, Delivery::Every, 5);
    assert!(!session.under_way());
    tick(&mut *session);
    assert!(!session.under_way(), "nobody knows what the answer will be");
    // The newest is 9, and there was room for 6 and 7.
    let answer = response("200 OK", 9, &batch_of([6, 7]));
    let (start, rest) = answer.split_at(answer.len() - 9);
    feed(&mut *session, start, 1000).unwrap();
    assert!(session.under_way(), "the answer has begun");
    feed(&mut *session, rest, 1000).unwrap();
    assert!(session.under_way(), "it stopped short of the newest");
    tick(&mut *session);
    feed(&mut *session, &response("200 OK", 9, &batch_of([8, 9])), 1000).unwrap();
    assert!(!session.under_way());

    tick(&mut *session);
    feed(&mut *session, &start[..start.len() - 40], 1000).unwrap();
    assert!(session.under_way());
    call(|out| _ = session.closed(out));
    assert!(!session.under_way(), "its connection is gone");
}

#[test]
fn an_answer_as_long_as_may_be_is_full_whatever_its_tag() {
    let mut session = subscribed(Contender::SHORT_POLL, Delivery::Every, 0);
    let payloads = |size: usize| {
        let mut body = Vec::new();
        (1..=15).for_each(|seq| batch::push(&mut body, &payload(seq, size)));
        body
    };
    for (size, full) in [(68_000, true), (40_000, false)] {
        tick(&mut *session);
        feed(&mut *session, &response("200 OK", 15, &payloads(size)), 1 << 20).unwrap();
        assert_eq!(session.under_way(), full, "{size}");
    }
}

#[test]
fn an_answer_without_a_question_is_refused() {
    let mut session = subscribed(Contender::SHORT_POLL, Delivery::Every, 5);
    let answer = response("204 No Content", 5, b"");
    assert!(matches!(feed(&mut *session, &answer, 1000), Err(ProtocolError::Unasked(_))));
}

/// RFC 9112 §9.6: a client asks nothing more on it.
#[test]
fn where_the_server_closes_the_next_poll_waits_for_a_connection() {
    let mut session = subscribed(Contender::SHORT_POLL, Delivery::Every, 5);
    tick(&mut *session);
    let answer = b"HTTP/1.0 200 OK\r\nContent-Length: 13\r\n\r\n10\n0000000006";
    let heard = feed(&mut *session, answer, 1000).unwrap();
    assert_eq!((heard.messages.as_slice(), heard.demand), (&[6][..], Demand::HangUp));
    assert_eq!(session.closed(&mut Output::default()), Ending::Idle { served: true });
    assert_eq!(tick(&mut *session).skipped, 1, "until there is one");
    call(|out| session.opened(out));
    assert!(tick(&mut *session).text().starts_with("GET /feed/poll?after=6 "));
}

#[test]
fn a_server_without_cursors_is_refused() {
    let mut session = session(Contender::SHORT_POLL, Delivery::Every);
    call(|out| session.opened(out));
    let error = feed(&mut *session, b"HTTP/1.1 204 No Content\r\n\r\n", 1000).unwrap_err();
    assert!(error.to_string().contains("is it a pushbench server?"), "{error}");
}

#[test]
fn a_batch_that_is_cut_short_is_refused() {
    for (body, part) in [(&b"20\nshort"[..], "within a message"), (b"<html>", "message's length")] {
        let mut session = subscribed(Contender::SHORT_POLL, Delivery::Every, 5);
        tick(&mut *session);
        let error = feed(&mut *session, &response("200 OK", 6, body), 4).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("GET /feed/poll?after=5"), "{error}");
    }
    let mut session = subscribed(Contender::SHORT_POLL, Delivery::Every, 5);
    tick(&mut *session);
    let error = feed(&mut *session, &response("200 OK", 6, b"5\nhello"), 4).unwrap_err();
    assert!(matches!(error, ProtocolError::NoSequence { .. }), "{error}");
}
