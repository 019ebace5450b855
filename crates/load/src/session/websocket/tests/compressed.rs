//! Messages that are compressed (RFC 7692).

use pushbench_core::deflate::{DeflateSettings, WindowBits};
use pushbench_protocol::deflate::Compressor;

use super::*;
use crate::session::tests::plan;

/// The server's word on compression, as its whole line.
const WITHOUT_TAKEOVER: &str = "Sec-WebSocket-Extensions: permessage-deflate; \
                                server_no_context_takeover; client_no_context_takeover\r\n";
const WITH_TAKEOVER: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

fn contender(takeover: bool) -> Contender {
    let name = if takeover { "websocket+deflate-takeover" } else { "websocket+deflate" };
    name.parse().unwrap()
}

/// A session whose handshake the server answered, `said` beside what it must say.
fn answered(takeover: bool, said: &str) -> Result<Box<dyn Session>, ProtocolError> {
    let mut session = session(contender(takeover), Delivery::Every);
    let asked = call(|out| session.opened(out));
    let head = String::from_utf8(upgrade(asked.text(), 4)).unwrap();
    let head = head.replace("Connection:", &format!("{said}Connection:"));
    feed(&mut *session, head.as_bytes(), 1000).map(|_| session)
}

fn agreed(takeover: bool) -> Box<dyn Session> {
    answered(takeover, if takeover { WITH_TAKEOVER } else { WITHOUT_TAKEOVER }).unwrap()
}

/// Messages of a size, with their numbers, compressed in turn.
fn compressed(takeover: bool, seqs: std::ops::Range<u64>, size: usize) -> Vec<Vec<u8>> {
    let mut compressor = Compressor::new(DeflateSettings::default(), takeover);
    let one = |seq| {
        let mut out = Vec::new();
        compressor.push(&payload(seq, size), &mut out);
        out
    };
    seqs.map(one).collect()
}

#[test]
fn the_offer_says_what_the_contender_is() {
    let offer = |takeover, window: u8| {
        let plan = LoadPlan {
            deflate_window: WindowBits::try_from(window).unwrap(),
            ..plan(contender(takeover), Delivery::Every)
        };
        let mut session = Sessions::new(&plan).session(0);
        let asked = call(|out| session.opened(out));
        let line =
            asked.text().lines().find_map(|it| it.strip_prefix("Sec-WebSocket-Extensions: "));
        line.unwrap().to_owned()
    };
    assert_eq!(
        offer(false, 15),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         client_max_window_bits"
    );
    assert_eq!(offer(true, 15), "permessage-deflate; client_max_window_bits");
    assert!(offer(true, 9).ends_with("; server_max_window_bits=9"));
    let mut plain = session(Contender::WEBSOCKET, Delivery::Every);
    assert!(!call(|out| plain.opened(out)).text().contains("Extensions"));
}

#[test]
fn a_server_that_agrees_to_something_else_is_no_measurement() {
    for (takeover, said, part) in [
        (false, "", "did not agree to permessage-deflate"),
        (true, "", "did not agree to permessage-deflate"),
        (true, WITHOUT_TAKEOVER, "did not agree to context takeover"),
        (false, WITH_TAKEOVER, "server_no_context_takeover was asked for and is missing"),
    ] {
        let error = answered(takeover, said).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(error.retryability(), Retryability::Final);
    }
}

#[test]
fn compressed_messages_count_as_they_travel_and_as_they_were() {
    for takeover in [false, true] {
        let messages = compressed(takeover, 5..8, 300);
        let wire: Vec<u8> = messages.iter().flat_map(|it| frame(0xc1, it)).collect();
        let travelled: usize = messages.iter().map(Vec::len).sum();
        for step in [1, 7, 1 << 20] {
            let heard = feed(&mut *agreed(takeover), &wire, step).unwrap();
            assert_eq!(heard.messages, [5, 6, 7], "takeover {takeover}, step {step}");
            assert_eq!(heard.layers(), [travelled as u64, 6, 0]);
            assert_eq!(heard.received.messages(), 900);
        }
        assert!(travelled < 300, "{travelled} bytes of 900");
    }
}

#[test]
fn compressed_and_clear_messages_take_turns_in_fragments_and_with_pings_between() {
    let [five, seven]: [_; 2] = [5, 7].map(|seq| compressed(false, seq..seq + 1, 100).remove(0));
    let wire = [
        frame(0x41, &five[..3]),
        frame(0x89, b"beat"),
        frame(0x00, &five[3..9]),
        frame(0x80, &five[9..]),
        frame(0x81, &payload(6, 64)),
        frame(0xc1, &seven),
    ];
    for step in [1, 5, 1 << 20] {
        let heard = feed(&mut *agreed(false), &wire.concat(), step).unwrap();
        assert_eq!((heard.messages.as_slice(), heard.received.messages()), (&[5, 6, 7][..], 264));
        assert_eq!(sent(&heard), (10, b"beat".to_vec()));
    }
}

/// RFC 7692 §7.2.3.3 to §7.2.3.5, with a number as the message: a stored block, a block with BFINAL
/// set, two blocks.
#[test]
fn whatever_the_standard_allows_a_sender_is_read() {
    let seq = b"0000000005";
    let stored = [&[0x00, 0x0a, 0x00, 0xf5, 0xff][..], seq, &[0x00]].concat();
    let last = [&[0x01, 0x0a, 0x00, 0xf5, 0xff][..], seq, &[0x00]].concat();
    let two = [
        &[0x00, 0x04, 0x00, 0xfb, 0xff][..],
        &seq[..4],
        &[0x00, 0x06, 0x00, 0xf9, 0xff],
        &seq[4..],
        &[0x00],
    ]
    .concat();
    for takeover in [false, true] {
        for message in [&stored, &last, &two] {
            let wire = frame(0xc1, message);
            let heard = feed(&mut *agreed(takeover), &wire, 3).unwrap();
            assert_eq!((heard.messages.as_slice(), heard.received.messages()), (&[5][..], 10));
        }
    }
}

#[test]
fn what_must_not_be_so_fails_the_connection_with_its_code() {
    let mut compressor = Compressor::new(DeflateSettings::default(), false);
    let (mut not_text, mut bomb) = (Vec::new(), Vec::new());
    compressor.push(&[&payload(5, 64)[..], b"\xff"].concat(), &mut not_text);
    compressor.push(&vec![b'0'; (16 << 20) + 1], &mut bomb);
    assert!(bomb.len() < 1 << 15, "{} bytes", bomb.len());
    for (wire, code, part) in [
        (frame(0xc9, b"beat"), 1002, "RFC 7692 §6.1"),
        ([frame(0x41, b""), frame(0xc0, b"")].concat(), 1002, "RFC 7692 §6.1"),
        (frame(0xe1, b""), 1002, "reserved bit"),
        (frame(0xc1, &[0xff, 0xff]), 1007, "no DEFLATE"),
        (frame(0xc1, &not_text), 1007, "not UTF-8"),
        (frame(0xc1, &bomb), 1009, "more than 16777216 bytes"),
    ] {
        let mut session = agreed(false);
        let (mut out, mut heard) = (Output::default(), Heard::default());
        let error = session.receive(&wire, &mut out).unwrap_err();
        heard.take(&mut out);
        assert!(error.to_string().contains(part) && error.breaks_protocol(), "{error}");
        assert_eq!(sent(&heard), (8, u16::to_be_bytes(code).to_vec()), "{error}");
        assert!(heard.messages.is_empty());
    }
    let mut plain = opened();
    let error = feed(&mut *plain, &frame(0xc1, b""), 100).unwrap_err();
    assert!(error.to_string().contains("reserved bit"), "{error}");
}
