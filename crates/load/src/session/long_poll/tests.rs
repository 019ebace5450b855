use pushbench_core::{Contender, Delivery};
use pushbench_protocol::batch;

use crate::session::tests::{call, feed, payload, response, session};
use crate::session::*;

fn answer(delivery: Delivery, cursor: u64, seqs: &[u64]) -> Vec<u8> {
    let mut body = Vec::new();
    for &seq in seqs {
        match delivery {
            Delivery::Every => batch::push(&mut body, &payload(seq, 64)),
            Delivery::Latest => body = payload(seq, 64),
        }
    }
    response("200 OK", cursor, &body)
}

#[test]
fn it_subscribes_and_then_asks_again_at_once() {
    for delivery in [Delivery::Every, Delivery::Latest] {
        let query = if delivery == Delivery::Latest { "delivery=latest&" } else { "" };
        let mut session = session(Contender::LONG_POLL, delivery);
        let asked = call(|out| session.opened(out));
        let target = format!("GET /feed/long-poll?{query}timeout=0s HTTP/1.1\r\n");
        assert!(asked.text().starts_with(&target), "{}", asked.text());

        let first = feed(&mut *session, &response("204 No Content", 6, b""), 5).unwrap();
        assert_eq!((first.subscribed, first.requests), (1, 1));
        let target = format!("GET /feed/long-poll?{query}timeout=30s&after=6 HTTP/1.1\r\n");
        assert!(first.text().starts_with(&target), "{}", first.text());

        let next = feed(&mut *session, &answer(delivery, 7, &[7]), 1000).unwrap();
        assert_eq!((next.messages.as_slice(), next.requests, next.empty), (&[7][..], 1, 0));
        assert!(next.text().contains("&after=7 ") && next.subscribed == 0);

        let timeout = feed(&mut *session, &response("204 No Content", 7, b""), 1000).unwrap();
        assert_eq!((timeout.requests, timeout.empty), (0, 1));
        assert_eq!(timeout.demand, Demand::AskAgain, "whoever has a clock says when");
        let again = call(|out| session.ask_again(out));
        assert!(again.requests == 1 && again.text().contains("&after=7 "));
        assert_eq!(call(|out| session.ask_again(out)).requests, 0, "one is outstanding");
        // What the client has already is no news.
        if delivery == Delivery::Every {
            let stale = feed(&mut *session, &answer(delivery, 7, &[7]), 1000).unwrap();
            assert_eq!((&stale.messages[..], stale.demand), (&[7][..], Demand::AskAgain));
        }
    }
}

#[test]
fn after_a_loss_it_waits_from_its_cursor() {
    let mut session = session(Contender::LONG_POLL, Delivery::Every);
    call(|out| session.opened(out));
    feed(&mut *session, &answer(Delivery::Every, 3, &[2, 3]), 1000).unwrap();
    let mut out = Output::default();
    assert_eq!(session.closed(&mut out), Ending::Broken);
    assert!(out.is_plain(), "no answer had begun: {out:?}");
    let back = call(|out| session.opened(out));
    assert_eq!((back.subscribed, back.requests), (1, 1));
    assert!(back.text().contains("timeout=30s&after=3 "));
}

#[test]
fn where_the_server_closes_the_next_request_waits_for_a_connection() {
    let mut session = session(Contender::LONG_POLL, Delivery::Every);
    call(|out| session.opened(out));
    let head = b"HTTP/1.1 204 No Content\r\nETag: \"3\"\r\nConnection: close\r\n\r\n";
    let heard = feed(&mut *session, head, 1000).unwrap();
    assert_eq!((heard.subscribed, heard.requests, heard.demand), (1, 0, Demand::HangUp));
    call(|out| _ = session.closed(out));
    assert_eq!(call(|out| session.opened(out)).requests, 1);
}

#[test]
fn an_answer_cut_short_is_told() {
    let mut session = session(Contender::LONG_POLL, Delivery::Every);
    call(|out| session.opened(out));
    let whole = answer(Delivery::Every, 3, &[2, 3]);
    feed(&mut *session, &whole[..whole.len() - 70], 1000).unwrap();
    let heard = call(|out| _ = session.closed(out));
    assert_eq!(heard.failures.len(), 1, "{heard:?}");
    assert!(heard.failures[0].contains("GET /feed/long-poll?timeout=0s"));
}

/// A body that only the end of its connection ends may turn out to have no number: nothing came of
/// the request, so that what follows is an attempt like others.
#[test]
fn an_answer_that_ends_with_its_connection_and_has_no_number_is_a_failure() {
    let mut session = session(Contender::LONG_POLL, Delivery::Latest);
    call(|out| session.opened(out));
    feed(&mut *session, &answer(Delivery::Latest, 3, &[3]), 1000).unwrap();
    let head = b"HTTP/1.1 200 OK\r\nETag: \"4\"\r\n\r\nno number";
    feed(&mut *session, head, 1000).unwrap();
    let mut ending = None;
    let heard = call(|out| ending = Some(session.closed(out)));
    assert_eq!((heard.failures.len(), ending), (1, Some(Ending::Broken)), "{heard:?}");
}
