//! Server-sent events.

use std::time::Duration;

use pushbench_server::RingLimits;

use crate::client::{Client, Running, get, manual};

/// The response head to the byte.
pub(crate) fn head(cursor: u64) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n\
         connection: close\r\netag: \"{cursor}\"\r\ntransfer-encoding: chunked\r\n\r\n"
    )
}

pub(crate) fn open(server: &Running, target: &str, cursor: u64) -> Client {
    let mut client = server.connect();
    client.send(get(target));
    client.expect(head(cursor));
    client
}

#[test]
fn a_stream_is_this_to_the_byte() {
    let server = Running::start();
    let mut client = open(&server, "/feed/sse", 0);
    server.publish("one");
    client.expect("1b\r\nid: 1\ndata: 0000000001one\n\n\r\n");
    server.publish("two\nlines");
    client.expect("27\r\nid: 2\ndata: 0000000002two\ndata: lines\n\n\r\n");
    server.publish([0xff]);
    client.expect("2c\r\nid: 3\nevent: binary\ndata: MDAwMDAwMDAwM/8=\n\n\r\n");
}

#[test]
fn a_stream_resumes_after_its_cursor() {
    let server = Running::start();
    for body in ["a", "b", "c"] {
        server.publish(body);
    }
    let mut client = open(&server, "/feed/sse?after=1", 1);
    client.expect("19\r\nid: 2\ndata: 0000000002b\n\n\r\n19\r\nid: 3\ndata: 0000000003c\n\n\r\n");
    assert!(open(&server, "/feed/sse", 3).is_silent(), "without a cursor it begins now");
    let mut beyond = open(&server, "/feed/sse?after=4", 4);
    server.publish("d");
    server.publish("e");
    beyond.expect("19\r\nid: 5\ndata: 0000000005e\n\n\r\n");
}

#[test]
fn the_last_event_id_wins_over_the_query() {
    let server = Running::start();
    server.publish("a");
    server.publish("b");
    let request = "GET /feed/sse?after=0 HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 1\r\n\r\n";
    let mut client = server.connect();
    client.send(request);
    client.expect(head(1));
    client.expect("19\r\nid: 2\ndata: 0000000002b\n\n\r\n");
    let response = server.ask(&request.replace("ID: 1", "ID: one"));
    assert_eq!(response.status, 400);
    assert!(response.text().contains("Last-Event-ID"), "{}", response.text());
}

#[test]
fn a_silent_stream_gets_a_comment() {
    let mut config = manual();
    config.heartbeat = Some(Duration::from_millis(40));
    let server = Running::with(config);
    let mut client = open(&server, "/feed/sse", 0);
    client.expect("3\r\n:\n\n\r\n3\r\n:\n\n\r\n");
    server.publish("x");
    while client.take(1) == b"3" {
        client.expect("\r\n:\n\n\r\n");
    }
    client.expect("9\r\nid: 1\ndata: 0000000001x\n\n\r\n");
}

/// RFC 9112 §6.3: without chunks and without a length, the connection's end is the stream's.
#[test]
fn a_stream_in_http_1_0_has_no_chunks_and_ends_with_its_connection() {
    let mut config = manual();
    config.heartbeat = Some(Duration::from_millis(40));
    let server = Running::with(config);
    let mut client = server.connect();
    client.send("GET /feed/sse HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let head = client.take_until("\r\n\r\n").to_ascii_lowercase();
    for field in ["content-type: text/event-stream", "connection: close", "x-accel-buffering: no"] {
        assert!(head.contains(&format!("{field}\r\n")), "{head}");
    }
    assert!(!head.contains("chunked") && !head.contains("content-length"), "{head}");
    client.expect(":\n\n");
    server.publish("x");
    server.publish("y");
    let mut seen = Vec::new();
    while !seen.ends_with(b"id: 2\ndata: 0000000002y\n\n") {
        seen.extend(client.take(1));
    }
    let seen = String::from_utf8(seen).unwrap().replace(":\n\n", "");
    assert_eq!(seen, "id: 1\ndata: 0000000001x\n\nid: 2\ndata: 0000000002y\n\n");
    server.stop();
    let rest = String::from_utf8(client.rest()).unwrap();
    assert_eq!(rest.replace(":\n\n", ""), "");
}

#[test]
fn a_stream_behind_a_pipelined_poll_comes_after_its_response() {
    let server = Running::start();
    // Far more than the sockets hold, so that much is still unsent when the stream is asked for.
    for _ in 0..20 {
        server.publish(vec![b'x'; (1 << 20) - 10]);
    }
    let mut client = server.connect();
    let polls: String = (0..20).map(|after| get(&format!("/feed/poll?after={after}"))).collect();
    client.send(polls + &get("/feed/sse"));
    for _ in 0..20 {
        assert_eq!(client.response().body.len(), 8 + (1 << 20));
    }
    client.expect(head(20));
    server.publish("x");
    client.expect("1a\r\nid: 21\ndata: 0000000021x\n\n\r\n");
}

/// A client that stops reading, until the server can write no more to it.
pub(crate) fn stuff(server: &Running, message: &[u8]) -> u64 {
    let mut last = 0;
    for _ in 0..40 {
        last = server.publish(message);
    }
    last
}

/// Few messages in the ring, and little in the socket.
pub(crate) fn small() -> pushbench_server::ServerConfig {
    let mut config = manual();
    config.ring = RingLimits { messages: 4, ..RingLimits::default() };
    config.send_buffer = Some(64 << 10);
    config
}

#[test]
fn a_reader_that_falls_off_the_ring_is_told_the_oldest_and_ended() {
    let server = Running::with(small());
    let mut slow = open(&server, "/feed/sse", 0);
    let message = vec![b'x'; 1 << 20 >> 1];
    let last = stuff(&server, &message);
    let rest = String::from_utf8(slow.rest()).unwrap();
    let (events, end) = rest.split_once("event: gone\ndata: ").expect("no word of it");
    let received = events.matches("id: ").count() as u64;
    assert!(received < last);
    let said = end.strip_prefix("{\"oldest\":").and_then(|end| end.split_once(','));
    let (oldest, end) = said.expect("it names the oldest");
    // That of the moment in which the stream was found to have fallen off.
    let held: u64 = oldest.parse().unwrap();
    assert!((received + 2..=last - 3).contains(&held), "{held} of {last}, {received} received");
    assert_eq!(end, format!("\"after\":{received}}}\n\n\r\n0\r\n\r\n"));
    drop(slow);
    server.until("it is gone", |server| {
        server.metric("pushbench_connections_open{kind=\"sse\"}") == 0.0
    });
    assert_eq!(server.stop().overrun, 1);
}

#[test]
fn under_latest_a_slow_reader_goes_on_with_the_newest() {
    let server = Running::with(small());
    let mut slow = open(&server, "/feed/sse?delivery=latest", 0);
    let last = stuff(&server, &vec![b'x'; 1 << 20 >> 1]);
    let mut seqs = Vec::new();
    while seqs.last() != Some(&last) {
        slow.take_until("id: ");
        seqs.push(slow.take_until("\n").trim().parse::<u64>().unwrap());
    }
    assert!(seqs.is_sorted() && seqs.len() < 40, "{seqs:?}");
    drop(slow);
    assert_eq!(server.stop().superseded, 40 - seqs.len() as u64);
}

#[test]
fn a_reader_that_never_reads_neither_grows_the_server_nor_slows_the_others() {
    let server = Running::with(small());
    let _stuck = open(&server, "/feed/sse", 0);
    let mut reader = open(&server, "/feed/sse", 0);
    let message = vec![b'x'; 1 << 20 >> 1];
    for seq in 1..=40_u64 {
        server.publish(&message);
        let chunk = reader.take_until("\n\n\r\n");
        assert!(chunk.contains(&format!("id: {seq}\n")), "message {seq} is missing");
    }
    assert_eq!(server.metric("pushbench_ring_messages"), 4.0);
    let held = server.metric("pushbench_ring_bytes");
    assert!(held < 4.0 * 2.0 * (message.len() as f64 + 1000.0), "{held}");
    assert_eq!(server.metric("pushbench_connections_open{kind=\"sse\"}"), 2.0);
}

#[test]
fn a_reader_that_takes_nothing_for_too_long_is_cut() {
    let mut config = small();
    config.write_timeout = Duration::from_millis(100);
    let server = Running::with(config);
    let _stuck = open(&server, "/feed/sse", 0);
    stuff(&server, &vec![b'x'; 1 << 20 >> 1]);
    server.until("it is cut", |server| server.metric("pushbench_stalled_total") == 1.0);
    server.until("it is gone", |server| {
        server.metric("pushbench_connections_open{kind=\"sse\"}") == 0.0
    });
}
