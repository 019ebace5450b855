use pushbench_core::units::Rate;
use pushbench_core::{Contender, Delivery};
use pushbench_metrics::judge::advice::{Costs, Round, said};

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

/// Polls cost 80 µs each second whatever the rate, and sse 10 µs a message: 8 messages a second cost the
/// same, and at ten polls each 720 ms, which 0.9 of 800 are. Of bytes 400 against 188 a message: 2.1.
#[test]
fn a_rate_below_which_a_push_is_cheaper_than_a_poll_is_told() {
    let text = four(Delivery::Latest).text(Screen::NONE).replace("\n  ", " ");
    assert!(text.contains("Take short-poll each 900ms"), "{text}");
    assert!(
        text.contains(
            "below 8 messages/s sse takes less server CPU than short-poll each 900ms; at your rate it \
             does below a freshness of 800ms"
        ),
        "{text}"
    );
    assert!(text.contains("below 2.1 messages/s sse takes fewer bytes"), "{text}");
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

/// [`four`] under `every`, with polls so dear that they lose: 150 µs, and of 4,000 bytes a second 1,000 of
/// messages.
fn dear_polls() -> Advised {
    let mut all = four(Delivery::Every);
    all.candidates[0] = candidate(Contender::SHORT_POLL, 893.0, 150.0, 4_000.0);
    for round in all.candidates[0].rounds.iter_mut().flatten() {
        round.costs.message_bytes = Some(1_000.0);
    }
    all.advice = advise(&all.candidates, &all.wishes);
    all
}

/// Bytes: 3,000 for asking are the 700 that websocket takes more for messages at 4.29 times the rate, and
/// at 4.29 times the period: 900 ms × 4.29 / 0.9. CPU: not before 150 / 101 = 1.485 times either.
#[test]
fn where_each_message_counts_a_poll_is_cheaper_in_bytes_from_a_rate_on_and_in_cpu_not_before_one() {
    let text = dear_polls().text(Screen::NONE).replace("\n  ", " ");
    for part in [
        "above 43 messages/s short-poll each 900ms takes fewer bytes than websocket; at your rate it does \
         from a freshness of 4300ms on",
        "up to 14 messages/s at least, and up to a freshness of 1400ms, websocket takes less server CPU \
         than short-poll each 900ms",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// At 400 kB a second a poll each 3.86 s would find 1.5 MB.
#[test]
fn no_freshness_is_told_at_which_a_poll_would_find_more_than_an_answer_holds() {
    let mut all = dear_polls();
    for round in all.candidates.iter_mut().flat_map(|it| it.rounds.iter_mut()).flatten() {
        round.costs.message_bytes = Some(400e3);
        round.costs.wire_bytes = round.costs.wire_bytes.map(|bytes| bytes + 399e3);
    }
    let text = all.text(Screen::NONE).replace("\n  ", " ");
    assert!(text.contains("above 43 messages/s short-poll each 900ms takes fewer bytes"), "{text}");
    assert!(!text.contains("fewer bytes than websocket; at your rate"), "{text}");
}

/// Rounds of 14.9, 14.1 and 15.6 messages a second.
#[test]
fn a_turn_has_the_interval_of_its_rounds() {
    let mut dear = dear_polls();
    dear.wishes.delivery = Delivery::Latest;
    for (round, noise) in dear.candidates[0].rounds.iter_mut().flatten().zip([0.95, 1.05]) {
        round.costs.server_cpu_us = round.costs.server_cpu_us.map(|us| us * noise);
    }
    let text = dear.text(Screen::NONE).replace("\n  ", " ");
    let turn = "above 15 [14–16] messages/s short-poll each 900ms takes less server CPU";
    assert!(text.contains(turn), "{text}");
}

/// Rounds of up to 1,200 ms × 1.01, which to two digits is 1,300: from there on all of them keep to the
/// bound, and it costs the least.
#[test]
fn the_bound_from_which_on_a_stale_one_is_to_be_taken_is_told() {
    let mut all = four(Delivery::Every);
    all.candidates[0] = candidate(Contender::SHORT_POLL, 1_200.0, 50.0, 400.0);
    all.candidates[1] = candidate(Contender::LONG_POLL, 1_500.0, 300.0, 3_600.0);
    all.advice = advise(&all.candidates, &all.wishes);
    let text = all.text(Screen::NONE).replace("\n  ", " ");
    for part in [
        "from a freshness of 1300ms on short-poll each 900ms is fresh enough, and then the one to take",
        "from a freshness of 1600ms on long-poll is fresh enough, and then not the cheapest",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Composed are 0.9 s, and the check was behind by 1.15 s, which to two digits is 1,200 ms.
#[test]
fn a_check_that_was_stale_says_from_which_bound_on_it_would_be_fresh_enough() {
    let mut all = composed();
    let check = Check {
        server_cpu: Some(1.0),
        wire_bytes: Some(1.0),
        money: None,
        fresh_p99_us: Some(Bounded::Exactly(1.15e6)),
        lost: 0,
    };
    all.check(vec![Checked { candidate: 0, clients: 1_000, check }]);
    let text = all.text(Screen::NONE).replace("\n  ", " ");
    for part in [
        "not shown: in 6 of 7 rounds",
        "from a freshness of 1200ms on short-poll each 900ms is fresh enough, and then the one to take",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("Take short-poll") && !text.contains("change places"), "{text}");
}

#[test]
fn the_bound_that_polls_can_keep_to_is_told_where_none_was_measured() {
    let mut pushed = four(Delivery::Every);
    pushed.candidates.remove(0);
    pushed.courses.remove(0);
    pushed.polls_from = Some(Duration::from_micros(100_001));
    pushed.advice = advise(&pushed.candidates, &pushed.wishes);
    let text = pushed.text(Screen::NONE).replace("\n  ", " ");
    assert!(text.contains("from a freshness of 100ms on polls can be fresh enough"), "{text}");
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
    let check = Check::of(&advised.candidates[0], &own);
    advised.check(vec![Checked { candidate: 0, clients: 1_000, check }]);
    let text = advised.text(Screen::NONE).replace("\n  ", " ");
    let said = "Check of short-poll each 900ms at your own numbers with 1,000 clients: composed bytes were off by \
                +2.6 %, server CPU by -19.9 %, money by -20.0 %, fresh p99 900 ms.";
    assert!(text.contains(said), "{text}");
    let off = advised.json()["checks"][0]["composed_money_off"].as_f64().unwrap();
    assert!((off + 0.2).abs() < 1e-9, "{off}");
    let unpriced = Advised { price: None, ..advised };
    assert!(!unpriced.text(Screen::NONE).contains("money by"));
}

/// [`four`] with polls that are composed: 40 µs a second against 100 of sse, 150 % more.
fn composed() -> Advised {
    let mut all = four(Delivery::Latest);
    all.candidates[0] = candidate(Contender::SHORT_POLL, 893.0, 40.0, 400.0);
    all.candidates[0].is_composed = true;
    all.advice = advise(&all.candidates, &all.wishes);
    all
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
    let check = Check::of(&all.candidates[0], &own);
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
    let check = Check {
        server_cpu: Some(2.45),
        wire_bytes: Some(5.0),
        money: None,
        fresh_p99_us: None,
        lost: 0,
    };
    all.check(vec![Checked { candidate: 0, clients: 1_000, check }]);
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

/// At ten messages a second to hear sse costs 100 µs and websocket 130; to say one 20 µs by a request and 5 µs
/// on the socket. At (130 - 100) / (20 - 5) = 2 messages a second both cost 140 µs.
fn speaking(rate: &str) -> Advised {
    let mut all = advised(
        Delivery::Every,
        vec![
            candidate(Contender::SSE, 10.0, 100.0, 1_880.0),
            candidate(Contender::WEBSOCKET, 10.0, 130.0, 1_700.0),
        ],
    );
    for (candidate, (cpu, bytes)) in all.candidates.iter_mut().zip([(20.0, 600.0), (5.0, 180.0)]) {
        let message = said::Said { server_cpu_us: cpu, wire_bytes: bytes, money: None };
        let spoken = [Some(said::Spoken { message, lost: 0 }); 6];
        for round in candidate.rounds.iter_mut().flatten() {
            // Without noise, so that what is due to be equal is.
            round.costs.server_cpu_us = Some(if cpu > 10.0 { 100.0 } else { 130.0 });
        }
        *candidate = candidate.speaking(&spoken, rate.parse::<Rate>().unwrap().hz());
    }
    let rate = rate.parse().unwrap();
    all.talk = Some(Spoken {
        rate,
        payload: "64B".parse().unwrap(),
        clients: 200,
        measured: "8/s".parse().unwrap(),
    });
    all.advice = advise(&all.candidates, &all.wishes);
    all
}

#[test]
fn what_clients_say_has_its_cost_by_the_way_up_and_a_rate_from_which_on_it_decides() {
    let all = speaking("0.1/s");
    let text = all.text(Screen::NONE).replace("\n  ", " ");
    for part in [
        "Take sse: fresh within 1s, and the cheapest by server CPU. websocket, the next, takes 28 % more.",
        "where each client says more than 2 messages/s, websocket takes less server CPU than sse",
        "What each client says, 0.1/s of 64B, is in these costs, from trials of its own with 200 clients \
         that say 8/s each: a message takes 20.0 µs and 600 B by a request and 5.00 µs and 180 B by websocket.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("messages that clients send"), "{text}");
    let json = all.json();
    let said = &json["candidates"][1]["said"];
    assert!((said["wire_bytes_per_message"]["middle"].as_f64().unwrap() - 180.0).abs() < 1e-6);
    assert_eq!(json["talk_rate_hz"], 0.1);
    let silent = four(Delivery::Every);
    assert!(silent.text(Screen::NONE).contains("messages that clients send: pass `--talk-rate`"));
    assert!(silent.json()["candidates"][0]["said"].is_null());
}

#[test]
fn beyond_that_rate_it_is_told_as_one_below_which_the_other_takes_less() {
    let text = speaking("5/s").text(Screen::NONE).replace("\n  ", " ");
    for part in [
        "Take websocket: ",
        "where each client says less than 2 messages/s, sse takes less server CPU than websocket",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Both send requests, in clear and in TLS, which are not the same.
#[test]
fn requests_in_tls_are_told_for_themselves() {
    let mut all = speaking("0.1/s");
    let secured: Contender = "sse+tls".parse().unwrap();
    all.candidates[1].contender = secured;
    let text = all.text(Screen::NONE).replace("\n  ", " ");
    assert!(text.contains("by a request and 5.00 µs and 180 B by a request in TLS."), "{text}");
}
