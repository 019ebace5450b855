use pushbench_core::{Delivery, Figure, Sender};

use super::*;
use crate::observe::measure::Measure as _;
use crate::observe::observer::{Arrival, Observer as _};
use crate::observe::recorder::Recorder;
use crate::observe::silence::Coming;

const MS: u64 = 1_000_000;

/// Messages 11 to 30, due each 100 ms from one second to 2.9.
const WINDOW: Window = Window {
    start: MonoInstant(1_000 * MS),
    end: MonoInstant(3_000 * MS),
    first: Seq(11),
    last: Seq(30),
};

/// So many that ten of their messages lie beyond the 99th percentile.
const CLIENTS: u32 = 60;

fn due(seq: Seq) -> MonoInstant {
    MonoInstant((seq.0 - 1) * 100 * MS)
}

/// A recorder of clients at each of which message `.0` came at `.1` ms.
fn played(delivery: Delivery, arrivals: &[(u64, u64)]) -> Recorder {
    let mut recorder = Recorder::new(CLIENTS, delivery);
    recorder.set_window(WINDOW);
    recorder.set_dues(&|seq| Some(due(seq)));
    for client in 0..CLIENTS {
        for &(seq, at_ms) in arrivals {
            let (sender, seq, at) = (Sender::FEED, Seq(seq), MonoInstant(at_ms * MS));
            recorder.arrived(&Arrival { client, sender, seq, due: due(seq), at });
        }
    }
    recorder
}

/// The drain ends at five seconds; what clients still await is under way or not.
fn ended(mut recorder: Recorder, under_way: bool) -> Measured {
    let coming = |_: u32| Coming { last: None, under_way };
    recorder.end_drain(MonoInstant(5_000 * MS), &coming, &|message| Some(due(message.seq)));
    recorder.finish()
}

/// In milliseconds, as exact as a histogram is.
fn fresh_ms(measured: &Measured, quantile: f64) -> Option<f64> {
    Some((measured.fresh_us(quantile)?.exact()? / 1e3).round())
}

/// A poll each second under `latest`, answered at 1.45, 2.45 and 3.45 s. By hand, the milliseconds
/// until a client has a message or a newer one, for each that was due:
///
/// ```text
/// at 1.45 s message 15:  450 350 250 150, and 50 of the message itself
/// at 2.45 s message 25:  950 850 750 650 550 450 350 250 150, and 50
/// at 3.45 s message 35:  950 850 750 650 550, the rest being due behind the window
/// ```
///
/// The tenth of these twenty is 450, and more than 1 % are 950, where latency knows but of 50.
#[test]
fn what_is_superseded_counts_until_something_newer_came() {
    let polled = played(Delivery::Latest, &[(10, 905), (15, 1_450), (25, 2_450), (35, 3_450)]);
    let measured = ended(polled, false);
    assert_eq!(measured.audit.superseded, 18 * u64::from(CLIENTS));
    assert_eq!(fresh_ms(&measured, 0.5), Some(450.0));
    assert_eq!(fresh_ms(&measured, 0.99), Some(950.0));
    assert_eq!(measured.latency.max_us().map(f64::round), Some(50_004.0));
    assert!(measured.balances());
}

/// Message n is n ms late, so that one of the 29th is the 99th percentile of twenty.
#[test]
fn in_order_it_is_the_latency() {
    let arrivals: Vec<_> = (11..=30).map(|seq| (seq, (seq - 1) * 100 + seq)).collect();
    let measured = ended(played(Delivery::Every, &arrivals), false);
    assert!(measured.fresh.is_orderly());
    assert_eq!(fresh_ms(&measured, 0.5), Some(20.0));
    assert_eq!(fresh_ms(&measured, 0.99), Some(30.0));
}

/// Message 11 comes 800 ms late, but 12 was there 105 ms after 11 was due. Message 20 never comes, and
/// 21 is there 105 ms after that was due.
#[test]
fn what_comes_behind_a_newer_one_counts_from_that_and_so_does_a_lost_one() {
    let mut arrivals: Vec<_> = (12..=30).map(|seq| (seq, (seq - 1) * 100 + 5)).collect();
    arrivals.retain(|&(seq, _)| seq != 20);
    arrivals.insert(6, (11, 1_800));
    let measured = ended(played(Delivery::Every, &arrivals), false);
    let (reordered, lost) = (measured.audit.reordered, measured.audit.lost);
    assert_eq!((reordered, lost), (u64::from(CLIENTS), u64::from(CLIENTS)));
    assert_eq!(measured.latency.max_us().map(|us| us > 790e3), Some(true));
    assert_eq!(fresh_ms(&measured, 0.5), Some(5.0));
    assert_eq!(fresh_ms(&measured, 0.99), Some(105.0));
}

/// Half of the messages are there after 5 ms, and of the others nothing is known but that 30 was not
/// there 2.1 s after it was due, and 21 not after three.
#[test]
fn what_never_came_is_a_bound() {
    let arrivals: Vec<_> = (11..=20).map(|seq| (seq, (seq - 1) * 100 + 5)).collect();
    for (delivery, under_way) in [
        (Delivery::Every, false),
        (Delivery::Every, true),
        (Delivery::Latest, false),
        (Delivery::Latest, true),
    ] {
        let measured = ended(played(delivery, &arrivals), under_way);
        let half = 10 * u64::from(CLIENTS);
        assert_eq!(measured.audit.lost + measured.audit.late, half);
        assert_eq!(fresh_ms(&measured, 0.5), Some(5.0));
        let p99 = measured.fresh_us(0.99).and_then(Bounded::at_least);
        assert_eq!(p99.map(|us| (us / 1e4).round()), Some(300.0), "{delivery} {under_way}");
    }
}

#[test]
fn clients_that_are_left_out_are_in_no_sample() {
    let mut recorder = Recorder::new(2, Delivery::Latest);
    recorder.set_window(WINDOW);
    recorder.set_dues(&|seq| Some(due(seq)));
    recorder.exclude(1);
    for client in 0..2 {
        let (sender, at) = (Sender::FEED, MonoInstant(2_905 * MS));
        recorder.arrived(&Arrival { client, sender, seq: Seq(30), due: due(Seq(30)), at });
    }
    let measured = ended(recorder, false);
    assert_eq!((measured.fresh.overtaken.count(), measured.latency.count()), (19, 1));
    // The tenth of twenty that are 5, 105, … 1905 ms.
    assert_eq!(fresh_ms(&measured, 0.5), Some(905.0));
}

/// As in records of before overtaking was followed, and where no schedule says when messages are due.
#[test]
fn where_it_is_not_known_when_a_message_was_overtaken_there_is_none() {
    let mut measured = ended(played(Delivery::Latest, &[(20, 1_905), (30, 2_905)]), false);
    assert!(measured.fresh_us(0.5).is_some());
    measured.fresh = Fresh::default();
    assert_eq!(measured.fresh_us(0.5), None);
    assert_eq!(Figure::FreshP99.quantile(), Some(0.99));
}

#[test]
fn processes_of_a_trial_add_up() {
    let mut all = ended(played(Delivery::Latest, &[(30, 2_905)]), false);
    all.merge(&ended(played(Delivery::Latest, &[(20, 1_905), (30, 2_905)]), false));
    assert_eq!(all.fresh.overtaken.count(), (19 + 18) * u64::from(CLIENTS));
    // Three of each of 5, 105, … 905 ms, and those of the first alone above: the twentieth is of 605.
    assert_eq!(fresh_ms(&all, 0.5), Some(605.0));
}
