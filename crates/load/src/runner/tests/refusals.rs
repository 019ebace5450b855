//! Servers that refuse, cut off, or answer too soon: how often they are asked.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pushbench_core::Contender;
use pushbench_core::rules::Rules;
use pushbench_metrics::observe::attempts::{Attempts, MOST_ATTEMPTS};
use pushbench_metrics::record::control::{LoadMeasured, LoadNews, LoadOrder};
use pushbench_os::time::clock;
use pushbench_protocol::batch;

use super::server::{Shared, cursor, polls, request, start, websocket};
use super::{LONG, Running, SHORT, failing_trial, plan, trial};
use crate::session::tests::{frame, payload, response, upgrade};

/// How many requests came.
fn asked(shared: &Shared) -> usize {
    shared.requests.lock().unwrap().len()
}

/// Answers each request with `answer`, and closes the connection behind it where that says so.
fn answers(answer: &'static [u8]) -> (SocketAddr, Arc<Shared>) {
    let closes = answer.windows(5).any(|word| word == b"close");
    start(move |_, mut stream, shared| {
        while request(&mut stream, shared).is_some() && stream.write_all(answer).is_ok() {
            if closes {
                return;
            }
        }
    })
}

/// Connects the clients of a plan; how many are, the first error, and what came of their attempts.
pub(super) fn connect(running: &Running) -> (u32, Option<String>, Attempts) {
    running.orders.send(LoadOrder::Connect);
    match running.next() {
        LoadNews::Connected { clients, error, attempts } => (clients, error, attempts),
        other => panic!("{other:?}"),
    }
}

/// Waits until the window has begun.
fn in_the_window(shared: &Shared) {
    clock::sleep_until(*shared.origin.wait() + Duration::from_millis(400));
}

const EVERY_SHAPE: [Contender; 5] = [
    Contender::SHORT_POLL,
    Contender::SHORT_POLL_CLOSE,
    Contender::LONG_POLL,
    Contender::SSE,
    Contender::WEBSOCKET,
];

/// 200 clients made 303,270 connections in 12 s to a server that answered so.
#[test]
fn a_server_that_asks_to_be_left_alone_is() {
    let refused =
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n";
    for contender in EVERY_SHAPE {
        let (target, shared) = answers(refused);
        let started = Instant::now();
        let (clients, error, attempts) = connect(&Running::start(plan(target, contender, 200)));
        assert_eq!((clients, asked(&shared)), (0, 200), "{contender}");
        assert!(started.elapsed() < Duration::from_secs(10), "nobody waits for the time limit");
        assert!(error.unwrap().contains("503 Service Unavailable"));
        assert_eq!((attempts.out[&503], attempts.retry_after_s), (200, 60), "{contender}");
        let stops = attempts.browser_stops.get(&503).copied();
        assert_eq!(stops, contender.shape().streams().then_some(200), "{contender}");
    }
}

/// A wait that the trial has time for is waited, and the attempts then come to an end.
#[test]
fn attempts_are_few_and_never_sooner_than_asked_for() {
    let (target, shared) = start(|_, mut stream, shared| {
        let asked = request(&mut stream, shared);
        shared.noted(&format!("{}", clock::now().as_nanos()));
        let busy = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
        drop(asked.map(|_| stream.write_all(busy)));
    });
    let mut plan = plan(target, Contender::SSE, 1);
    plan.connect_timeout = Duration::from_millis(3_500);
    let (clients, _, attempts) = connect(&Running::start(plan));
    let requests = shared.requests.lock().unwrap();
    let instants: Vec<u64> = requests.iter().filter_map(|line| line.parse().ok()).collect();
    assert_eq!((clients, attempts.out[&429]), (0, 1));
    assert!((2..=4).contains(&instants.len()), "{instants:?}");
    assert!(instants.windows(2).all(|pair| pair[1] - pair[0] >= 1_000_000_000), "{instants:?}");
}

#[test]
fn an_answer_that_is_final_is_taken_as_one() {
    let answers_of = [
        (404, &b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"[..]),
        (403, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
        (400, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        (426, b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n"),
        (302, b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
        (410, b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"),
    ];
    for contender in EVERY_SHAPE {
        for (status, answer) in answers_of {
            let (target, shared) = answers(answer);
            let (clients, _, attempts) = connect(&Running::start(plan(target, contender, 3)));
            assert_eq!((clients, asked(&shared)), (0, 3), "{contender} {status}");
            assert_eq!(attempts.out[&status], 3, "{contender} {status}");
            let stops = attempts.browser_stops.get(&status).copied();
            assert_eq!(stops, contender.shape().streams().then_some(3), "{contender} {status}");
        }
    }
    // 204 tells an event stream to stop (WHATWG HTML §9.2.3); 101 alone opens a WebSocket.
    for contender in [Contender::SSE, Contender::WEBSOCKET] {
        let (target, shared) = answers(b"HTTP/1.1 204 No Content\r\n\r\n");
        let (clients, _, attempts) = connect(&Running::start(plan(target, contender, 3)));
        assert_eq!((clients, asked(&shared)), (0, 3), "{contender}");
        assert_eq!(attempts.browser_stops[&204], 3);
    }
}

#[test]
fn connections_that_come_to_nothing_are_tried_a_few_times() {
    for contender in EVERY_SHAPE {
        let (target, shared) = start(|_, stream, shared| {
            shared.noted("connection");
            let _ = stream.shutdown(Shutdown::Both);
        });
        let mut plan = plan(target, contender, 1);
        plan.connect_timeout = Duration::from_secs(1);
        let (clients, _, attempts) = connect(&Running::start(plan));
        assert_eq!((clients, attempts.out[&0]), (0, 1), "{contender}");
        let made = asked(&shared);
        assert!((2..=usize::from(MOST_ATTEMPTS)).contains(&made), "{contender}: {made}");
        assert_eq!(attempts.repeated as usize, made - 1, "{contender}");
    }
}

/// The subscription stands for a moment each time, so that what counts is a message of the feed.
#[test]
fn a_websocket_that_is_opened_and_closed_is_not_opened_for_ever() {
    let (target, shared) = start(|number, mut stream, shared| {
        let Some(asked) = request(&mut stream, shared) else { return };
        let _ = stream.write_all(&upgrade(&asked, 0));
        if number < 2 {
            in_the_window(shared);
        }
        let _ = stream.write_all(&frame(0x88, &4_000_u16.to_be_bytes()));
        let _ = stream.read(&mut [0; 64]);
    });
    let load = trial(plan(target, Contender::WEBSOCKET, 2), &shared, Duration::from_secs(3));
    let made = asked(&shared);
    assert!((6..=2 * usize::from(MOST_ATTEMPTS)).contains(&made), "{made}");
    assert_eq!(load.attempts.repeated as usize, made - 2);
    assert!(load.attempts.browser_stops.is_empty(), "a page may open it again");
    assert_eq!(load.measured.audit.delivered, 0);
}

/// A message of the feed ends the back-off, so that there is time for all ten attempts, and no
/// attempt comes back by it.
#[test]
fn a_stream_that_breaks_behind_each_message_has_ten_attempts() {
    let (target, shared) = start(|_, mut stream, shared| {
        let Some(asked) = request(&mut stream, shared) else { return };
        let after = cursor(&asked, shared);
        let _ = stream.write_all(&upgrade(&asked, after));
        shared.origin.wait();
        let _ = stream.write_all(&frame(0x81, &payload(after + 1, 64)));
        let _ = stream.shutdown(Shutdown::Both);
    });
    let load =
        failing_trial(plan(target, Contender::WEBSOCKET, 1), &shared, Duration::from_secs(2));
    assert_eq!(asked(&shared), usize::from(MOST_ATTEMPTS));
    assert_eq!(load.attempts.out[&0], 1);
}

fn long_polls(answer: &'static [u8]) -> (LoadMeasured, usize) {
    let (target, shared) = answers(answer);
    let mut plan = plan(target, Contender::LONG_POLL, 5);
    plan.subject.path = Some("/wait".to_owned());
    let load = trial(plan, &shared, SHORT);
    (load, asked(&shared))
}

/// 21,202 reconnects with 5 clients in 12 s. Pauses are below 100, 200, 400 … ms: in the 1.1 s of
/// this trial no client asks more than a few dozen times, and most a few times.
#[test]
fn a_long_poll_that_is_not_held_is_asked_ever_less_often() {
    for answer in [
        &b"HTTP/1.1 204 No Content\r\n\r\n"[..],
        b"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
        // Each answer is the end of its connection, announced or not.
        b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        // What the client has already is no news.
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0000000001",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0000000001",
    ] {
        let (load, asked) = long_polls(answer);
        let text = String::from_utf8_lossy(answer);
        assert!((10..=100).contains(&asked), "{asked}: {text}");
        assert!(load.attempts.early_answers >= 5, "{text} {load:?}");
        assert!(load.attempts.out.is_empty() && load.attempts.repeated == 0, "{text} {load:?}");
    }
}

#[test]
fn a_long_poll_of_ours_that_is_not_held_is_asked_ever_less_often_too() {
    let (target, shared) = start(|_, mut stream, shared| {
        while request(&mut stream, shared).is_some() {
            let _ = stream.write_all(&response("204 No Content", 1, b""));
        }
    });
    let load = trial(plan(target, Contender::LONG_POLL, 5), &shared, SHORT);
    // Each client subscribes and is answered at once, as it should be.
    assert!((10..=100).contains(&asked(&shared)), "{}", asked(&shared));
    assert!(load.attempts.early_answers >= 5, "{load:?}");
}

/// A server that closes each connection behind its answer (HTTP/1.0) refuses nobody.
#[test]
fn connections_that_end_between_two_polls_cost_no_attempt() {
    let (target, shared) = start(|_, stream, shared| polls(stream, shared, Duration::ZERO, 1));
    let load = trial(plan(target, Contender::SHORT_POLL, 4), &shared, LONG);
    assert_eq!((load.measured.audit.delivered, load.attempts.repeated), (200, 0), "{load:?}");
    assert!(load.measured.counters.reconnects >= 20, "they are told all the same: {load:?}");

    let (target, shared) = start(|_, mut stream, shared| {
        let Some(asked) = request(&mut stream, shared) else { return };
        std::thread::sleep(Duration::from_millis(20));
        let (after, newest) = (cursor(&asked, shared), shared.newest());
        let mut body = Vec::new();
        (after + 1..=newest).for_each(|seq| batch::push(&mut body, &payload(seq, 64)));
        let status = if body.is_empty() { "204 No Content" } else { "200 OK" };
        let answer = String::from_utf8(response(status, newest.max(after), &body)).unwrap();
        let answer = answer.replacen("ETag", "Connection: close\r\nETag", 1);
        let _ = stream.write_all(answer.as_bytes());
    });
    let load = trial(plan(target, Contender::LONG_POLL, 4), &shared, LONG);
    assert_eq!((load.measured.audit.delivered, load.attempts.repeated), (200, 0), "{load:?}");
    assert!(asked(&shared) > 4 * usize::from(MOST_ATTEMPTS), "{load:?}");
}

/// The outcome for two clients whose subscription is answered, and each poll behind it with `busy`;
/// and how many polls there were.
fn refused_polls(
    contender: Contender,
    busy: &'static [u8],
    drain: Duration,
) -> (LoadMeasured, usize) {
    let (target, shared) = start(move |number, mut stream, shared| {
        let subscribed = response("204 No Content", 0, b"");
        let mut answer = if number < 2 { &subscribed[..] } else { busy };
        while request(&mut stream, shared).is_some() && stream.write_all(answer).is_ok() {
            answer = busy;
        }
    });
    let load = failing_trial(plan(target, contender, 2), &shared, drain);
    (load, asked(&shared) - 2)
}

#[test]
fn short_polls_that_are_refused_are_few_and_heed_the_wait() {
    for contender in [Contender::SHORT_POLL, Contender::SHORT_POLL_CLOSE] {
        // For good, or until after the trial.
        for busy in [
            &b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"[..],
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n",
        ] {
            let (load, polls) = refused_polls(contender, busy, SHORT);
            assert_eq!((polls, load.attempts.left()), (2, 2), "{contender} {load:?}");
        }
        let busy = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
        let (load, polls) = refused_polls(contender, busy, SHORT);
        assert!((2..=20).contains(&polls), "{contender}: {polls} {load:?}");
        // Some 25 periods of polls; with a second between them there are three at the most.
        let busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
        let (load, polls) = refused_polls(contender, busy, Duration::from_secs(2));
        assert!((4..=6).contains(&polls), "{contender}: {polls} {load:?}");
        assert!(load.measured.counters.skipped_polls >= 4, "{load:?}");
    }
}

/// WHATWG HTML §9.2.6: the stream says how long a client is to wait before it comes back.
#[test]
fn an_event_stream_says_when_to_come_back() {
    let (target, shared) = start(|number, mut stream: TcpStream, shared| {
        let Some(_) = request(&mut stream, shared) else { return };
        shared.noted(&format!("{}", clock::now().as_nanos()));
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nETag: \"0\"\r\n\r\n";
        let _ = stream.write_all(head);
        if number == 0 {
            in_the_window(shared);
        }
        let _ = stream.write_all(b"retry: 400\n\n");
    });
    let load = trial(plan(target, Contender::SSE, 1), &shared, Duration::from_secs(2));
    let requests = shared.requests.lock().unwrap();
    let instants: Vec<u64> = requests.iter().filter_map(|line| line.parse().ok()).collect();
    assert!(instants.len() >= 3, "{load:?}");
    assert!(instants.windows(2).all(|pair| pair[1] - pair[0] >= 400_000_000), "{instants:?}");
}

/// A few clients that a server turns away do not spoil what the others see.
#[test]
fn the_others_go_on() {
    let (target, shared) = start(|number, mut stream, shared| {
        if number > 0 {
            return websocket(stream, shared, |n| Some(vec![n]));
        }
        let _ = request(&mut stream, shared);
        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    });
    let running = Running::start(plan(target, Contender::WEBSOCKET, 3));
    let (clients, _, attempts) = connect(&running);
    assert_eq!((clients, attempts.out[&403]), (2, 1));
    let load = running.run(&shared, LONG);
    assert!(load.drained && load.measured.balances(), "{load:?}");
    assert_eq!((load.connected_at_start, load.measured.audit.delivered), (2, 100));
    assert_eq!(load.attempts.out[&403], 1);
}

/// An event stream never ends, so what it is has to be told from its head.
#[test]
fn an_endless_answer_of_another_kind_is_told_from_its_head() {
    let (target, _) = start(|_, mut stream, shared| {
        let Some(_) = request(&mut stream, shared) else { return };
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n";
        let _ = stream.write_all(head);
        // Until the client leaves.
        let _ = stream.read(&mut [0; 64]);
    });
    let running = Running::start(plan(target, Contender::WEBSOCKET, 2));
    let (clients, error, attempts) = connect(&running);
    assert_eq!((clients, attempts.out[&200]), (0, 2));
    let error = error.unwrap();
    assert!(error.contains("200 OK") && error.contains("expected 101"), "{error}");
    assert!(error.contains("text/event-stream; try -t sse"), "{error}");
}

/// The same of a poll, whose answer is one that succeeds.
#[test]
fn an_event_stream_is_no_answer_to_a_poll() {
    let (target, _) = start(|_, mut stream, shared| {
        let Some(_) = request(&mut stream, shared) else { return };
        let head =
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nETag: \"1\"\r\n\r\ndata: 1\n\n";
        let _ = stream.write_all(head);
        // Until the client leaves.
        let _ = stream.read(&mut [0; 64]);
    });
    let running = Running::start(plan(target, Contender::SHORT_POLL, 2));
    let (clients, error, attempts) = connect(&running);
    assert_eq!((clients, attempts.never_in), (0, 2));
    let error = error.unwrap();
    assert!(error.contains("of type `text/event-stream`") && error.contains("-t sse"), "{error}");
}

/// A server may choose among the subprotocols that were offered (RFC 6455 §4.1), and no other: a client that
/// got another would take one language for the other.
#[test]
fn a_subprotocol_that_was_not_offered_opens_nothing() {
    let answering = |chosen: &'static str| {
        let (target, _) = start(move |_, mut stream, shared| {
            let Some(asked) = request(&mut stream, shared) else { return };
            let answer = String::from_utf8(upgrade(&asked, 0)).unwrap();
            let field = format!("\r\nSec-WebSocket-Protocol: {chosen}\r\n");
            let _ = stream.write_all(answer.replacen("\r\n", &field, 1).as_bytes());
            let _ = stream.read(&mut [0; 64]);
        });
        let rules =
            Rules { subprotocol: vec!["chat.v2".to_owned()], no_seq: true, ..Rules::default() };
        let mut plan = plan(target, Contender::WEBSOCKET, 2);
        plan.subject.rules = Some(rules);
        connect(&Running::start(plan))
    };
    let (clients, error, attempts) = answering("chat.v1");
    assert_eq!((clients, attempts.never_in), (0, 2), "another attempt would come to the same");
    let error = error.unwrap();
    assert!(error.contains("it chose the subprotocol `chat.v1`, which was not offered"), "{error}");
    let (clients, error, _) = answering("chat.v2");
    assert_eq!((clients, error), (2, None));
}

/// Refuses with `head`, then says `words` again and again until the client leaves; `pause` apart.
fn refusing_for_ever(head: &'static str, words: Vec<u8>, pause: Duration) -> SocketAddr {
    let (target, _) = start(move |_, mut stream, shared| {
        let Some(_) = request(&mut stream, shared) else { return };
        let mut goes_on = stream.write_all(head.as_bytes()).is_ok();
        while goes_on {
            goes_on = stream.write_all(&words).is_ok();
            std::thread::sleep(pause);
        }
    });
    target
}

/// A refusal is one, also where its words never end or are far too many.
#[test]
fn a_refusal_is_told_before_its_words_have_ended() {
    let drips = "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n";
    let floods = "HTTP/1.1 403 Forbidden\r\nContent-Length: 99999999999\r\n\r\n";
    for contender in EVERY_SHAPE {
        for (head, words, pause) in [
            (drips, b"3\r\nno!\r\n".to_vec(), Duration::from_millis(100)),
            (floods, vec![b'n'; 1 << 16], Duration::ZERO),
        ] {
            let target = refusing_for_ever(head, words, pause);
            let running = Running::start(plan(target, contender, 2));
            let (clients, error, attempts) = connect(&running);
            assert_eq!((clients, attempts.out.get(&403)), (0, Some(&2)), "{contender} {head}");
            assert_eq!((attempts.repeated, attempts.never_in), (0, 2), "{contender} {head}");
            assert!(error.unwrap().contains("403 Forbidden"), "{contender} {head}");
        }
    }
}
