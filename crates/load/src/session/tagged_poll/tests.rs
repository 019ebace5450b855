use pushbench_core::{Contender, Delivery};

use crate::session::tests::{call, feed, frame, payload, plan, upgrade};
use crate::session::*;

fn session(contender: Contender) -> Box<dyn Session> {
    let mut plan = plan(contender, Delivery::Every);
    plan.subject.path = Some("/sub?channel=a".to_owned());
    Sessions::new(&plan).session(0)
}

fn answer(tag: &str, seq: u64) -> Vec<u8> {
    let body = String::from_utf8(payload(seq, 64)).unwrap();
    format!("HTTP/1.1 200 OK\r\nContent-Length: 64\r\nEtag: {tag}\r\n\r\n{body}").into_bytes()
}

#[test]
fn a_long_poll_gives_back_the_tag_as_it_came() {
    let mut session = session(Contender::LONG_POLL);
    let asked = call(|out| session.opened(out));
    assert!(asked.text().starts_with("GET /sub?channel=a HTTP/1.1\r\n"), "{}", asked.text());
    assert!(!asked.text().contains("If-None-Match"));
    assert_eq!((asked.subscribed, asked.requests), (1, 1));
    let long = format!("W/\"1-{}\"", "t".repeat(4000));
    for (tag, seq, step) in
        [("1795257929:0", 1, 1000), ("W/\"x\"", 2, 7), (&long, 3, 100), ("\"42\"", 4, 1)]
    {
        let heard = feed(&mut *session, &answer(tag, seq), step).unwrap();
        assert_eq!((heard.messages.as_slice(), heard.requests), (&[seq][..], 1), "{tag}");
        let header = format!("\r\nIf-None-Match: {tag}\r\n\r\n");
        assert!(heard.text().ends_with(&header) && !heard.text().contains("after="), "{tag}");
        assert_eq!(heard.layers()[0], 64);
    }
}

#[test]
fn a_long_poll_that_the_server_lets_go_is_asked_again_from_where_it_was() {
    let mut session = session(Contender::LONG_POLL);
    call(|out| session.opened(out));
    feed(&mut *session, &answer("7:0", 1), 1000).unwrap();
    let late = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
    let heard = feed(&mut *session, late, 1000).unwrap();
    assert_eq!((heard.empty, heard.requests, heard.demand), (1, 0, Demand::AskAgain));
    let again = call(|out| session.ask_again(out));
    assert!(again.requests == 1 && again.text().contains("If-None-Match: 7:0\r\n"));
    // A server that does not heed the tag says the same again.
    let stale = feed(&mut *session, &answer("7:0", 1), 1000).unwrap();
    assert_eq!((&stale.messages[..], stale.demand), (&[1][..], Demand::AskAgain));
    call(|out| session.ask_again(out));
    let refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
    let error = feed(&mut *session, refused, 1000).unwrap_err().to_string();
    assert!(error.contains("403") && error.contains("/sub?channel=a"), "{error}");
}

/// An error page has a tag of its own, and is no place in the feed.
#[test]
fn the_tag_of_a_refusal_moves_nothing_on() {
    let mut session = session(Contender::LONG_POLL);
    call(|out| session.opened(out));
    feed(&mut *session, &answer("\"7\"", 1), 1000).unwrap();
    let refused =
        b"HTTP/1.1 503 Service Unavailable\r\nEtag: \"page\"\r\nContent-Length: 0\r\n\r\n";
    feed(&mut *session, refused, 1000).unwrap_err();
    call(|out| _ = session.closed(out));
    let again = call(|out| session.opened(out));
    assert!(again.text().contains("If-None-Match: \"7\"\r\n"), "{}", again.text());
}

#[test]
fn an_answer_without_a_number_is_told_and_asked_behind() {
    let mut session = session(Contender::LONG_POLL);
    call(|out| session.opened(out));
    let wire = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nEtag: \"9\"\r\n\r\n{\"n\":0}";
    let heard = feed(&mut *session, wire, 1000).unwrap();
    assert_eq!((heard.messages.len(), heard.failures.len(), heard.requests), (0, 1, 0));
    assert!(heard.failures[0].contains("its number is 0"), "{heard:?}");
    assert_eq!(heard.demand, Demand::AskAgain);
    let again = call(|out| session.ask_again(out));
    assert!(again.text().contains("If-None-Match: \"9\"\r\n"));
}

/// Neither says where the stream begins, and after a loss neither is asked for our cursor.
#[test]
fn streams_begin_where_a_server_does_not_say() {
    let mut sse = session(Contender::SSE);
    assert!(call(|out| sse.opened(out)).text().contains("\r\nAccept: text/event-stream\r\n"));
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    assert_eq!(feed(&mut *sse, head, 9).unwrap().subscribed, 1);
    let event = [b"id: 17:0\ndata: ", &payload(5, 64)[..], b"\n\n"].concat();
    assert_eq!(feed(&mut *sse, &event, 9).unwrap().messages, [5]);
    assert_eq!(sse.closed(&mut Output::default()), Ending::Broken);
    assert!(call(|out| sse.opened(out)).text().starts_with("GET /sub?channel=a HTTP/1.1\r\n"));

    let mut websocket = session(Contender::WEBSOCKET);
    let request = call(|out| websocket.opened(out));
    let accepted = upgrade(request.text(), 0);
    let accepted = String::from_utf8(accepted).unwrap().replace("ETag: \"0\"\r\n", "");
    assert_eq!(feed(&mut *websocket, accepted.as_bytes(), 9).unwrap().subscribed, 1);
    let heard = feed(&mut *websocket, &frame(0x81, &payload(6, 64)), 9).unwrap();
    assert_eq!(heard.messages, [6]);
}
