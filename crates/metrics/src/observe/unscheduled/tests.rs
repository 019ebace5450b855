use proptest::prelude::*;
use pushbench_core::feed::stamp::Stamp;
use pushbench_core::{Delivery, Sender, Seq};

use super::*;
use crate::observe::audit::AuditTotals;
use crate::observe::seen::Restarts;

/// The window, in the unit that the tests count instants in: milliseconds.
const START: u64 = 1_000;
const END: u64 = 2_000;
const MS: u64 = 1_000_000;

fn window() -> Window {
    let (start, end) = (MonoInstant(START * MS), MonoInstant(END * MS));
    Window { start, end, first: Seq(1), last: Seq::NONE }
}

/// A message at `client`: its number, when it was stamped and when it arrived.
#[derive(Debug, Clone, Copy)]
struct Came {
    client: u32,
    sender: u32,
    seq: Option<u64>,
    due: Option<u64>,
    at: u64,
}

fn came(client: u32, seq: u64, due: u64) -> Came {
    Came { client, sender: 0, seq: Some(seq), due: Some(due), at: due + 1 }
}

/// One load process with so many clients, to which this comes, in its order.
fn process(clients: u32, arrivals: &[Came]) -> StampRecorder {
    let mut recorder = StampRecorder::new(clients);
    recorder.set_window(window());
    for it in arrivals {
        recorder.found(&Finding {
            client: it.client,
            sender: Sender(it.sender),
            seq: it.seq.map(Seq),
            stamp: it.due.map(|due| Stamp((due * MS).cast_signed())),
            due: it.due.map(|due| MonoInstant(due * MS)),
            at: MonoInstant(it.at * MS),
        });
    }
    recorder
}

fn drained(mut recorder: StampRecorder, under_way: &[u32]) -> Measured {
    let coming = |client| Coming { under_way: under_way.contains(&client), last: None };
    recorder.end_drain(MonoInstant(3_000 * MS), &coming, &|_| None);
    recorder.finish()
}

fn settled(processes: impl IntoIterator<Item = Measured>, delivery: Delivery) -> Measured {
    let mut all = processes
        .into_iter()
        .reduce(|mut all, process| {
            all.merge(&process);
            all
        })
        .unwrap();
    all.settle(&window(), delivery);
    assert!(all.audit.balances(), "{:?}", all.audit);
    assert!(all.is_sampled(), "{:?}", all.audit);
    assert!(all.seen.is_empty());
    all
}

fn totals(clients: u32, arrivals: &[Came]) -> AuditTotals {
    settled([drained(process(clients, arrivals), &[])], Delivery::Every).audit
}

/// Published, expected, delivered, lost, duplicated, reordered.
fn counts(audit: &AuditTotals) -> [u64; 6] {
    let &AuditTotals { published, expected, delivered, lost, duplicated, reordered, .. } = audit;
    [published, expected, delivered, lost, duplicated, reordered]
}

#[test]
fn one_client_is_to_have_all_from_its_first_to_its_last() {
    let numbers = |numbers: &[u64]| -> [u64; 6] {
        let arrivals: Vec<Came> =
            numbers.iter().map(|&seq| came(0, seq, START + 10 * (seq % 100))).collect();
        counts(&totals(1, &arrivals))
    };
    assert_eq!(numbers(&[101, 102, 103]), [3, 3, 3, 0, 0, 0]);
    assert_eq!(numbers(&[101, 104]), [4, 4, 2, 2, 0, 0], "a gap is lost");
    assert_eq!(numbers(&[101, 102, 102, 103, 102]), [3, 3, 3, 0, 2, 0], "a repeat");
    assert_eq!(numbers(&[101, 103, 102, 104]), [4, 4, 4, 0, 0, 1], "a step back");
    assert_eq!(numbers(&[0, 1, 2]), [3, 3, 3, 0, 0, 0], "numbers may begin at 0");
    let edge = u64::MAX - u64::MAX % 100;
    assert_eq!(numbers(&[edge, edge + 2]), [3, 3, 2, 1, 0, 0]);
    assert_eq!(numbers(&[]), [0; 6]);
}

#[test]
fn only_stamps_in_the_window_count() {
    let arrivals = [
        came(0, 1, START - 1),
        came(0, 2, START),
        Came { at: 2_500, ..came(0, 3, END - 1) },
        came(0, 4, END),
    ];
    let audit = totals(1, &arrivals);
    assert_eq!(counts(&audit), [2, 2, 2, 0, 0, 0]);
    assert_eq!(audit.newest, 4);
}

#[test]
fn each_client_is_to_have_what_any_client_got() {
    // 13 came to nobody, 12 to one of them.
    let mut arrivals: Vec<Came> = [10, 11, 12, 14].map(|seq| came(0, seq, START + seq)).to_vec();
    arrivals.extend([10, 11, 14].map(|seq| came(1, seq, START + seq)));
    let measured = settled([drained(process(2, &arrivals), &[])], Delivery::Every);
    assert_eq!(counts(&measured.audit), [4, 8, 7, 1, 0, 0]);
    assert_eq!(measured.senders.unwrap().missing, 1);
}

#[test]
fn processes_are_merged_by_number() {
    let one = [10, 11, 13].map(|seq| came(0, seq, START + seq));
    let other = [came(0, 11, START + 11), came(0, 12, START + 12), came(1, 10, START + 10)];
    let processes = [drained(process(1, &one), &[]), drained(process(2, &other), &[])];
    let measured = settled(processes, Delivery::Every);
    // Expected of three: 10, 11, 12, 13.
    assert_eq!(counts(&measured.audit), [4, 12, 6, 6, 0, 0]);
    let silence = measured.silence.unwrap();
    assert_eq!((silence.clients, silence.newest), (2, Seq(12)));
}

#[test]
fn each_key_has_a_counter_of_its_own_in_whatever_order_processes_met_them() {
    let of = |sender, seq| Came { sender, ..came(0, seq, START + seq) };
    let mut one = drained(process(1, &[of(0, 5), of(0, 6), of(1, 900)]), &[]);
    one.name_counters(&["a".into(), "b".into()]);
    let mut other = drained(process(1, &[of(0, 900), of(1, 6)]), &[]);
    other.name_counters(&["b".into(), "a".into()]);
    let mut third = drained(process(1, &[]), &[]);
    third.name_counters(&[]);
    let measured = settled([one, other, third], Delivery::Every);
    // 5 and 6 of a, 900 of b, for three clients.
    assert_eq!(counts(&measured.audit), [3, 9, 5, 4, 0, 0]);
    let senders = measured.senders.unwrap();
    assert_eq!((senders.counters, senders.restarts, senders.missing), (2, None, 0));
}

#[test]
fn numbers_that_begin_again_are_told_with_their_counter() {
    let mut arrivals: Vec<Came> = (500..510).map(|seq| came(0, seq, START + seq - 400)).collect();
    arrivals.extend((1..4).map(|seq| came(0, seq, START + 200 + seq)));
    let measured = settled([drained(process(1, &arrivals), &[])], Delivery::Every);
    let restarts = Restarts { times: 1, from: 509, to: 1 };
    assert_eq!(measured.senders.unwrap().restarts, Some((String::new(), restarts)));
}

#[test]
fn what_is_under_way_is_late_and_bounds_latency() {
    let mut arrivals: Vec<Came> = (1..=10).map(|seq| came(0, seq, START + seq)).collect();
    arrivals.extend((1..=7).map(|seq| came(1, seq, START + seq)));
    arrivals.extend((1..=5).filter(|seq| *seq != 4).map(|seq| came(2, seq, START + seq)));
    let processes = [drained(process(3, &arrivals), &[1])];
    let measured = settled(processes, Delivery::Every);
    let audit = measured.audit;
    assert_eq!((audit.expected, audit.delivered, audit.late, audit.lost), (30, 21, 3, 6));
    // The 8th, 9th and 10th, due 1.992 to 1.990 s before.
    let mean_us = measured.late.mean_us().unwrap();
    assert!((mean_us / 1_991_000.0 - 1.0).abs() < 2e-3, "{mean_us}");
    let latest = settled([drained(process(3, &arrivals), &[1])], Delivery::Latest).audit;
    assert_eq!((latest.lost, latest.superseded, latest.late), (5, 1, 3));
}

#[test]
fn without_stamps_the_window_is_over_arrivals_and_there_is_no_latency() {
    let bare = |client, seq, at| Came { due: None, at, ..came(client, seq, 0) };
    let arrivals = [
        // One client has it before the window, the other within.
        bare(0, 1, START - 1),
        bare(1, 1, START),
        bare(0, 2, 1_500),
        bare(0, 3, END - 1),
        // The window's, as it came to another client in time.
        bare(1, 3, END + 5),
        bare(0, 4, END),
    ];
    let measured = settled([drained(process(2, &arrivals), &[])], Delivery::Every);
    assert_eq!(counts(&measured.audit), [3, 6, 5, 1, 0, 0]);
    assert!(measured.latency.is_empty() && measured.age.mean_us().is_none());
    assert_eq!(measured.audit.untimed, 5);
    assert_eq!(measured.series.rows().map(|row| row.delivered).sum::<u64>(), 3);
    assert_eq!(measured.senders.unwrap().stillness, None);
}

#[test]
fn without_stamps_a_sender_that_stood_still_shows_in_the_arrivals() {
    let every_20_ms = (0..50).map(|n| (n + 1, START + 20 * n));
    let bare = |(seq, at)| Came { due: None, at, ..came(0, seq, 0) };
    let steady: Vec<Came> = every_20_ms.clone().map(bare).collect();
    let still = |arrivals: &[Came]| {
        let measured = settled([drained(process(1, arrivals), &[])], Delivery::Every);
        measured.senders.unwrap().stillness
    };
    assert_eq!(still(&steady), None);
    let stopped: Vec<Came> =
        every_20_ms.filter(|(seq, _)| !(20..40).contains(seq)).map(bare).collect();
    let told = still(&stopped).unwrap();
    assert!(told.between_arrivals);
    assert_eq!(told.longest, Duration::from_millis(21 * 20));
}

#[test]
fn a_copy_that_is_stamped_beyond_the_edge_is_delivered_and_no_sample() {
    let arrivals = [came(0, 1, START), came(1, 1, START - 1)];
    let measured = settled([drained(process(2, &arrivals), &[])], Delivery::Every);
    assert_eq!(counts(&measured.audit), [1, 2, 2, 0, 0, 0]);
    assert_eq!((measured.latency.count(), measured.audit.untimed), (1, 1));
}

#[test]
fn messages_without_a_number_are_counted_as_they_come() {
    let bare = |client, due| Came { seq: None, ..came(client, 0, due) };
    let arrivals = [bare(0, START), bare(0, START + 1), bare(1, START + 1), bare(0, END)];
    let measured = settled([drained(process(2, &arrivals), &[])], Delivery::Every);
    assert_eq!(counts(&measured.audit), [0, 3, 3, 0, 0, 0]);
    assert_eq!((measured.audit.unnumbered, measured.latency.count()), (3, 3));
}

#[test]
fn a_client_that_was_not_there_at_the_start_is_left_out() {
    let mut recorder = process(2, &[came(1, 1, START - 5)]);
    recorder.exclude(1);
    for client in 0..2 {
        recorder.found(&Finding {
            client,
            sender: Sender(0),
            seq: Some(Seq(2)),
            stamp: None,
            due: Some(MonoInstant(START * MS)),
            at: MonoInstant(START * MS),
        });
    }
    let audit = settled([drained(recorder, &[])], Delivery::Every).audit;
    assert_eq!((audit.clients, counts(&audit)), (1, [1, 1, 1, 0, 0, 0]));
}

#[test]
fn the_drain_ends_once_all_that_are_connected_have_something_newer() {
    let mut recorder = process(3, &[came(0, 1, END), came(1, 1, END - 1)]);
    assert!(!recorder.settled());
    recorder.exclude(2);
    assert!(!recorder.settled());
    let (phase, at) = (Phase::Drain, MonoInstant(END * MS));
    recorder.happened(phase, at, &Event::ConnectionLost { client: 1, quiet: Duration::ZERO });
    assert!(recorder.settled(), "nothing comes to who is away");
    recorder.happened(phase, at, &Event::Reconnected { client: 1 });
    assert!(!recorder.settled());
    recorder.happened(phase, at, &Event::ConnectionLost { client: 0, quiet: Duration::ZERO });
    recorder.happened(phase, at, &Event::ConnectionLost { client: 1, quiet: Duration::ZERO });
    assert!(recorder.settled());
}

#[test]
fn stamps_of_the_future_are_shown_and_their_unit_is_known() {
    let ahead = Came { at: START, ..came(0, 2, START + 3_000) };
    let mut recorder = process(1, &[came(0, 1, START + 10), ahead]);
    let stamps = recorder.finish().seen[0].stamps;
    assert_eq!((stamps.stamped, stamps.ahead, stamps.unit_ns), (2, 1, MS));
    let worst = stamps.worst.unwrap();
    assert_eq!((worst.seq, worst.by), (Some(2), Duration::from_secs(3)));
    assert_eq!(stamps.soonest, Some(Duration::ZERO), "as the one of the future");
    let past = process(1, &[Came { at: START + 60, ..came(0, 1, 10) }]).finish();
    assert_eq!(past.seen[0].stamps.soonest, Some(Duration::from_millis(1_050)));
}

/// Latencies in nanoseconds are those of the arrivals, and travel with the observations.
#[test]
fn observations_survive_the_pipe() {
    let arrivals: Vec<Came> = (1..200).map(|seq| came(seq as u32 % 2, seq, START + seq)).collect();
    let measured = drained(process(2, &arrivals), &[1]);
    let json = serde_json::to_string(&measured).unwrap();
    let read: Measured = serde_json::from_str(&json).unwrap();
    let (mut one, mut other) = (measured, read);
    one.settle(&window(), Delivery::Every);
    other.settle(&window(), Delivery::Every);
    assert_eq!(one, other);
}

proptest! {
    /// Against sets: two processes with two clients each, numbers with one stamp each.
    #[test]
    fn the_audit_is_that_of_sets(
        arrivals in prop::collection::vec((0_u32..4, 0_u64..30, any::<bool>()), 0..120),
    ) {
        use std::collections::{BTreeSet, HashMap};
        // Numbers 5 to 24 are stamped in the window.
        let due = |seq: u64| START - 50 + 10 * seq + if seq >= 25 { 1_000 } else { 0 };
        let mut parts = [Vec::new(), Vec::new()];
        let mut held: HashMap<u32, BTreeSet<u64>> = HashMap::new();
        let (mut any, mut again, mut behind) = (BTreeSet::new(), 0, 0);
        for (client, seq, _) in arrivals {
            parts[client as usize / 2].push(Came { at: 3_000, ..came(client % 2, seq, due(seq)) });
            let mine = held.entry(client).or_default();
            let inside = (5..25).contains(&seq);
            let is_behind = mine.last().is_some_and(|&newest| seq < newest);
            let is_new = mine.insert(seq);
            if inside {
                any.insert(seq);
                again += u64::from(!is_new);
                behind += u64::from(is_new && is_behind);
            }
        }
        let processes = parts.map(|part| drained(process(2, &part), &[]));
        let audit = settled(processes, Delivery::Every).audit;
        let got: u64 = held.values().map(|mine| mine.intersection(&any).count() as u64).sum();
        let expected = any.len() as u64 * 4;
        let wanted = [any.len() as u64, expected, got, expected - got, again, behind];
        prop_assert_eq!(counts(&audit), wanted);
    }
}
