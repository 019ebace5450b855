use std::collections::BTreeSet;

use proptest::prelude::*;
use pushbench_core::MonoInstant;

use super::*;

fn window(first: u64, last: u64) -> Window {
    let (start, end) = (MonoInstant(0), MonoInstant(1));
    Window { start, end, first: Seq(first), last: Seq(last) }
}

fn audit(clients: u32, delivery: Delivery, window: Window) -> Audit {
    let mut audit = Audit::new(clients, 1, delivery);
    audit.set_window(window);
    audit
}

fn arrival(client: u32, seq: u64) -> Arrival {
    from(0, client, seq)
}

fn from(sender: u32, client: u32, seq: u64) -> Arrival {
    let (due, at) = (MonoInstant(0), MonoInstant(0));
    Arrival { client, sender: Sender(sender), seq: Seq(seq), due, at }
}

fn play(audit: &mut Audit, seqs: impl IntoIterator<Item = u64>) -> Vec<ArrivalClass> {
    seqs.into_iter().map(|seq| audit.classify(&arrival(0, seq))).collect()
}

#[test]
fn a_gap_that_is_filled_was_reordered() {
    use ArrivalClass::{Duplicate, New, Outside};
    let mut audit = audit(1, Delivery::Every, window(3, 6));
    let classes = play(&mut audit, [1, 2, 5, 2, 3, 3, 6, 7]);
    assert_eq!(classes, [Outside, Outside, New, Duplicate, New, Duplicate, New, Outside]);
    assert!(!audit.settled());
    let totals = audit.finish();
    assert_eq!((totals.expected, totals.delivered, totals.lost), (4, 3, 1));
    assert_eq!((totals.duplicated, totals.reordered), (1, 1));

    play(&mut audit, [4]);
    assert!(audit.settled());
    assert_eq!(audit.finish().reordered, 2);
}

#[test]
fn only_a_newer_message_supersedes() {
    let mut audit = audit(1, Delivery::Latest, window(3, 6));
    play(&mut audit, [1, 5]);
    let totals = audit.finish();
    assert_eq!((totals.delivered, totals.superseded, totals.lost), (1, 2, 1));
    assert!(!audit.settled());

    play(&mut audit, [9]);
    let totals = audit.finish();
    assert_eq!((totals.delivered, totals.superseded, totals.lost), (1, 3, 0));
    assert!(audit.settled());
}

#[test]
fn behind_the_newest_all_is_lost_and_beyond_it_late_where_it_was_under_way() {
    let mut audit = audit(3, Delivery::Every, window(3, 9));
    for client in 0..3 {
        for seq in [2, 3, 5] {
            audit.classify(&arrival(client, seq));
        }
    }
    audit.classify(&arrival(2, 6));
    assert!(audit.awaits(0) && !audit.settled());
    audit.set_under_way(0);
    audit.set_under_way(2);
    let totals = audit.finish();
    assert_eq!((totals.delivered, totals.lost, totals.late), (7, 3 + 4, 4 + 3));
    assert!(totals.balances());
    let late: Vec<_> = audit.late().map(|(message, clients)| (message.seq.0, clients)).collect();
    assert_eq!(late, [(6, 1), (7, 2), (8, 2), (9, 2)]);
}

#[test]
fn gaps_are_alike_only_where_each_client_has_the_same() {
    let play = |feeds: &[&[u64]]| {
        let mut audit = audit(u32::try_from(feeds.len()).unwrap(), Delivery::Every, window(3, 9));
        for (client, feed) in (0..).zip(feeds) {
            for &seq in *feed {
                audit.classify(&arrival(client, seq));
            }
        }
        audit.finish().gaps.unwrap()
    };
    let odd = play(&[&[1, 3, 5, 7, 9], &[1, 3, 7, 5, 9], &[3, 5, 7, 9, 11]]);
    assert!(odd.are_of_the_feed(), "{odd:?}");
    assert_eq!((odd.clients, odd.messages, odd.first), (3, 3, Some(Seq(4))));
    assert!(!play(&[&[1, 3, 5, 7, 9], &[1, 2, 3, 4, 5, 6, 7, 8, 9]]).are_of_the_feed());
    assert!(!play(&[&[1, 3, 4, 5, 6, 7, 8, 9], &[1, 3, 5, 6, 7, 8, 9]]).are_of_the_feed());
    // Of one client nobody can say whether it is alone; and none lacks nothing.
    assert!(!play(&[&[1, 3, 5, 7, 9]]).are_of_the_feed());
    assert!(!play(&[&[9], &[3, 4, 5, 6, 7, 8, 9]]).are_of_the_feed());
    assert!(!play(&[&[3, 4, 5], &[3, 4, 5]]).are_of_the_feed(), "the rest is awaited");
}

#[test]
fn who_was_not_there_at_t0_neither_counts_nor_holds_up() {
    let mut audit = audit(3, Delivery::Every, window(1, 2));
    audit.exclude(2);
    audit.exclude(2);
    play(&mut audit, [1, 2]);
    assert!(!audit.settled());
    assert_eq!(audit.classify(&arrival(2, 1)), ArrivalClass::Outside);
    let totals = audit.finish();
    assert_eq!((totals.expected, totals.lost), (4, 2));
    audit.exclude(1);
    assert!(audit.settled());

    // Of each sender.
    let mut audit = Audit::new(2, 2, Delivery::Every);
    audit.set_window(window(1, 1));
    audit.classify(&from(1, 0, 1));
    audit.classify(&from(0, 1, 1));
    audit.exclude(1);
    assert_eq!(audit.classify(&from(1, 1, 1)), ArrivalClass::Outside);
    assert!(!audit.settled());
    audit.classify(&from(0, 0, 1));
    assert!(audit.settled());
    assert_eq!((audit.finish().clients, audit.finish().delivered), (1, 2));
}

#[test]
fn the_same_number_from_two_senders_is_two_messages() {
    let mut audit = Audit::new(1, 2, Delivery::Every);
    audit.set_window(window(1, 2));
    for seq in [1, 2] {
        for sender in [0, 1] {
            assert!(!audit.settled());
            assert_eq!(audit.classify(&from(sender, 0, seq)), ArrivalClass::New);
        }
    }
    assert!(audit.settled());
    assert_eq!(audit.classify(&from(1, 0, 2)), ArrivalClass::Duplicate);
    let totals = audit.finish();
    assert_eq!((totals.published, totals.expected, totals.delivered), (4, 4, 4));
    assert_eq!((totals.clients, totals.duplicated, totals.reordered), (1, 1, 0));
    assert!(totals.balances());
}

#[test]
fn what_one_sender_goes_on_with_neither_loses_nor_supersedes_anothers() {
    for delivery in [Delivery::Every, Delivery::Latest] {
        let mut audit = Audit::new(2, 2, delivery);
        audit.set_window(window(1, 4));
        let first = [(0, 1), (1, 1), (0, 2), (0, 3), (1, 3), (0, 4)];
        for (sender, seq) in first {
            audit.classify(&from(sender, 0, seq));
        }
        for (sender, seq) in first.into_iter().chain([(1, 4)]) {
            audit.classify(&from(sender, 1, seq));
        }
        assert!(audit.awaits(0) && !audit.awaits(1) && !audit.settled());
        audit.set_under_way(0);
        let totals = audit.finish();
        assert_eq!((totals.expected, totals.delivered, totals.late), (16, 13, 1));
        assert_eq!(totals.lost + totals.superseded, 2);
        assert_eq!((totals.superseded == 2, totals.reordered), (delivery == Delivery::Latest, 0));
        assert!(totals.balances());
        let late: Vec<_> = audit.late().filter(|&(_, clients)| clients > 0).collect();
        assert_eq!(late, [(Identity { sender: Sender(1), seq: Seq(4) }, 1)]);
    }
}

#[test]
fn two_clients_that_lack_the_same_number_of_different_senders_are_not_alike() {
    let lacking = |senders: [u32; 2]| {
        let mut audit = Audit::new(2, 2, Delivery::Every);
        audit.set_window(window(1, 3));
        for (client, lacks) in (0..).zip(senders) {
            for (sender, seq) in [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)] {
                if (sender, seq) != (lacks, 2) {
                    audit.classify(&from(sender, client, seq));
                }
            }
        }
        audit.finish().gaps.unwrap()
    };
    assert!(lacking([1, 1]).are_of_the_feed());
    assert!(!lacking([0, 1]).are_of_the_feed());
}

#[test]
fn nothing_to_receive_is_settled_but_no_window_is_not() {
    assert!(!Audit::new(1, 1, Delivery::Every).settled());
    assert_eq!(Audit::new(1, 1, Delivery::Every).finish(), AuditTotals::default());
    for delivery in [Delivery::Every, Delivery::Latest] {
        let mut audit = audit(1, delivery, window(5, 4));
        assert!(audit.settled());
        play(&mut audit, [1, 9]);
        let totals = audit.finish();
        assert_eq!((totals.clients, totals.expected), (1, 0));
        assert!(totals.balances());
    }
}

#[test]
fn processes_that_disagree_on_what_was_published_do_not_balance() {
    let mut totals = audit(2, Delivery::Every, window(1, 4)).finish();
    totals.merge(&audit(1, Delivery::Every, window(1, 4)).finish());
    assert_eq!((totals.published, totals.clients, totals.expected), (4, 3, 12));
    assert!(totals.balances());
    totals.merge(&audit(1, Delivery::Every, window(1, 5)).finish());
    assert!(!totals.balances());
}

/// The audit as one would write it without a thought for memory.
struct Naive {
    seen: BTreeSet<u64>,
    duplicated: u64,
    reordered: u64,
}

impl Naive {
    fn classify(&mut self, seq: u64, window: &Window) -> ArrivalClass {
        let inside = window.contains(Seq(seq));
        let older = self.seen.last().is_some_and(|&newest| seq < newest);
        if !self.seen.insert(seq) {
            self.duplicated += u64::from(inside);
            return ArrivalClass::Duplicate;
        }
        self.reordered += u64::from(inside && older);
        if inside { ArrivalClass::New } else { ArrivalClass::Outside }
    }

    fn totals(&self, window: &Window, delivery: Delivery, under_way: bool) -> AuditTotals {
        let newest = self.seen.last().copied().unwrap_or(0);
        let mut totals = AuditTotals {
            published: window.len(),
            clients: 1,
            expected: window.len(),
            duplicated: self.duplicated,
            reordered: self.reordered,
            newest,
            gaps: (delivery == Delivery::Every).then(|| self.gaps(window, newest)),
            ..AuditTotals::default()
        };
        for seq in window.first.0..=window.last.0 {
            match (self.seen.contains(&seq), delivery) {
                (true, _) => totals.delivered += 1,
                (false, Delivery::Latest) if newest > seq => totals.superseded += 1,
                (false, _) if newest < seq && under_way => totals.late += 1,
                (false, _) => totals.lost += 1,
            }
        }
        totals
    }

    fn gaps(&self, window: &Window, newest: u64) -> Gaps {
        let is_missing = |seq: u64| seq < newest && !self.seen.contains(&seq);
        let missing: Vec<u64> =
            (window.first.0..=window.last.0).filter(|&seq| is_missing(seq)).collect();
        let ranges = missing.chunk_by(|one, next| one + 1 == *next);
        let gaps = ranges.map(|range| Gap { first: range[0], last: range[range.len() - 1] });
        Gaps::of_client(std::iter::once(gaps))
    }

    fn settled(&self, window: &Window, delivery: Delivery) -> bool {
        let totals = self.totals(window, delivery, false);
        totals.delivered + totals.superseded == totals.expected
    }
}

/// Mostly the next message, now and then a jump, an older one or one over again.
fn feed() -> impl Strategy<Value = Vec<u64>> {
    let step = prop_oneof![6 => Just(1_i64), 2 => 2..6_i64, 2 => -12..=0_i64];
    prop::collection::vec(step, 0..60).prop_map(|steps| {
        let mut seq = 0_i64;
        let next = |step: i64| {
            seq = (seq + step).max(1);
            seq.unsigned_abs()
        };
        steps.into_iter().map(next).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn it_says_what_the_naive_audit_says(
        feeds in prop::collection::vec(feed(), 1..4),
        first in 1_u64..30,
        length in 0_u64..30,
        latest in any::<bool>(),
        excluded in prop::option::of(0_u32..3),
        under_way in prop::collection::vec(any::<bool>(), 3),
    ) {
        let delivery = if latest { Delivery::Latest } else { Delivery::Every };
        let window = window(first, first + length - 1);
        let is_out = |client: usize| excluded.is_some_and(|out| out as usize == client);
        let mut audit = audit(u32::try_from(feeds.len()).unwrap(), delivery, window);
        excluded.into_iter().filter(|&out| (out as usize) < feeds.len()).for_each(|out| audit.exclude(out));
        let none = || Naive { seen: BTreeSet::new(), duplicated: 0, reordered: 0 };
        let mut naive: Vec<_> = feeds.iter().map(|_| none()).collect();

        for turn in 0..60 {
            for (client, feed) in feeds.iter().enumerate() {
                let Some(&seq) = feed.get(turn) else { continue };
                let mut expected = naive[client].classify(seq, &window);
                if is_out(client) && expected == ArrivalClass::New {
                    expected = ArrivalClass::Outside;
                }
                prop_assert_eq!(audit.classify(&arrival(u32::try_from(client).unwrap(), seq)), expected);
            }
            let mut counted = naive.iter().enumerate().filter(|&(client, _)| !is_out(client));
            let settled = counted.all(|(_, model)| model.settled(&window, delivery));
            prop_assert_eq!(audit.settled(), settled);
        }

        let mut expected = AuditTotals { published: window.len(), ..AuditTotals::default() };
        for (client, model) in naive.iter().enumerate().filter(|&(client, _)| !is_out(client)) {
            expected.merge(&model.totals(&window, delivery, under_way[client]));
            if under_way[client] {
                audit.set_under_way(u32::try_from(client).unwrap());
            }
        }
        prop_assert_eq!(audit.late().map(|(_, clients)| clients).sum::<u64>(), expected.late);
        let totals = audit.finish();
        prop_assert_eq!(totals, expected);
        prop_assert!(totals.balances());
    }

    /// A window that is set late finds the same deliveries.
    #[test]
    fn what_arrived_before_the_window_was_known_counts(
        feed in feed(), first in 1_u64..30, length in 0_u64..30, known_after in 0_usize..60
    ) {
        let window = window(first, first + length - 1);
        let mut early = audit(1, Delivery::Every, window);
        play(&mut early, feed.iter().copied());
        let mut late = Audit::new(1, 1, Delivery::Every);
        let known_after = known_after.min(feed.len());
        play(&mut late, feed[..known_after].iter().copied());
        late.set_window(window);
        play(&mut late, feed[known_after..].iter().copied());

        let (early, late) = ((early.settled(), early.finish()), (late.settled(), late.finish()));
        prop_assert_eq!((early.0, early.1.delivered, early.1.lost), (late.0, late.1.delivered, late.1.lost));
        prop_assert!(late.1.balances());
    }
}
