use std::net::IpAddr;
use std::time::Duration;

use pushbench_core::link::Ways;
use pushbench_core::units::{BitRate, Share, Span};
use pushbench_metrics::observe::link::Packets;

use super::*;
use crate::testing::{CLIENT, SERVER, addressing, plain, segment};

const MS: u64 = 1_000_000;

fn at(nanos: u64) -> MonoInstant {
    MonoInstant(nanos)
}

fn delayed(millis: u64) -> Link {
    Link { delay: Ways::both(Span(Duration::from_millis(millis))), ..plain() }
}

fn client(host: u8) -> IpAddr {
    [10, 1, 0, host].into()
}

/// All that is due at `now`: where it goes, and its bytes.
fn leave(router: &mut Router, now: u64) -> Vec<(Side, Vec<u8>)> {
    let mut left = Vec::new();
    while let Some(due) = router.take_due(at(now)) {
        left.push((due.to, router.bytes(&due).to_vec()));
        router.sent(due, at(now));
    }
    left
}

#[test]
fn packets_come_out_on_the_other_side_when_they_are_due_as_they_went_in() {
    let mut router = Router::new(&delayed(50), addressing(1), 1);
    let request = segment(CLIENT, SERVER, |_| {}, 100);
    let answer = segment(SERVER, CLIENT, |_| {}, 1000);
    router.packet(at(0), Side::Clients, &request);
    router.packet(at(3), Side::Server, &answer);
    assert_eq!(router.next_due(), Some(at(50 * MS)));
    assert_eq!(leave(&mut router, 50 * MS - 1), []);
    assert_eq!(leave(&mut router, 50 * MS), [(Side::Server, request)]);
    assert_eq!((router.next_due(), router.waiting()), (Some(at(50 * MS + 3)), 1));
    assert_eq!(leave(&mut router, 60 * MS), [(Side::Clients, answer)]);
    let counts = router.counts(at(70 * MS));
    assert_eq!(counts.total(Direction::Up).bytes(), 140);
    assert_eq!(counts.total(Direction::Down).bytes(), 1040);
    // The answer was due at 50 ms + 3 ns and left at 60 ms.
    let down = counts.rows.iter().find(|row| row.direction == Direction::Down).unwrap();
    assert!((down.late.max_us().unwrap() - 10_000.0).abs() < 10.0, "{:?}", down.late.max_us());
}

#[test]
fn several_packets_may_be_taken_before_they_are_sent() {
    let mut router = Router::new(&plain(), addressing(1), 1);
    let packets: Vec<_> = (0..100).map(|size| segment(CLIENT, SERVER, |_| {}, size)).collect();
    packets.iter().for_each(|packet| router.packet(at(1), Side::Clients, packet));
    let batch: Vec<_> = std::iter::from_fn(|| router.take_due(at(1))).collect();
    // New ones come meanwhile.
    router.packet(at(2), Side::Clients, &packets[7]);
    let bytes: Vec<_> = batch.iter().map(|due| router.bytes(due).to_vec()).collect();
    assert_eq!(bytes, packets);
    batch.into_iter().for_each(|due| router.sent(due, at(3)));
    assert_eq!(leave(&mut router, 3), [(Side::Server, packets[7].clone())]);
}

/// At 8 Mbit/s 1000 bytes take a millisecond.
#[test]
fn each_client_has_a_line_of_its_own_unless_they_share_one() {
    for (scope, second) in [(Scope::Client, MS), (Scope::Shared, 2 * MS)] {
        let link = Link { down: BitRate::from_bits(8_000_000), scope, ..plain() };
        let mut router = Router::new(&link, addressing(2), 1);
        for host in [1, 2] {
            router.packet(at(0), Side::Server, &segment(SERVER, client(host), |_| {}, 960));
        }
        let due: Vec<_> = std::iter::from_fn(|| router.take_due(at(u64::MAX))).collect();
        let dues: Vec<_> = due.iter().map(|due| due.taken.due.0).collect();
        assert_eq!(dues, [MS, second], "{scope}");
        due.into_iter().for_each(|due| router.sent(due, at(u64::MAX)));
    }
}

/// The fates of the first client's packets are the same whether or not the second sends any.
#[test]
fn what_one_client_does_changes_nothing_for_another() {
    let link = Link { loss: Ways::both(Share(0.3)), ..plain() };
    let fates = |other: bool| {
        let mut router = Router::new(&link, addressing(2), 9);
        let mut passed = Vec::new();
        for number in 0..1000 {
            if other {
                router.packet(at(number), Side::Clients, &segment(client(2), SERVER, |_| {}, 7));
            }
            router.packet(at(number), Side::Clients, &segment(client(1), SERVER, |_| {}, 9));
            passed.push(leave(&mut router, number).iter().any(|(_, bytes)| bytes.len() == 49));
        }
        passed
    };
    let alone = fates(false);
    assert_eq!(alone, fates(true));
    assert!((600..800).contains(&alone.iter().filter(|passed| **passed).count()));
}

#[test]
fn what_is_not_between_a_client_and_the_server_is_named_and_not_passed_on() {
    let mut router = Router::new(&plain(), addressing(2), 1);
    let strays = [
        (Side::Clients, segment(client(3), SERVER, |_| {}, 0), "no such client"),
        (Side::Clients, segment(CLIENT, client(2), |_| {}, 0), "one client to another"),
        (Side::Clients, segment(SERVER, CLIENT, |_| {}, 0), "the wrong side"),
        (Side::Server, segment(SERVER, [224, 0, 0, 22].into(), |_| {}, 0), "multicast"),
        (Side::Server, vec![0x60, 0, 0], "no IP packet"),
        (Side::Server, vec![], "nothing at all"),
    ];
    for (side, bytes, _) in &strays {
        router.packet(at(0), *side, bytes);
    }
    assert_eq!(router.next_due(), None);
    let counts = router.counts(at(0));
    // The last two have the same ends: none.
    assert_eq!(counts.strays.len(), 5);
    assert_eq!(counts.strays[4].count, Packets { packets: 2, bytes: 3 });
    assert!(counts.rows.is_empty(), "they are not in the ledger");
}

/// At 8 Mbit/s 1000 bytes take a millisecond, whosever they are.
#[test]
fn traffic_beside_the_feed_waits_in_the_same_line_and_is_in_books_of_its_own() {
    let link =
        Link { down: BitRate::from_bits(8_000_000), scope: Scope::Shared, load_down: 1, ..plain() };
    let mut router = Router::new(&link, addressing(2), 1);
    for host in [3, 1, 3] {
        router.packet(at(0), Side::Server, &segment(SERVER, client(host), |_| {}, 960));
    }
    router.packet(at(0), Side::Clients, &segment(client(3), SERVER, |_| {}, 0));
    router.packet(at(0), Side::Server, &segment(SERVER, client(4), |_| {}, 0));
    assert_eq!(leave(&mut router, 2 * MS).len(), 3);
    assert_eq!(router.next_due(), Some(at(3 * MS)));
    let _ = leave(&mut router, 3 * MS);
    let counts = router.counts(at(4 * MS));
    let (up, down) = (Direction::Up, Direction::Down);
    assert_eq!((counts.total(down).packets(), counts.total(up).packets()), (1, 0));
    assert_eq!((counts.cross_total(down).packets(), counts.cross_total(up).packets()), (2, 1));
    let left = |rows: &[pushbench_metrics::observe::link::LinkRow]| {
        rows.iter().map(|row| row.late.count()).sum::<u64>()
    };
    assert_eq!((left(&counts.rows), left(&counts.cross)), (1, 3));
    assert_eq!(counts.strays.len(), 1, "nobody has the address behind");
    // Without it nobody has that address either.
    let mut router = Router::new(&Link { load_down: 0, ..link }, addressing(2), 1);
    router.packet(at(0), Side::Server, &segment(SERVER, client(3), |_| {}, 960));
    assert_eq!(router.counts(at(0)).strays.len(), 1);
}

#[test]
fn drops_are_counted_by_cause() {
    let link = Link { mtu: 576, loss: Ways { down: Share(0.0), up: Share(0.5) }, ..plain() };
    let mut router = Router::new(&link, addressing(1), 1);
    router.packet(at(0), Side::Server, &segment(SERVER, CLIENT, |_| {}, 537));
    for _ in 0..100 {
        router.packet(at(0), Side::Clients, &segment(CLIENT, SERVER, |_| {}, 1));
    }
    let left = leave(&mut router, 0).len() as u64;
    let counts = router.counts(at(0));
    let (up, down) = (counts.total(Direction::Up), counts.total(Direction::Down));
    assert_eq!(down.dropped(Cause::TooBig), Packets { packets: 1, bytes: 577 });
    assert_eq!(up.dropped(Cause::Loss).packets, 100 - left);
    assert_eq!((up.packets(), down.packets()), (100, 1), "what was dropped was sent all the same");
    assert!((30..70).contains(&left), "{left}");
}

/// What the router itself cannot hold is counted apart from what the link drops.
#[test]
fn a_packet_that_finds_no_memory_is_told_apart() {
    let mut router = Router::with_room(&delayed(1), addressing(1), 1, 1 << 17);
    for _ in 0..70 {
        router.packet(at(0), Side::Server, &segment(SERVER, CLIENT, |_| {}, 1460));
    }
    // 128 KiB in places of 2 KiB.
    assert_eq!(leave(&mut router, MS).len(), 64);
    let dropped = router.counts(at(0)).total(Direction::Down).dropped(Cause::NoRoom);
    assert_eq!(dropped, Packets { packets: 6, bytes: 9000 });
    assert!(!Cause::NoRoom.is_asked_for() && Cause::Queue.is_asked_for());
}
