//! The laws, the rules, and walks through them.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::instant::MonoInstant;

fn rate(hz: f64) -> Rate {
    Rate::from_hz(hz).unwrap()
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let span = |millis| Span(Duration::from_millis(millis));
    prop_oneof![
        (0.1_f64..5000.0).prop_map(|hz| Schedule::Constant { rate: rate(hz) }),
        (0.1_f64..5000.0).prop_map(|hz| Schedule::Poisson { rate: rate(hz) }),
        (1.0_f64..1000.0, 10_u64..2000, 0_u64..5000).prop_map(move |(hz, on, off)| {
            Schedule::Burst { rate: rate(hz), on: span(on), off: span(off) }
        }),
        (prop::collection::vec(0_u64..1_000_000_000, 1..50), 0.5_f64..100.0).prop_map(
            |(mut offsets, speed)| {
                offsets.sort_unstable();
                Schedule::Replay { speed, offsets_ns: offsets.into() }
            }
        ),
    ]
}

proptest! {
    #[test]
    fn instants_ascend_and_depend_on_the_seed_alone(schedule in schedules(), seed: u64) {
        let offsets: Vec<u64> = schedule.offsets(seed).take(300).collect();
        prop_assert!(offsets.is_sorted());
        prop_assert_eq!(&offsets, &schedule.offsets(seed).take(300).collect::<Vec<_>>());
    }

    #[test]
    fn instants_are_counted_and_passed_over_as_if_walked(
        schedule in schedules(), seed: u64, offset in 0_u64..2_000_000_000, skip in 0_usize..300,
    ) {
        let walked = schedule.offsets(seed).take_while(|&due| due < offset).count() as u64;
        let place = schedule.seek(seed, Checkpoint::START, offset).unwrap();
        prop_assert_eq!(place.passed, walked);
        let mut passed = schedule.offsets(seed);
        let mut stepped = schedule.offsets(seed);
        (0..skip).for_each(|_| { stepped.next(); });
        prop_assert_eq!(passed.nth(skip), stepped.next());
        prop_assert_eq!(passed.next(), stepped.next());
    }

    #[test]
    fn a_timetable_agrees_with_the_schedule(
        schedule in schedules(), seed: u64, from in 0_u64..500_000_000, start in 0_u64..1_000_000_000,
        length in 1_u64..1_000_000_000,
    ) {
        let origin = MonoInstant(1_000);
        let (start, end) = (MonoInstant(start), MonoInstant(start + length));
        let mut table = Timetable::starting_at(
            schedule.clone(), seed, origin, Checkpoint::START, MonoInstant(from),
        ).unwrap();
        let (low, high) = table.between(start, end).unwrap();
        let due_in_window = schedule.offsets(seed).zip(1_u64..)
            .map(|(offset, seq)| (origin.plus_nanos(offset), seq))
            .take_while(|&(due, _)| due < end)
            .filter(|&(due, _)| due >= start.max(MonoInstant(from)))
            .count() as u64;
        prop_assert_eq!(high.0 + 1 - low.0, due_in_window);
        for seq in low.0..=high.0 {
            let due = table.due(Seq(seq)).unwrap();
            prop_assert!(start <= due && due < end);
        }
    }

    /// Whoever goes on from a checkpoint that travelled as JSON has the very instants of whoever
    /// walked from the start, to the nanosecond, however many follow.
    #[test]
    fn a_checkpoint_goes_on_with_the_same_instants(
        schedule in schedules(), seed: u64, passed in 0_usize..2000, more in 0_u64..3_000_000_000,
    ) {
        let mut walked = schedule.offsets(seed);
        (0..passed).for_each(|_| { walked.next(); });
        let json = serde_json::to_string(&walked.checkpoint()).unwrap();
        let checkpoint: Checkpoint = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(checkpoint, walked.checkpoint());
        let resumed = schedule.offsets_from(seed, checkpoint).take(500);
        prop_assert!(resumed.eq(walked.take(500)));
        let next = schedule.offsets(seed).nth(passed).unwrap();
        for from in [next, next + more] {
            let whole = schedule.seek(seed, Checkpoint::START, from).unwrap();
            let found = schedule.seek(seed, checkpoint, from).unwrap();
            // Several events of a trace may be due at once, and the first of them counts.
            let is_poisson = matches!(schedule, Schedule::Poisson { .. });
            prop_assert!(found == whole || is_poisson && found == checkpoint, "{:?}", found);
        }
    }

    /// Any JSON with the members of a schedule is refused or gives a schedule that is walked in
    /// bounded time, from any place to any other.
    #[test]
    fn any_json_is_refused_or_walks_on(
        text in any_schedule(), seed: u64, origin: u64, from: u64, passed: u64, elapsed: f64,
    ) {
        let Ok(schedule) = serde_json::from_str::<Schedule>(&text) else { return Ok(()) };
        schedule.check().unwrap();
        let hz = schedule.mean_hz().unwrap_or(1.0);
        prop_assert!(hz > 0.0 && hz <= 1_000_000.0, "{} gave {}", text, hz);
        let checkpoint = Checkpoint { passed, elapsed_ns: elapsed.abs() };
        prop_assert!(schedule.offsets_from(seed, checkpoint).take(100).is_sorted());
        // Steps to where a walk is refused are walked, and a test has no second for each.
        let is_short = !matches!(schedule, Schedule::Poisson { .. }) || hz < 1.0;
        let origin = MonoInstant(origin);
        for from in [MonoInstant(from), origin, origin.plus_nanos(from % 1_000_000_000_000)] {
            if is_short && let Ok(mut table) = Timetable::starting_at(
                schedule.clone(), seed, origin, Checkpoint::START, from,
            ) {
                let end = from.plus_nanos(10_000_000);
                let (first, last) = table.between(from, end).unwrap();
                prop_assert!(last.0 - first.0.min(last.0) <= 1_100_000, "{}", text);
            }
        }
    }
}

/// JSON of the right shape, with numbers and texts of all kinds in it.
fn any_schedule() -> impl Strategy<Value = String> {
    let number = || {
        prop_oneof![
            any::<f64>().prop_map(|n| serde_json::to_string(&n).unwrap()),
            any::<i64>().prop_map(|n| n.to_string()),
            any::<u64>().prop_map(|n| n.to_string()),
            prop::sample::select(vec![
                "0", "-0.0", "1", "-1", "1e300", "1e-300", "null", "0.001", "1e6", "1e9", "\"1\"",
            ])
            .prop_map(str::to_owned),
        ]
    };
    let rate = || {
        let unit = prop::sample::select(vec!["/s", "k/s", "/m", "/h", "", "/fortnight"]);
        prop_oneof![
            number(),
            (number(), unit).prop_map(|(n, unit)| format!("{:?}", format!("{n}{unit}"))),
        ]
    };
    let span = || {
        let unit = prop::sample::select(vec!["ns", "us", "ms", "s", "m", "h", ""]);
        prop_oneof![
            number(),
            (number(), unit.clone()).prop_map(|(n, unit)| format!("{:?}", format!("{n}{unit}"))),
            (0_u64..4000, unit).prop_map(|(n, unit)| format!("\"{n}{unit}\"")),
        ]
    };
    let kind = prop::sample::select(vec!["constant", "poisson", "burst", "replay", "manual"]);
    let offsets = prop_oneof![
        prop::collection::vec(number(), 0..5),
        prop::collection::vec(0_u64..100, 0..5).prop_map(|mut offsets| {
            offsets.sort_unstable();
            offsets.iter().map(ToString::to_string).collect()
        }),
    ];
    (kind, rate(), span(), span(), number(), offsets).prop_map(
        |(kind, rate, on, off, speed, offsets)| {
            let offsets = offsets.join(",");
            format!(
                r#"{{"kind":"{kind}","rate":{rate},"on":{on},"off":{off},"speed":{speed},"offsets_ns":[{offsets}]}}"#
            )
        },
    )
}

/// A seed gives the instants that it always gave: results of years refer to them.
#[test]
fn old_seeds_give_their_instants() {
    let poisson =
        |hz, seed, at: usize| Schedule::Poisson { rate: rate(hz) }.offsets(seed).nth(at).unwrap();
    let found = [
        poisson(1000.0, 5, 0),
        poisson(1000.0, 5, 49_999),
        poisson(10_000.0, 1, 0),
        poisson(10_000.0, 1, 999_999),
        poisson(0.1, 7, 300),
    ];
    assert_eq!(found, [438_615, 50_058_466_176, 107_402, 100_151_410_113, 3_309_910_420_023]);
}

#[test]
fn impossible_schedules_are_refused_by_the_member_at_fault() {
    let huge = format!("[0{}]", ",1".repeat(MAX_EVENTS));
    let cases = [
        (r#"{"kind":"burst","rate":"10/s","on":"0s","off":"0s"}"#, "on: 0s is not within"),
        (r#"{"kind":"burst","rate":"10/s","on":"1s","off":"2h"}"#, "off: 2h is not within"),
        (r#"{"kind":"burst","rate":"10/s","on":"9999999h","off":"1s"}"#, "too large"),
        (r#"{"kind":"burst","rate":"10/s","on":"1000h","off":"1s"}"#, "on: 1000h is not"),
        (r#"{"kind":"replay","speed":-1.0,"offsets_ns":[0,100000000]}"#, "speed: -1.0 is not"),
        (r#"{"kind":"replay","speed":0,"offsets_ns":[0]}"#, "speed: 0.0 is not"),
        (r#"{"kind":"replay","speed":1e300,"offsets_ns":[0]}"#, "speed: 1e300 is not"),
        (r#"{"kind":"replay","speed":null,"offsets_ns":[0]}"#, "null"),
        (r#"{"kind":"replay","speed":1e999,"offsets_ns":[0]}"#, "out of range"),
        (r#"{"kind":"replay","speed":1.0,"offsets_ns":[]}"#, "offsets_ns: a replay has at least"),
        (r#"{"kind":"replay","speed":1.0,"offsets_ns":[0,5,4]}"#, "event 3 is before"),
        (r#"{"kind":"replay","speed":1.0,"offsets_ns":[18446744073709551615]}"#, "ten years"),
        (r#"{"kind":"replay","speed":1e9,"offsets_ns":[0,1]}"#, "at most 1000k/s"),
        (&format!(r#"{{"kind":"replay","speed":1.0,"offsets_ns":{huge}}}"#), "too many"),
        (r#"{"kind":"poisson","rate":"0/s"}"#, "above zero"),
        (r#"{"kind":"poisson","rate":"-1/s"}"#, "start with a number"),
        (r#"{"kind":"poisson","rate":"inf/s"}"#, "start with a number"),
        (r#"{"kind":"poisson","rate":"NaN"}"#, "start with a number"),
        (r#"{"kind":"poisson","rate":1e300}"#, "too large"),
        (r#"{"kind":"poisson","rate":"1001k/s"}"#, "rate: 1001000/s is not within"),
        (r#"{"kind":"constant","rate":"1/h"}"#, "is not within 0.001/s"),
    ];
    for (json, part) in cases {
        let error = serde_json::from_str::<Schedule>(json).unwrap_err().to_string();
        assert!(error.contains(part), "{json:.80}: {error}");
        assert!(error.len() < 300, "{error}");
    }
}

/// A feed that began with the machine is joined from a checkpoint, and refused without one.
#[test]
fn a_poisson_feed_is_joined_from_near_by_or_not_at_all() {
    let schedule = Schedule::Poisson { rate: rate(1_000_000.0) };
    let week = 7 * 86_400 * 1_000_000_000;
    let begin = |checkpoint| {
        Timetable::starting_at(schedule.clone(), 1, MonoInstant(5), checkpoint, MonoInstant(week))
    };
    let error = begin(Checkpoint::START).unwrap_err();
    assert_eq!(error, WalkError::TooFar { steps: 604_799_999_999 });
    assert!(error.to_string().contains("start the server afresh"), "{error}");
    let near = Checkpoint { passed: 604_800_000_000, elapsed_ns: to_f64(week - 1_000_000) };
    let mut table = begin(near).unwrap();
    let (first, last) = table.between(MonoInstant(week), MonoInstant(week + 1_000_000)).unwrap();
    assert!((1_000..3_000).contains(&(first.0 - near.passed)), "{first}");
    assert!((800..1_200).contains(&(last.0 - first.0)), "{first} {last}");
}

/// The instants of a window too long for memory are refused before they are laid out in it.
#[test]
fn a_clock_that_ends_ends_the_walk() {
    let slow = Schedule::Constant { rate: rate(0.001) };
    let origin = MonoInstant(u64::MAX - 1_000_000_000_000);
    let mut table = Timetable::new(slow.clone(), 1, origin);
    let (first, last) = table.between(origin, MonoInstant(u64::MAX)).unwrap();
    assert_eq!((first, last), (Seq(1), Seq(1)));
    let beyond = Checkpoint { passed: u64::MAX, elapsed_ns: 0.0 };
    assert_eq!(slow.offsets_from(1, beyond).next(), None);
}

#[test]
fn a_checkpoint_is_one_of_its_schedule() {
    let at = |passed, elapsed_ns| Checkpoint { passed, elapsed_ns };
    let likely = |passed, elapsed_ns| at(passed, elapsed_ns).is_likely(rate(1000.0));
    assert!(likely(0, 0.0) && likely(1_000_000, 1.001e12) && likely(3, 4e6));
    assert!(!likely(1_000_000, 1.1e12) && !likely(0, 1e9) && !likely(1_000_000_000, 1e14));
    for json in [
        r#"{"passed":1,"elapsed_ns":-1.0}"#,
        r#"{"passed":1,"elapsed_ns":1e19}"#,
        r#"{"passed":18446744073709551615,"elapsed_ns":1.0}"#,
        r#"{"passed":-1,"elapsed_ns":1.0}"#,
        r#"{"passed":1}"#,
    ] {
        assert!(serde_json::from_str::<Checkpoint>(json).is_err(), "{json}");
    }
}

#[test]
fn constant_instants_do_not_drift() {
    let schedule = Schedule::Constant { rate: rate(3.0) };
    assert_eq!(schedule.offsets(1).nth(3_000_000), Some(1_000_000_000_000_000));
}

#[test]
fn poisson_gaps_have_the_mean_and_the_spread_of_the_law() {
    let schedule = Schedule::Poisson { rate: rate(1000.0) };
    let offsets: Vec<f64> = schedule.offsets(5).take(50_000).map(to_f64).collect();
    let gaps = offsets.windows(2).map(|pair| (pair[1] - pair[0]) / 1e6);
    let (sum, squares) = gaps.fold((0.0, 0.0), |(s, q), gap| (s + gap, q + gap * gap));
    let mean = sum / 49_999.0;
    assert!((mean - 1.0).abs() < 0.03, "mean {mean} ms");
    let deviation = (squares / 49_999.0 - mean * mean).sqrt();
    assert!((deviation - 1.0).abs() < 0.05, "deviation {deviation} ms");
}

#[test]
fn a_burst_is_followed_by_its_silence() {
    let [on, off] = [100, 400].map(|millis| Span(Duration::from_millis(millis)));
    let schedule = Schedule::Burst { rate: rate(30.0), on, off };
    let millis: Vec<u64> = schedule.offsets(1).take(5).map(|ns| ns / 1_000_000).collect();
    assert_eq!(millis, [0, 33, 66, 500, 533]);
    assert_eq!(schedule.mean_hz(), Some(6.0));
}

#[test]
fn a_trace_starts_again_a_mean_gap_after_its_end() {
    let offsets_ns = [0, 10, 40].map(|millis| millis * 1_000_000).into();
    let schedule = Schedule::Replay { speed: 2.0, offsets_ns };
    let millis: Vec<u64> = schedule.offsets(1).take(5).map(|ns| ns / 1_000_000).collect();
    assert_eq!(millis, [0, 5, 20, 30, 35]);
}
