//! Short and long polls.

use pushbench_server::RingLimits;

use crate::client::{Running, get, manual};

#[test]
fn a_poll_gets_what_is_after_its_cursor_as_a_batch() {
    let server = Running::start();
    for body in ["a", "bc", "def"] {
        server.publish(body);
    }
    let response = server.get("/feed/poll?after=1");
    assert_eq!(response.text(), "12\n0000000002bc13\n0000000003def");
    assert_eq!((response.status, response.etag()), (200, "\"3\""));
    let response = server.get("/feed/poll?after=3");
    assert_eq!((response.status, response.etag()), (204, "\"3\""));
    let response = server.get("/feed/poll?after=99");
    assert_eq!((response.status, response.etag()), (204, "\"99\""));
    let response = server.get("/feed/poll");
    assert_eq!((response.status, response.etag()), (204, "\"3\""), "from now on");
}

#[test]
fn the_newest_value_comes_again_and_again() {
    let server = Running::start();
    assert_eq!(server.get("/feed/poll?delivery=latest").status, 204, "nothing was published");
    server.publish("old");
    server.publish("new");
    for _ in 0..2 {
        let response = server.get("/feed/poll?delivery=latest");
        assert_eq!((response.text(), response.etag()), ("0000000002new", "\"2\""));
    }
    assert_eq!(server.get("/feed/poll?delivery=latest&after=1").text(), "0000000002new");
    assert_eq!(server.get("/feed/poll?delivery=latest&after=2").status, 204);
}

#[test]
fn a_poll_has_no_header_without_use() {
    let server = Running::start();
    server.publish("x");
    let response = server.get("/feed/poll?after=0");
    assert_eq!(response.names(), ["content-type", "etag", "content-length"]);
    assert_eq!(response.header("content-type"), Some("text/plain"));
    assert_eq!(server.get("/feed/poll?after=1").names(), ["etag"]);
}

#[test]
fn a_conditional_poll_gets_304_where_a_plain_one_gets_204() {
    let server = Running::start();
    server.publish("x");
    let ask = |target: &str, etag: &str| {
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {etag}\r\n\r\n");
        let response = server.ask(&request);
        let etag = response.etag().to_owned();
        (response.status, etag)
    };
    assert_eq!(ask("/feed/poll?after=1", "\"1\""), (304, "\"1\"".into()));
    assert_eq!(ask("/feed/poll?delivery=latest", "\"1\""), (304, "\"1\"".into()));
    assert_eq!(ask("/feed/poll?after=0", "\"0\""), (200, "\"1\"".into()));
    assert_eq!(ask("/feed/poll?after=1", "\"0\""), (204, "\"1\"".into()));
}

#[test]
fn a_batch_ends_at_a_mebibyte_and_its_etag_with_it() {
    let server = Running::start();
    let large = vec![b'x'; 400_000];
    for _ in 0..3 {
        server.publish(&large);
    }
    let response = server.get("/feed/poll?after=0");
    assert_eq!((response.etag(), response.body.len()), ("\"2\"", 2 * (7 + 10 + 400_000)));
    let response = server.get("/feed/poll?after=2");
    assert_eq!((response.etag(), response.body.len()), ("\"3\"", 7 + 10 + 400_000));
    server.publish(vec![b'x'; (1 << 20) - 10]);
    let response = server.get("/feed/poll?after=3");
    assert_eq!((response.etag(), response.body.len()), ("\"4\"", 8 + (1 << 20)), "at least one");
}

#[test]
fn pipelined_polls_are_answered_in_order() {
    let server = Running::start();
    server.publish("a");
    server.publish("b");
    let mut client = server.connect();
    let requests = ["/feed/poll?after=0", "/feed/poll?after=1", "/feed/poll?after=2"].map(get);
    client.send(requests.concat());
    assert_eq!(client.response().text(), "11\n0000000001a11\n0000000002b");
    assert_eq!(client.response().text(), "11\n0000000002b");
    assert_eq!(client.response().status, 204);
}

#[test]
fn a_connection_is_kept_unless_the_client_wants_it_closed() {
    let server = Running::start();
    let mut client = server.connect();
    for _ in 0..3 {
        client.send(get("/feed/poll"));
        assert_eq!(client.response().status, 204);
    }
    client.send("GET /feed/poll HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(client.response().header("connection"), Some("close"));
    client.expect_end();

    let mut client = server.connect();
    client.send("GET /feed/poll HTTP/1.0\r\n\r\n");
    assert_eq!(client.response().status, 204);
    client.expect_end();
}

#[test]
fn a_long_poll_waits_for_a_message() {
    let server = Running::start();
    let mut clients: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for (client, target) in
        clients.iter_mut().zip(["", "?after=0", "?delivery=latest"].iter().cycle())
    {
        client.send(get(&format!("/feed/long-poll{target}")));
    }
    // They wait once all have been read: an answered request behind each would be too late.
    server.until("all wait", |server| server.metric("pushbench_long_polls_waiting") == 10.0);
    assert!(clients.iter_mut().all(crate::client::Client::is_silent));
    server.publish("x");
    for (index, client) in clients.iter_mut().enumerate() {
        let response = client.response();
        let expected = if index % 3 == 2 { "0000000001x" } else { "11\n0000000001x" };
        assert_eq!((response.text(), response.etag()), (expected, "\"1\""));
    }
}

#[test]
fn a_long_poll_is_answered_at_once_where_there_is_something() {
    let server = Running::start();
    server.publish("x");
    assert_eq!(server.get("/feed/long-poll?after=0").text(), "11\n0000000001x");
}

#[test]
fn a_long_poll_ends_empty_when_its_time_is_over() {
    let server = Running::start();
    for timeout in ["0s", "20ms"] {
        let response = server.get(&format!("/feed/long-poll?after=7&timeout={timeout}"));
        assert_eq!((response.status, response.etag()), (204, "\"7\""), "{timeout}");
    }
}

#[test]
fn a_long_poll_beyond_the_newest_waits_for_that_message() {
    let server = Running::start();
    let mut client = server.connect();
    client.send(get("/feed/long-poll?after=2"));
    server.until("it waits", |server| server.metric("pushbench_long_polls_waiting") == 1.0);
    for _ in 0..3 {
        server.publish("x");
    }
    assert_eq!(client.response().text(), "11\n0000000003x");
}

#[test]
fn a_cursor_older_than_the_ring_gets_410_with_the_oldest() {
    let mut config = manual();
    config.ring = RingLimits { messages: 3, ..RingLimits::default() };
    let server = Running::with(config);
    for _ in 0..5 {
        server.publish("x");
    }
    for endpoint in ["poll", "long-poll", "sse"] {
        let response = server.get(&format!("/feed/{endpoint}?after=1"));
        assert_eq!(response.status, 410, "{endpoint}");
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert!(response.text().contains("\"oldest\":3"), "{}", response.text());
    }
    assert_eq!(server.get("/feed/poll?after=2").status, 200);
    for endpoint in ["poll", "long-poll"] {
        let response = server.get(&format!("/feed/{endpoint}?after=1&delivery=latest"));
        assert_eq!(response.text(), "0000000005x", "under latest nothing is too old");
    }
}
