//! Bounds that hold for everybody.

use std::time::Duration;

use crate::client::{Running, get, manual};

#[test]
fn a_head_that_dawdles_is_cut_off() {
    let mut config = manual();
    config.request_timeout = Duration::from_millis(100);
    let server = Running::with(config);
    let mut client = server.connect();
    client.send("GET /feed/poll HTTP/1.1\r\nHost:");
    assert_eq!(client.response().status, 408);
    client.expect_end();
    // Who keeps a connection without a request on it dawdles with nothing.
    let mut idle = server.connect();
    idle.send(get("/healthz"));
    assert_eq!(idle.response().status, 200);
    let mut dawdling = server.connect();
    dawdling.send("GET");
    assert_eq!(dawdling.response().status, 408);
    idle.send(get("/healthz"));
    assert_eq!(idle.response().status, 200);
}

#[test]
fn an_idle_connection_is_closed_in_the_end() {
    let mut config = manual();
    config.idle_timeout = Duration::from_millis(100);
    let server = Running::with(config);
    let mut client = server.connect();
    client.send(get("/healthz"));
    assert_eq!(client.response().status, 200);
    client.expect_end();
}

#[test]
fn a_body_that_dawdles_is_refused() {
    let mut config = manual();
    config.request_timeout = Duration::from_millis(100);
    let server = Running::with(config);
    let response =
        server.ask("POST /feed/publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab");
    assert_eq!(response.status, 408);
}

#[test]
fn a_response_that_nobody_reads_is_cut_off() {
    let mut config = manual();
    config.write_timeout = Duration::from_millis(100);
    config.send_buffer = Some(64 << 10);
    let server = Running::with(config);
    server.publish(vec![b'x'; 1_000_000]);
    let mut client = server.connect();
    client.send(get("/feed/poll?after=0").repeat(50));
    server.until("it is cut", |server| {
        server.metric("pushbench_connections_open{kind=\"http\"}") == 2.0
    });
}

#[test]
fn heads_have_a_limit() {
    let server = Running::start();
    let long = "x".repeat(20_000);
    let response =
        server.ask(&format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}\r\n\r\n"));
    assert_eq!(response.status, 431);
    let many = "X-A: b\r\n".repeat(200);
    let response = server.ask(&format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"));
    assert_eq!(response.status, 431);
    assert_eq!(server.ask("nonsense\r\n\r\n").status, 400);
}

#[test]
fn a_message_has_a_limit() {
    let server = Running::start();
    let post = |head: &str| {
        server.ask(&format!("POST /feed/publish HTTP/1.1\r\nHost: localhost\r\n{head}"))
    };
    assert_eq!(post("Content-Length: 1048567\r\n\r\n").status, 413);
    let chunk = format!("100000\r\n{}\r\n0\r\n\r\n", "x".repeat(1 << 20));
    assert_eq!(post(&format!("Transfer-Encoding: chunked\r\n\r\n{chunk}")).status, 413);
    assert_eq!(post("Content-Length: 0\r\n\r\n").status, 400);
    assert_eq!(server.publish(vec![b'x'; (1 << 20) - 10]), 1);
}

#[test]
fn a_connection_too_many_is_told_so() {
    let mut config = manual();
    config.max_connections = 2;
    let server = Running::with(config);
    let mut kept = [server.connect(), server.connect()];
    for client in &mut kept {
        client.send(get("/healthz"));
        assert_eq!(client.response().status, 200);
    }
    let mut third = server.connect();
    third.send(get("/healthz"));
    let response = third.response();
    assert_eq!((response.status, response.header("connection")), (503, Some("close")));
    third.expect_end();
    drop(kept);
    server.until("there is room again", |server| {
        let mut client = server.connect();
        client.send(get("/healthz"));
        client.response().status == 200
    });
}

#[test]
fn connections_that_come_and_go_leave_nothing_behind() {
    let server = Running::start();
    for target in ["/feed/long-poll", "/feed/sse", "/feed/poll", "/feed/ws"] {
        for _ in 0..20 {
            let mut client = server.connect();
            client.send(get(target));
        }
    }
    for kind in ["http", "sse", "websocket"] {
        let name = format!("pushbench_connections_open{{kind=\"{kind}\"}}");
        // The one that asks.
        let left = if kind == "http" { 1.0 } else { 0.0 };
        server.until(&name, |server| server.metric(&name) == left);
    }
    assert_eq!(server.metric("pushbench_long_polls_waiting"), 0.0);
}
