use super::*;

const ONCE: Policy = Policy { takeover: false, window: WindowBits::MAX };
const TAKEOVER: Policy = Policy { takeover: true, window: WindowBits::MAX };

fn bits(bits: u8) -> WindowBits {
    WindowBits::try_from(bits).unwrap()
}

fn answer_to(policy: Policy, offers: &str) -> Option<String> {
    policy.choose(offers).unwrap().map(|accepted| accepted.answer)
}

#[test]
fn a_server_that_compresses_once_for_all_declares_that_both_ways() {
    let answer = answer_to(ONCE, &Offer::BROWSER.value());
    let expected = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert_eq!(answer.as_deref(), Some(expected));
    let small = Policy { window: bits(10), ..ONCE };
    let answer = answer_to(small, "permessage-deflate").unwrap();
    assert_eq!(answer, format!("{expected}; server_max_window_bits=10"));
}

#[test]
fn a_server_that_keeps_contexts_does_so_unless_the_client_does_not_want_it() {
    for (offer, expected) in [
        ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
        (
            "permessage-deflate; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover",
        ),
        (
            "permessage-deflate; client_no_context_takeover",
            "permessage-deflate; client_no_context_takeover",
        ),
        (
            "permessage-deflate; server_max_window_bits=15",
            "permessage-deflate; server_max_window_bits=15",
        ),
        (
            "permessage-deflate; server_max_window_bits=\"11\"",
            "permessage-deflate; server_max_window_bits=11",
        ),
    ] {
        assert_eq!(answer_to(TAKEOVER, offer).as_deref(), Some(expected), "{offer}");
    }
    let small = Policy { window: bits(9), ..TAKEOVER };
    let accepted = small.choose("permessage-deflate; server_max_window_bits=12").unwrap().unwrap();
    assert_eq!(accepted.agreement.server, Side { takeover: true, window: bits(9) });
}

#[test]
fn the_first_offer_that_can_be_taken_is_and_others_are_passed_over() {
    for offers in [
        "permessage-deflate; mux=1",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-bzip2",
        "permessage-deflate; client_max_window_bits=16",
    ] {
        assert_eq!(answer_to(TAKEOVER, offers), None, "{offers}");
        let fallback = format!("{offers}, permessage-deflate; server_no_context_takeover");
        let expected = "permessage-deflate; server_no_context_takeover";
        assert_eq!(answer_to(TAKEOVER, &fallback).as_deref(), Some(expected), "{offers}");
    }
    assert_eq!(answer_to(TAKEOVER, ""), None);
    assert!(TAKEOVER.choose("permessage-deflate; =").is_err());
}

#[test]
fn a_client_learns_the_agreement_from_the_answer_to_its_offer() {
    let offers = [
        Offer::default(),
        Offer::BROWSER,
        Offer { server_no_takeover: true, ..Offer::BROWSER },
        Offer { client_no_takeover: true, server_window: Some(bits(10)), ..Offer::default() },
    ];
    for policy in [ONCE, TAKEOVER, Policy { window: bits(12), ..TAKEOVER }] {
        for offer in offers {
            let accepted = policy.choose(&offer.value()).unwrap().expect("nothing is in the way");
            let understood = offer.check(&accepted.answer).unwrap();
            assert_eq!(understood, Some(accepted.agreement), "{offer:?} {policy:?}");
        }
    }
    assert_eq!(Offer::BROWSER.check("").unwrap(), None);
}

#[test]
fn a_window_of_256_bytes_is_read_as_the_next_larger_one() {
    let answer = "permessage-deflate; server_max_window_bits=8";
    let agreement = Offer::BROWSER.check(answer).unwrap().unwrap();
    assert_eq!(agreement.server.window, WindowBits::MIN);
}

#[test]
fn an_answer_that_was_not_offered_fails_the_connection() {
    let strict =
        Offer { server_no_takeover: true, server_window: Some(bits(10)), ..Offer::default() };
    for (offer, answer, part) in [
        (Offer::BROWSER, "permessage-bzip2", "the extension `permessage-bzip2`, which was not"),
        (Offer::BROWSER, "permessage-deflate, permessage-deflate", "`permessage-deflate`, which"),
        (Offer::BROWSER, "permessage-deflate, mux", "the extension `mux`"),
        (Offer::BROWSER, "permessage-deflate; mux", "mux is not defined"),
        (Offer::BROWSER, "permessage-deflate; client_max_window_bits", "has no value"),
        (Offer::BROWSER, "permessage-deflate; client_max_window_bits=8", "of 8 is smaller"),
        (Offer::BROWSER, "permessage-deflate; server_max_window_bits=20", "8 to 15"),
        (Offer::BROWSER, "permessage-deflate;", "RFC 6455 §9.1"),
        (Offer::default(), "permessage-deflate; client_max_window_bits=9", "was not offered"),
        (strict, "permessage-deflate; server_max_window_bits=10", "server_no_context_takeover was"),
        (
            strict,
            "permessage-deflate; server_no_context_takeover",
            "server_max_window_bits was asked for and is missing",
        ),
        (
            strict,
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=11",
            "server_max_window_bits is larger",
        ),
    ] {
        let error = offer.check(answer).unwrap_err().to_string();
        assert!(error.contains(part), "{answer}: {error}");
    }
}
