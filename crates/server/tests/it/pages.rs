//! Everything that is no transport: the feed's description, publishing, pages, refusals.

use std::time::{Duration, Instant};

use pushbench_core::feed::schedule::{Checkpoint, Schedule};
use pushbench_core::feed::{FEED_FORMAT, FeedDescription};
use pushbench_core::units::Rate;
use pushbench_os::time::clock;
use pushbench_server::Server;

use crate::client::{PATIENCE, Running, get, manual};

#[test]
fn the_feed_describes_itself() {
    let server = Running::start();
    server.publish("x");
    let response = server.get("/feed");
    assert_eq!(response.header("content-type"), Some("application/json"));
    let feed: FeedDescription = serde_json::from_slice(&response.body).unwrap();
    assert_eq!((feed.format.as_str(), feed.schedule), (FEED_FORMAT, Schedule::Manual));
    assert_eq!((feed.oldest.0, feed.newest.0, feed.origin), (1, 1, None));
    assert!(!feed.id.is_empty() && !feed.boot_id.is_empty());
    let other: FeedDescription =
        serde_json::from_slice(&Running::start().get("/feed").body).unwrap();
    assert_ne!(feed.id, other.id);
}

/// Whoever joins a Poisson feed that has run for a while walks on from where the publisher came by,
/// to the same instants as from the start.
#[test]
fn a_poisson_feed_says_where_it_can_be_joined() {
    let mut config = manual();
    let schedule = Schedule::Poisson { rate: Rate::from_hz(20.0).unwrap() };
    config.feed.schedule = schedule.clone();
    let seed = config.feed.seed;
    let server = Running::with(config);
    let describe =
        || -> FeedDescription { serde_json::from_slice(&server.get("/feed").body).unwrap() };
    assert!(describe().checkpoint.is_start());
    let origin = clock::now() - Duration::from_secs(600);
    server.handle.start(origin);
    let deadline = Instant::now() + PATIENCE;
    let due = schedule.seek(seed, Checkpoint::START, 600_000_000_000).unwrap().passed;
    while describe().newest.0 < due {
        assert!(Instant::now() < deadline, "what was due is published: {:?}", describe());
    }
    let place = describe().checkpoint;
    // The horizon is a minute, and places are 8 s apart.
    assert!((510e9..541e9).contains(&place.elapsed_ns), "{place:?}");
    let passed = usize::try_from(place.passed).unwrap();
    let resumed = schedule.offsets_from(seed, place).take(1_000);
    assert!(resumed.eq(schedule.offsets(seed).skip(passed).take(1_000)));
}

#[test]
fn publishing_numbers_the_messages() {
    let server = Running::start();
    assert_eq!((server.publish("a"), server.publish("b")), (1, 2));
    assert_eq!(server.get("/feed/poll?after=1").text(), "11\n0000000002b");
}

#[test]
fn a_scheduled_feed_is_not_published_by_hand() {
    let mut config = manual();
    config.feed.schedule = Schedule::Constant { rate: Rate::from_hz(1.0).unwrap() };
    let server = Running::with(config);
    let response =
        server.ask("POST /feed/publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx");
    assert_eq!(response.status, 409);
    assert!(response.text().contains("schedule (constant)"), "{}", response.text());
}

#[test]
fn a_token_is_asked_for_where_there_is_one_and_needed_off_loopback() {
    let post = "POST /feed/publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n";
    let mut config = manual();
    config.publish_token = Some("secret".parse().unwrap());
    let server = Running::with(config);
    let response = server.ask(&format!("{post}\r\nx"));
    assert_eq!((response.status, response.header("www-authenticate")), (401, Some("Bearer")));
    let wrong = format!("{post}Authorization: Bearer secrets\r\n\r\nx");
    assert_eq!(server.ask(&wrong).status, 401);
    let right = format!("{post}Authorization: Bearer secret\r\n\r\nx");
    assert_eq!(server.ask(&right).status, 201);

    let server = Server::bind("0.0.0.0:0".parse().unwrap(), manual()).unwrap();
    let (port, handle) = (server.local_addr().port(), server.handle());
    let thread = std::thread::spawn(move || server.run());
    let socket = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut client = crate::client::Client::new(socket);
    client.send(format!("{post}\r\nx"));
    assert_eq!(client.response().status, 403);
    handle.stop();
    thread.join().unwrap();
}

#[test]
fn what_is_not_understood_is_refused_with_a_reason() {
    let server = Running::start();
    for (target, status, part) in [
        ("/feed/poll?after=x", 400, "`after` is `x`"),
        ("/feed/poll?timeout=1s", 400, "accepted are `after`, `delivery`"),
        ("/feed/long-poll?timeout=soon", 400, "`timeout`: `soon`"),
        ("/feed/long-poll?timeout=6m", 400, "at most 5m"),
        ("/feed/sse?delivery=some", 400, "`every` or `latest`"),
        ("/feed/ws?from=1", 400, "unknown query key `from`"),
        ("/feeds", 404, "/feed/long-poll"),
    ] {
        let response = server.get(target);
        assert_eq!(response.status, status, "{target}");
        assert!(response.text().contains(part), "{target}: {}", response.text());
    }
    for (method, target, allow) in [
        ("POST", "/feed/poll", "GET, HEAD"),
        ("DELETE", "/feed", "GET, HEAD"),
        ("GET", "/feed/publish", "POST"),
        ("HEAD", "/feed/long-poll", "GET"),
        ("POST", "/feed/sse", "GET"),
    ] {
        let mut client = server.connect();
        client.send(format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ));
        let head = String::from_utf8(client.rest()).unwrap();
        assert!(head.starts_with("HTTP/1.1 405 "), "{method} {target}: {head}");
        assert!(head.contains(&format!("allow: {allow}\r\n")), "{method} {target}: {head}");
    }
    let body = "GET /feed/ws HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(server.ask(body).status, 400);
}

#[test]
fn pages_are_there_and_head_gets_their_heads() {
    let server = Running::start();
    assert_eq!(server.get("/healthz").text(), "ok\n");
    let page = server.get("/");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    for word in ["/feed/poll", "/feed/long-poll", "/feed/sse", "/feed/ws", "curl"] {
        assert!(page.text().contains(word), "{word} is not on the page");
    }
    for outside in ["src=\"http", "href=\"http", "@import", "url(http"] {
        assert!(!page.text().contains(outside), "the page needs {outside}");
    }
    let policy = page.header("content-security-policy").expect("the page has no policy");
    for rule in ["default-src 'none'", "script-src 'sha256-", "require-trusted-types-for 'script'"]
    {
        assert!(policy.contains(rule), "{rule} is not in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let mut client = server.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let head = String::from_utf8(client.rest()).unwrap();
    assert!(head.contains(&format!("content-length: {}\r\n", page.body.len())), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn the_metrics_are_prometheus_text() {
    let server = Running::start();
    server.publish("x");
    server.get("/feed/poll?after=0");
    server.get("/feed/poll?after=x");
    let page = server.get("/metrics");
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "# TYPE pushbench_messages_published_total counter",
        "pushbench_messages_published_total 1",
        "pushbench_requests_total{endpoint=\"/feed/poll\",status=\"2xx\"} 1",
        "pushbench_requests_total{endpoint=\"/feed/poll\",status=\"4xx\"} 1",
        "pushbench_connections_open{kind=\"http\"} 2",
        "pushbench_publish_lag_seconds_count 0",
    ] {
        assert!(page.text().lines().any(|found| found == line), "no {line} in {}", page.text());
    }
    let names: Vec<&str> = page.text().lines().filter(|line| line.starts_with("# TYPE")).collect();
    assert!(names.len() >= 12, "{names:?}");
}

#[test]
fn an_address_in_use_is_named_with_a_remedy() {
    let server = Running::start();
    let error = Server::bind(server.address, manual()).unwrap_err().to_string();
    assert!(error.contains(&server.address.to_string()), "{error}");
    assert!(error.contains("in use") && error.contains("another port"), "{error}");
    assert_eq!(server.ask(&get("/healthz")).status, 200);
}
