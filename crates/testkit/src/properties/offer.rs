//! Offers of permessage-deflate, and answers to them.

use pushbench_core::deflate::WindowBits;
use pushbench_protocol::deflate::{Agreement, Offer, Policy};

pub(super) fn holds(input: &[u8]) {
    let Ok(value) = std::str::from_utf8(input) else { return };
    for takeover in [false, true] {
        for window in [WindowBits::MIN, WindowBits::MAX] {
            is_answered_within_its_terms(value, Policy { takeover, window });
        }
    }
    for client_window in [false, true] {
        is_checked(value, Offer { client_window, ..Offer::default() });
    }
}

/// The value as offers: what a server agrees to is within its policy, and each client that could
/// have made the offer understands the answer so.
fn is_answered_within_its_terms(offers: &str, policy: Policy) {
    let Ok(Some(accepted)) = policy.choose(offers) else { return };
    let Agreement { server, client } = accepted.agreement;
    assert!(server.window <= policy.window && (policy.takeover || !server.takeover));
    assert!(policy.takeover || !client.takeover);
    let understood = Offer::BROWSER.check(&accepted.answer).expect("it asks for nothing");
    let understood = understood.expect("it is an agreement");
    assert_eq!(understood.server, server, "{offers} -> {}", accepted.answer);
    assert!(!client.takeover || understood.client.takeover, "{offers} -> {}", accepted.answer);
}

/// The value as an answer: one that is taken says the same when it is said again, and a client that
/// asked for more than it says refuses it.
fn is_checked(answer: &str, offer: Offer) {
    let Ok(Some(agreement)) = offer.check(answer) else { return };
    assert_eq!(offer.check(&format!(" {answer} ,,")), Ok(Some(agreement)));
    assert!(offer.check(&format!("{answer}, {answer}")).is_err(), "it is said twice: {answer}");
    let strict = Offer { server_no_takeover: true, ..offer };
    assert_eq!(strict.check(answer).is_ok(), !agreement.server.takeover, "{answer}");
    let small = Offer { server_window: Some(WindowBits::MIN), ..offer };
    assert_eq!(small.check(answer).is_ok(), agreement.server.window == WindowBits::MIN);
}
