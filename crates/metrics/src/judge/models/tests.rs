use proptest::prelude::*;

use super::*;

const MS: f64 = 1e3;

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
}

/// The figures that the model is known by: P = 1 s, d = 50 ms.
#[test]
fn a_poll_each_second_over_50_ms_has_the_printed_figures() {
    let model = Latency::short_poll(1_000.0 * MS, 50.0 * MS);
    assert!(close(model.mean_us(), 550.0 * MS));
    assert!(close(model.quantile(0.99), 1_040.0 * MS), "{}", model.quantile(0.99));
    assert!(close(model.max_us(), 1_050.0 * MS));
}

#[test]
fn latest_is_bounded_by_the_shorter_of_both_periods() {
    let often = Law::Constant { gap_us: 100.0 };
    let model = Latency::short_poll_latest(often, 1_000.0, 5.0);
    assert_eq!(model, Latency::Uniform { delay_us: 5.0, spread_us: 100.0 });
    let seldom = Law::Constant { gap_us: 9_000.0 };
    assert!(close(Latency::short_poll_latest(seldom, 1_000.0, 5.0).max_us(), 1_005.0));
    // A Poisson feed that is slow against the polls spreads over the period evenly too.
    let slow = Latency::short_poll_latest(Law::Poisson { gap_us: 1e9 }, 1_000.0, 0.0);
    assert!((slow.cdf(250.0) - 0.25).abs() < 1e-6 && (slow.mean_us() - 500.0).abs() < 0.01);
    // A fast one is exponential.
    let fast = Latency::short_poll_latest(Law::Poisson { gap_us: 10.0 }, 1_000.0, 0.0);
    assert!((fast.cdf(10.0) - 0.632_12).abs() < 1e-5 && (fast.mean_us() - 10.0).abs() < 1e-6);
}

#[test]
fn a_stream_spreads_over_the_writes() {
    let model = Latency::stream(1_000, 5.0, 80.0);
    assert!(close(model.min_us(), 80.0) && close(model.max_us(), 5_080.0));
    assert!(close(model.mean_us(), 2_580.0));
    assert_eq!(
        (Latency::stream(1, 0.0, 80.0).cdf(79.9), Latency::stream(1, 0.0, 80.0).cdf(80.0)),
        (0.0, 1.0)
    );
}

/// RFC 6202 §2.2: one transit for a message alone, three for one right behind another.
#[test]
fn a_long_poll_takes_one_transit_or_up_to_three() {
    let alone = Latency::long_poll(Law::Constant { gap_us: 1_000.0 }, 1, 0.0, 50.0, 100.0);
    assert!(close(alone.mean_us(), 50.0) && close(alone.max_us(), 50.0));
    let dense = Latency::long_poll(Law::Constant { gap_us: 1.0 }, 1, 0.0, 50.0, 100.0);
    assert!(close(dense.max_us(), 150.0) && close(dense.mean_us(), 100.0));
    let rare = Latency::long_poll(Law::Poisson { gap_us: 1e9 }, 1, 0.0, 50.0, 100.0);
    assert!((rare.mean_us() - 50.0).abs() < 1e-3);
}

/// A Poisson feed through long polls, played message by message.
#[test]
fn a_long_polls_waiting_share_is_that_of_a_simulation() {
    let (gap, transit, messages) = (100.0, 40.0, 200_000_u32);
    // When the next request is at the server, and whether something waits for it.
    let (mut asked, mut waits) = (0.0_f64, false);
    let (mut now, mut waited, mut sum) = (0.0, 0_u32, 0.0);
    for n in 0..messages {
        now -= pushbench_core::random::uniform(3, 9, u64::from(n)).ln() * gap;
        if waits && now >= asked {
            (asked, waits) = (asked + 2.0 * transit, false);
        }
        if now >= asked {
            asked = now + 2.0 * transit;
            sum += transit;
        } else {
            waits = true;
            waited += 1;
            sum += asked - now + transit;
        }
    }
    let model = Latency::long_poll(Law::Poisson { gap_us: gap }, 1, 0.0, transit, 2.0 * transit);
    let Latency::Waiting { share, .. } = model else { unreachable!() };
    let simulated = f64::from(waited) / f64::from(messages);
    assert!((share - simulated).abs() < 0.01, "{share} {simulated}");
    let mean = sum / f64::from(messages);
    assert!((model.mean_us() / mean - 1.0).abs() < 0.01, "{} {mean}", model.mean_us());
}

#[test]
fn a_round_trip_is_both_ways_and_what_is_beside_them_twice() {
    let near = |one: f64, other: f64| assert!(close(one, other), "{one} {other}");
    near(round_trip_us(40.0, Ways::default()), 80.0);
    near(round_trip_us(20.5 * MS, Ways { down: 20.0 * MS, up: 70.0 * MS }), 91.0 * MS);
}

/// A poll that is answered before the next tick has the period that was asked for.
#[test]
fn a_poll_that_outlasts_ticks_skips_them() {
    for (busy, period) in [(0.0, 100.0), (99.0, 100.0), (101.0, 200.0), (250.0, 300.0)] {
        assert!(close(period_us(100.0, busy), period), "{busy}");
    }
}

fn models() -> impl Strategy<Value = Latency> {
    let laws = prop_oneof![
        (1.0_f64..1e6).prop_map(|gap_us| Law::Constant { gap_us }),
        (1.0_f64..1e6).prop_map(|gap_us| Law::Poisson { gap_us }),
    ];
    (laws, 1.0_f64..1e6, 0.0_f64..1e5, 1_u32..10_000, 0.0_f64..50.0, 0_u8..4).prop_map(
        |(law, poll, delay, clients, write, which)| match which {
            0 => Latency::short_poll(poll, delay),
            1 => Latency::short_poll_latest(law, poll, delay),
            2 => Latency::stream(clients, write, delay),
            _ => Latency::long_poll(law, clients, write, delay, 2.0 * delay),
        },
    )
}

proptest! {
    #[test]
    fn a_cdf_rises_from_0_to_1(model in models(), one in 0.0_f64..1.0, other in 0.0_f64..1.0) {
        let at = |share: f64| model.min_us() + share * (model.max_us() - model.min_us());
        prop_assert!(model.cdf(model.min_us() - 1.0) == 0.0);
        prop_assert!((model.cdf(model.max_us() + 1.0) - 1.0).abs() < 1e-9);
        let (low, high) = (model.cdf(at(one.min(other))), model.cdf(at(one.max(other))));
        prop_assert!((0.0..=1.0).contains(&low) && low <= high + 1e-12 && high <= 1.0 + 1e-12);
    }

    #[test]
    fn a_quantile_inverts_the_cdf(model in models(), q in 0.001_f64..0.999) {
        let us = model.quantile(q);
        prop_assert!(model.cdf(us + 1e-6 * us.max(1.0)) >= q - 1e-9);
        prop_assert!(model.cdf(us - 1e-6 * us.max(1.0)) <= q + 1e-9);
    }

    /// The mean is the integral of 1 − F.
    #[test]
    fn a_mean_is_that_of_the_quantiles(model in models()) {
        let steps = 2_000;
        let middles = (0..steps).map(|i| (f64::from(i) + 0.5) / f64::from(steps));
        let mean = middles.map(|q| model.quantile(q)).sum::<f64>() / f64::from(steps);
        let width = model.max_us() - model.min_us();
        prop_assert!((mean - model.mean_us()).abs() <= 1e-3 * width.max(1.0), "{mean}");
    }
}
