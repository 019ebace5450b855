use super::*;
use crate::deflate::{ExtensionError, Offer};
use crate::websocket::HandshakeError;

/// The head with these header lines behind a status line, and the value of the field that is kept.
fn read(status: &str, lines: &str) -> Result<(ResponseHead, Vec<u8>), HeadError> {
    let bytes = format!("{status}\r\n{lines}\r\n");
    let mut kept = ("ETag", Vec::new());
    let (head, length) = parse_head(bytes.as_bytes(), Some(&mut kept))?.expect("it is whole");
    assert_eq!(length, bytes.len());
    Ok((head, kept.1))
}

fn head(lines: &str) -> ResponseHead {
    read("HTTP/1.1 200 OK", lines).unwrap().0
}

#[test]
fn the_number_in_an_entity_tag_is_the_cursor_and_the_tag_is_kept_whole() {
    let long = format!("W/\"{}\"", "t".repeat(5000));
    for (tag, number) in [
        ("\"42\"", Some(42)),
        ("W/\"42\"", Some(42)),
        ("\"33a64df5\"", None),
        ("\"+5\"", None),
        ("1795257929:0", None),
        (&long, None),
    ] {
        let (head, kept) = read("HTTP/1.1 200 OK", &format!("etag:  {tag} \r\n")).unwrap();
        assert_eq!((head.cursor, head.kept), (number.map(Seq), true), "{tag}");
        assert_eq!(kept, tag.as_bytes());
    }
    assert!(!head("ETag:\r\n").kept && !head("").kept);
}

/// RFC 9112 §6.3, case by case.
#[test]
fn a_body_ends_where_the_fields_together_say() {
    let cases: [(&str, &str, Result<BodyLength, HeadError>); 22] = [
        ("200", "Content-Length: 5\r\n", Ok(BodyLength::Bytes(5))),
        ("200", "Content-Length: 5, 5\r\n", Ok(BodyLength::Bytes(5))),
        ("200", "Content-Length: 5\r\ncontent-length: 05\r\n", Ok(BodyLength::Bytes(5))),
        ("200", "Content-Length : 5\r\n", Ok(BodyLength::Bytes(5))),
        ("200", "Content-Length: 5, 6\r\n", Err(HeadError::Length)),
        ("200", "Content-Length: 5\r\nContent-Length: 6\r\n", Err(HeadError::Length)),
        ("200", "Content-Length: +5\r\n", Err(HeadError::Length)),
        ("200", "Content-Length: -5\r\n", Err(HeadError::Length)),
        ("200", "Content-Length: 5,\r\n", Err(HeadError::Length)),
        ("200", "Content-Length:\r\n", Err(HeadError::Length)),
        ("200", "Content-Length: 99999999999999999999\r\n", Err(HeadError::Length)),
        ("200", "Transfer-Encoding: Chunked\r\n", Ok(BodyLength::Chunked)),
        ("200", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Ok(BodyLength::Chunked)),
        ("200", "Transfer-Encoding: chunked\r\nContent-Length: x\r\n", Ok(BodyLength::Chunked)),
        (
            "200",
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            Ok(BodyLength::Chunked),
        ),
        ("200", "Transfer-Encoding: gzip,\r\n chunked\r\n", Ok(BodyLength::Chunked)),
        (
            "200",
            "Transfer-Encoding: chunked, gzip\r\nContent-Length: 5\r\n",
            Ok(BodyLength::UntilEnd),
        ),
        ("200", "Transfer-Encoding: chunked, chunked\r\n", Err(HeadError::Transfer)),
        ("200", "Transfer-Encoding: identity\r\nContent-Length: 5\r\n", Ok(BodyLength::Bytes(5))),
        ("200", "", Ok(BodyLength::UntilEnd)),
        ("204", "Content-Length: 5, 6\r\n", Ok(BodyLength::Bytes(0))),
        ("304", "Transfer-Encoding: chunked\r\n", Ok(BodyLength::Bytes(0))),
    ];
    for (status, lines, body) in cases {
        let read = read(&format!("HTTP/1.1 {status} X"), lines);
        assert_eq!(read.map(|(head, _)| head.body), body, "{status} {lines:?}");
    }
}

/// RFC 9112 §9.3, and §6.1 for a chunked body in HTTP/1.0.
#[test]
fn a_connection_is_kept_where_version_and_options_say_so() {
    for (version, lines, close) in [
        ("HTTP/1.1", "", false),
        ("HTTP/1.1", "Connection: keep-alive, Close\r\n", true),
        ("HTTP/1.1", "Connection: x\r\nConnection: close\r\n", true),
        ("HTTP/1.1", "Connection: closed\r\n", false),
        ("HTTP/1.0", "", true),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", false),
        ("HTTP/1.0", "Connection: Keep-Alive\r\nTransfer-Encoding: chunked\r\n", true),
    ] {
        let (head, _) = read(&format!("{version} 200 OK"), lines).unwrap();
        assert_eq!(head.close, close, "{version} {lines:?}");
    }
}

#[test]
fn codings_are_named_however_they_are_listed() {
    for (lines, coding) in [
        ("Content-Encoding: gzip\r\n", Some("gzip")),
        ("Content-Encoding: identity, \r\n", None),
        ("Content-Encoding: deflate\r\ncontent-encoding: , BR\r\n", Some("deflate, BR")),
        ("Transfer-Encoding: gzip, chunked\r\n", Some("gzip")),
        ("Transfer-Encoding: chunked\r\n", None),
    ] {
        assert_eq!(head(lines).coding.as_deref(), coding, "{lines:?}");
    }
}

/// RFC 6455 §4.1: what makes a client fail the connection.
#[test]
fn a_switch_to_anything_but_the_websocket_asked_for_is_refused() {
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    let good =
        format!("Upgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n");
    let check = |version: &str, lines: &str| {
        let (head, _) = read(&format!("{version} 101 Switching Protocols"), lines).unwrap();
        head.upgrade.unwrap().check(ACCEPT, None, &[])
    };
    let changed = |from: &str, to: &str| check("HTTP/1.1", &good.replace(from, to));
    let with = |line: &str| check("HTTP/1.1", &format!("{good}{line}\r\n"));
    assert_eq!(check("HTTP/1.1", &good), Ok(None));
    assert_eq!(changed("upgrade\r\n", "keep-alive\r\nConnection: x, UPGRADE\r\n"), Ok(None));
    assert_eq!(check("HTTP/1.0", &good), Err(HandshakeError::Version));
    assert_eq!(changed("Upgrade: WebSocket\r\n", ""), Err(HandshakeError::Upgrade));
    assert_eq!(changed("WebSocket\r\n", "websocket, h2c\r\n"), Err(HandshakeError::Upgrade));
    assert_eq!(with("Upgrade: h2c"), Err(HandshakeError::Upgrade));
    assert_eq!(changed("Connection: upgrade\r\n", ""), Err(HandshakeError::Connection));
    assert_eq!(changed(": upgrade", ": upgrades"), Err(HandshakeError::Connection));
    assert_eq!(changed("s3pP", "S3pP"), Err(HandshakeError::Accept));
    assert_eq!(changed("Sec-WebSocket-Accept", "X"), Err(HandshakeError::Accept));
    assert_eq!(with(&format!("Sec-WebSocket-Accept: {ACCEPT}")), Err(HandshakeError::Accept));
    assert_eq!(
        with("Sec-WebSocket-Extensions: permessage-deflate"),
        Err(ExtensionError::NotOffered("permessage-deflate".to_owned()).into())
    );
    assert_eq!(with("Sec-WebSocket-Extensions:"), Ok(None));
    assert_eq!(
        with("Sec-WebSocket-Protocol: chat"),
        Err(HandshakeError::Subprotocol("chat".to_owned()))
    );
}

/// RFC 7692 §5.1: several fields are one value.
#[test]
fn a_switch_says_what_was_agreed_on_compression() {
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    let check = |fields: &str| {
        let lines = format!(
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n{fields}"
        );
        let (head, _) = read("HTTP/1.1 101 Switching Protocols", &lines).unwrap();
        head.upgrade.unwrap().check(ACCEPT, Some(&Offer::BROWSER), &[])
    };
    assert_eq!(check(""), Ok(None));
    let field = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n";
    let agreement = check(field).unwrap().expect("it is agreed on");
    assert!(!agreement.server.takeover && agreement.client.takeover);
    assert!(check(&format!("{field}{field}")).is_err());
}

/// What a server of TLS says to a request in clear (RFC 8446 §6.2): `unexpected_message`.
#[test]
fn an_alert_of_tls_is_no_response_and_named_so() {
    let alert = b"\x15\x03\x03\x00\x02\x02\x0a";
    assert_eq!(parse_head(alert, None).unwrap_err(), HeadError::Tls);
    assert!(matches!(parse_head(b"SSH-2.0-x\r\n", None), Err(HeadError::Malformed(_))));
}
