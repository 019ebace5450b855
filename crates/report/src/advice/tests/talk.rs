//! Talk of clients: its cost by the way up, and its turn.

use pushbench_core::units::Rate;
use pushbench_metrics::judge::advice::said;

use super::*;

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
