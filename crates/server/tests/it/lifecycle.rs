//! Starting, measuring and stopping.

use std::time::{Duration, Instant};

use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::payload::{Payload, PayloadKind};
use pushbench_core::feed::schedule::Schedule;
use pushbench_core::units::Rate;
use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::Begun;
use pushbench_os::time::clock;

use pushbench_server::ServerConfig;

use crate::client::{Running, get, manual};
use crate::{sse, websocket};

#[test]
fn stopping_says_goodbye_to_everybody() {
    let server = Running::start();
    server.publish("x");
    let mut stream = sse::open(&server, "/feed/sse", 1);
    let mut socket = websocket::open(&server, "/feed/ws", 1);
    let mut poll = server.connect();
    poll.send(get("/feed/long-poll"));
    let mut idle = server.connect();
    idle.send(get("/healthz"));
    assert_eq!(idle.response().status, 200);
    server.until("the poll waits", |server| server.metric("pushbench_long_polls_waiting") == 1.0);

    server.handle.stop();
    stream.expect("0\r\n\r\n");
    stream.expect_end();
    let response = poll.response();
    assert_eq!((response.status, response.etag()), (204, "\"1\""));
    poll.expect_end();
    idle.expect_end();
    assert_eq!(websocket::close(&mut socket).0, 1001);
    socket.send(websocket::frame(0x88, &[0x03, 0xe9]));
    socket.expect_end();
    drop((stream, socket, poll, idle));
    let measured = server.stop();
    // The publisher's, the page's of metrics (at least one), and four more.
    assert!(measured.connections >= 6, "{measured:?}");
    assert!(measured.requests >= 6, "{measured:?}");
}

#[test]
fn who_does_not_answer_the_goodbye_is_dropped() {
    let mut config = manual();
    config.close_timeout = Duration::from_millis(200);
    let server = Running::with(config);
    let mut socket = websocket::open(&server, "/feed/ws", 0);
    let start = Instant::now();
    let address = server.address;
    server.stop();
    let took = start.elapsed();
    assert!((200..2000).contains(&took.as_millis()), "{took:?}");
    assert_eq!(websocket::close(&mut socket).0, 1001);
    socket.expect_end();
    assert!(std::net::TcpStream::connect(address).is_err());
}

fn scheduled(hz: f64, bytes: usize) -> Running {
    let mut config = manual();
    config.feed.schedule = Schedule::Constant { rate: Rate::from_hz(hz).unwrap() };
    config.feed.payload = Payload::Generated { kind: PayloadKind::Text, bytes };
    Running::with(config)
}

/// The window of the messages `first..=last` of a constant schedule.
fn window(origin: MonoInstant, period: Duration, first: u64, last: u64) -> Window {
    let at = |seq: u64| origin + period * u32::try_from(seq - 1).unwrap();
    Window { start: at(first), end: at(last + 1), first: Seq(first), last: Seq(last) }
}

#[test]
fn the_schedule_is_published_from_its_origin_and_measured_in_the_window() {
    let server = scheduled(500.0, 32);
    let mut socket = websocket::open(&server, "/feed/ws", 0);
    let origin = clock::now() + Duration::from_millis(20);
    server.handle.measure(window(origin, Duration::from_millis(2), 11, 40));
    server.handle.start(origin);
    server.handle.start(origin + Duration::from_secs(9));
    for seq in 1..=50_u32 {
        let (_, payload) = websocket::next(&mut socket);
        assert_eq!(&payload[..10], format!("{seq:010}").as_bytes());
        let due = origin + Duration::from_millis(2) * (seq - 1);
        assert!(clock::now() >= due, "message {seq} came before its time");
    }
    drop(socket);
    let measured = server.stop();
    assert_eq!((measured.published, measured.publish_lag.count()), (30, 30));
}

#[test]
fn a_schedule_faster_than_the_server_loses_nothing_and_starves_nobody() {
    let server = scheduled(50_000_000.0, 10);
    let mut socket = websocket::open(&server, "/feed/ws", 0);
    server.handle.start(clock::now());
    assert_eq!(server.get("/healthz").status, 200);
    let mut expected = 1_u64;
    while expected < 1000 {
        let (first, payload) = websocket::next(&mut socket);
        assert_eq!(first, 0x81, "cut off at message {expected}");
        assert_eq!(payload, format!("{expected:010}").as_bytes());
        expected += 1;
    }
    assert_eq!(server.get("/healthz").status, 200);
}

/// A server that goes on with the feed of one that has gone knows all that was due before it came, and
/// takes that one's cursors.
#[test]
fn a_successor_answers_the_cursors_of_the_server_that_has_gone() {
    let schedule = Schedule::Constant { rate: Rate::from_hz(100.0).unwrap() };
    let feed = FeedSpec { schedule, ..manual().feed };
    let now = clock::now();
    let origin = MonoInstant(now.0 - 1_000_000_000);
    let window = Window { start: origin, end: now, first: Seq(1), last: Seq(100) };
    let begun = Some(Begun { origin, window });
    let config =
        |begun| ServerConfig { feed: feed.clone(), feed_id: Some(0xfeed), begun, ..manual() };
    let gone = Running::with(config(None));
    gone.handle.start(origin);
    gone.until("it has published", |server| server.get("/feed/poll?after=99").status == 200);
    let before = gone.get("/feed/poll?after=49&feed=000000000000feed");
    drop(gone);
    let successor = Running::with(config(begun));
    let after = successor.get("/feed/poll?after=49&feed=000000000000feed");
    assert_eq!((before.status, after.status), (200, 200));
    let length = before.text().len();
    assert!(length > 50 * 64, "{length}");
    assert_eq!(before.text(), &after.text()[..length], "the same messages, and newer ones");
    let other = successor.get("/feed/poll?after=49&feed=000000000000beef");
    assert_eq!(other.status, 410);
    let measured = successor.stop();
    assert_eq!(measured.published, 100);
    assert_eq!(measured.publish_lag.count(), 0, "what others published is not late here");
}
