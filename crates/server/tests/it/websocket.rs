//! WebSocket, frame by frame (RFC 6455).

use std::time::Duration;

use crate::client::{Client, Running, manual};
use crate::sse::{small, stuff};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

pub(crate) fn handshake(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

pub(crate) fn open(server: &Running, target: &str, cursor: u64) -> Client {
    let mut client = server.connect();
    client.send(handshake(target));
    expect_head(&mut client, cursor);
    client
}

fn expect_head(client: &mut Client, cursor: u64) {
    // The accept key is the one of RFC 6455 §1.3.
    client.expect(format!(
        "HTTP/1.1 101 Switching Protocols\r\netag: \"{cursor}\"\r\nconnection: Upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    ));
}

/// A client's frame: masked, of up to 125 bytes.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [7, 77, 177, 17];
    let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap()];
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// The next frame: its first byte and its payload.
pub(crate) fn next(client: &mut Client) -> (u8, Vec<u8>) {
    let head = client.take(2);
    let len = match head[1] {
        126 => client.take(2).iter().fold(0, |len, &byte| len << 8 | usize::from(byte)),
        127 => client.take(8).iter().fold(0, |len, &byte| len << 8 | usize::from(byte)),
        len => usize::from(len),
    };
    (head[0], client.take(len))
}

/// The next frame is a close: its code and reason.
pub(crate) fn close(client: &mut Client) -> (u16, String) {
    let (first, payload) = next(client);
    assert_eq!(first, 0x88, "no close but {payload:?}");
    let code = u16::from_be_bytes([payload[0], payload[1]]);
    (code, String::from_utf8(payload[2..].to_vec()).unwrap())
}

#[test]
fn frames_have_the_header_that_their_length_needs() {
    let server = Running::start();
    let mut client = open(&server, "/feed/ws", 0);
    for (len, header) in [
        (125_usize, vec![0x81, 125]),
        (126, vec![0x81, 126, 0, 126]),
        (65_535, vec![0x81, 126, 255, 255]),
        (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        let seq = server.publish(vec![b'x'; len - 10]);
        client.expect(header);
        client.expect(format!("{seq:010}{}", "x".repeat(len - 10)));
    }
    server.publish([0xff]);
    client.expect(b"\x82\x0b0000000005\xff");
}

#[test]
fn a_stream_resumes_after_its_cursor() {
    let server = Running::start();
    for body in ["a", "b", "c"] {
        server.publish(body);
    }
    let mut client = open(&server, "/feed/ws?after=1", 1);
    client.expect(b"\x81\x0b0000000002b\x81\x0b0000000003c");
    let mut latest = open(&server, "/feed/ws?after=1&delivery=latest", 1);
    latest.expect(b"\x81\x0b0000000003c");
}

#[test]
fn a_cursor_older_than_the_ring_is_refused_before_the_handshake() {
    let server = Running::with(small());
    for _ in 0..9 {
        server.publish("x");
    }
    let response = server.ask(&handshake("/feed/ws?after=2"));
    assert_eq!(response.status, 410);
    assert!(response.text().contains("\"oldest\":6"), "{}", response.text());
}

#[test]
fn what_is_no_handshake_is_told_how_to_ask() {
    let server = Running::start();
    let response = server.get("/feed/ws");
    assert_eq!(response.status, 426);
    assert_eq!(response.header("upgrade"), Some("websocket"));
    assert_eq!(response.header("sec-websocket-version"), Some("13"));
    let other = handshake("/feed/ws").replace("Version: 13", "Version: 8");
    assert_eq!(server.ask(&other).status, 426);
    let malformed = handshake("/feed/ws").replace(KEY, "short");
    assert_eq!(server.ask(&malformed).status, 400);
}

#[test]
fn lists_may_stand_on_several_lines_and_single_values_once() {
    let server = Running::start();
    let connection = "Connection: Upgrade\r\n";
    for (field, lines) in [
        (connection, "Connection: keep-alive, Upgrade\r\n"),
        (connection, "Connection: keep-alive\r\nX: y\r\nconnection: ,UPGRADE , x\r\n"),
        ("Upgrade: websocket\r\n", "Upgrade: h2c, WebSocket\r\n"),
        ("Upgrade: websocket\r\n", "Upgrade: h2c\r\nUpgrade: websocket\r\n"),
    ] {
        let mut client = server.connect();
        client.send(handshake("/feed/ws").replace(field, lines));
        expect_head(&mut client, 0);
    }
    for twice in [format!("Sec-WebSocket-Key: {KEY}\r\n"), "Sec-WebSocket-Version: 13\r\n".into()] {
        let request = handshake("/feed/ws").replace(&twice, &twice.repeat(2));
        let response = server.ask(&request);
        assert_eq!(response.status, 400, "{twice}");
        assert!(response.text().contains("more than once"), "{}", response.text());
    }
    for none in ["Connection: keep-alive, close\r\n", "Connection: Upgraded\r\n"] {
        assert_eq!(server.ask(&handshake("/feed/ws").replace(connection, none)).status, 426);
    }
}

#[test]
fn a_ping_is_answered_and_messages_are_ignored() {
    let server = Running::start();
    let mut client = open(&server, "/feed/ws", 0);
    client.send([frame(0x81, b"hello"), frame(0x82, &[0; 100]), frame(0x89, b"beat")].concat());
    client.expect(b"\x8a\x04beat");
    server.publish("x");
    client.expect(b"\x81\x0b0000000001x");
}

#[test]
fn frames_sent_with_the_handshake_are_not_lost() {
    let server = Running::start();
    let mut client = server.connect();
    client.send([handshake("/feed/ws").into_bytes(), frame(0x89, b"now")].concat());
    expect_head(&mut client, 0);
    client.expect(b"\x8a\x03now");
}

#[test]
fn the_close_handshake_ends_with_the_servers_fin() {
    let server = Running::start();
    let mut client = open(&server, "/feed/ws", 0);
    client.send(frame(0x88, &[0x03, 0xe8]));
    assert_eq!(close(&mut client).0, 1000);
    client.expect_end();
    drop(client);
    server.until("it is gone", |server| {
        server.metric("pushbench_connections_open{kind=\"websocket\"}") == 0.0
    });
}

#[test]
fn what_breaks_the_protocol_is_closed_with_its_code() {
    let server = Running::start();
    let too_large = [&[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1][..], &[0; 4]].concat();
    for (what, bytes, code) in [
        ("an unmasked frame", b"\x81\x02hi".to_vec(), 1002),
        ("a reserved opcode", frame(0x83, b"hi"), 1002),
        ("text that is not UTF-8", frame(0x81, b"\xff"), 1007),
        ("more than 64 KiB", too_large, 1009),
    ] {
        let mut client = open(&server, "/feed/ws", 0);
        client.send(bytes);
        assert_eq!(close(&mut client).0, code, "{what}");
        client.expect_end();
    }
}

#[test]
fn a_silent_connection_is_pinged() {
    let mut config = manual();
    config.heartbeat = Some(Duration::from_millis(40));
    let server = Running::with(config);
    let mut client = open(&server, "/feed/ws", 0);
    client.expect(b"\x89\x00\x89\x00");
    client.send(frame(0x8a, b""));
    client.expect(b"\x89\x00");
}

#[test]
fn control_frames_never_stand_inside_a_message() {
    let server = Running::with(small());
    let mut client = open(&server, "/feed/ws", 0);
    let body = vec![b'x'; 1 << 19];
    // The socket holds the start of a message when the ping is answered.
    for _ in 0..4 {
        server.publish(&body);
    }
    client.send(frame(0x89, b"amid"));
    let mut frames = Vec::new();
    while frames.len() < 5 {
        let (first, payload) = next(&mut client);
        match first {
            0x81 => assert_eq!(payload.len(), 10 + body.len()),
            _ => assert_eq!((first, &payload[..]), (0x8a, &b"amid"[..])),
        }
        frames.push(first);
    }
    assert_eq!(frames.iter().filter(|&&first| first == 0x8a).count(), 1);
}

#[test]
fn a_client_that_pings_and_never_reads_is_not_read_either() {
    let server = Running::with(small());
    let mut client = open(&server, "/feed/ws", 0);
    stuff(&server, &vec![b'x'; 1 << 19]);
    client.socket.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let pings = frame(0x89, &[1; 100]).repeat(1000);
    let refused = (0..1000).any(|_| {
        let sealed = client.sealed(&pings);
        std::io::Write::write_all(&mut client.socket, &sealed).is_err()
    });
    assert!(refused, "the server took 100 MB of pings that it cannot answer");
}

#[test]
fn a_reader_that_falls_off_the_ring_is_closed_with_the_oldest() {
    let server = Running::with(small());
    let mut slow = open(&server, "/feed/ws", 0);
    let last = stuff(&server, &vec![b'x'; 1 << 19]);
    let mut expected = 1_u64;
    loop {
        let (first, payload) = next(&mut slow);
        if first == 0x88 {
            assert_eq!(u16::from_be_bytes([payload[0], payload[1]]), 4410);
            let reason = std::str::from_utf8(&payload[2..]).unwrap();
            let oldest = reason.strip_prefix("oldest held is ").expect("it names the oldest");
            // That of the moment in which the stream was found to have fallen off.
            let held: u64 = oldest.parse().unwrap();
            assert!((expected + 1..=last - 3).contains(&held), "{held} of {last}, next {expected}");
            break;
        }
        assert_eq!(&payload[..10], format!("{expected:010}").as_bytes());
        expected += 1;
    }
    assert!(expected < last);
    slow.send(frame(0x88, &[0x11, 0x3a]));
    slow.expect_end();
    drop(slow);
    assert_eq!(server.stop().overrun, 1);
}

#[test]
fn under_latest_a_slow_reader_goes_on_with_the_newest() {
    let server = Running::with(small());
    let mut slow = open(&server, "/feed/ws?delivery=latest", 0);
    let last = stuff(&server, &vec![b'x'; 1 << 19]);
    let mut seqs = Vec::new();
    while seqs.last() != Some(&last) {
        let (_, payload) = next(&mut slow);
        seqs.push(std::str::from_utf8(&payload[..10]).unwrap().parse::<u64>().unwrap());
    }
    assert!(seqs.is_sorted() && seqs.len() < 40, "{seqs:?}");
    drop(slow);
    assert_eq!(server.stop().superseded, 40 - seqs.len() as u64);
}
