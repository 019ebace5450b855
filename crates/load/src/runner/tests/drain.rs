//! The drain's end, and messages that have not come: late where they were under way.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use pushbench_core::{Contender, Seq};
use pushbench_metrics::record::control::LoadMeasured;
use pushbench_os::time::clock;
use pushbench_protocol::batch;

use super::server::{PERIOD, Shared, cursor, request, start, websocket};
use super::{SHORT, plan, trial};
use crate::session::tests::{frame, payload, response, upgrade};

/// Expected, delivered, lost and late.
fn counts(load: &LoadMeasured) -> [u64; 4] {
    let audit = &load.measured.audit;
    [audit.expected, audit.delivered, audit.lost, audit.late]
}

#[test]
fn a_stream_that_is_slower_than_its_feed_is_late() {
    let (target, shared) = start(|_, stream, shared| {
        websocket(stream, shared, |seq| {
            thread::sleep(PERIOD * 3 / 2);
            Some(vec![seq])
        });
    });
    let load = trial(plan(target, Contender::WEBSOCKET, 2), &shared, SHORT);
    let [expected, delivered, lost, late] = counts(&load);
    assert!(late > 0 && delivered > 0 && lost == 0, "{load:?}");
    assert_eq!(delivered + late, expected);
    assert!(!load.drained && load.measured.silence.is_none(), "{load:?}");
    // Each was due in the window, and so has been waited for since then.
    let least = load.measured.late.percentile_us(0.0).unwrap();
    assert!(least >= SHORT.as_secs_f64() * 1e6 * 0.999, "{least} µs");
}

#[test]
fn a_stream_that_stops_is_lost_from_there_on() {
    let (target, shared) = start(|_, stream, shared| {
        websocket(stream, shared, |seq| Some(if seq > 50 { vec![] } else { vec![seq] }));
    });
    let load = trial(plan(target, Contender::WEBSOCKET, 2), &shared, SHORT);
    assert_eq!(counts(&load), [100, 50, 50, 0]);
    let silence = load.measured.silence.unwrap();
    assert_eq!((silence.clients, silence.newest), (2, Seq(50)));
    // It was due 240 ms into the window.
    assert!(silence.at >= PERIOD * 24, "{silence}");
}

#[test]
fn a_stream_that_stops_a_second_before_the_end_is_lost_too() {
    let (target, shared) = start(|_, stream, shared| {
        websocket(stream, shared, |seq| {
            thread::sleep(if seq == 70 { PERIOD * 20 } else { Duration::ZERO });
            Some(if seq > 70 { vec![] } else { vec![seq] })
        });
    });
    let load = trial(plan(target, Contender::WEBSOCKET, 1), &shared, 5 * SHORT);
    assert_eq!(counts(&load), [50, 45, 5, 0]);
    // The window is half a second long.
    assert!(load.measured.silence.unwrap().at > PERIOD * 50, "{load:?}");
}

#[test]
fn a_part_of_a_message_is_under_way() {
    let (target, shared) = start(|_, mut stream, shared| {
        let Some(asked) = request(&mut stream, shared) else { return };
        stream.write_all(&upgrade(&asked, cursor(&asked, shared))).unwrap();
        let origin = *shared.origin.wait();
        for seq in 1..=50 {
            clock::sleep_until(origin + PERIOD * (seq - 1));
            stream.write_all(&frame(0x81, &payload(u64::from(seq), 64))).unwrap();
        }
        // A megabyte that comes by 64 bytes a period.
        let whole = frame(0x81, &payload(51, 1 << 20));
        for piece in whole.chunks(64) {
            if stream.write_all(piece).is_err() {
                return;
            }
            thread::sleep(PERIOD);
        }
    });
    let load = trial(plan(target, Contender::WEBSOCKET, 1), &shared, SHORT);
    assert_eq!(counts(&load), [50, 25, 0, 25]);
}

/// Answers polls with at most `most` messages, none beyond `last`.
fn polls_of(mut stream: TcpStream, shared: &Shared, most: u64, last: u64) {
    while let Some(request) = request(&mut stream, shared) {
        let (after, newest) = (cursor(&request, shared), shared.newest().min(last));
        let mut body = Vec::new();
        let end = newest.min(after + most);
        (after + 1..=end).for_each(|seq| batch::push(&mut body, &payload(seq, 64)));
        let status = if body.is_empty() { "204 No Content" } else { "200 OK" };
        if stream.write_all(&response(status, newest.max(after), &body)).is_err() {
            return;
        }
    }
}

#[test]
fn polls_that_are_never_empty_are_late_and_empty_ones_have_lost() {
    // Ten messages fall due between two polls.
    for (most, last) in [(5, 1_000), (1_000, 50)] {
        let (target, shared) = start(move |_, stream, shared| polls_of(stream, shared, most, last));
        let load = trial(plan(target, Contender::SHORT_POLL, 2), &shared, SHORT);
        let [expected, delivered, lost, late] = counts(&load);
        assert_eq!(delivered + lost + late, expected);
        if last == 50 {
            assert_eq!((delivered, lost, load.measured.silence.unwrap().clients), (50, 50, 2));
        } else {
            assert!(late > 0 && lost == 0, "{load:?}");
        }
    }
}

/// The last answers were full, and then there was no server any more.
#[test]
fn a_full_answer_before_a_failure_promises_nothing() {
    for contender in [Contender::SHORT_POLL, Contender::LONG_POLL] {
        let (target, shared) = start(move |_, mut stream, shared| {
            // The window begins with message 26. A full answer stops short of its entity tag.
            while let Some(asked) = request(&mut stream, shared).filter(|_| shared.newest() < 40) {
                let after = cursor(&asked, shared);
                while asked.contains("after=") && shared.newest() < after + 2 {
                    thread::sleep(PERIOD);
                }
                let (mut body, newest) = (Vec::new(), shared.newest());
                (after + 1..newest).for_each(|seq| batch::push(&mut body, &payload(seq, 64)));
                let status = if body.is_empty() { "204 No Content" } else { "200 OK" };
                if stream.write_all(&response(status, newest.max(after), &body)).is_err() {
                    return;
                }
            }
        });
        let load = trial(plan(target, contender, 1), &shared, SHORT);
        let [expected, delivered, lost, late] = counts(&load);
        assert!(delivered > 0 && late == 0, "{contender}: {load:?}");
        assert_eq!(delivered + lost, expected, "{contender}");
    }
}
