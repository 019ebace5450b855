//! Sessions of clients that talk, on slices: each transport in its room, and what its clients say.

use pushbench_core::talk::{Pace, Pattern, Talk};
use pushbench_core::units::Rate;
use pushbench_core::{Contender, Delivery};
use pushbench_metrics::observe::ledger::{Direction, Layer};

use crate::session::tests::{call, feed, frame, plan, response, upgrade};
use crate::session::*;

/// Rooms of two: the third client is in the second room.
fn sessions(contender: Contender, pattern: Pattern) -> Sessions {
    let rate = Rate::from_hz(1.0).unwrap();
    let talk = Talk { pattern, rate, pace: Pace::Constant, room_size: 2, bytes: 24 };
    let plan = LoadPlan { talk: Some(talk), ..plan(contender, Delivery::Every) };
    Sessions::new(&plan)
}

/// Messages of two senders, the newer of which has the smaller number.
const FIRST: &[u8] = b"00000000010000000007 abc";
const SECOND: &[u8] = b"00000000000000000003 abc";

/// The target of the first request of `client`.
fn asks(sessions: &Sessions, client: u32) -> String {
    let asked = call(|out| sessions.session(client).opened(out));
    asked.text().lines().next().unwrap().to_owned()
}

#[test]
fn each_client_listens_in_its_room() {
    let asked = [
        (Contender::SHORT_POLL, "GET /rooms/room-1/poll HTTP/1.1"),
        (Contender::LONG_POLL, "GET /rooms/room-1/long-poll?timeout=0s HTTP/1.1"),
        (Contender::SSE, "GET /rooms/room-1/sse HTTP/1.1"),
        (Contender::WEBSOCKET, "GET /rooms/room-1/ws HTTP/1.1"),
    ];
    for (contender, line) in asked {
        assert_eq!(asks(&sessions(contender, Pattern::Chat), 2), line);
    }
    assert_eq!(asks(&sessions(Contender::WEBSOCKET, Pattern::Echo), 2), "GET /echo HTTP/1.1");
}

/// The numbers of what is heard are their senders', so that the place to go on from is counted.
#[test]
fn a_stream_goes_on_from_where_it_was_in_the_room() {
    let sessions = sessions(Contender::SSE, Pattern::Chat);
    let mut session = sessions.session(0);
    call(|out| session.opened(out));
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nETag: \"40\"\r\n\r\n";
    let event =
        |id: u32, text: &[u8]| [format!("id: {id}\ndata: ").as_bytes(), text, b"\n\n"].concat();
    let wire = [&head[..], &event(41, FIRST), &event(42, SECOND)].concat();
    let heard = feed(&mut *session, &wire, 7).unwrap();
    assert_eq!(heard.messages, [7, 3]);
    let mut ending = Ending::Done;
    call(|out| ending = session.closed(out));
    assert_eq!(ending, Ending::Broken);
    let again = call(|out| session.opened(out));
    assert!(again.text().starts_with("GET /rooms/room-0/sse?after=42 "), "{}", again.text());
}

#[test]
fn a_poll_goes_on_from_where_it_was_in_the_room() {
    let sessions = sessions(Contender::LONG_POLL, Pattern::Chat);
    let mut session = sessions.session(1);
    call(|out| session.opened(out));
    let batch = |texts: &[&[u8]]| {
        texts.iter().fold(Vec::new(), |mut body, text| {
            pushbench_protocol::batch::push(&mut body, text);
            body
        })
    };
    let subscribed = feed(&mut *session, &response("204 No Content", 9, b""), 9).unwrap();
    assert!(subscribed.text().starts_with("GET /rooms/room-0/long-poll?timeout=30s&after=9 "));
    let wire = response("200 OK", 11, &batch(&[FIRST, SECOND]));
    let heard = feed(&mut *session, &wire, 5).unwrap();
    assert_eq!(heard.messages, [7, 3]);
    assert!(heard.text().starts_with("GET /rooms/room-0/long-poll?timeout=30s&after=11 "));
}

/// On a WebSocket what is said goes out masked (RFC 6455 §5.3), its head as framing.
#[test]
fn a_websocket_says_it_on_the_connection_on_which_it_listens() {
    let sessions = sessions(Contender::WEBSOCKET, Pattern::Chat);
    assert!(!sessions.speak_apart() && sessions.speaker(0).is_none());
    let mut session = sessions.session(0);
    let mut said = true;
    call(|out| said = session.say(FIRST, out));
    assert!(!said, "there is no connection yet");
    let asked = call(|out| session.opened(out));
    feed(&mut *session, &upgrade(asked.text(), 5), 1000).unwrap();
    let heard = call(|out| said = session.say(FIRST, out));
    assert!(said);
    let [0x81, length, rest @ ..] = &heard.sent[..] else { panic!("{:?}", heard.sent) };
    assert_eq!(usize::from(*length), 0x80 | FIRST.len());
    let (mask, masked) = rest.split_at(4);
    let text: Vec<u8> =
        masked.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    assert_eq!(text, FIRST);
    let up = |layer| heard.sent_tally.get(Direction::Up, layer);
    assert_eq!((up(Layer::Framing), up(Layer::Payload)), (6, FIRST.len() as u64));
    let echo = feed(&mut *session, &frame(0x81, FIRST), 4).unwrap();
    assert_eq!(echo.messages, [7]);
}

#[test]
fn others_say_it_by_one_request_after_another_on_a_second_connection() {
    let sessions = sessions(Contender::SSE, Pattern::Chat);
    let mut speaker = sessions.speaker(2).unwrap();
    let early = call(|out| assert!(speaker.say(FIRST, out)));
    assert!(early.sent.is_empty(), "there is no connection yet");
    let opened = call(|out| speaker.opened(out));
    assert_eq!((opened.subscribed, opened.requests), (1, 1));
    let text = opened.text();
    assert!(text.starts_with("POST /rooms/room-1/messages HTTP/1.1\r\n"), "{text}");
    assert!(text.contains("\r\nContent-Length: 24\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\n00000000010000000007 abc"), "{text}");
    let up = |layer| opened.sent_tally.get(Direction::Up, layer);
    assert_eq!((up(Layer::Http), up(Layer::Payload)), (text.len() as u64 - 24, 24));

    let waits = call(|out| assert!(speaker.say(SECOND, out)));
    assert!(waits.sent.is_empty(), "one is outstanding");
    let answer = response("201 Created", 1, b"{\"seq\":1}");
    let next = feed(&mut *speaker, &answer, 3).unwrap();
    assert!(next.text().ends_with("\r\n\r\n00000000000000000003 abc"), "{}", next.text());

    let refused = response("429 Too Many Requests", 0, b"slow down");
    let refused = feed(&mut *speaker, &refused, 100).unwrap();
    let [failure] = &refused.failures[..] else { panic!("{refused:?}") };
    assert!(failure.contains("429") && failure.contains("POST /rooms/room-1"), "{failure}");
    assert!(failure.contains("slow down"), "{failure}");
}

/// Nobody knows whether the server took it: said again, hearers would have it twice.
#[test]
fn what_was_not_answered_is_not_said_again() {
    let sessions = sessions(Contender::LONG_POLL, Pattern::Chat);
    let mut speaker = sessions.speaker(0).unwrap();
    call(|out| speaker.opened(out));
    call(|out| assert!(speaker.say(FIRST, out)));
    call(|out| assert!(speaker.say(SECOND, out)));
    let mut ending = Ending::Done;
    call(|out| ending = speaker.closed(out));
    assert_eq!(ending, Ending::Broken);
    let again = call(|out| speaker.opened(out));
    assert!(again.text().ends_with("\r\n\r\n00000000000000000003 abc"), "{}", again.text());
}
