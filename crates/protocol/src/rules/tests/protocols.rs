//! Protocols of applications, in the bytes that their servers write.

use super::*;

/// Socket.IO 4 over engine.io 4, as its servers write it: handshake, connection, events, pings.
#[test]
fn socket_io_is_read_by_its_rules() {
    let flags = [
        ("reply", "2=>3"),
        ("message", r"^42(\[.*)"),
        ("seq", "/1/n"),
        ("stamp", "/1/at:ms"),
        ("ready", "^40"),
        ("ignore", "^[02]|^40"),
    ];
    let found = found(
        &flags,
        &[
            br#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#,
            br#"40{"sid":"wZX3oN0bSVIhsaknAAAI"}"#,
            br#"42["tick",{"n":1,"at":1700000000001}]"#,
            b"2",
            br#"42["tick",{"n":2,"at":1700000000002}]"#,
        ],
    );
    let at = 1_700_000_000_001_000_000;
    let messages = [(0, Some(1), Some(at)), (0, Some(2), Some(at + 1_000_000))];
    assert_eq!(found.messages, messages);
    assert_eq!((found.said, found.ready, found.ignored), (vec!["3".to_owned()], 1, 2));
    assert_eq!((found.unmatched, found.unreadable), (vec![], vec![]));
}

/// STOMP 1.2: frames end with a zero byte, heart-beats are line feeds.
#[test]
fn stomp_is_read_by_its_rules() {
    let flags = [
        ("message", r"(?s)^MESSAGE\n.*?\n\n([^\x00]*)\x00"),
        ("seq", "/n"),
        ("ready", "^CONNECTED"),
        ("ignore", "^(?:CONNECTED|RECEIPT)"),
    ];
    let found = found(
        &flags,
        &[
            b"CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0",
            b"MESSAGE\nsubscription:0\nmessage-id:007\ndestination:/topic/a\n\n{\"n\":5}\0\n",
            b"\n",
            b"ERROR\nmessage:malformed frame\n\n\0",
        ],
    );
    assert_eq!((numbers(&found), found.ready, found.ignored), (vec![5], 1, 1));
    assert_eq!(found.unmatched, ["ERROR\nmessage:malformed frame\n\n\0"]);
}

/// graphql-transport-ws: an acknowledgement, results in `next`, pings.
#[test]
fn graphql_is_read_by_its_rules() {
    let flags = [
        ("message", r#"^\{[^{]*"type":"next".*"#),
        ("seq", "/payload/data/tick/n"),
        ("ready", r#""connection_ack""#),
        ("reply", r#"\{"type":"ping"\}=>\{"type":"pong"}"#),
        ("ignore", r#""connection_ack""#),
    ];
    let found = found(
        &flags,
        &[
            br#"{"type":"connection_ack"}"#,
            br#"{"id":"1","type":"next","payload":{"data":{"tick":{"n":1}}}}"#,
            br#"{"type":"ping"}"#,
            br#"{"id":"1","type":"complete"}"#,
        ],
    );
    assert_eq!((numbers(&found), found.ready), (vec![1], 1));
    assert_eq!(found.said, [r#"{"type":"pong"}"#]);
    assert_eq!(found.unmatched, [r#"{"id":"1","type":"complete"}"#]);
}

/// Phoenix channels, version 2 of their serializer: arrays of five.
#[test]
fn phoenix_is_read_by_its_rules() {
    let flags = [
        ("message", r#"^\[(?:null|"[^"]*"),(?:null|"[^"]*"),"[^"]*","tick",.*"#),
        ("seq", "/4/n"),
        ("key", "/2"),
        ("ready", r#""phx_reply",\{.*"status":"ok""#),
        ("ignore", "phx_reply"),
    ];
    let found = found(
        &flags,
        &[
            br#"["1","1","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
            br#"["1",null,"room:a","tick",{"n":1}]"#,
            br#"[null,null,"room:b","tick",{"n":1}]"#,
            br#"[null,"9","phoenix","phx_reply",{"response":{},"status":"ok"}]"#,
        ],
    );
    assert_eq!(found.messages, [(0, Some(1), None), (1, Some(1), None)]);
    assert_eq!((found.names, found.ready, found.ignored).0, ["room:a", "room:b"]);
    assert_eq!(found.unmatched, [""; 0]);
}

#[test]
fn nats_is_read_by_its_rules_however_its_messages_share_frames() {
    let found = found(&NATS, &[&nats()]);
    assert_eq!(numbers(&found), (1..=20).collect::<Vec<_>>());
    assert_eq!((found.said.len(), found.ready, found.ignored), (2, 1, 2));
    assert_eq!(found.unmatched, ["-ERR 'Slow Consumer'\r\n"]);
    assert_eq!(found.unreadable, [""; 0]);
}
