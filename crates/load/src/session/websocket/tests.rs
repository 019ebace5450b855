mod compressed;

use std::io::Cursor;

use pushbench_core::{Contender, Delivery};
use pushbench_metrics::observe::ledger::{Direction, Layer};
use tungstenite::protocol::frame::FrameHeader;

use crate::session::tests::{Heard, call, feed, frame, payload, session, upgrade};
use crate::session::*;

fn opened() -> Box<dyn Session> {
    let mut session = session(Contender::WEBSOCKET, Delivery::Every);
    let asked = call(|out| session.opened(out));
    let heard = feed(&mut *session, &upgrade(asked.text(), 4), 1000).unwrap();
    assert_eq!((heard.subscribed, heard.layers()[2]), (1, heard.received.down.iter().sum()));
    session
}

/// The operation code and the unmasked payload of the one frame that was sent.
fn sent(heard: &Heard) -> (u8, Vec<u8>) {
    let mut cursor = Cursor::new(&heard.sent[..]);
    let (header, length) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
    let body = &heard.sent[cursor.position() as usize..];
    assert_eq!(body.len() as u64, length);
    let mask = header.mask.expect("a client masks");
    (header.opcode.into(), body.iter().zip(mask.iter().cycle()).map(|(b, k)| b ^ k).collect())
}

#[test]
fn the_handshake_asks_as_the_standard_says() {
    let mut session = session(Contender::WEBSOCKET, Delivery::Every);
    let asked = call(|out| session.opened(out));
    let (start, key) = asked.text().split_once("Sec-WebSocket-Key: ").unwrap();
    assert_eq!(
        start,
        "GET /feed/ws HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    );
    // 16 bytes in base64, then the blank line.
    assert!(key.len() == 24 + 4 && key.ends_with("==\r\n\r\n"), "{key}");
    let again = call(|out| session.opened(out));
    assert_ne!(asked.text(), again.text(), "each connection has a key of its own");
}

#[test]
fn a_wrong_accept_is_refused() {
    let mut session = session(Contender::WEBSOCKET, Delivery::Every);
    call(|out| session.opened(out));
    let other = upgrade("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 4);
    assert!(String::from_utf8_lossy(&other).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    let error = feed(&mut *session, &other, 1000).unwrap_err();
    let accept = matches!(error, ProtocolError::Handshake { source: HandshakeError::Accept, .. });
    assert!(accept, "{error}");
}

#[test]
fn messages_may_come_with_the_handshake() {
    let mut session = session(Contender::WEBSOCKET, Delivery::Every);
    let asked = call(|out| session.opened(out));
    let wire = [upgrade(asked.text(), 4), frame(0x81, &payload(5, 64))].concat();
    let heard = feed(&mut *session, &wire, 1 << 20).unwrap();
    assert_eq!((heard.messages, heard.received.down[0]), (vec![5], 64));
}

#[test]
fn headers_of_every_size_are_framing() {
    for (size, header) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
        let mut session = opened();
        let wire = frame(0x82, &payload(5, size));
        for step in [1, 1000, 1 << 20] {
            let heard = feed(&mut *session, &wire, step).unwrap();
            assert_eq!(
                (heard.messages.as_slice(), heard.layers()),
                (&[5][..], [size as u64, header, 0])
            );
        }
    }
}

#[test]
fn a_ping_gets_its_pong() {
    let mut session = opened();
    let wire = [frame(0x81, &payload(5, 64)), frame(0x89, b"are you there?")].concat();
    let heard = feed(&mut *session, &wire, 1000).unwrap();
    assert_eq!(
        (heard.messages.as_slice(), sent(&heard)),
        (&[5][..], (10, b"are you there?".to_vec()))
    );
    assert_eq!(heard.layers(), [64, 2 + 2 + 14, 0]);
    assert_eq!(heard.sent_tally.get(Direction::Up, Layer::Framing), 2 + 4 + 14);
}

#[test]
fn a_client_that_is_done_closes_with_1000_and_waits() {
    let mut session = opened();
    let heard = call(|out| session.close(out));
    assert_eq!((sent(&heard), heard.demand), ((8, vec![0x03, 0xe8]), Demand::Keep));
    let wire = [frame(0x81, &payload(5, 64)), frame(0x88, &[0x03, 0xe8])].concat();
    let heard = feed(&mut *session, &wire, 3).unwrap();
    assert_eq!((heard.messages.as_slice(), heard.sent.len()), (&[5][..], 0), "on its way");
    assert_eq!(session.closed(&mut Output::default()), Ending::Done);
}

#[test]
fn a_close_from_the_server_is_answered_and_told() {
    let mut session = opened();
    let heard = feed(&mut *session, &frame(0x88, b"\x03\xe9going away"), 4).unwrap();
    assert_eq!(sent(&heard), (8, vec![0x03, 0xe9]));
    let told = "the server closed the WebSocket of GET /feed/ws?after=4 with 1001: going away";
    assert_eq!(heard.failures, [told]);
    assert_eq!(session.closed(&mut Output::default()), Ending::Broken);
    assert!(call(|out| session.opened(out)).text().starts_with("GET /feed/ws?after=4 "));
}

#[test]
fn a_stream_that_fell_behind_goes_on_from_the_oldest() {
    let mut session = opened();
    let close = frame(0x88, b"\x11\x3athe oldest message still held is 70");
    let heard = feed(&mut *session, &close, 1000).unwrap();
    assert!(heard.failures[0].contains("the oldest being 70"), "{heard:?}");
    call(|out| _ = session.closed(out));
    assert!(call(|out| session.opened(out)).text().starts_with("GET /feed/ws?after=69 "));
}

#[test]
fn a_masked_frame_is_refused() {
    let error = feed(&mut *opened(), b"\x81\x8a\x00\x00\x00\x000000000005", 1000).unwrap_err();
    let frame = matches!(error, ProtocolError::Frame { source: FrameError::Masked, .. });
    assert!(frame, "{error}");
    assert!(error.to_string().contains("GET /feed/ws?after=4"), "{error}");
}

/// The operation code and the code of the close frame that fails the connection.
fn failed(session: &mut dyn Session, wire: &[u8], step: usize) -> (Vec<u64>, FrameError, Vec<u8>) {
    let (mut out, mut messages) = (Output::default(), Vec::new());
    for piece in wire.chunks(step) {
        out.clear();
        let outcome = session.receive(piece, &mut out);
        messages.extend(out.messages.iter().map(|message| message.seq.0));
        match outcome {
            Ok(()) => {}
            Err(ProtocolError::Frame { source, .. }) => {
                let mut heard = Heard::default();
                heard.take(&mut out);
                let (opcode, code) = sent(&heard);
                assert_eq!(opcode, 8);
                return (messages, source, code);
            }
            Err(other) => panic!("{other}"),
        }
    }
    panic!("it is taken");
}

/// RFC 6455 §7.1.7: what must fail the connection fails it, and the server is told why.
#[test]
fn what_breaks_the_protocol_is_answered_with_the_close_frame_that_says_so() {
    let text = |bytes: &[u8]| frame(0x81, &[&payload(5, 10)[..], bytes].concat());
    let cases: [(Vec<u8>, FrameError, u16); 13] = [
        (frame(0x83, b""), FrameError::Opcode(3), 1002),
        (frame(0xc1, b"0000000005"), FrameError::Reserved, 1002),
        (b"\x81\x8a\0\0\0\x000000000005".to_vec(), FrameError::Masked, 1002),
        (frame(0x80, b"x"), FrameError::Fragment, 1002),
        (frame(0x09, b"x"), FrameError::Control, 1002),
        (text(b"\xff"), FrameError::Text, 1007),
        (text(b"\xed\xa0\x80"), FrameError::Text, 1007),
        (text(b"\xe2\x82"), FrameError::Text, 1007),
        ([frame(0x01, &payload(5, 12)), frame(0x80, b"\x80")].concat(), FrameError::Text, 1007),
        (frame(0x88, b"\x03"), FrameError::CloseLength, 1002),
        (frame(0x88, b"\x03\xed"), FrameError::CloseCode(1005), 1002),
        (frame(0x88, b"\x03\xe7why"), FrameError::CloseCode(999), 1002),
        (frame(0x88, b"\x03\xe8\xc3\x28"), FrameError::CloseReason, 1007),
    ];
    for (wire, error, code) in cases {
        let wire = [frame(0x81, &payload(4, 64)), wire].concat();
        for step in [1, 1000] {
            let got = failed(&mut *opened(), &wire, step);
            assert_eq!(got, (vec![4], error, code.to_be_bytes().to_vec()), "{wire:x?} by {step}");
        }
    }
}

#[test]
fn text_is_utf8_however_it_is_cut_and_binary_is_anything() {
    let text = [&payload(5, 12)[..], "gr\u{fc}n \u{20ac} \u{1f600}".as_bytes()].concat();
    for cut in 10..text.len() {
        let fragments = [
            frame(0x01, &text[..cut]),
            frame(0x89, b"\xff"),
            frame(0x80, &text[cut..]),
            frame(0x82, &[&payload(6, 10)[..], b"\xff\xfe"].concat()),
            frame(0x81, &text),
        ]
        .concat();
        for step in [1, 3, 1000] {
            let heard = feed(&mut *opened(), &fragments, step).unwrap();
            assert_eq!(heard.messages, [5, 6, 5], "cut at {cut}, by {step}");
        }
    }
}

/// RFC 6455 §7.4: codes of the registry, of libraries and of applications; against tungstenite.
#[test]
fn codes_that_may_be_sent_are_told_from_those_that_must_not() {
    use tungstenite::protocol::frame::coding::CloseCode;
    for code in 0..=u16::MAX {
        let heard = feed(&mut *opened(), &frame(0x88, &code.to_be_bytes()), 1000);
        // Registered since: bad gateway.
        let allowed = CloseCode::from(code).is_allowed() || code == 1014;
        assert_eq!(heard.is_ok(), allowed, "{code}");
    }
}

/// RFC 6455 §1.4: what comes behind a close frame counts for nothing.
#[test]
fn nothing_counts_behind_the_servers_close_frame() {
    let wire = [frame(0x88, b"\x03\xe8"), frame(0x81, &payload(5, 64)), frame(0x89, b"?")].concat();
    for step in [1, 4, 1000] {
        let mut session = opened();
        let heard = feed(&mut *session, &wire, step).unwrap();
        assert_eq!((heard.messages.len(), heard.closing), (0, 1));
        assert_eq!((sent(&heard), heard.layers()[1]), ((8, vec![3, 0xe8]), wire.len() as u64));
        assert_eq!(session.closed(&mut Output::default()), Ending::Broken);

        let mut session = opened();
        call(|out| session.close(out));
        let heard = feed(&mut *session, &wire, step).unwrap();
        assert_eq!((heard.messages.len(), heard.sent.len(), heard.closing), (0, 0, 1));
        assert_eq!(session.closed(&mut Output::default()), Ending::Done);
    }
}

#[test]
fn a_message_without_a_number_is_told_and_the_next_one_counts() {
    let wire =
        [frame(0x81, b"{\"type\":null}"), frame(0x81, b""), frame(0x82, b"{\"n\":5}")].concat();
    let heard = feed(&mut *opened(), &wire, 1000).unwrap();
    assert_eq!((heard.messages.as_slice(), heard.failures.len()), (&[5][..], 2));
    assert!(heard.failures[0].contains("is null, not a number"), "{heard:?}");
    assert!(heard.failures[1].contains("it is empty"), "{heard:?}");
}

#[test]
fn a_switch_to_another_protocol_is_refused_by_name() {
    let mut session = session(Contender::WEBSOCKET, Delivery::Every);
    let asked = call(|out| session.opened(out));
    let other = String::from_utf8(upgrade(asked.text(), 4)).unwrap();
    let other = other.replace("Upgrade: websocket", "Upgrade: h2c");
    let error = feed(&mut *session, other.as_bytes(), 1000).unwrap_err().to_string();
    assert!(
        error.contains("GET /feed/ws") && error.contains("its Upgrade is not `websocket`"),
        "{error}"
    );
}
