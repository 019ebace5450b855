//! Servers that speak as standards let them, or as they don't.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use pushbench_core::Contender;
use pushbench_core::rules::Rules;
use pushbench_metrics::record::control::{LoadPlan, Subject};
use pushbench_os::time::clock;

use super::refusals::connect;
use super::server::{Shared, cursor, request, start, websocket};
use super::{LONG, Running, SHORT, plan, trial};
use crate::session::tests::{frame, upgrade};

/// A client of a server that is none of ours.
fn foreign(target: std::net::SocketAddr, contender: Contender) -> LoadPlan {
    let subject = Subject { path: Some("/x".to_owned()), ..Subject::default() };
    LoadPlan { subject, ..plan(target, contender, 1) }
}

/// Sends messages as events with these lines before their data, each when it is due, up to `last`.
fn events(mut stream: TcpStream, shared: &Shared, after: u64, last: u64, lines: &str) {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n\xef\xbb\xbf";
    let _ = stream.write_all(head);
    let origin = *shared.origin.wait();
    for seq in after + 1..=last {
        clock::sleep_until(origin + Duration::from_millis(10) * u32::try_from(seq - 1).unwrap());
        let event = format!("{lines}id: no-{seq}\rdata: {{ \"n\": {seq} }}\r\r");
        if stream.write_all(event.as_bytes()).is_err() {
            return;
        }
    }
}

/// Masked bytes of the close frame that `bytes` is: its code.
fn close_code(bytes: &[u8]) -> u16 {
    let [0x88, 0x82, a, b, _, _, x, y] = *bytes else { panic!("{bytes:x?} is no close frame") };
    u16::from_be_bytes([x ^ a, y ^ b])
}

/// RFC 6455 §7.1.7: the server hears why before the connection is closed. It would come out the
/// same, so the client is out.
#[test]
fn text_that_is_not_utf8_fails_the_connection_with_1007() {
    let (said, heard) = channel();
    let said = Mutex::new(said);
    let (target, shared) = start(move |_, mut stream, shared| {
        let asked = request(&mut stream, shared).unwrap();
        stream.write_all(&upgrade(&asked, cursor(&asked, shared))).unwrap();
        // Within the window, whose errors are counted.
        clock::sleep_until(*shared.origin.wait() + Duration::from_millis(400));
        stream.write_all(&frame(0x81, b"0000000001\xff")).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        said.lock().unwrap().send(rest).unwrap();
    });
    let load = trial(plan(target, Contender::WEBSOCKET, 1), &shared, SHORT);
    assert_eq!(close_code(&heard.recv_timeout(LONG).unwrap()), 1007);
    assert_eq!((load.attempts.left(), load.measured.counters.errors), (1, 1), "{load:?}");
    assert!(load.errors[0].contains("a text message is not UTF-8"), "{:?}", load.errors);
}

/// RFC 6455 §7.1.1: a client may close a connection that the server should have.
#[test]
fn a_connection_that_the_server_closes_by_halves_is_closed_and_opened_again() {
    let (said, heard) = channel();
    let said = Mutex::new(said);
    let (target, shared) = start(move |number, mut stream, shared| {
        if number > 0 {
            return websocket(stream, shared, |n| Some(vec![n]));
        }
        let asked = request(&mut stream, shared).unwrap();
        stream.write_all(&upgrade(&asked, cursor(&asked, shared))).unwrap();
        shared.origin.wait();
        stream.write_all(&frame(0x88, b"\x03\xe9")).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        said.lock().unwrap().send(rest).unwrap();
    });
    let load = trial(plan(target, Contender::WEBSOCKET, 1), &shared, LONG);
    assert_eq!(close_code(&heard.recv_timeout(LONG).unwrap()), 1001);
    let counters = load.measured.counters;
    assert_eq!((counters.connections_lost, counters.reconnects), (1, 1), "{load:?}");
    assert_eq!((load.measured.audit.delivered, load.measured.audit.lost), (50, 0));
}

#[test]
fn events_of_another_type_are_named_and_are_the_first_thing_told() {
    let (target, shared) = start(|_, mut stream, shared| {
        request(&mut stream, shared).unwrap();
        events(stream, shared, 0, 100, "event: price\n");
    });
    let load = trial(foreign(target, Contender::SSE), &shared, SHORT);
    assert_eq!((load.measured.audit.delivered, load.measured.counters.errors), (0, 0), "{load:?}");
    assert!(load.other_events.total() >= 75, "{load:?}");
    let told = &load.errors[0];
    assert!(told.contains("of type `price`") && told.contains("--event"), "{told}");
}

#[test]
fn events_of_the_type_that_is_asked_for_are_the_feed() {
    // Others come beside it, which whoever names a type leaves out.
    let price = "event: news\ndata: none\n\nevent: price\n";
    for (lines, event) in [(price, Some("price")), ("event: message\n", None)] {
        let (target, shared) = start(move |_, mut stream, shared| {
            request(&mut stream, shared).unwrap();
            events(stream, shared, 0, 100, lines);
        });
        let mut plan = foreign(target, Contender::SSE);
        plan.subject.event = event.map(str::to_owned);
        let load = trial(plan, &shared, LONG);
        assert_eq!((load.measured.audit.delivered, load.other_events.is_empty()), (50, true));
        assert!(load.errors.is_empty(), "{load:?}");
    }
}

/// A rule that looks in the wrong place is nearer to the cause than events that are nothing to the feed; where
/// nobody has named its type, one greeting says nothing of the events that have another.
#[test]
fn of_a_type_that_is_named_the_rules_are_told_and_no_other_type() {
    let named = ("event: news\ndata: none\n\nevent: price\n", Some("price"), false);
    let unnamed = ("data: hello\n\nevent: price\n", None, true);
    for (lines, event, is_told) in [named, unnamed] {
        let (target, shared) = start(move |_, mut stream, shared| {
            request(&mut stream, shared).unwrap();
            events(stream, shared, 0, 100, lines);
        });
        let mut plan = foreign(target, Contender::SSE);
        plan.subject.event = event.map(str::to_owned);
        let seq = Some("/number".parse().unwrap());
        plan.subject.rules = Some(Rules { seq, ..Rules::default() });
        let load = trial(plan, &shared, SHORT);
        assert!(load.other_events.total() >= 75, "{load:?}");
        let told = load.errors.iter().any(|error| error.contains("name that type with --event"));
        assert_eq!(told, is_told, "{:?}", load.errors);
        let first = load.found.unwrap().first_unreadable.unwrap();
        assert!(first.starts_with("--seq finds nothing"), "{first}");
    }
}

#[test]
fn a_client_that_waits_for_another_text_than_came_is_told_what_came() {
    let (target, _) = start(|_, mut stream, shared| {
        request(&mut stream, shared).unwrap();
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        stream.write_all(&[&head[..], b"data: welcome\n\n"].concat()).unwrap();
        let _ = stream.read(&mut [0; 64]);
    });
    let mut plan = foreign(target, Contender::SSE);
    plan.connect_timeout = Duration::from_millis(300);
    let (seq, ready) = (Some("/n".parse().unwrap()), Some("ack".parse().unwrap()));
    plan.subject.rules = Some(Rules { seq, ready, ..Rules::default() });
    let (clients, error, _) = connect(&Running::start(plan));
    let error = error.unwrap();
    assert_eq!(clients, 0);
    assert!(
        error.contains("what --ready waits for not come") && error.contains("`welcome`"),
        "{error}"
    );
}

#[test]
fn a_stream_of_any_server_resumes_by_the_id_of_its_last_event() {
    let (target, shared) = start(|number, mut stream, shared| {
        let asked = request(&mut stream, shared).unwrap();
        let id = asked.lines().find_map(|line| line.strip_prefix("Last-Event-ID: no-"));
        let after = id.map_or(0, |id| id.parse().unwrap());
        events(stream, shared, after, if number == 0 { 40 } else { 100 }, "");
    });
    let load = trial(foreign(target, Contender::SSE), &shared, LONG);
    let audit = load.measured.audit;
    assert_eq!((audit.delivered, audit.lost, audit.duplicated), (50, 0, 0), "{load:?}");
    assert_eq!(load.measured.counters.reconnects, 1);
}

#[test]
fn coded_answers_subscribe_nobody_and_are_kept_apart() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
        Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08";
    let coded = |contender| {
        let (target, shared) = start(move |_, mut stream, shared| {
            while request(&mut stream, shared).is_some() {
                if stream.write_all(answer).is_err() {
                    return;
                }
            }
        });
        let mut plan = foreign(target, contender);
        plan.connect_timeout = Duration::from_millis(100);
        (Running::start(plan), shared)
    };
    let (clients, error) = coded(Contender::SSE).0.connect();
    let error = error.unwrap();
    assert!(clients == 0 && error.contains("is coded with gzip"), "{error}");
    // Whoever waits for an answer is subscribed before it comes.
    let (running, shared) = coded(Contender::LONG_POLL);
    assert_eq!(running.connect().0, 1);
    let load = running.run(&shared, SHORT);
    let kept = load.coded.as_ref().expect("it is kept");
    assert!(kept.contains("gzip") && kept.contains("GET /x"), "{kept}");
    assert_eq!(load.measured.audit.delivered, 0);
}
