mod check;
mod money;
mod talk;
mod turns;

use pushbench_core::{Contender, Delivery};
use pushbench_metrics::judge::advice::{Costs, Round};

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
    let rounds = (1..=6).map(round).collect();
    Candidate { contender, rounds, is_composed: false, check: None }
}

fn advised(delivery: Delivery, mut candidates: Vec<Candidate>) -> Advised {
    candidates.iter_mut().for_each(|it| it.is_composed = it.contender.shape().asks());
    let wishes = Wishes { fresh: Duration::from_secs(1), delivery, margin: 0.1 };
    let course = |candidate: &Candidate| {
        let asks = candidate.contender.shape().asks();
        Course {
            contender: candidate.contender,
            point: 1,
            pace: if asks { 4.0 } else { 1.0 },
            rate_hz: 10.0,
            poll_interval: asks.then_some(Duration::from_millis(900)),
            clients: 1_000,
        }
    };
    Advised {
        advice: advise(&candidates, &wishes),
        wishes,
        clients: 5_000,
        rate_hz: 10.0,
        talk: None,
        price: None,
        round_trip: Duration::ZERO,
        polls_from: None,
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

/// A machine that is busy may leave no cost of one of them.
#[test]
fn costs_that_are_not_known_of_all_decide_nothing_and_that_is_said() {
    let mut unknown = candidate(Contender::SSE, 10.0, 100.0, 1_880.0);
    for round in unknown.rounds.iter_mut().flatten() {
        (round.costs.server_cpu_us, round.costs.wire_bytes) = (None, None);
    }
    let known = candidate(Contender::WEBSOCKET, 10.0, 101.0, 1_800.0);
    let text =
        advised(Delivery::Every, vec![unknown, known]).sentence(Screen::NONE).replace("\n  ", " ");
    assert!(text.starts_with("No recommendation among sse and websocket"), "{text}");
    assert!(text.contains("no cost is known of all of them"), "{text}");
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
        "the median of 5 to 6 rounds",
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

/// Of two, one has too few valid trials to be judged.
#[test]
fn one_that_is_alone_only_since_nothing_is_known_of_others_is_told_as_that() {
    let websocket = candidate(Contender::WEBSOCKET, 10.0, 100.0, 1_800.0);
    let mut sse = candidate(Contender::SSE, 10.0, 90.0, 1_880.0);
    sse.rounds[1] = None;
    let both = advised(Delivery::Every, vec![websocket.clone(), sse]);
    let text = both.sentence(Screen::NONE).replace("\n  ", " ");
    assert!(
        text.starts_with(
            "Take websocket: of those that can be judged, it alone is fresh within 1s with every \
             message. Not judged, for want of valid trials: sse."
        ),
        "{text}"
    );
    let stale = candidate(Contender::SSE, 1_200.0, 90.0, 1_880.0);
    let text = advised(Delivery::Every, vec![websocket, stale]).sentence(Screen::NONE);
    assert!(text.starts_with("Take websocket: it alone is fresh within 1s"), "{text}");
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
