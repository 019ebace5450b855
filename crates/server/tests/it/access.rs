//! Whom the server answers: hosts, pages of other origins, and cursors into a feed that is over.

use std::net::TcpStream;

use pushbench_core::feed::FeedDescription;
use pushbench_server::{Access, Server};

use crate::client::{Client, Response, Running, get, manual};
use crate::websocket::handshake;

/// A request for every endpoint, without the end of its head.
fn requests() -> Vec<(&'static str, String)> {
    let head = |target: &str| get(target).trim_end().to_owned() + "\r\n";
    let publish = "POST /feed/publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n";
    let upgrade = handshake("/feed/ws");
    vec![
        ("/feed", head("/feed")),
        ("/feed/publish", publish.to_owned()),
        ("/feed/poll", head("/feed/poll?after=0")),
        ("/feed/long-poll", head("/feed/long-poll?timeout=0s")),
        ("/feed/sse", head("/feed/sse")),
        ("/feed/ws", upgrade.trim_end().to_owned() + "\r\n"),
        ("/metrics", head("/metrics")),
        ("/healthz", head("/healthz")),
        ("nothing", head("/nothing")),
        ("/", head("/")),
    ]
}

fn allowing(hosts: &[&str], origins: &[&str]) -> Running {
    let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
    let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    let mut config = manual();
    config.access = Access::new(hosts, origins);
    Running::with(config)
}

fn with(request: &str, fields: &str) -> String {
    format!("{request}{fields}\r\n")
}

#[test]
fn a_page_of_another_origin_gets_nothing_but_the_page() {
    let server = Running::start();
    for (endpoint, request) in requests() {
        let expected = |granted: u16| if endpoint == "/" { 200 } else { granted };
        for other in [
            "Origin: http://evil.example\r\n",
            "Origin: null\r\n",
            "Origin: http://localhost:3000\r\n",
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n",
            "sec-fetch-site: cross-site\r\n",
        ] {
            let response = server.ask(&with(&request, other));
            assert_eq!(response.status, expected(403), "{endpoint}: {other}");
            assert_eq!(response.header("access-control-allow-origin"), None, "{endpoint}");
        }
        for own in [
            "Origin: https://localhost\r\n",
            "Origin: https://LOCALHOST:443\r\n",
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n",
            "Sec-Fetch-Site: same-origin\r\n",
        ] {
            let status = server.ask(&with(&request, own)).status;
            assert_ne!(status, 403, "{endpoint}: {own}");
        }
    }
    let refusal = server.ask(&with(&requests()[0].1, "Origin: http://evil.example\r\n"));
    let told = refusal.text();
    assert!(told.contains("--allow-origin http://evil.example"), "{told}");
    // No flag lets in a page that names two.
    let two = "Origin: http://localhost\r\nOrigin: http://evil.example\r\n";
    let refusal = server.ask(&with(&requests()[0].1, two));
    let told = refusal.text();
    assert_eq!(refusal.status, 403);
    assert!(told.contains("more than once") && !told.contains("--allow-origin"), "{told}");
    assert_eq!(server.metric("pushbench_messages_published_total"), 0.0);
}

#[test]
fn over_loopback_a_name_of_elsewhere_is_misdirected() {
    let server = Running::start();
    for (endpoint, request) in requests() {
        for host in ["evil.example", "evil.example:8080", "0.0.0.0", "localhost.evil.example"] {
            let response = server.ask(&with(&request.replace("localhost", host), ""));
            assert_eq!(response.status, 421, "{endpoint}: {host}");
        }
        for host in ["127.0.0.1:1", "a.localhost:80", "[::1]", "127.9.9.9", "LocalHost."] {
            let status = server.ask(&with(&request.replace("localhost", host), "")).status;
            assert_ne!(status, 421, "{endpoint}: {host}");
        }
    }
    let refusal = server.ask(&get("/feed").replace("localhost", "evil.example:81"));
    assert!(refusal.text().contains("--allow-host evil.example`"), "{}", refusal.text());
    let allowing = allowing(&["dev.example"], &[]);
    for (host, status) in [("dev.example:8080", 200), ("evil.example", 421)] {
        let request = get("/feed").replace("localhost", host);
        assert_eq!(allowing.ask(&request).status, status, "{host}");
    }
}

/// A page at `http://evil.example` whose name leads here is of the same origin as what it asks.
#[test]
fn dns_rebinding_publishes_nothing() {
    let server = Running::start();
    let head =
        "POST /feed/publish HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n";
    let response = server.ask(&format!("{head}Content-Length: 1\r\n\r\nx"));
    assert_eq!(response.status, 421);
    assert_eq!(server.metric("pushbench_messages_published_total"), 0.0);
}

#[test]
fn a_server_on_all_addresses_looks_at_each_connections_own() {
    let server = Server::bind("0.0.0.0:0".parse().unwrap(), manual()).unwrap();
    let (port, handle) = (server.local_addr().port(), server.handle());
    let thread = std::thread::spawn(move || server.run());
    let ask = |address: &str| {
        let mut client = Client::new(TcpStream::connect((address, port)).unwrap());
        client.send(get("/feed/poll").replace("localhost", "pushbench.example"));
        client.response().status
    };
    assert_eq!(ask("127.0.0.1"), 421);
    // An address of this machine that is none of loopback, where it has one.
    if let Some(own) = own_address() {
        assert_eq!(ask(&own), 204);
    }
    handle.stop();
    thread.join().unwrap();
}

/// The address that a packet to elsewhere would be from; none is sent.
fn own_address() -> Option<String> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then(|| address.to_string())
}

#[test]
fn a_request_names_one_host() {
    let server = Running::start();
    for (target, ok) in [("/feed/poll", 204), ("/feed", 200), ("/", 200)] {
        for (version, hosts, status) in [
            ("1.1", "", 400),
            ("1.1", "Host: localhost\r\nHost: localhost\r\n", 400),
            ("1.1", "Host: localhost\r\nhost: evil.example\r\n", 400),
            ("1.1", "Host: local host\r\n", 400),
            ("1.1", "Host: localhost:http\r\n", 400),
            ("1.1", "Host: user@localhost\r\n", 400),
            ("1.1", "Host: \r\n", 400),
            ("1.1", "Host: localhost:\r\n", ok),
            ("1.0", "", ok),
            ("1.0", "Host: localhost\r\n", ok),
            ("1.0", "Host: localhost\r\nHost: localhost\r\n", 400),
            ("1.0", "Host: evil.example\r\n", 421),
        ] {
            let request = format!("GET {target} HTTP/{version}\r\n{hosts}\r\n");
            assert_eq!(server.ask(&request).status, status, "{request}");
        }
    }
}

#[test]
fn a_connection_goes_on_after_a_refusal() {
    let server = Running::start();
    let mut client = server.connect();
    for (host, status) in [("localhost", 204), ("evil.example", 421), ("localhost", 204)] {
        client.send(get("/feed/poll").replace("localhost", host));
        assert_eq!(client.response().status, status, "{host}");
    }
}

fn cors(response: &Response) -> [Option<&str>; 3] {
    ["access-control-allow-origin", "vary", "access-control-expose-headers"]
        .map(|name| response.header(name))
}

#[test]
fn a_page_that_is_allowed_may_read_what_it_gets() {
    let server = allowing(&[], &["http://dev.example:3000"]);
    server.publish("x");
    let origin = "Origin: http://dev.example:3000\r\n";
    let told = [Some("http://dev.example:3000"), Some("Origin"), Some("ETag")];
    for (endpoint, request) in requests() {
        let response = server.ask(&with(&request, origin));
        match endpoint {
            "/feed/ws" => assert_eq!(response.status, 101),
            "/" => assert_eq!(cors(&response), [None; 3], "{endpoint}"),
            _ => assert_eq!(cors(&response), told, "{endpoint}"),
        }
        assert_ne!(response.status, 403, "{endpoint}");
        let other = server.ask(&with(&request, "Origin: http://other.example\r\n"));
        assert_eq!(other.status, if endpoint == "/" { 200 } else { 403 }, "{endpoint}");
    }
    let mut client = server.connect();
    client.send(with(&requests()[2].1, origin));
    assert_eq!(client.response().text(), "11\n0000000001x");
    // One that waits is told so too.
    client.send(get("/feed/long-poll?after=1").trim_end().to_owned() + "\r\n" + origin + "\r\n");
    server.until("it waits", |server| server.metric("pushbench_long_polls_waiting") == 1.0);
    server.publish("y");
    let response = client.response();
    assert_eq!((response.text(), cors(&response)), ("11\n0000000002y", told));
    // Nobody else's answer is another one for that.
    client.send(get("/feed/poll?after=1"));
    assert_eq!(cors(&client.response()), [None; 3]);
}

#[test]
fn a_page_that_is_allowed_may_ask_what_it_may_send() {
    let server = allowing(&[], &["*"]);
    let ask = "OPTIONS /feed/publish HTTP/1.1\r\nHost: localhost\r\nOrigin: http://any.example\r\n\
               Access-Control-Request-Method: POST\r\n\
               Access-Control-Request-Headers: authorization\r\n\r\n";
    let response = server.ask(ask);
    assert_eq!((response.status, cors(&response)[0]), (204, Some("*")));
    assert!(response.header("access-control-allow-methods").unwrap().contains("POST"));
    assert!(response.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(Running::start().ask(ask).status, 403);
}

#[test]
fn a_cursor_of_a_feed_that_is_over_is_told_at_once() {
    let id = |server: &Running| {
        let feed: FeedDescription = serde_json::from_slice(&server.get("/feed").body).unwrap();
        feed.id
    };
    let (earlier, server) = (id(&Running::start()), Running::start());
    server.publish("x");
    let ours = id(&server);
    for (path, request) in [
        ("/feed/poll", get as fn(&str) -> String),
        ("/feed/long-poll", get),
        ("/feed/sse", get),
        ("/feed/ws", handshake),
    ] {
        let response = server.ask(&request(&format!("{path}?after=900&feed={earlier}")));
        assert_eq!(response.status, 410, "{path}");
        let said: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!((&said["feed"], &said["oldest"]), (&ours.as_str().into(), &1.into()), "{path}");
        assert!(said["error"].as_str().unwrap().contains(&earlier), "{path}: {said}");
        let malformed = server.ask(&request(&format!("{path}?feed=x")));
        assert_eq!(malformed.status, 400, "{path}");
    }
    assert_eq!(server.get(&format!("/feed/poll?after=0&feed={ours}")).status, 200);
    // Without the feed's id, a cursor beyond the newest waits for it.
    let mut client = server.connect();
    client.send(get("/feed/long-poll?after=2&timeout=20s"));
    server.until("it waits", |server| server.metric("pushbench_long_polls_waiting") == 1.0);
    server.publish("y");
    assert!(client.is_silent());
    server.publish("z");
    assert_eq!(client.response().text(), "11\n0000000003z");
}

#[test]
fn what_a_request_said_is_shown_and_not_obeyed() {
    let server = Running::start();
    for target in ["/feed/poll?after=\u{9b}31m", "/feed/sse?\u{202e}=1"] {
        let response = server.get(target);
        assert_eq!(response.status, 400, "{target}");
        assert!(!response.text().contains(['\u{9b}', '\u{202e}']), "{}", response.text());
    }
}
