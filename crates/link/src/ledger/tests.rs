use std::time::Duration;

use pushbench_core::link::Cause;
use pushbench_metrics::observe::ledger::TcpipTally;

use super::*;
use crate::testing::{CLIENT, SERVER, segment};

const ARRIVES: Fate = Fate::Arrives { at: MonoInstant(0), queued: Duration::from_micros(7) };

fn at(nanos: u64) -> MonoInstant {
    MonoInstant(nanos)
}

/// Counts a segment from the server with so many bytes from `seq` on.
fn down(ledger: &mut Ledger, now: u64, seq: u32, payload: u32, fate: Fate) {
    let bytes = segment(SERVER, CLIENT, |tcp| tcp.seq = seq, payload);
    ledger.came(at(now), Direction::Down, 0, &Packet::read(&bytes).unwrap(), fate);
}

fn tally(counts: &LinkCounts, phase: Phase, direction: Direction) -> LinkTally {
    let row = counts.rows.iter().find(|row| (row.phase, row.direction) == (phase, direction));
    row.map_or_else(LinkTally::default, |row| row.tally)
}

#[test]
fn bytes_are_told_apart_by_layer_and_add_up_to_the_packets() {
    let mut ledger = Ledger::new();
    down(&mut ledger, 1, 1, 1000, ARRIVES);
    down(&mut ledger, 2, 1001, 500, Fate::Dropped(Cause::Queue));
    // The last 700 bytes again, and 300 new ones.
    down(&mut ledger, 3, 801, 1000, ARRIVES);
    let mut icmp = segment(SERVER, CLIENT, |_| {}, 16);
    icmp[9] = 1;
    ledger.came(at(4), Direction::Down, 0, &Packet::read(&icmp).unwrap(), ARRIVES);
    let counts = ledger.counts(at(10));
    let expected = LinkTally {
        tcp: TcpipTally { packets: 3, header_bytes: 120, retransmitted_bytes: 700 },
        payload_bytes: 1800,
        retransmitted_segments: 1,
        other: Packets { packets: 1, bytes: 56 },
        dropped: [
            Packets::default(),
            Packets { packets: 1, bytes: 540 },
            Packets::default(),
            Packets::default(),
        ],
    };
    let tally = tally(&counts, Phase::Connect, Direction::Down);
    assert_eq!(tally, expected);
    assert_eq!(tally.bytes(), 1040 + 540 + 1040 + 56);
    assert_eq!(counts.rows[0].queued.count(), 3, "a dropped packet has not waited");
}

/// Warm-up begins at 1 ms, the window at 2 ms; it ends at 3 ms, and the drain at 4 ms.
#[test]
fn an_instant_belongs_to_the_phase_that_begins_with_it() {
    const MS: u64 = 1_000_000;
    let mut ledger = Ledger::new();
    down(&mut ledger, 0, 1, 1, ARRIVES);
    ledger.set_edges(at(MS), &(at(2 * MS)..at(3 * MS)));
    for (place, now) in [MS - 1, MS, 2 * MS - 1, 2 * MS, 3 * MS - 1, 3 * MS, 4 * MS - 1, 4 * MS]
        .into_iter()
        .enumerate()
    {
        // By 10, 20, 30 … bytes, which sum in one way alone.
        let payload = 10 << place;
        down(&mut ledger, now, 1 << (10 + place), payload, ARRIVES);
        ledger.left(at(now), Direction::Up, Duration::from_nanos(now));
    }
    let counts = ledger.counts(at(4 * MS));
    let bytes = |phase| tally(&counts, phase, Direction::Down).payload_bytes;
    assert_eq!(Phase::ALL.map(bytes), [11, 20 + 40, 80 + 160, 320 + 640, 1280]);
    let late = counts.rows.iter().filter(|row| row.direction == Direction::Up);
    let late: Vec<_> = late.map(|row| (row.phase, row.late.count())).collect();
    let expected = [(Phase::Connect, 1), (Phase::Warmup, 2), (Phase::Window, 2), (Phase::Drain, 3)];
    assert_eq!(late, expected);
}

#[test]
fn strays_are_named_and_those_beyond_sixteen_are_counted() {
    let mut ledger = Ledger::new();
    for host in 1..=20_u8 {
        let stray = segment(SERVER, [192, 168, 0, host].into(), |_| {}, 0);
        ledger.strayed(Direction::Down, &stray);
        ledger.strayed(Direction::Down, &stray);
    }
    let counts = ledger.counts(at(0));
    assert_eq!((counts.strays.len(), counts.rows.len()), (16, 0));
    let first = &counts.strays[0];
    assert_eq!(first.ends, Some((SERVER, [192, 168, 0, 1].into(), 6)));
    assert_eq!(first.count, Packets { packets: 2, bytes: 80 });
    assert_eq!(counts.more_strays, Packets { packets: 8, bytes: 320 });
}
