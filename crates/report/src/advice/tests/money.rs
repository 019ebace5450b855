//! Money: with prices it decides, and turns.

use super::*;

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
