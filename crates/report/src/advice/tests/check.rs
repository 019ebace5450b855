//! Checks of composed costs, in words.

use super::*;

/// Composed are 0.9 s, and the check was behind by 1.15 s, which to two digits is 1,200 ms.
#[test]
fn a_check_that_was_stale_says_from_which_bound_on_it_would_be_fresh_enough() {
    let mut all = composed();
    all.check(checked_polls([1.0; 2], Some(Bounded::Exactly(1.15e6))));
    let text = all.text(Screen::NONE).replace("\n  ", " ");
    for part in [
        "not shown: in 6 of 7 rounds",
        "from a freshness of 1200ms on short-poll each 900ms is fresh enough, and then the one to take",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("Take short-poll") && !text.contains("change places"), "{text}");
}

/// A candidate's 80 µs, 400 bytes and 0.01 USD against 100 µs, 390 bytes and 0.0125 USD in a trial.
#[test]
fn a_check_says_by_how_much_composed_costs_were_off() {
    let mut advised = priced([Some(0.01), Some(0.02), Some(0.0125), Some(0.03)]);
    let costs = Costs {
        server_cpu_us: Some(100.0),
        wire_bytes: Some(390.0),
        money: Some(0.0125),
        ..Costs::default()
    };
    let own = Round { fresh_p99_us: Some(Bounded::Exactly(9e5)), lost: 0, costs };
    let check = Check::of(&advised.candidates[0], &[own; 3]).unwrap();
    advised.check(vec![Checked { candidate: 0, clients: 1_000, check }]);
    let text = advised.text(Screen::NONE).replace("\n  ", " ");
    let said = "Check of short-poll each 900ms at your own numbers with 1,000 clients, the median of 3 trials: by it \
                the bytes above are 2.6 % too high, server CPU is 19.9 % too low, money 20.0 % too low; fresh p99 900 ms.";
    assert!(text.contains(said), "{text}");
    let off = advised.json()["checks"][0]["composed_money_off"].as_f64().unwrap();
    assert!((off + 0.2).abs() < 1e-9, "{off}");
    let unpriced = Advised { price: None, ..advised };
    assert!(!unpriced.text(Screen::NONE).contains(", money"));
}

/// [`four`] with polls that are composed: 40 µs a second against 100 of sse, 150 % more.
fn composed() -> Advised {
    let mut all = four(Delivery::Latest);
    all.candidates[0] = candidate(Contender::SHORT_POLL, 893.0, 40.0, 400.0);
    all.candidates[0].is_composed = true;
    all.advice = advise(&all.candidates, &all.wishes);
    all
}

/// A check of the polls in which CPU time and bytes are so many times those composed.
fn checked_polls([cpu, bytes]: [f64; 2], fresh_p99_us: Option<Bounded>) -> Vec<Checked> {
    let (server_cpu, wire_bytes) = (Some(cpu), Some(bytes));
    let check = Check { server_cpu, wire_bytes, money: None, fresh_p99_us, lost: 0, trials: 1 };
    vec![Checked { candidate: 0, clients: 1_000, check }]
}

/// 5,000 clients at 40 and 100 µs a second take 0.2 and 0.5 of a core. Measured are 50 µs: 100 % more, which is
/// then an end of the interval.
#[test]
fn the_sentence_says_that_costs_are_composed_and_what_the_check_measured() {
    let mut all = composed();
    let text = all.sentence(Screen::NONE).replace("\n  ", " ");
    for part in [
        "sse, the next, takes 150 % more, put together of costs at a faster pace and not checked at your own.",
        "All 5,000 clients together take ≈ 0.2 of a core with short-poll each 900ms and 0.5 [0.5–0.51] of a core with sse, and \
         99 % of messages, or newer ones, are there within ≈ 894 ms [887–902] and 10.0 ms [9.93–10.1].",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let costs = Costs { server_cpu_us: Some(50.0), ..Costs::default() };
    let own = Round { fresh_p99_us: Some(Bounded::Exactly(9e5)), lost: 0, costs };
    let check = Check::of(&all.candidates[0], &[own]).unwrap();
    all.check(vec![Checked { candidate: 0, clients: 1_000, check }]);
    let text = all.text(Screen::NONE).replace("\n  ", " ");
    for part in [
        "takes 150 % more [100 to 150 %], put together of costs at a faster pace; by the check at your own, which one \
         of them has, it takes 100 % more. All 5,000 clients together take ≈ 0.2 [0.2–0.25] of a core with",
        "Intervals of these hold what the check measured.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        (all.json()["answer"]["next"][1]["checked"]["part"].as_f64().unwrap() - 1.0).abs() < 0.01
    );
}

/// Of 40 µs the check measured 98, against 100.
#[test]
fn what_a_check_does_not_bear_out_is_said_and_not_recommended() {
    let mut all = composed();
    all.check(checked_polls([2.45, 5.0], None));
    let text = all.sentence(Screen::NONE).replace("\n  ", " ");
    for part in [
        "No difference that matters is shown between short-poll each 900ms",
        "By costs that are put together short-poll each 900ms is the cheapest, which the check at your own \
         numbers does not bear out. Costs are put together of a faster pace, and a check at your own numbers \
         taken into account.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
