use pushbench_core::{Contender, Delivery};
use pushbench_metrics::judge::advice::{Costs, Round, advise};
use pushbench_metrics::observe::censored::Bounded;

use super::*;
use crate::screen::Screen;

/// A candidate whose trials all had these figures, give or take a hundredth.
fn candidate(contender: Contender, fresh_ms: f64, cpu_us: f64, bytes: f64) -> Candidate {
    let round = |number: i32| {
        let noise = 1.0 + f64::from(number - 3) / 300.0;
        let costs = Costs {
            server_cpu_us: Some(cpu_us * noise),
            wire_bytes: Some(bytes),
            memory_bytes: Some(2_300.0),
            ..Costs::default()
        };
        let fresh_p99_us = Some(Bounded::Exactly(fresh_ms * 1e3 * noise));
        Some(Round { fresh_p99_us, lost: 0, costs })
    };
    Candidate { contender, rounds: (1..=6).map(round).collect() }
}

fn advised(delivery: Delivery, candidates: Vec<Candidate>) -> Advised {
    let wishes = Wishes { fresh: Duration::from_secs(1), delivery, margin: 0.1 };
    let course = |candidate: &Candidate| {
        let asks = candidate.contender.shape().asks();
        Course {
            contender: candidate.contender,
            point: 1,
            pace: if asks { 4.0 } else { 1.0 },
            rate_hz: 10.0,
            poll_interval: asks.then_some(Duration::from_millis(900)),
        }
    };
    Advised {
        advice: advise(&candidates, &wishes),
        wishes,
        clients: 5_000,
        rate_hz: 10.0,
        price: None,
        round_trip: Duration::ZERO,
        has_no_period: false,
        courses: candidates.iter().map(course).collect(),
        candidates,
        scaled: vec!["Measured with 1000 clients in place of your 5000.".to_owned()],
        checks: Vec::new(),
    }
}

/// At ten messages a second a push of 10 µs each costs 100 µs, and polls of 900 ms 80.
fn four(delivery: Delivery) -> Advised {
    advised(
        delivery,
        vec![
            candidate(Contender::SHORT_POLL, 893.0, 80.0, 400.0),
            candidate(Contender::LONG_POLL, 12.0, 300.0, 3_600.0),
            candidate(Contender::SSE, 10.0, 100.0, 1_880.0),
            candidate(Contender::WEBSOCKET, 10.0, 101.0, 1_700.0),
        ],
    )
}

#[test]
fn the_answer_comes_first_and_then_what_it_rests_on() {
    insta::assert_snapshot!(four(Delivery::Latest).text(Screen::NONE));
}

/// Polls cost 80 µs each second whatever the rate, and websocket 10.1 µs a message: 7.9 messages a second
/// cost the same. Of bytes 400 against 170 a message: 2.4 messages a second.
#[test]
fn a_rate_below_which_a_push_is_cheaper_than_a_poll_is_told() {
    let text = four(Delivery::Latest).text(Screen::NONE).replace("\n  ", " ");
    assert!(text.contains("Take short-poll each 900ms"), "{text}");
    assert!(text.contains("below 8 messages/s sse takes less server CPU"), "{text}");
    assert!(
        !four(Delivery::Every).text(Screen::NONE).contains("- below"),
        "polls bring each message"
    );
}

#[test]
fn a_rate_above_which_a_poll_is_cheaper_than_a_push_is_told() {
    let mut dear = four(Delivery::Latest);
    dear.candidates[0] = candidate(Contender::SHORT_POLL, 893.0, 150.0, 4_000.0);
    dear.advice = advise(&dear.candidates, &dear.wishes);
    let text = dear.text(Screen::NONE).replace("\n  ", " ");
    // 150 µs are those of 15 messages, and of polls each 900 ms × 1.5, which 0.9 of 1.5 s are.
    assert!(
        text.contains("above 15 messages/s short-poll each 900ms takes less server CPU"),
        "{text}"
    );
    assert!(text.contains("from a freshness of 1500ms on"), "{text}");
}

#[test]
fn that_nothing_matters_is_said_with_what_would_have_been_told() {
    let (one, other) = (
        candidate(Contender::SSE, 10.0, 100.0, 1_880.0),
        candidate(Contender::WEBSOCKET, 10.0, 101.0, 1_800.0),
    );
    let text =
        advised(Delivery::Every, vec![one, other]).sentence(Screen::NONE).replace("\n  ", " ");
    assert!(text.starts_with("No difference that matters between sse and websocket"), "{text}");
    assert!(text.contains("within 10 % of each other"), "{text}");
}

#[test]
fn who_is_out_says_why_and_is_not_named() {
    let mut all = four(Delivery::Every);
    all.candidates[0] = candidate(Contender::SHORT_POLL, 1_200.0, 1.0, 1.0);
    all.candidates[1].rounds[2] = None;
    all.advice = advise(&all.candidates, &all.wishes);
    let text = all.text(Screen::NONE).replace("\n  ", " ");
    for part in [
        "no: in 0 of 6 rounds",
        "not judged: 5 of 6 rounds valid",
        "Not judged, for want of valid trials: long-poll.",
        "`pushbench doctor`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("Take short-poll") && !text.contains("Take long-poll"), "{text}");
    let json = all.json();
    assert_eq!(json["candidates"][0]["out"]["because"], "stale");
    assert_eq!(json["candidates"][1]["valid"], 5);
    assert_eq!(json["named"], json!(["websocket"]));
}

#[test]
fn nobody_is_recommended_where_none_meets_it_or_none_is_judged() {
    let stale = candidate(Contender::SSE, 5_000.0, 1.0, 1.0);
    let text = advised(Delivery::Every, vec![stale.clone()]).sentence(Screen::NONE);
    assert!(text.starts_with("None can be recommended"), "{text}");
    let unjudged = Candidate { rounds: vec![None; 6], ..stale };
    let text = advised(Delivery::Every, vec![unjudged]).sentence(Screen::NONE);
    assert!(text.starts_with("No recommendation"), "{text}");
}

/// [`four`] at prices, and a month's money with each.
fn priced(money: [Option<f64>; 4]) -> Advised {
    let mut all = four(Delivery::Every);
    all.price = Price::built_in().find(|price| price.name == "gcp-e2");
    for (candidate, money) in all.candidates.iter_mut().zip(money) {
        for round in candidate.rounds.iter_mut().flatten() {
            round.costs.money = money;
        }
    }
    all.advice = advise(&all.candidates, &all.wishes);
    all
}

/// Of 5,000 clients at 0.01 USD a month: 50 USD.
#[test]
fn with_prices_money_decides_and_is_told_of_one_client_and_of_all() {
    let advised = priced([Some(0.01), Some(0.02), Some(0.0125), Some(0.03)]);
    let text = advised.text(Screen::NONE).replace("\n  ", " ");
    for part in [
        "USD/month",
        "0.0100",
        "the cheapest by money. sse, the next, takes 25 % more",
        "prices of gcp-e2 as of 2025-01",
        "A month of your 5,000 clients costs 50 USD with short-poll each 900ms, 100 USD with long-poll, \
         62.5 USD with sse and 150 USD with websocket.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = advised.json();
    assert_eq!((&json["price"], &json["currency"]), (&json!("gcp-e2"), &json!("USD")));
    assert_eq!(json["candidates"][0]["money_per_client_month"]["middle"], 0.01);
}

/// A stream costs 0.004 for being held and 0.0008 for each message a second, a poll each 900 ms 0.024: that
/// is as much at 25 a second, and at half the polls at ten.
#[test]
fn the_rate_at_which_money_turns_leaves_out_what_is_held() {
    let mut advised = priced([Some(0.024), Some(0.04), Some(0.012), Some(0.03)]);
    advised.wishes.delivery = Delivery::Latest;
    for (candidate, held) in advised.candidates.iter_mut().zip([0.0, 0.0, 0.004, 0.004]) {
        for round in candidate.rounds.iter_mut().flatten() {
            round.costs.money_held = Some(held);
        }
    }
    let text = advised.text(Screen::NONE).replace("\n  ", " ");
    let turn = "above 25 messages/s short-poll each 900ms takes less money than sse; at your rate it does \
                from a freshness of 2s on";
    assert!(text.contains(turn), "{text}");
}

#[test]
fn one_without_a_price_leaves_the_decision_to_what_was_measured_and_that_is_said() {
    let advised = priced([Some(0.01), Some(0.02), None, Some(0.03)]);
    let text = advised.text(Screen::NONE).replace("\n  ", " ");
    assert!(text.contains("the cheapest by server CPU"), "{text}");
    assert!(text.contains("Money decided nothing, since sse has no price"), "{text}");
}
