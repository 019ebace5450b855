//! Bodies in gzip, as a client has them that asks for it.

use std::io::Read as _;

use flate2::read::GzDecoder;
use pushbench_core::compression::CompressionTerms;
use pushbench_core::units::ByteSize;
use pushbench_server::ServerConfig;

use crate::client::{Response, Running, manual};

/// Of bodies of this size and above.
fn compressing(threshold: u64) -> ServerConfig {
    let terms = CompressionTerms { threshold: ByteSize(threshold), ..CompressionTerms::default() };
    ServerConfig { compression: Some(terms), ..manual() }
}

fn ask(server: &Running, line: &str, fields: &str) -> Response {
    server.ask(&format!("{line} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"))
}

fn decoded(response: &Response) -> String {
    assert_eq!(response.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    let mut decoder = GzDecoder::new(&response.body[..]);
    decoder.read_to_string(&mut text).unwrap();
    assert!(decoder.into_inner().is_empty(), "there is more than one member");
    text
}

const TAKES: &str = "Accept-Encoding: gzip, deflate, br, zstd\r\n";

#[test]
fn a_poll_that_takes_gzip_gets_it_and_others_do_not() {
    let server = Running::with(compressing(0));
    let body = "a message of a feed, ".repeat(20);
    server.publish(&body);
    server.publish(&body);
    let plain = ask(&server, "GET /feed/poll?after=0", "");
    assert_eq!(plain.names(), ["content-type", "etag", "content-length", "vary"]);
    assert_eq!((plain.etag(), plain.header("vary")), ("\"2\"", Some("accept-encoding")));
    for path in ["/feed/poll", "/feed/long-poll"] {
        let coded = ask(&server, &format!("GET {path}?after=0"), TAKES);
        assert_eq!(decoded(&coded), plain.text());
        assert!(coded.body.len() * 4 < plain.body.len(), "{} bytes", coded.body.len());
        // RFC 9110 §8.8.3.3: other bytes than those that the strong tag stands for.
        assert_eq!((coded.etag(), coded.header("vary")), ("W/\"2\"", Some("accept-encoding")));
        assert_eq!(coded.header("content-type"), Some("text/plain"));
    }
    let newest = ask(&server, "GET /feed/poll?delivery=latest", TAKES);
    assert_eq!(decoded(&newest), format!("0000000002{body}"));
    for refused in ["gzip;q=0", "br, zstd", "identity, gzip;q=0.5"] {
        let fields = format!("Accept-Encoding: {refused}\r\n");
        let answer = ask(&server, "GET /feed/poll?after=0", &fields);
        assert_eq!((answer.header("content-encoding"), answer.text()), (None, plain.text()));
    }
    let lines = "Accept-Encoding: br\r\naccept-encoding: gzip\r\n";
    assert_eq!(decoded(&ask(&server, "GET /feed/poll?after=0", lines)), plain.text());
}

#[test]
fn a_head_says_what_a_get_would() {
    let server = Running::with(compressing(0));
    server.publish("a message of a feed, ".repeat(20));
    let get = ask(&server, "GET /feed/poll?after=0", TAKES);
    // Its end is where the connection's is, since no body follows.
    let fields = format!("{TAKES}Connection: close\r\n");
    let mut client = server.connect();
    client.send(format!("HEAD /feed/poll?after=0 HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"));
    let head = String::from_utf8(client.rest()).unwrap();
    for name in get.names() {
        let line = format!("\r\n{name}: {}\r\n", get.header(name).unwrap());
        assert!(head.contains(&line), "{line} in {head}");
    }
    assert!(head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn a_condition_holds_whatever_the_coding_of_what_the_client_has() {
    let server = Running::with(compressing(0));
    server.publish("x".repeat(100));
    for tag in ["\"1\"", "W/\"1\""] {
        for (fields, own) in [(TAKES, "W/\"1\""), ("", "\"1\"")] {
            let fields = format!("{fields}If-None-Match: {tag}\r\n");
            let answer = ask(&server, "GET /feed/poll?delivery=latest", &fields);
            // RFC 9110 §15.4.5: the fields that a 200 would have had, and none of a body.
            assert_eq!((answer.status, answer.etag()), (304, own));
            assert_eq!(answer.names(), ["etag", "vary"]);
        }
    }
    let fields = format!("{TAKES}If-None-Match: W/\"0\"\r\n");
    let answer = ask(&server, "GET /feed/poll?delivery=latest", &fields);
    assert_eq!(decoded(&answer), format!("0000000001{}", "x".repeat(100)));
}

#[test]
fn small_bodies_and_those_that_are_none_travel_as_they_are() {
    let server = Running::with(compressing(200));
    server.publish("x".repeat(100));
    let small = ask(&server, "GET /feed/poll?after=0", TAKES);
    assert_eq!((small.header("content-encoding"), small.etag()), (None, "\"1\""));
    assert_eq!(small.header("vary"), Some("accept-encoding"));
    server.publish("x".repeat(100));
    let batch = ask(&server, "GET /feed/poll?after=0", TAKES);
    assert_eq!(decoded(&batch).len(), 2 * (4 + 110));
    let none = ask(&server, "GET /feed/poll?after=2", TAKES);
    assert_eq!((none.status, none.names()), (204, vec!["etag"]));
    let gone = ask(&server, "GET /feed/poll?after=two", TAKES);
    assert_eq!((gone.status, gone.header("content-encoding")), (400, None));
}

#[test]
fn a_server_that_compresses_nothing_says_nothing_of_it() {
    let server = Running::start();
    server.publish("x".repeat(100));
    let answer = ask(&server, "GET /feed/poll?after=0", TAKES);
    assert_eq!(answer.names(), ["content-type", "etag", "content-length"]);
}
