//! Stamps of sampled connections, from real sockets.

use std::collections::HashSet;

use pushbench_core::sampling::Sampling;
use pushbench_metrics::observe::stamps::{LoadStamps, Received};

use super::*;

const ALL: Sampling = Sampling { connections: 1, messages: 1, room: 10_000 };

fn stamped(target: SocketAddr, contender: Contender, clients: u32, stamps: Sampling) -> LoadPlan {
    LoadPlan { stamps: Some(stamps), ..plan(target, contender, clients) }
}

/// The order of each arrival's instants: asked for before it came, and with the kernel before the client had
/// it, by what the clocks leave in doubt.
fn check(stamps: &LoadStamps) {
    for &Received { asked, kernel, at, seq, last, due, .. } in &stamps.received {
        let kernel = kernel.expect("the kernel stamps what loopback brings");
        assert!(asked < at && due < at && last >= seq, "{stamps:?}");
        assert!(kernel.0 <= at.0 + stamps.clock_bound_ns, "{kernel} is after {at}");
        assert!(kernel.0 + stamps.clock_bound_ns >= due.0, "{kernel} is before {due}");
    }
}

#[test]
fn each_arrival_of_the_window_has_its_stamps() {
    let (target, shared) = start(|_, stream, shared| websocket(stream, shared, |n| Some(vec![n])));
    let load = trial(stamped(target, Contender::WEBSOCKET, 4, ALL), &shared, LONG);
    let stamps = &load.stamps;
    assert_eq!((stamps.received.len(), stamps.connections.len()), (200, 4));
    assert!(!stamps.clock_stepped && stamps.without_room == 0);
    check(stamps);
    let clients: HashSet<u32> = stamps.connections.iter().map(|&(client, _)| client).collect();
    assert_eq!(clients, (0..4).collect());
    // A stream was asked for once, and before its first message was due.
    assert!(stamps.received.iter().all(|received| received.asked < received.due));
}

#[test]
fn a_poll_is_stamped_when_it_goes_out_also_on_a_new_connection_each_time() {
    let (target, shared) = start(|_, stream, shared| polls(stream, shared, Duration::ZERO, 1));
    let load = trial(stamped(target, Contender::SHORT_POLL_CLOSE, 2, ALL), &shared, LONG);
    let stamps = &load.stamps;
    assert_eq!(stamps.received.len(), 100);
    assert!(stamps.connections.len() >= 10, "one for each poll: {}", stamps.connections.len());
    check(stamps);
    // A poll each 100 ms brings some ten messages, all of them asked for at once.
    let polls: HashSet<_> = stamps.received.iter().map(|it| (it.connection, it.asked)).collect();
    assert!((10..=14).contains(&polls.len()), "{} polls", polls.len());
    assert!(stamps.received.iter().filter(|it| it.asked > it.due).count() > 80);
}

#[test]
fn what_the_rule_leaves_out_leaves_no_trace() {
    let (target, shared) = start(|_, stream, shared| websocket(stream, shared, |n| Some(vec![n])));
    let rule = Sampling { connections: 3, messages: 2, room: 10_000 };
    let load = trial(stamped(target, Contender::WEBSOCKET, 12, rule), &shared, LONG);
    let stamps = load.stamps;
    assert!(stamps.connections.iter().all(|&(_, address)| rule.takes_connection(address)));
    assert!(stamps.received.iter().all(|received| rule.takes_message(received.seq)));
    let messages: HashSet<_> = stamps.received.iter().map(|received| received.seq).collect();
    assert_eq!(stamps.received.len(), messages.len() * stamps.connections.len());
    check(&stamps);
}

#[test]
fn what_finds_no_room_is_counted() {
    let (target, shared) = start(|_, stream, shared| websocket(stream, shared, |n| Some(vec![n])));
    let rule = Sampling { room: 30, ..ALL };
    let stamps = trial(stamped(target, Contender::WEBSOCKET, 1, rule), &shared, LONG).stamps;
    assert_eq!((stamps.received.len(), stamps.without_room), (30, 20));
}

#[test]
fn without_a_rule_nothing_is_stamped() {
    let (target, shared) = start(|_, stream, shared| websocket(stream, shared, |n| Some(vec![n])));
    let stamps = trial(plan(target, Contender::WEBSOCKET, 1), &shared, LONG).stamps;
    assert_eq!(stamps, LoadStamps::default());
}
