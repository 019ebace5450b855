//! A client that answers messages, as one does that says back what it is told.

use pushbench_core::{Contender, Delivery};
use pushbench_metrics::record::control::Subject;

use crate::session::tests::{Heard, call, feed, frame, plan, upgrade};
use crate::session::*;

/// A client of somebody's server that says back what it is told, with its WebSocket open.
fn echo() -> Box<dyn Session> {
    let path = Some("/runCase?case=1&agent=pushbench".to_owned());
    let subject = Subject { path, ..Subject::default() };
    let plan = LoadPlan { subject, ..plan(Contender::WEBSOCKET, Delivery::Every) };
    let mut session = answering(&plan, Box::new(|message| Some(message.to_vec())));
    let asked = call(|out| session.opened(out));
    assert!(asked.text().starts_with("GET /runCase?case=1&agent=pushbench HTTP/1.1\r\n"));
    let upgrade = String::from_utf8(upgrade(asked.text(), 4)).unwrap();
    // Whoever's server it is: one that knows no cursor.
    let upgrade = upgrade.replace("ETag: \"4\"\r\n", "");
    assert_eq!(feed(&mut *session, upgrade.as_bytes(), 1000).unwrap().subscribed, 1);
    session
}

/// The frames that were sent, unmasked, each by its first byte.
fn said(heard: &Heard) -> Vec<(u8, Vec<u8>)> {
    let (mut sent, mut frames) = (&heard.sent[..], Vec::new());
    while let [first, length, rest @ ..] = sent {
        let (length, rest) = match length.checked_sub(0x80).expect("a client masks") {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            127 => (u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize, &rest[8..]),
            short => (usize::from(short), rest),
        };
        let (mask, rest) = rest.split_at(4);
        let payload = rest[..length].iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key);
        frames.push((*first, payload.collect()));
        sent = &rest[length..];
    }
    frames
}

#[test]
fn an_answer_is_of_the_kind_of_its_message_however_that_comes() {
    let wire = [
        frame(0x81, b"text"),
        frame(0x82, b"bytes that could be text"),
        frame(0x82, b"\xff\xfe"),
        frame(0x01, b"frag"),
        frame(0x89, b"between"),
        frame(0x00, b""),
        frame(0x80, b"ments"),
        frame(0x81, b""),
        frame(0x82, b""),
    ];
    let expected: [(u8, &[u8]); 8] = [
        (0x81, b"text"),
        (0x82, b"bytes that could be text"),
        (0x82, b"\xff\xfe"),
        (0x8a, b"between"),
        (0x81, b"fragments"),
        (0x81, b""),
        (0x82, b""),
        (0x88, b"\x03\xe8"),
    ];
    let wire = [wire.concat(), frame(0x88, b"\x03\xe8")].concat();
    for step in [1, 7, 1000] {
        let heard = feed(&mut *echo(), &wire, step).unwrap();
        assert_eq!(said(&heard), expected.map(|(first, it)| (first, it.to_vec())), "by {step}");
    }
}

#[test]
fn messages_of_every_length_come_back_whole() {
    for length in [125, 126, 65_535, 65_536, 1 << 20] {
        let message = vec![0xfe; length];
        let heard = feed(&mut *echo(), &frame(0x82, &message), 64 << 10).unwrap();
        assert_eq!(said(&heard), [(0x82, message)]);
    }
}

#[test]
fn a_message_of_more_than_16_mib_is_not_kept_and_the_next_one_is() {
    let wire = [frame(0x82, &vec![0; (16 << 20) + 1]), frame(0x81, b"next")].concat();
    let heard = feed(&mut *echo(), &wire, 1 << 20).unwrap();
    assert_eq!(said(&heard), [(0x81, b"next".to_vec())]);
}

/// RFC 6455 §5.5.1: no data behind a close frame.
#[test]
fn nothing_is_answered_behind_its_own_close() {
    let mut session = echo();
    assert_eq!(said(&call(|out| session.close(out))), [(0x88, b"\x03\xe8".to_vec())]);
    let wire = [frame(0x81, b"late"), frame(0x88, b"\x03\xe8")].concat();
    assert!(feed(&mut *session, &wire, 1000).unwrap().sent.is_empty());
}
