use std::f64::consts::SQRT_2;

use super::*;
use crate::observe::polls::CELLS;

const PERIOD_US: f64 = 1_000_000.0;

/// Latencies that `clients` see of `messages` that are `gap` apart, their phases spread as polls'
/// are and then moved by `moved`, both in parts of the period.
fn played(
    clients: u32,
    (messages, gap): (u32, f64),
    seed: u64,
    moved: impl Fn(f64) -> f64,
) -> (LatencyHistogram, PollsMeasured) {
    let mut latency = LatencyHistogram::default();
    let mut polls = PollsMeasured { clients, ..PollsMeasured::default() };
    for rank in 0..clients {
        let place = random::uniform(seed, 1, u64::from(rank));
        let phase = moved((f64::from(rank) + place) / f64::from(clients));
        let mut cells = vec![0_u32; ALL_CELLS];
        for message in 0..messages {
            let waits = (phase - f64::from(message) * gap).rem_euclid(1.0);
            latency.record_ns((waits * PERIOD_US * 1e3) as u64);
            cells[(waits * f64::from(CELLS)) as usize] += 1;
        }
        let cells = (0..).zip(cells).filter(|(_, count)| *count > 0).collect();
        polls.kept.push(Kept { rank, requests: u64::from(messages), empty: 0, cells });
    }
    (latency, polls)
}

fn p(latency: &LatencyHistogram, polls: &PollsMeasured, published: u64) -> (f64, f64) {
    let model = Latency::short_poll(PERIOD_US, 0.0);
    let ks = distance(latency, |us| model.cdf(us)).unwrap();
    (ks, Chance::of(polls, published, 9).unwrap().of_distance(ks))
}

/// With the period a multiple of the gap, with one and many gaps to a period, few clients and
/// many: what is as the model says is almost never called a deviation.
#[test]
fn phases_that_are_spread_as_planned_are_explained_by_chance() {
    for (clients, messages, gap) in [(20, 30, 0.1), (100, 300, 0.1), (51, 10, 1.0), (40, 33, 0.37)]
    {
        let small = (0..20)
            .filter(|&seed| {
                let (latency, polls) = played(clients, (messages, gap), seed, |phase| phase);
                let (ks, p) = p(&latency, &polls, u64::from(messages));
                assert!(ks <= 1.1 / f64::from(clients) + 2e-3, "{clients}: {ks}");
                p <= SIGNIFICANT
            })
            .count();
        assert!(small <= 1, "{clients} clients {gap} apart: {small} of 20");
    }
}

/// A twentieth of the period in which nobody polls. Among phases that were random altogether,
/// forty clients would differ by more than that all the time.
#[test]
fn a_hole_in_the_period_is_no_chance() {
    let hole = |phase: f64| 0.05 + phase * 0.95;
    let (latency, polls) = played(40, (10, 1.0), 3, hole);
    let (ks, p) = p(&latency, &polls, 10);
    assert!((0.04..0.08).contains(&ks) && p <= SIGNIFICANT, "{ks} {p}");
    let check = Check { distance: Some(Distance { ks, p: Some(p) }), ..Check::default() };
    assert_eq!(check.warnings(), [Warning::LatencyOffModel { ks, p }]);
}

#[test]
fn a_deviation_of_no_consequence_or_within_chance_is_not_told() {
    let told = |ks: f64, p: Option<f64>| {
        let distance = Some(Distance { ks, p });
        !Check { distance, ..Check::default() }.warnings().is_empty()
    };
    assert!(told(0.03, Some(0.001)));
    assert!(!told(0.015, Some(0.001)) && !told(0.3, Some(0.2)) && !told(0.3, None));
}

/// Two samples at 0.25 and 0.75 of the range: by hand, the distance from uniform is 0.25.
#[test]
fn a_distance_is_the_largest_difference_on_either_side_of_a_step() {
    let mut latency = LatencyHistogram::default();
    assert_eq!(distance(&latency, |_| 0.0), None);
    [250_000, 750_000].into_iter().for_each(|us| latency.record_ns(us * 1_000));
    let model = Latency::short_poll(PERIOD_US, 0.0);
    assert!((distance(&latency, |us| model.cdf(us)).unwrap() - 0.25).abs() < 1e-3);
    let fixed = Latency::short_poll(0.0, 500_000.0);
    assert!((distance(&latency, |us| fixed.cdf(us)).unwrap() - 0.5).abs() < 1e-3);
}

/// By the variance of a pair: a client that has `x` beside one that has `y` is replaced by the
/// other half of the time, so a sum over n pairs deviates by √(n/2) |x − y|, here stretched.
#[test]
fn chance_has_the_spread_of_the_pairs() {
    let kept =
        |rank: u32, count: u32| Kept { rank, requests: 10, empty: 0, cells: vec![(3, count)] };
    let kept: Vec<Kept> = (0..200).map(|rank| kept(rank, 4 + 2 * (rank % 2))).collect();
    let polls = PollsMeasured { clients: 200, kept, ..PollsMeasured::default() };
    let chance = Chance::of(&polls, 10, 1).unwrap();
    assert_eq!(chance, Chance::of(&polls, 10, 1).unwrap());
    let squares = chance.arrived.iter().map(|difference| difference * difference).sum::<f64>();
    let measured = (squares / f64::from(RESAMPLES)).sqrt();
    let expected = SQRT_2 * (100.0_f64 / 2.0).sqrt() * 2.0 / 2_000.0;
    assert!((measured / expected - 1.0).abs() < 0.1, "{measured} {expected}");
    // Of a quarter of the clients the noise is twice that of all, and is put back.
    let part = PollsMeasured { clients: 800, ..polls };
    let (one, other) = (chance.arrived[7], Chance::of(&part, 10, 1).unwrap().arrived[7]);
    assert!((one / 2.0 - other).abs() < 1e-12);
}

#[test]
fn of_few_clients_nothing_is_said() {
    let (_, mut polls) = played(10, (5, 0.5), 1, |phase| phase);
    assert!(Chance::of(&polls, 5, 1).is_some() && Chance::of(&polls, 0, 1).is_none());
    polls.kept.pop();
    assert!(Chance::of(&polls, 5, 1).is_none());
}
