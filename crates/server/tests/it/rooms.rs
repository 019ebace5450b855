//! Rooms: everybody there hears the same messages in the same order, by whichever transport.

use std::time::Duration;

use pushbench_server::{Allowance, RingLimits, RoomLimits, ServerConfig};

use crate::client::{Client, Response, Running, get, manual};
use crate::websocket::{close, frame, handshake, next};

/// The settings of a server whose feed is published by hand, with rooms that `change` bounds.
pub(crate) fn rooms(change: impl FnOnce(&mut RoomLimits)) -> ServerConfig {
    let mut config = manual();
    change(&mut config.rooms);
    config
}

/// Says something in a room on a connection that is kept.
pub(crate) fn say(client: &mut Client, room: &str, body: impl AsRef<[u8]>) -> Response {
    let body = body.as_ref();
    client.send(post(room, body.len(), ""));
    client.send(body);
    client.response()
}

fn post(room: &str, length: usize, fields: &str) -> String {
    format!(
        "POST /rooms/{room}/messages HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {length}\r\n\r\n"
    )
}

pub(crate) fn enter(server: &Running, target: &str) -> Client {
    let mut client = server.connect();
    client.send(handshake(target));
    assert!(client.take_until("\r\n\r\n").starts_with("HTTP/1.1 101 "));
    client
}

fn listen(server: &Running, target: &str) -> Client {
    let mut client = server.connect();
    client.send(get(target));
    assert!(client.take_until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
    client
}

/// The next chunk's bytes.
fn chunk(client: &mut Client) -> String {
    let length = client.take_until("\r\n");
    let length = usize::from_str_radix(length.trim_end(), 16).unwrap();
    let bytes = client.take(length);
    client.expect("\r\n");
    String::from_utf8(bytes).unwrap()
}

fn json(response: &Response) -> serde_json::Value {
    serde_json::from_str(response.text()).unwrap()
}

#[test]
fn whoever_says_something_is_told_its_number_in_the_room() {
    let server = Running::start();
    let mut client = server.connect();
    for (room, number) in [("a", 1), ("a", 2), ("b.-_9", 1), ("a", 3)] {
        let response = say(&mut client, room, "x");
        assert_eq!(response.status, 201);
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.text(), format!("{{\"seq\":{number}}}"));
    }
    assert_eq!(server.get("/rooms/a/poll?after=0").text(), "1\nx1\nx1\nx");
    assert_eq!(server.get("/rooms/a/poll?after=0&delivery=latest").text(), "x");
    assert_eq!(server.get("/rooms/b.-_9/poll?after=0").etag(), "\"1\"");
    assert_eq!(server.get("/feed/poll?after=0").status, 204, "the feed is another room");
}

/// One speaks on its socket, the others hear it; another by POST.
#[test]
fn all_hear_the_same_in_the_same_order_by_whichever_transport() {
    let server = Running::start();
    let mut speaker = enter(&server, "/rooms/r/ws");
    let mut socket = enter(&server, "/rooms/r/ws");
    let mut events = listen(&server, "/rooms/r/sse");
    let mut poster = server.connect();
    let mut waiting = server.connect();
    waiting.send(get("/rooms/r/long-poll"));
    server
        .until("a long poll waits", |server| server.metric("pushbench_long_polls_waiting") == 1.0);

    speaker.send(frame(0x81, "grüß\r\ngott".as_bytes()));
    assert_eq!(next(&mut socket), (0x81, "grüß\r\ngott".into()));
    assert_eq!(say(&mut poster, "r", "two\nlines").text(), "{\"seq\":2}");
    speaker.send(frame(0x82, b"\x00\xff"));

    assert_eq!(next(&mut speaker), (0x81, "grüß\r\ngott".into()), "its sender hears it too");
    for client in [&mut speaker, &mut socket] {
        assert_eq!(next(client), (0x81, b"two\nlines".to_vec()));
        assert_eq!(next(client), (0x82, b"\x00\xff".to_vec()));
    }
    // Text with a carriage return has no form of its own in an event.
    assert_eq!(chunk(&mut events), "id: 1\nevent: binary\ndata: Z3LDvMOfDQpnb3R0\n\n");
    assert_eq!(chunk(&mut events), "id: 2\ndata: two\ndata: lines\n\n");
    assert_eq!(chunk(&mut events), "id: 3\nevent: binary\ndata: AP8=\n\n");
    assert_eq!(waiting.response().body, "12\ngrüß\r\ngott".as_bytes());
    waiting.send(get("/rooms/r/long-poll?after=1"));
    let rest = waiting.response();
    assert_eq!((rest.etag(), &rest.body[..]), ("\"3\"", &b"9\ntwo\nlines2\n\x00\xff"[..]));
    assert_eq!(server.metric("pushbench_said_total"), 3.0);
}

#[test]
fn a_message_may_come_in_pieces_or_behind_another() {
    let server = Running::start();
    let mut client = server.connect();
    let whole = [post("r", 5, ""), "first".to_owned(), post("r", 6, ""), "second".to_owned()];
    for byte in whole.concat().as_bytes() {
        client.send([*byte]);
    }
    for number in 1..=2 {
        assert_eq!(client.response().text(), format!("{{\"seq\":{number}}}"));
    }
    client.send([whole.concat(), get("/rooms/r/poll?after=3")].concat());
    for number in 3..=4 {
        assert_eq!(client.response().text(), format!("{{\"seq\":{number}}}"));
    }
    assert_eq!(client.response().text(), "6\nsecond");
}

/// Where a body ends is never for two readers to judge.
#[test]
fn a_message_whose_length_is_not_plain_is_read_as_http_has_it() {
    let server = Running::start();
    let mut client = server.connect();
    client.send(
        "POST /rooms/r/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    );
    assert_eq!(client.response().text(), "{\"seq\":1}");
    client.send(post("r", 1, "Expect: 100-continue\r\n"));
    client.expect("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("x");
    assert_eq!(client.response().text(), "{\"seq\":2}");
    assert_eq!(server.get("/rooms/r/poll?after=0").text(), "5\nabcde1\nx");
    let smuggled = get("/rooms/r/poll?after=0");
    for fields in [
        "Content-Length: 0\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity, chunked\r\n",
        "Content-Length: +1\r\n",
    ] {
        let mut client = server.connect();
        client.send(post("r", smuggled.len(), fields));
        client.send(&smuggled);
        let response = client.response();
        assert_eq!(response.status, 400, "{fields}");
        client.expect_end();
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let server = Running::with(rooms(|limits| limits.message = 10));
    for (body, status) in
        [(&b""[..], 400), (b"\xff", 400), (b"0123456789a", 413), (b"0123456789", 201)]
    {
        let mut client = server.connect();
        assert_eq!(say(&mut client, "r", body).status, status, "{}", body.escape_ascii());
    }
    let mut client = server.connect();
    client.send(post("r", 1, "Content-Type: application/octet-stream\r\n"));
    client.send([0xff]);
    assert_eq!(client.response().status, 201);
    for name in ["", "a/b", "%41", "a%20b", &"x".repeat(65)] {
        let mut client = server.connect();
        assert_eq!(say(&mut client, name, "x").status, 404, "{name}");
    }
    assert_eq!(server.get("/rooms/r/messages").status, 405);
    assert_eq!(server.get("/rooms/r/poll?presence=1").status, 400);
    assert_eq!(server.metric("pushbench_said_refused_total"), 2.0);
}

#[test]
fn whoever_says_too_much_is_told_so() {
    let server = Running::with(rooms(|limits| {
        limits.says = Allowance { per_second: 0.01, at_once: 3 };
        limits.message = 100;
    }));
    let mut poster = server.connect();
    for _ in 0..3 {
        assert_eq!(say(&mut poster, "r", "x").status, 201);
    }
    let refused = say(&mut poster, "r", "x");
    assert_eq!(refused.status, 429);
    let after: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((90..=101).contains(&after), "{after} s");
    assert_eq!(server.get("/rooms/r/poll?after=2").text(), "1\nx", "the room has three");

    let mut speaker = enter(&server, "/rooms/r/ws");
    for _ in 0..3 {
        speaker.send(frame(0x81, b"y"));
        assert_eq!(next(&mut speaker).1, b"y");
    }
    speaker.send(frame(0x81, b"y"));
    let (code, reason) = close(&mut speaker);
    assert_eq!(code, 1008);
    assert!(reason.contains("3 messages at once"), "{reason}");
    speaker.send(frame(0x88, &1008_u16.to_be_bytes()));
    speaker.expect_end();

    let mut large = enter(&server, "/rooms/r/ws");
    large.send(frame(0x81, &[b'z'; 101]));
    assert_eq!(close(&mut large).0, 1009);
}

#[test]
fn rooms_are_bounded_for_each_and_for_all() {
    let server = Running::with(rooms(|limits| {
        limits.rooms = 4;
        limits.begins = Allowance { per_second: 0.01, at_once: 3 };
    }));
    let mut client = server.connect();
    for room in ["a", "b", "c", "a"] {
        assert_eq!(say(&mut client, room, "x").status, 201);
    }
    let refused = say(&mut client, "d", "x");
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").is_some());
    client.send(get("/rooms/d/poll"));
    assert_eq!(client.response().status, 429);
    let mut another = server.connect();
    assert_eq!(say(&mut another, "d", "x").status, 201);
    let full = say(&mut another, "e", "x");
    assert_eq!(full.status, 503);
    assert!(full.header("retry-after").is_some());
    assert_eq!(server.ask(&handshake("/rooms/e/ws")).status, 503);
    assert_eq!(server.metric("pushbench_rooms_open"), 4.0);
}

#[test]
fn a_room_holds_as_much_of_the_past_as_it_may() {
    let server = Running::with(rooms(|limits| {
        limits.ring = RingLimits { messages: 3, bytes: 1 << 20 };
    }));
    let mut client = server.connect();
    for _ in 0..5 {
        say(&mut client, "r", "x");
    }
    let gone = server.get("/rooms/r/poll?after=1");
    assert_eq!(gone.status, 410);
    assert_eq!(json(&gone)["oldest"], 3);
    assert_eq!(server.ask(&handshake("/rooms/r/ws?after=1")).status, 410);
    assert_eq!(server.get("/rooms/r/poll?after=2").text(), "1\nx1\nx1\nx");
}

#[test]
fn all_rooms_share_the_memory_that_there_is() {
    let share: u32 = 40 << 10;
    let server = Running::with(rooms(|limits| limits.memory = 4 * share as usize));
    let mut client = server.connect();
    for room in ["a", "b", "c", "d"] {
        for _ in 0..10 {
            say(&mut client, room, [b'x'; 10_000]);
        }
    }
    server.until("none has more than its share", |server| {
        server.metric("pushbench_rooms_bytes") <= 4.0 * f64::from(share)
    });
    assert!(server.metric("pushbench_rooms_bytes") > 2.0 * f64::from(share));
    for room in ["a", "b", "c", "d"] {
        let newest = server.get(&format!("/rooms/{room}/poll?after=9"));
        assert_eq!(newest.body.len(), 10_006, "{room}");
    }
}

#[test]
fn a_room_tells_who_is_there() {
    let server = Running::start();
    let connected = |server: &Running| json(&server.get("/rooms/r"))["connected"].clone();
    let room = json(&server.get("/rooms/r"));
    assert_eq!((&room["name"], &room["connected"]), (&"r".into(), &0.into()));
    assert_eq!((&room["oldest"], &room["newest"]), (&0.into(), &0.into()));
    let socket = enter(&server, "/rooms/r/ws");
    let events = listen(&server, "/rooms/r/sse");
    let mut polling = server.connect();
    polling.send(get("/rooms/r/poll"));
    assert_eq!(polling.response().status, 204);
    assert_eq!(connected(&server), 3);
    let mut poster = server.connect();
    assert_eq!(say(&mut poster, "r", "x").status, 201);
    assert_eq!(connected(&server), 3, "one that only says something is not there");
    polling.send(get("/rooms/s/poll"));
    assert_eq!(polling.response().status, 204);
    assert_eq!(connected(&server), 2, "it has gone elsewhere");
    drop(socket);
    server.until("the socket is gone", |server| connected(server) == 1);
    drop(events);
    server.until("the events are gone", |server| connected(server) == 0);
    let room = json(&server.get("/rooms/r"));
    assert_eq!((&room["oldest"], &room["newest"]), (&1.into(), &1.into()));
}

#[test]
fn who_wants_to_know_it_is_told_how_many_there_are() {
    let server = Running::start();
    let request = handshake("/rooms/r/ws").replace(
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Protocol: chat, pushbench.tagged.v1\r\nSec-WebSocket-Key",
    );
    let mut tagged = server.connect();
    tagged.send(request);
    let head = tagged.take_until("\r\n\r\n");
    assert!(head.contains("\r\nsec-websocket-protocol: pushbench.tagged.v1\r\n"), "{head}");
    assert_eq!(next(&mut tagged), (0x81, b"p{\"connected\":1}".to_vec()));
    tagged.send(frame(0x81, b"hello"));
    assert_eq!(next(&mut tagged), (0x81, b"mhello".to_vec()));
    tagged.send(frame(0x82, b"bytes"));
    assert_eq!(next(&mut tagged), (0x82, b"bytes".to_vec()), "only text is tagged");

    let mut events = listen(&server, "/rooms/r/sse?presence=1&after=1");
    assert_eq!(next(&mut tagged), (0x81, b"p{\"connected\":2}".to_vec()));
    assert_eq!(chunk(&mut events), "id: 2\nevent: binary\ndata: Ynl0ZXM=\n\n");
    assert_eq!(chunk(&mut events), "event: presence\ndata: {\"connected\":2}\n\n");
    drop(events);
    assert_eq!(next(&mut tagged), (0x81, b"p{\"connected\":1}".to_vec()));
    // Whoever does not ask is not told.
    let mut plain = enter(&server, "/rooms/r/ws");
    assert_eq!(next(&mut tagged), (0x81, b"p{\"connected\":2}".to_vec()));
    plain.send(frame(0x81, b"x"));
    assert_eq!(next(&mut plain), (0x81, b"x".to_vec()));
    let mut feed = server.connect();
    feed.send(handshake("/feed/ws").replace(
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Protocol: pushbench.tagged.v1\r\nSec-WebSocket-Key",
    ));
    assert!(!feed.take_until("\r\n\r\n").contains("protocol"), "the feed has no such");
}

/// Until the next word is due, whoever comes and goes is none of the others' business.
#[test]
fn presence_is_told_no_more_often_than_it_may() {
    let server = Running::with(rooms(|limits| limits.presence = Duration::from_secs(3600)));
    let mut events = listen(&server, "/rooms/r/sse?presence=1");
    assert_eq!(chunk(&mut events), "event: presence\ndata: {\"connected\":1}\n\n");
    let others: Vec<Client> = (0..5).map(|_| enter(&server, "/rooms/r/ws")).collect();
    assert_eq!(json(&server.get("/rooms/r"))["connected"], 6);
    drop(others);
    let mut poster = server.connect();
    assert_eq!(say(&mut poster, "r", "x").status, 201);
    assert_eq!(chunk(&mut events), "id: 1\ndata: x\n\n");
}

#[test]
fn a_connection_ends_with_a_message_where_it_is_to() {
    let server = Running::start();
    let mut client = server.connect();
    client.send(post("r", 1, "Connection: close\r\n"));
    client.send("x");
    let response = client.response();
    assert_eq!((response.status, response.header("connection")), (201, Some("close")));
    client.expect_end();
}

#[test]
fn a_room_ends_once_nobody_has_been_there_for_a_while() {
    let server = Running::with(rooms(|limits| limits.idle = Duration::from_millis(200)));
    let first = json(&server.get("/rooms/r"))["id"].as_str().unwrap().to_owned();
    let mut client = server.connect();
    say(&mut client, "r", "x");
    let stays = enter(&server, "/rooms/stays/ws");
    server.until("the room has ended", |server| server.metric("pushbench_rooms_open") == 1.0);
    drop(stays);
    server.until("all have ended", |server| server.metric("pushbench_rooms_open") == 0.0);
    // Its numbers go on, so that a cursor into what is gone is told so, whether it says of which room it
    // is or not.
    let over = server.get(&format!("/rooms/r/poll?after=1&feed={first}"));
    assert_eq!(over.status, 410, "{}", over.text());
    assert_ne!(json(&over)["feed"], first.as_str());
    let gone = server.get("/rooms/r/poll?after=0");
    assert_eq!((gone.status, &json(&gone)["oldest"]), (410, &2.into()));
    assert_eq!(server.ask(&handshake("/rooms/r/ws?after=0")).status, 410);
    let mut lacks_nothing = enter(&server, "/rooms/r/ws?after=1");
    assert_eq!(say(&mut server.connect(), "r", "y").text(), "{\"seq\":2}");
    assert_eq!(next(&mut lacks_nothing), (0x81, b"y".to_vec()));
    assert_eq!(server.metric("pushbench_rooms_begun_total"), 3.0);
}
