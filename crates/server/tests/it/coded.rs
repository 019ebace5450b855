//! Bodies in gzip, as a client has them that asks for it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use flate2::read::GzDecoder;
use flate2::write::GzDecoder as GzWriter;
use pushbench_core::compression::CompressionTerms;
use pushbench_core::units::ByteSize;
use pushbench_server::ServerConfig;

use crate::client::{Client, Response, Running, manual};
use crate::sse::{small, stuff};

/// Of bodies of this size and above.
fn compressing(threshold: u64) -> ServerConfig {
    with_terms(threshold, manual())
}

fn with_terms(threshold: u64, config: ServerConfig) -> ServerConfig {
    let terms = CompressionTerms { threshold: ByteSize(threshold), ..CompressionTerms::default() };
    ServerConfig { compression: Some(terms), ..config }
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

/// An event stream in gzip, read by another implementation as it comes.
struct Events {
    client: Client,
    decoder: GzWriter<Vec<u8>>,
}

impl Events {
    fn open(server: &Running, target: &str) -> Self {
        let mut client = server.connect();
        client.send(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{TAKES}\r\n"));
        let head = client.take_until("\r\n\r\n");
        for field in ["content-encoding: gzip", "vary: accept-encoding", "etag: W/\""] {
            assert!(head.contains(&format!("\r\n{field}")), "{field} in {head}");
        }
        Self { client, decoder: GzWriter::new(Vec::new()) }
    }

    /// Decodes the next chunk; whether it was not the last.
    fn chunk(&mut self) -> bool {
        let size = self.client.take_until("\r\n");
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let chunk = self.client.take(size);
        self.client.expect("\r\n");
        self.decoder.write_all(&chunk).unwrap();
        // Of a block that has not been flushed nothing would come out.
        self.decoder.flush().unwrap();
        size > 0
    }

    /// The next text, as soon as its chunk is there.
    fn text(&mut self) -> String {
        while self.decoder.get_ref().is_empty() {
            assert!(self.chunk(), "the stream has ended");
        }
        String::from_utf8(std::mem::take(self.decoder.get_mut())).unwrap()
    }

    fn expect(&mut self, text: &str) {
        assert_eq!(self.text(), text);
    }

    /// All that comes up to the proper end of the one member, whose checksum and length are right.
    fn rest(mut self) -> String {
        while self.chunk() {}
        self.client.expect_end();
        String::from_utf8(self.decoder.finish().unwrap()).unwrap()
    }
}

#[test]
fn an_event_stream_in_gzip_is_readable_at_each_event_wherever_it_begins() {
    let server = Running::with(compressing(0));
    let mut early = Events::open(&server, "/feed/sse");
    server.publish("one");
    early.expect("id: 1\ndata: 0000000001one\n\n");
    server.publish("two\nlines");
    server.publish([0xff]);
    early.expect("id: 2\ndata: 0000000002two\ndata: lines\n\n");
    early.expect("id: 3\nevent: binary\ndata: MDAwMDAwMDAwM/8=\n\n");
    let mut behind = Events::open(&server, "/feed/sse?after=1");
    behind.expect("id: 2\ndata: 0000000002two\ndata: lines\n\n");
    let now = Events::open(&server, "/feed/sse");
    let beyond = Events::open(&server, "/feed/sse?after=4");
    let latest = Events::open(&server, "/feed/sse?after=0&delivery=latest");
    let plain = server.get("/feed/poll?after=0");
    assert_eq!(plain.header("content-encoding"), None);
    server.publish("four");
    server.publish("five");
    early.expect("id: 4\ndata: 0000000004four\n\n");
    // As many as there are messages, whoever gets them.
    assert_eq!(server.metric("pushbench_compressions_total"), 5.0);
    let (four, five) = ("id: 4\ndata: 0000000004four\n\n", "id: 5\ndata: 0000000005five\n\n");
    let three = "id: 3\nevent: binary\ndata: MDAwMDAwMDAwM/8=\n\n";
    server.handle.stop();
    assert_eq!(early.rest(), five);
    assert_eq!(behind.rest(), [three, four, five].concat());
    assert_eq!(now.rest(), [four, five].concat());
    assert_eq!(beyond.rest(), five);
    assert_eq!(latest.rest(), [three, four, five].concat());
}

#[test]
fn a_comment_that_keeps_a_stream_open_is_in_the_coding() {
    let mut config = compressing(0);
    config.heartbeat = Some(Duration::from_millis(40));
    let server = Running::with(config);
    let mut events = Events::open(&server, "/feed/sse");
    events.expect(":\n\n");
    events.expect(":\n\n");
    server.publish("x");
    let mut text = events.text();
    while text == ":\n\n" {
        text = events.text();
    }
    assert_eq!(text, "id: 1\ndata: 0000000001x\n\n");
    events.expect(":\n\n");
    server.handle.stop();
    assert!(events.rest().chars().all(|c| ":\n".contains(c)));
}

#[test]
fn small_events_are_stored_in_the_member_that_compresses_the_large() {
    let server = Running::with(compressing(100));
    let events = Events::open(&server, "/feed/sse");
    server.publish("small");
    server.publish("x".repeat(200));
    assert_eq!(server.metric("pushbench_compressions_total"), 1.0);
    server.handle.stop();
    let large = format!("id: 2\ndata: 0000000002{}\n\n", "x".repeat(200));
    assert_eq!(events.rest(), format!("id: 1\ndata: 0000000001small\n\n{large}"));
}

/// What no compressor can make less of.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        b'!' + (state >> 58) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn a_stream_in_gzip_that_skips_or_falls_off_the_ring_ends_in_order() {
    let server = Running::with(with_terms(0, small()));
    let latest = Events::open(&server, "/feed/sse?delivery=latest");
    let every = Events::open(&server, "/feed/sse");
    let last = stuff(&server, &noise(1 << 20 >> 1));
    let every = every.rest();
    let (_, end) = every.split_once("event: gone\ndata: {\"oldest\":").expect("no word of it");
    assert!(end.ends_with("}\n\n"), "{end}");
    let mut latest = latest;
    let mut seen = Vec::new();
    while seen.last() != Some(&last) {
        let text = latest.text();
        let ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
        seen.extend(ids.map(|id| id.parse::<u64>().unwrap()));
    }
    assert!(seen.is_sorted() && seen.len() < 40, "{seen:?}");
    server.handle.stop();
    assert_eq!(latest.rest(), "");
}

/// A third implementation, for which the test needs `python3`.
#[test]
fn pythons_own_gzip_reads_polls_and_streams() {
    const SCRIPT: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/independent/gzip_client.py");
    if crate::secured().is_some() {
        return;
    }
    let server = Running::with(compressing(0));
    for body in ["first", "second, much like the first", "the last"] {
        server.publish(body);
    }
    let mut command = Command::new("python3");
    command.args([SCRIPT, &server.address.port().to_string()]).stdout(Stdio::piped());
    let mut python = match command.spawn() {
        Ok(python) => python,
        Err(error) => return eprintln!("SKIPPED, since python3 cannot be started: {error}"),
    };
    let mut said = BufReader::new(python.stdout.take().unwrap()).lines();
    assert_eq!(said.next().expect("it is told why").unwrap(), "open");
    server.publish("one more while it reads");
    server.handle.stop();
    assert_eq!(said.next().expect("it is told why").unwrap(), "4");
    assert!(python.wait().unwrap().success());
}
