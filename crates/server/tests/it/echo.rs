//! Clients that do not take what they are sent: slow readers of a room, and of the echo, which says back what it
//! is told.

use pushbench_server::{Allowance, RingLimits, ServerConfig};

use crate::client::Running;
use crate::rooms::{enter, rooms, say};
use crate::websocket::{close, frame, next};

#[test]
fn a_slow_reader_misses_nothing_that_is_held_and_is_told_what_is_not() {
    let server = Running::with(ServerConfig {
        send_buffer: Some(4 << 10),
        ..rooms(|limits| {
            limits.ring = RingLimits { messages: 4, bytes: 1 << 30 };
            limits.says = Allowance { per_second: 1e6, at_once: 1_000_000 };
        })
    });
    let mut slow = enter(&server, "/rooms/r/ws");
    let mut poster = server.connect();
    for _ in 0..200 {
        assert_eq!(say(&mut poster, "r", [b'x'; 60_000]).status, 201);
    }
    let mut heard = 0;
    let (code, reason) = loop {
        let (first, payload) = next(&mut slow);
        if first == 0x88 {
            let code = u16::from_be_bytes([payload[0], payload[1]]);
            break (code, String::from_utf8(payload[2..].to_vec()).unwrap());
        }
        heard += 1;
    };
    assert!((1..200).contains(&heard), "{heard} heard");
    let oldest = reason.strip_prefix("oldest held is ").and_then(|number| number.parse().ok());
    assert_eq!(code, 4410);
    assert!(oldest.is_some_and(|oldest: u64| oldest > heard + 1), "{heard} heard, {reason}");
}

#[test]
fn each_message_comes_back_from_the_echo() {
    let server = Running::start();
    let mut client = enter(&server, "/echo");
    client.send(frame(0x81, b"hello"));
    assert_eq!(next(&mut client), (0x81, b"hello".to_vec()));
    client.send([frame(0x02, b"in "), frame(0x89, b"beat"), frame(0x80, b"parts")].concat());
    assert_eq!(next(&mut client), (0x8a, b"beat".to_vec()));
    assert_eq!(next(&mut client), (0x82, b"in parts".to_vec()));
    client.send(frame(0x81, b""));
    assert_eq!(next(&mut client), (0x81, b"".to_vec()));
    client.send(frame(0x88, &1000_u16.to_be_bytes()));
    assert_eq!(close(&mut client).0, 1000);
    client.expect_end();
    assert_eq!(server.get("/echo").status, 426);
}

#[test]
fn an_echo_may_be_large_and_no_larger() {
    let server = Running::start();
    let mut client = enter(&server, "/echo");
    let length = 16 << 20;
    let mut sender = client.sender();
    let sending = std::thread::spawn(move || {
        let mut whole = vec![0x82, 0xff];
        whole.extend_from_slice(&(length as u64).to_be_bytes());
        whole.extend_from_slice(&[0; 4]);
        whole.resize(whole.len() + length, b'x');
        sender.send(whole);
    });
    let (first, payload) = next(&mut client);
    assert_eq!((first, payload.len()), (0x82, length));
    assert!(payload.iter().all(|&byte| byte == b'x'));
    sending.join().unwrap();
    let mut large = vec![0x82, 0xff];
    large.extend_from_slice(&(length as u64 + 1).to_be_bytes());
    large.extend_from_slice(&[0; 4]);
    client.send(large);
    assert_eq!(close(&mut client).0, 1009);
}

/// Clients that send and do not read, or never end a message, take no more memory than there is for all.
#[test]
fn echoes_are_bounded_together() {
    let server = Running::with(rooms(|limits| limits.echoes = 8 << 20));
    let piece = |length: usize| {
        let mut frame = vec![0x02, 0xff];
        frame.extend_from_slice(&(length as u64).to_be_bytes());
        frame.extend_from_slice(&[0; 4]);
        frame.resize(frame.len() + length, b'x');
        frame
    };
    let mut first = enter(&server, "/echo");
    first.send(piece(2 << 20));
    first.send(frame(0x89, b"there"));
    assert_eq!(next(&mut first), (0x8a, b"there".to_vec()), "one has room");
    let mut second = enter(&server, "/echo");
    let mut sender = second.sender();
    std::thread::spawn(move || sender.send(piece(15 << 20)));
    assert_eq!(close(&mut second).0, 1013);
    drop((first, second));
    let open = "pushbench_connections_open{kind=\"websocket\"}";
    server.until("both are gone", |server| server.metric(open) == 0.0);
    let mut third = enter(&server, "/echo");
    third.send(piece(2 << 20));
    third.send(frame(0x80, b"end"));
    assert_eq!(next(&mut third).1.len(), (2 << 20) + 3, "there is room again");
}
