//! Lines by hand: each number is worked out beside it.

use proptest::prelude::*;
use pushbench_core::link::BurstLength;
use pushbench_core::units::{BitRate, ByteSize, Share, Span};

use super::*;

const MS: u64 = 1_000_000;

fn ms(millis: u64) -> Span {
    Span(Duration::from_millis(millis))
}

fn link() -> Link {
    Link { mtu: 1500, ..Link::default() }
}

fn line(link: &Link) -> Line {
    link.check().unwrap();
    Line::new(link, Direction::Down, 1, 0)
}

fn with_rate(bits: u64, queue: QueueLimit) -> Link {
    Link { down: BitRate::from_bits(bits), queue: Ways::both(queue), ..link() }
}

/// When a packet arrives and how long it waited, in nanoseconds; the cause where it does not.
fn fate(line: &mut Line, now: u64, bytes: usize) -> Result<(u64, u64), Cause> {
    match line.offer(MonoInstant(now), bytes) {
        Fate::Arrives { at, queued } => Ok((at.0, saturating_nanos(queued))),
        Fate::Dropped(cause) => Err(cause),
    }
}

#[test]
fn without_a_rate_a_packet_is_under_way_for_the_delay_and_no_longer() {
    let mut line = line(&Link { delay: Ways { down: ms(40), up: ms(60) }, ..link() });
    assert_eq!(fate(&mut line, 5, 1500), Ok((40 * MS + 5, 0)));
    assert_eq!(fate(&mut line, 5, 40), Ok((40 * MS + 5, 0)), "nothing waits");
    let mut up = Line::new(
        &Link { delay: Ways { down: ms(40), up: ms(60) }, ..link() },
        Direction::Up,
        1,
        0,
    );
    assert_eq!(fate(&mut up, 5, 40), Ok((60 * MS + 5, 0)));
}

/// 1500 bytes are 12,000 bits: 1.2 ms at 10 Mbit/s.
#[test]
fn packets_wait_for_those_before_them_to_be_sent() {
    let link =
        Link { delay: Ways::both(ms(50)), ..with_rate(10_000_000, QueueLimit::Time(ms(200))) };
    let mut line = line(&link);
    for (now, bytes, at, queued, case) in [
        (0, 1500, 51_200_000, 0, "an idle line sends at once: 1.2 + 50 ms"),
        (0, 1500, 52_400_000, 1_200_000, "behind it: 1.2 + 1.2 + 50"),
        (2_000_000, 125, 52_500_000, 400_000, "2.4 ms are taken, 2 have passed; 1000 bits: 0.1 ms"),
        (10_000_000, 1250, 61_000_000, 0, "idle again; 10,000 bits: 1 ms"),
    ] {
        assert_eq!(fate(&mut line, now, bytes), Ok((at, queued)), "{case}");
    }
}

/// At 1 Mbit/s 100 bytes take 0.8 ms. What is due after the fifth would wait 4 ms.
#[test]
fn a_queue_by_time_takes_what_waits_no_longer_than_its_limit() {
    let mut line = line(&with_rate(1_000_000, QueueLimit::Time(ms(4))));
    let fates: Vec<_> = (0..7).map(|_| fate(&mut line, 0, 100)).collect();
    // Begun at 0, 0.8, 1.6, 2.4, 3.2 and 4.0 ms; the seventh would wait 4.8.
    let sent = |place: u64| Ok(((place + 1) * 800_000, place * 800_000));
    let expected: Vec<_> = (0..6).map(sent).chain([Err(Cause::Queue)]).collect();
    assert_eq!(fates, expected);
    // At 0.8 ms one is gone, and the next waits until 4.8: 4 ms again. The dropped one took nothing.
    assert_eq!(fate(&mut line, 800_000, 100), Ok((5_600_000, 4_000_000)));
    assert_eq!(fate(&mut line, 800_000, 100), Err(Cause::Queue));
}

/// At 8 Mbit/s a byte takes a microsecond.
#[test]
fn a_queue_by_bytes_takes_what_fits_beside_what_is_not_sent_yet() {
    let mut line = line(&with_rate(8_000_000, QueueLimit::Bytes(ByteSize(2500))));
    for (now, bytes, expected, case) in [
        (0, 1500, Ok((1_500_000, 0)), "idle"),
        (0, 1000, Ok((2_500_000, 1_500_000)), "1500 unsent and 1000: just fits"),
        (0, 1, Err(Cause::Queue), "2500 unsent and 1"),
        (999_999, 1000, Err(Cause::Queue), "a byte begun counts: 1501 and 1000"),
        (1_000_000, 1000, Ok((3_500_000, 1_500_000)), "1500 unsent and 1000"),
    ] {
        assert_eq!(fate(&mut line, now, bytes), expected, "{case}");
    }
    let small = with_rate(8_000_000, QueueLimit::Bytes(ByteSize(100)));
    let mut small = Line::new(&small, Direction::Down, 1, 0);
    assert_eq!(fate(&mut small, 0, 1500), Ok((1_500_000, 0)), "an idle line has no queue");
    assert_eq!(fate(&mut small, 1_499_999, 99), Ok((1_599_000, 1)), "one byte unsent and 99");
    assert_eq!(fate(&mut small, 1_500_000, 2), Err(Cause::Queue), "99 unsent and 2");
}

/// A million packets of 1,250 bytes are 10¹⁰ bits: 10,000 s at 1 Mbit/s, to the nanosecond. At
/// 3 Mbit/s each takes a third of a nanosecond that no clock has, and all of them 3,333.3 s.
#[test]
fn a_million_packets_take_exactly_as_long_as_their_bits() {
    for (rate, bytes, nanos) in [
        (1_000_000, 1250, 10_000_000_000_000),
        (3_000_000, 1250, 3_333_333_333_334),
        (7_777_777, 52, 53_485_719_635),
    ] {
        let mut line = line(&with_rate(rate, QueueLimit::Time(ms(60_000))));
        let mut last = 0;
        for _ in 0..1_000_000 {
            // As the sender of a queue that never runs empty, and never over.
            let now = last.max(20_000_000_000) - 20_000_000_000;
            (last, _) = fate(&mut line, now, bytes).unwrap();
        }
        let bits = 8 * u128::from(bytes as u64) * 1_000_000;
        assert_eq!(u128::from(last), (bits * 1_000_000_000).div_ceil(rate.into()), "{rate}");
        assert_eq!(last, nanos, "{rate}, by hand");
    }
}

#[test]
fn a_packet_above_the_mtu_does_not_pass_and_takes_no_time() {
    let mut line = line(&with_rate(1_000_000, QueueLimit::Time(ms(200))));
    assert_eq!(fate(&mut line, 0, 1501), Err(Cause::TooBig));
    assert_eq!(fate(&mut line, 0, 1500), Ok((12 * MS, 0)));
}

/// Half of all packets are lost, and yet the line is as busy as if none were.
#[test]
fn a_lost_packet_has_used_the_line() {
    let link =
        Link { loss: Ways::both(Share(0.5)), ..with_rate(1_000_000, QueueLimit::Time(ms(60_000))) };
    let mut line = line(&link);
    let fates: Vec<_> = (0..1000).map(|_| fate(&mut line, 0, 125)).collect();
    let lost = fates.iter().filter(|fate| **fate == Err(Cause::Loss)).count();
    assert!((400..600).contains(&lost), "{lost}");
    // 125 bytes take 1 ms.
    for (place, arrived) in
        fates.iter().enumerate().filter_map(|(place, fate)| Some((place as u64, fate.ok()?)))
    {
        assert_eq!(arrived, ((place + 1) * MS, place * MS));
    }
}

/// The fate of a packet is the same whatever else the line, or another, has to do.
#[test]
fn what_is_lost_hangs_on_the_packets_number_alone() {
    for burst in [None, BurstLength::of(3.0)] {
        let lossy = Link { loss: Ways::both(Share(0.2)), burst: burst.map(Ways::both), ..link() };
        let full = Link {
            down: BitRate::from_bits(100_000),
            queue: Ways::both(QueueLimit::Time(ms(20))),
            ..lossy.clone()
        };
        let (mut free, mut full) = (line(&lossy), line(&full));
        let mut another = Line::new(&lossy, Direction::Down, 1, 1);
        let mut differ = 0;
        for packet in 0..10_000_u64 {
            let one = fate(&mut free, packet * MS, 40);
            let two = fate(&mut full, packet * packet * 10, 1500);
            // The full line drops what its queue cannot hold, and loses the same ones of the rest.
            assert!(two == Err(Cause::Queue) || one.is_err() == two.is_err(), "{packet}");
            differ += u32::from(one.is_err() != fate(&mut another, packet * MS, 40).is_err());
        }
        // Of two independent lines one loses and the other does not in 2 × 0.2 × 0.8 of all cases.
        assert!((2_800..3_600).contains(&differ), "{differ}");
    }
}

#[test]
fn jitter_spreads_evenly_around_the_delay() {
    let link =
        Link { delay: Ways::both(ms(20)), jitter: Ways::both(ms(5)), reorder: true, ..link() };
    let mut line = line(&link);
    let mut tenths = [0_u32; 10];
    for packet in 0..100_000_u64 {
        let (at, _) = fate(&mut line, packet * 100, 100).unwrap();
        let beyond = at - packet * 100 - 15 * MS;
        assert!(beyond <= 10 * MS, "{beyond}");
        tenths[(beyond / MS).min(9) as usize] += 1;
    }
    // 10,000 each; 3.89 standard deviations of √(100,000 × 0.1 × 0.9) are 369.
    assert!(tenths.iter().all(|count| count.abs_diff(10_000) <= 369), "{tenths:?}");
}

#[test]
fn packets_overtake_only_where_they_may() {
    let jitter = Link { delay: Ways::both(ms(20)), jitter: Ways::both(ms(20)), ..link() };
    let overtakes = |reorder| {
        let mut line = line(&Link { reorder, ..jitter.clone() });
        let arrivals: Vec<_> = (0..1000).map(|i| fate(&mut line, i * MS, 100).unwrap().0).collect();
        arrivals.windows(2).filter(|pair| pair[1] < pair[0]).count()
    };
    assert_eq!(overtakes(false), 0);
    // Of two packets a millisecond apart nearly every other overtakes.
    assert!(overtakes(true) > 300);
}

proptest! {
    /// A line is causal: a packet arrives no sooner than its bits and the delay allow, in the order
    /// in which it came, and never faster than the rate.
    #[test]
    fn no_packet_arrives_before_it_can(
        rate in 1_000_u64..10_000_000_000,
        delay in 0_u64..1_000_000_000,
        jitter_share in 0_u64..=100,
        packets in prop::collection::vec((0_u64..5_000_000, 20_usize..=1500), 1..100),
    ) {
        let jitter = delay / 100 * jitter_share;
        let link = Link {
            delay: Ways::both(Span(Duration::from_nanos(delay))),
            jitter: Ways::both(Span(Duration::from_nanos(jitter))),
            ..with_rate(rate, QueueLimit::Time(ms(60_000)))
        };
        let (mut line, mut now, mut last, mut bits) = (line(&link), 0, 0, 0_u128);
        for (gap, bytes) in packets {
            now += gap;
            let Ok((at, queued)) = fate(&mut line, now, bytes) else { continue };
            bits += bytes as u128 * 8;
            let own = (bytes as u128 * 8 * 1_000_000_000).div_ceil(rate.into()) as u64;
            // The start may be rounded up by a nanosecond.
            prop_assert!(at + 1 >= now + queued + own + delay - jitter);
            prop_assert!(at >= last);
            prop_assert!(u128::from(at - (delay - jitter)) * u128::from(rate) >= bits * 1_000_000_000);
            last = at;
        }
    }
}
