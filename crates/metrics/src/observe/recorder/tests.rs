use std::time::Duration;

use proptest::prelude::*;
use pushbench_core::{Sender, Seq};

use super::*;
use crate::observe::ledger::{Direction, Layer, Source, TcpipTally};
use crate::observe::measured::Counters;

const MS: u64 = 1_000_000;

/// Messages 11 to 30, due each 100 ms from one second to three.
const WINDOW: Window = Window {
    start: MonoInstant(1_000 * MS),
    end: MonoInstant(3_000 * MS),
    first: Seq(11),
    last: Seq(30),
};

fn arrival(client: u32, seq: u64, delay_ms: u64) -> Arrival {
    let due = MonoInstant((seq - 1) * 100 * MS);
    let (seq, at) = (Seq(seq), due.plus_nanos(delay_ms * MS));
    Arrival { client, sender: Sender::FEED, seq, due, at }
}

/// A recorder of two clients that received each message up to the 31st 5 ms late.
fn played() -> Recorder {
    let mut recorder = Recorder::new(2, Delivery::Every);
    for seq in 1..=31 {
        if seq == 4 {
            recorder.set_window(WINDOW);
        }
        recorder.arrived(&arrival(0, seq, 5));
        assert_eq!(recorder.settled(), seq == 31, "client 1 has yet to receive {seq}");
        recorder.arrived(&arrival(1, seq, 5));
    }
    recorder
}

#[test]
fn each_delivery_is_one_sample_everywhere() {
    let mut recorder = played();
    recorder.arrived(&arrival(1, 12, 9_000));
    assert!(recorder.settled());
    let measured = recorder.finish();

    assert_eq!((measured.audit.delivered, measured.audit.duplicated), (40, 1));
    assert_eq!(measured.latency.count(), 40);
    assert!((measured.latency.max_us().unwrap() / 5_000.0 - 1.0).abs() < 1e-3);
    assert_eq!(measured.series.rows().map(|row| row.delivered).collect::<Vec<_>>(), [20, 20]);
    assert!((measured.age.mean_us().unwrap() - 55_000.0).abs() < 1e-3);
    assert_eq!(measured.counters.messages_in_window, 40);
    assert!(measured.balances());
}

#[test]
fn the_windows_bytes_are_divided_by_all_that_arrived_in_it() {
    let mut recorder = Recorder::new(1, Delivery::Every);
    recorder.set_window(WINDOW);
    recorder.arrived(&arrival(0, 10, 150));
    recorder.arrived(&arrival(0, 11, 60));
    recorder.arrived(&arrival(0, 11, 70));
    recorder.arrived(&arrival(0, 30, 200));
    let measured = recorder.finish();
    assert_eq!(measured.counters.messages_in_window, 2);
    assert_eq!((measured.audit.delivered, measured.latency.count()), (2, 2));
}

#[test]
fn an_excluded_client_leaves_only_its_costs() {
    let mut recorder = Recorder::new(2, Delivery::Every);
    recorder.set_window(WINDOW);
    recorder.exclude(1);
    for seq in 11..=30 {
        recorder.arrived(&arrival(0, seq, 5));
    }
    recorder.arrived(&arrival(1, 20, 5));
    assert!(recorder.settled());
    let measured = recorder.finish();
    assert_eq!((measured.audit.clients, measured.audit.expected), (1, 20));
    assert_eq!((measured.latency.count(), measured.counters.messages_in_window), (20, 21));
    assert_eq!(measured.age.observed_ns, 1_995 * MS);
    assert!(measured.balances());
}

#[test]
fn messages_that_come_together_are_one_lump() {
    let mut recorder = Recorder::new(2, Delivery::Every);
    recorder.set_window(WINDOW);
    // Five at a time, a millisecond from one to the next; another client's lie between.
    for last in [15, 20, 25, 30] {
        for behind in 0..5 {
            let seq = last - 4 + behind;
            let at = MonoInstant((last - 1) * 100 * MS + behind * MS);
            recorder.arrived(&Arrival { at, ..arrival(0, seq, 0) });
            recorder.arrived(&arrival(1, seq, 5));
        }
    }
    let counters = recorder.finish().counters;
    assert_eq!((counters.messages_in_window, counters.lumps), (40, 4 + 20));
    assert_eq!(counters.due_lumps, 40, "each was due by itself");
}

#[test]
fn events_count_in_the_phases_that_they_belong_to() {
    let mut recorder = Recorder::new(1, Delivery::Latest);
    let took = Duration::from_micros(800);
    let at = MonoInstant(1_500 * MS);
    let all = [
        Event::Request { client: 0 },
        Event::EmptyResponse { client: 0 },
        Event::SkippedPoll,
        Event::Said { client: 0 },
        Event::TcpOpened { took: took / 2 },
        Event::Connected { client: 0, took },
        Event::ConnectionLost { client: 0, quiet: took },
        Event::Reconnected { client: 0 },
        Event::Failed { client: 0 },
        Event::BrokeProtocol { client: 0 },
        Event::Secured { client: 0, resumed: false, took: took / 4 },
        Event::Secured { client: 0, resumed: true, took: took / 2 },
    ];
    for phase in Phase::ALL {
        if phase == Phase::Window {
            recorder.set_window(WINDOW);
        }
        all.iter().for_each(|event| recorder.happened(phase, at, event));
    }
    let measured = recorder.finish();
    let expected = Counters {
        requests: 1,
        empty_responses: 1,
        skipped_polls: 1,
        connections_lost: 4,
        reconnects: 4,
        errors: 4,
        protocol_errors: 4,
        handshakes: 10,
        handshakes_connecting: 2,
        resumed: 5,
        lumps: 0,
        due_lumps: 0,
        messages_in_window: 0,
        said: 1,
    };
    assert_eq!(measured.counters, expected);
    assert_eq!((measured.connect.count(), measured.resumed.count()), (5, 5));
    let least = measured.resumed.percentile_us(0.0);
    assert!(least.is_some_and(|us| us > 300.0), "of those that were resumed alone: {least:?}");
    // By the instant, not by the phase that the runner was in.
    assert_eq!(measured.series.rows().map(|row| row.requests).collect::<Vec<_>>(), [3, 0]);
}

#[test]
fn processes_merge_and_survive_json() {
    let mut tally = Tally::default();
    tally.add(Direction::Down, Layer::Payload, 640);
    let mut recorder = played();
    recorder.moved(Phase::Window, MonoInstant(2_100 * MS), &tally);
    recorder.sockets_moved(0, 640);
    let one = recorder.finish();
    let json = serde_json::to_string(&one).unwrap();
    let mut both: Measured = serde_json::from_str(&json).unwrap();
    assert_eq!(both, one);

    both.merge(&one);
    assert_eq!((both.audit.published, both.audit.expected, both.audit.clients), (20, 80, 4));
    assert_eq!((both.latency.count(), both.counters.messages_in_window), (80, 80));
    assert_eq!(both.age.mean_us(), one.age.mean_us());
    assert_eq!(both.series.rows().map(|row| row.bytes_down).collect::<Vec<_>>(), [0, 1_280]);
    assert!(both.balances());

    let mut from_nothing = Measured::default();
    from_nothing.merge(&one);
    assert_eq!(from_nothing, one);
}

#[test]
fn what_is_still_under_way_is_known_to_take_longer() {
    let mut recorder = Recorder::new(3, Delivery::Every);
    recorder.set_window(WINDOW);
    for seq in 9..=28 {
        recorder.arrived(&arrival(0, seq, 5));
        recorder.arrived(&arrival(1, seq.min(20), 5));
    }
    let end = MonoInstant(5_000 * MS);
    let coming = |client| Coming { last: None, under_way: client == 0 };
    let due = |message: Identity| Some(MonoInstant((message.seq.0 - 1) * 100 * MS));
    recorder.end_drain(end, &coming, &due);
    let measured = recorder.finish();
    let audit = &measured.audit;
    assert_eq!((audit.delivered, audit.late, audit.lost), (18 + 10, 2, 10 + 20));
    assert!(measured.balances());
    // Messages 29 and 30 were due at 2.8 and 2.9 s.
    let ends = (measured.late.percentile_us(0.0), measured.late.max_us());
    assert!((ends.0.unwrap() / 2_100_000.0 - 1.0).abs() < 1e-3, "{ends:?}");
    assert!((ends.1.unwrap() / 2_200_000.0 - 1.0).abs() < 1e-3, "{ends:?}");
    // The first second has all that was due in it, the second has not.
    let maxima: Vec<bool> =
        measured.series.rows().map(|row| row.latency_max_us.is_some()).collect();
    assert_eq!(maxima, [true, false]);
    // Client 1 held message 20, due at 1.9 s, 5 ms later; client 2 nothing.
    let silence = measured.silence.unwrap();
    assert_eq!((silence.clients, silence.newest), (2, Seq(20)));
    assert_eq!(silence.at, Duration::from_millis(905));
    let told =
        "no message newer than 20 came, and none at all later than 0.905 s from the window's";
    assert!(silence.to_string().contains(told), "{silence}");

    let mut both = measured.clone();
    both.merge(&measured);
    assert!(both.balances() && both.late.count() == 4 && both.silence.unwrap().clients == 4);
    let json = serde_json::to_string(&both).unwrap();
    assert_eq!(serde_json::from_str::<Measured>(&json).unwrap(), both);
}

#[test]
fn a_message_before_its_instant_is_told_and_no_latency() {
    let mut recorder = Recorder::new(1, Delivery::Every);
    recorder.set_window(WINDOW);
    recorder.arrived(&arrival(0, 11, 5));
    let due = MonoInstant(1_100 * MS);
    let (seq, at) = (Seq(12), MonoInstant(1_070 * MS));
    recorder.arrived(&Arrival { client: 0, sender: Sender::FEED, seq, due, at });
    let fit = recorder.finish().fit;
    assert_eq!((fit.early, fit.worst.unwrap().by), (1, Duration::from_millis(30)));
}

/// An event at one client: a message, bytes or an event.
#[derive(Debug, Clone)]
enum Happening {
    Message { seq: u64, delay_ms: u64 },
    Moved { at_ms: u64, bytes: u64 },
    Request { at_ms: u64 },
    Connected { took_us: u64 },
}

fn happening() -> impl Strategy<Value = Happening> {
    let at = 900_u64..3_200;
    prop_oneof![
        4 => (1_u64..40, 0_u64..400).prop_map(|(seq, delay_ms)| Happening::Message { seq, delay_ms }),
        1 => (at.clone(), 1_u64..2_000).prop_map(|(at_ms, bytes)| Happening::Moved { at_ms, bytes }),
        1 => at.prop_map(|at_ms| Happening::Request { at_ms }),
        1 => (1_u64..90_000).prop_map(|took_us| Happening::Connected { took_us }),
    ]
}

/// Plays to a recorder what happens at those of all clients that it has.
fn recorded(
    happenings: &[(u32, Happening)],
    clients: std::ops::Range<u32>,
    delivery: Delivery,
    excluded: u32,
) -> Measured {
    let mut recorder = Recorder::new(clients.len() as u32, delivery);
    recorder.set_window(WINDOW);
    if clients.contains(&excluded) {
        recorder.exclude(excluded - clients.start);
    }
    let phases = [Phase::Warmup, Phase::Window, Phase::Drain];
    for (number, (client, happening)) in happenings.iter().enumerate() {
        if !clients.contains(client) {
            continue;
        }
        let (client, phase) = (client - clients.start, phases[number % phases.len()]);
        match happening {
            Happening::Message { seq, delay_ms } => {
                recorder.arrived(&arrival(client, *seq, *delay_ms));
            }
            Happening::Moved { at_ms, bytes } => {
                let mut tally = Tally::default();
                tally.add(Direction::Down, Layer::Framing, *bytes);
                recorder.moved(phase, MonoInstant(at_ms * MS), &tally);
                recorder.sockets_moved(0, *bytes);
                let tcpip =
                    TcpipTally { packets: 1, header_bytes: bytes / 2, retransmitted_bytes: 3 };
                recorder.tcpip(phase, Direction::Up, Source::Kernel, &tcpip);
            }
            Happening::Request { at_ms } => {
                recorder.happened(phase, MonoInstant(at_ms * MS), &Event::Request { client });
            }
            Happening::Connected { took_us } => {
                let took = Duration::from_micros(*took_us);
                let connected = Event::Connected { client, took };
                recorder.happened(phase, MonoInstant(0), &connected);
            }
        }
    }
    recorder.finish()
}

proptest! {
    /// Clients split over several processes are measured as in one.
    #[test]
    fn several_recorders_see_what_one_sees(
        mut happenings in prop::collection::vec((0_u32..7, happening()), 0..200),
        cuts in prop::collection::vec(0_u32..=7, 0..4),
        latest in any::<bool>(),
        excluded in 0_u32..9,
    ) {
        // At each client messages come in order of time, as they do.
        happenings.sort_by_key(|(_, happening)| match happening {
            Happening::Message { seq, delay_ms } => (seq - 1) * 100 + delay_ms,
            _ => 0,
        });
        let delivery = if latest { Delivery::Latest } else { Delivery::Every };
        let whole = recorded(&happenings, 0..7, delivery, excluded);

        let mut edges: Vec<u32> = cuts.into_iter().chain([0, 7]).collect();
        edges.sort_unstable();
        let parts = edges.windows(2).map(|edge| edge[0]..edge[1]).filter(|part| !part.is_empty());
        let mut merged = Measured::default();
        for part in parts {
            merged.merge(&recorded(&happenings, part, delivery, excluded));
        }
        // The integral of ages is a sum of floats, which the order of adding rounds differently.
        let (one, other) = (&mut merged.age.integral_s2, whole.age.integral_s2);
        prop_assert!((*one - other).abs() <= 1e-12 * other.abs());
        *one = other;
        prop_assert_eq!(merged, whole);
    }
}
