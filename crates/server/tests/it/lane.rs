//! Connections that polls travel on: requests in pieces and in a row, other requests between
//! them, clients that leave, and heads that are the profile's to the byte.

use std::time::Duration;

use pushbench_protocol::headers::HeaderProfile;
use pushbench_server::ServerConfig;

use crate::client::{Running, get, manual};

const WAITING: &str = "pushbench_long_polls_waiting";

fn with_profile(name: &str) -> Running {
    let headers = HeaderProfile::built_in(name).unwrap();
    Running::with(ServerConfig { headers, ..manual() })
}

fn waits(server: &Running) {
    server.until("it waits", |server| server.metric(WAITING) == 1.0);
}

#[test]
fn requests_may_arrive_in_pieces() {
    let server = Running::start();
    server.publish("x");
    let mut client = server.connect();
    for target in ["/feed/poll?after=0", "/healthz", "/feed/long-poll?after=0"] {
        for byte in get(target).as_bytes() {
            client.send([*byte]);
        }
        assert_eq!(client.response().status, 200, "{target}");
    }
    // The end of one with the beginning of the next.
    let two = [get("/feed/poll?after=1"), get("/feed/poll?after=0")].concat();
    let (first, second) = two.split_at(two.len() - 20);
    client.send(first);
    assert_eq!(client.response().status, 204);
    client.send(second);
    assert_eq!(client.response().text(), "11\n0000000001x");
}

#[test]
fn what_is_sent_behind_a_long_poll_is_answered_after_it() {
    let server = Running::start();
    let mut client = server.connect();
    client.send(get("/feed/long-poll") + &get("/feed/poll?after=0"));
    waits(&server);
    client.send(get("/healthz") + &get("/feed/long-poll?after=1&timeout=20ms"));
    assert!(client.is_silent());
    server.publish("x");
    assert_eq!(client.response().text(), "11\n0000000001x");
    assert_eq!(client.response().text(), "11\n0000000001x");
    assert_eq!(client.response().text(), "ok\n");
    assert_eq!((client.response().status, server.metric(WAITING)), (204, 0.0));
}

#[test]
fn a_flood_behind_a_long_poll_is_not_read_but_answered_in_the_end() {
    let server = Running::start();
    let mut client = server.connect();
    client.send(get("/feed/long-poll"));
    waits(&server);
    let count = 4000;
    let mut sender = client.sender();
    let sending = std::thread::spawn(move || sender.send(get("/feed/poll?after=1").repeat(count)));
    server.publish("x");
    assert_eq!(client.response().text(), "11\n0000000001x");
    for number in 0..count {
        assert_eq!(client.response().status, 204, "response {number}");
    }
    sending.join().unwrap();
}

#[test]
fn head_gets_the_head_alone() {
    let server = Running::start();
    server.publish("x");
    let mut client = server.connect();
    for target in ["/feed/poll?after=0", "/feed/poll?delivery=latest", "/feed/poll?after=x"] {
        client.send(get(target));
        let body = client.response().body.len();
        client.send(get(target).replace("GET", "HEAD"));
        let head = client.take_until("\r\n\r\n");
        assert!(head.contains(&format!("content-length: {body}\r\n").to_lowercase()), "{head}");
    }
    client.send("HEAD /feed/poll?after=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.expect("HTTP/1.1 204 No Content\r\netag: \"1\"\r\n\r\n");
    assert!(client.is_silent());
}

#[test]
fn an_http_1_0_client_may_keep_its_connection() {
    let server = Running::start();
    server.publish("x");
    let mut client = server.connect();
    for _ in 0..2 {
        client.send("GET /feed/poll?after=0 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
        let response = client.response();
        assert_eq!(
            (response.text(), response.header("connection")),
            ("11\n0000000001x", Some("keep-alive"))
        );
    }
    client.send("GET /feed/long-poll?after=0 HTTP/1.0\r\n\r\n");
    let response = client.response();
    assert_eq!(
        (response.text(), response.header("connection")),
        ("11\n0000000001x", Some("close"))
    );
    client.expect_end();
}

#[test]
fn nothing_is_answered_behind_a_last_request() {
    let server = Running::start();
    let mut client = server.connect();
    let last = "GET /feed/poll HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    client.send(last.to_owned() + &get("/feed/poll"));
    assert_eq!(client.response().status, 204);
    client.expect_end();
}

#[test]
fn polls_and_other_requests_share_a_connection() {
    let server = Running::start();
    let mut client = server.connect();
    let post = "POST /feed/publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx";
    let absolute = "GET http://localhost/feed/poll?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let all = [
        get("/feed/poll"),
        get("/healthz"),
        get("/feed/long-poll?timeout=0s"),
        post.to_owned(),
        get("/feed/poll?after=0"),
        absolute.to_owned(),
        get("/nothing"),
        get("/feed/long-poll?after=0"),
        get("/feed/sse?after=0"),
    ];
    client.send(all.concat());
    let expected = [204, 200, 204, 201, 200, 200, 404, 200];
    assert_eq!(expected.map(|_| client.response().status), expected);
    client.expect(crate::sse::head(0));
    client.expect("19\r\nid: 1\ndata: 0000000001x\n\n\r\n");
    let opened = server.metric("pushbench_connections_opened_total{kind=\"http\"}");
    let accepted = server.metric("pushbench_connections_accepted_total");
    assert_eq!(
        opened + 1.0,
        accepted,
        "each began once as http; the second figure is later by one"
    );
    for (endpoint, count) in [("/feed/poll", 3.0), ("/feed/long-poll", 2.0)] {
        let name = format!("pushbench_requests_total{{endpoint=\"{endpoint}\",status=\"2xx\"}}");
        assert_eq!(server.metric(&name), count, "{endpoint}");
    }
}

#[test]
fn a_client_that_leaves_while_it_waits_is_noticed() {
    let server = Running::start();
    let before = server.metric("pushbench_connections_open{kind=\"http\"}");
    let mut client = server.connect();
    client.send(get("/feed/long-poll"));
    waits(&server);
    drop(client);
    server.until("it is gone", |server| {
        server.metric(WAITING) == 0.0
            && server.metric("pushbench_connections_open{kind=\"http\"}") == before
    });
    server.publish("x");
    assert_eq!(server.get("/feed/poll?after=0").status, 200);
}

/// A body that looks like a request is a body, whoever states its length.
#[test]
fn what_is_in_a_body_is_no_request() {
    let server = Running::start();
    let inner = get("/feed/poll?after=7");
    let chunked = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
    let length = inner.len();
    for (fields, body, status) in [
        (format!("Content-Length: {length}\r\n"), &inner, 400),
        ("Transfer-Encoding: chunked\r\n".to_owned(), &chunked, 400),
        (format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"), &chunked, 400),
        (format!("Content-Length: {length}\r\nContent-Length: 0\r\n"), &inner, 400),
        ("Transfer-Encoding : chunked\r\n".to_owned(), &chunked, 400),
    ] {
        let mut client = server.connect();
        client.send(format!("GET /feed/poll HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{body}"));
        assert_eq!(client.response().status, status, "{fields}");
        let _ = client.socket.shutdown(std::net::Shutdown::Write);
        let rest = String::from_utf8(client.rest()).unwrap();
        assert!(!rest.contains("\"7\""), "{fields}: {rest}");
    }
    let mut client = server.connect();
    client.send(
        "GET /feed/poll HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n",
    );
    client.expect("HTTP/1.1 204 No Content\r\netag: \"0\"\r\n\r\n");
}

#[test]
fn a_stalled_reader_of_long_polls_is_cut_off_and_others_go_on() {
    let mut config = manual();
    config.write_timeout = Duration::from_millis(100);
    config.send_buffer = Some(64 << 10);
    let server = Running::with(config);
    let mut stuck = server.connect();
    stuck.send(get("/feed/long-poll").repeat(20));
    let mut client = server.connect();
    client.send(get("/feed/long-poll"));
    server.until("both wait", |server| server.metric(WAITING) == 2.0);
    let large = vec![b'x'; 1_000_000];
    server.publish(&large);
    assert_eq!(client.response().body.len(), 8 + 10 + large.len());
    // The client, the publisher and the one that asks are left.
    server.until("it is cut", |server| {
        server.metric("pushbench_connections_open{kind=\"http\"}") == 3.0
    });
}

/// The published poll: a head of 193 bytes and a body of 21.
#[test]
fn the_head_is_the_profiles_to_the_byte() {
    let server = with_profile("kaazing-2009");
    server.publish("01234567890");
    let head = |length: usize| {
        format!(
            "HTTP/1.1 200 OK\r\nX-Powered-By: Servlet/2.5\r\n\
             Server: Sun Java System Application Server 9.1_02\r\n\
             Content-Type: text/html;charset=UTF-8\r\nContent-Length: {length}\r\n\
             Date: Sat, 07 Nov 2009 00:32:46 GMT\r\n\r\n"
        )
    };
    assert_eq!(head(21).len(), 193);
    let mut client = server.connect();
    for _ in 0..2 {
        client.send(get("/PollingStock//PollingStock"));
        client.expect(head(21) + "000000000101234567890");
    }
    client.send(get("/PollingStock//PollingStock?delivery=every&after=0"));
    client.expect(head(24) + "21\n000000000101234567890");
    client.send(get("/feed/long-poll?after=0"));
    client.expect(head(24) + "21\n000000000101234567890");
    let name = "pushbench_requests_total{endpoint=\"/feed/poll\",status=\"2xx\"}";
    assert_eq!(server.metric(name), 3.0);
}

/// Where no message is in the body, and where a client asks by tag, nothing else would do.
#[test]
fn the_cursor_is_told_where_a_client_has_nothing_else_to_go_by() {
    let server = with_profile("kaazing-2009");
    let rest = "X-Powered-By: Servlet/2.5\r\nServer: Sun Java System Application Server 9.1_02\r\n";
    let date = "Date: Sat, 07 Nov 2009 00:32:46 GMT\r\n";
    let mut client = server.connect();
    client.send(get("/feed/long-poll?timeout=0s"));
    client.expect(format!("HTTP/1.1 204 No Content\r\n{rest}{date}etag: \"0\"\r\n\r\n"));
    server.publish("x");
    let conditional = |tag: &str| {
        format!(
            "GET /feed/poll?after=0 HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"{tag}\"\r\n\r\n"
        )
    };
    client.send(conditional("0"));
    assert_eq!(client.response().etag(), "\"1\"");
    client.send(conditional("1"));
    client.expect(format!("HTTP/1.1 304 Not Modified\r\n{rest}{date}etag: \"1\"\r\n\r\n"));
    client.send(get("/feed/sse"));
    client.expect(format!(
        "HTTP/1.1 200 OK\r\n{rest}Content-Type: text/event-stream\r\n{date}\
         transfer-encoding: chunked\r\netag: \"1\"\r\n\r\n"
    ));
    let mut socket = server.connect();
    socket.send(crate::websocket::handshake("/feed/ws"));
    let head = socket.take_until("\r\n\r\n");
    assert!(
        head.starts_with(&format!("HTTP/1.1 101 Switching Protocols\r\n{rest}{date}")),
        "{head}"
    );
    assert!(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
    assert!(head.ends_with("etag: \"1\"\r\n\r\n"), "{head}");
}

#[test]
fn a_profile_that_says_close_closes() {
    let text = "name = 'closing'\n[request]\nheaders = []\n\
                [response]\nheaders = [['Connection', 'close']]";
    let headers = HeaderProfile::parse(text).unwrap();
    let server = Running::with(ServerConfig { headers, ..manual() });
    server.publish("x");
    let mut client = server.connect();
    client.send(get("/feed/poll?after=0"));
    client.expect(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 14\r\n\r\n11\n0000000001x",
    );
    client.expect_end();
}
