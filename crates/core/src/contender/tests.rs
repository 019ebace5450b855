use super::*;

/// The reasons that a name is refused for.
fn refused(name: &str) -> String {
    name.parse::<Contender>().unwrap_err().to_string()
}

/// The names of some contenders.
fn list(contenders: impl Iterator<Item = Contender>) -> String {
    contenders.map(Contender::name).collect::<Vec<_>>().join(", ")
}

#[test]
fn names_round_trip_and_are_each_ones_own() {
    for contender in Contender::all() {
        assert_eq!(contender.name().parse(), Ok(contender));
    }
}

#[test]
fn what_is_no_transport_lists_the_transports_and_what_may_stand_behind_them() {
    for name in ["carrier-pigeon", "", "+tls", "tls+sse"] {
        let error = refused(name);
        assert!(
            error.starts_with(&format!("unknown transport `{name}`; the transports are short-"))
        );
        assert!(error.contains("sse, websocket; behind one may stand +tls"), "{error}");
        assert!(!error.contains("sse+tls"), "it is short: {error}");
    }
}

#[test]
fn other_names_that_people_have_are_understood_and_a_slip_is_told() {
    for (name, known) in [
        ("ws", "websocket"),
        ("WebSocket", "websocket"),
        ("wss", "websocket+tls"),
        ("wss+deflate", "websocket+tls+deflate"),
        ("ws+deflate-takeover", "websocket+deflate-takeover"),
        ("long-polling+tls", "long-poll+tls"),
        ("EventSource", "sse"),
    ] {
        assert_eq!(name.parse::<Contender>().map(Contender::name), Ok(known), "{name}");
    }
    for (alias, known) in ALIASES {
        assert!(known.parse::<Contender>().is_ok_and(|it| it.name() == known), "{alias}");
        assert!(!Contender::all().any(|it| it.name() == alias), "{alias} is a name already");
    }
    assert!(
        refused("websoket").ends_with("; did you mean `websocket`?"),
        "{}",
        refused("websoket")
    );
    assert!(!refused("carrier-pigeon").contains("did you mean"));
}

#[test]
fn what_makes_no_sense_lists_what_that_transport_can_be() {
    let of =
        |name: &str| refused(name).split_once("; those of its kind are ").unwrap().1.to_owned();
    assert_eq!(of("sse+deflate"), "sse, sse+gzip, sse+tls, sse+tls+gzip");
    assert_eq!(of("sse+gzip+tls"), of("sse-close"), "suffixes have an order");
    assert_eq!(
        of("websocket+gzip"),
        "websocket, websocket+deflate, websocket+deflate-takeover, websocket+tls, \
         websocket+tls+deflate, websocket+tls+deflate-takeover"
    );
    assert_eq!(
        of("short-poll-close+gzip"),
        "short-poll, short-poll+gzip, short-poll+tls, short-poll+tls+gzip, short-poll-close, \
         short-poll-close+tls, short-poll-conditional, short-poll-conditional+tls"
    );
    assert_eq!(of("long-poll+"), "long-poll, long-poll+gzip, long-poll+tls, long-poll+tls+gzip");
}

#[test]
fn names_and_their_order_are_those_of_the_files_that_users_have() {
    assert_eq!(
        list(Contender::basic()),
        "short-poll, short-poll-close, short-poll-conditional, long-poll, sse, websocket"
    );
    assert!(Contender::all().is_sorted(), "they sort as they are listed");
}

/// A layer that the parts of a stack know nothing of is under all of them.
#[test]
fn every_contender_in_clear_has_one_in_tls_and_every_coded_one_has_one_without() {
    for contender in Contender::all() {
        let on = |stack| Contender { stack, ..contender };
        let both = [Security::Clear, Security::Tls].map(|it| on(contender.stack.with_security(it)));
        let uncoded = on(contender.stack.with_coding(Coding::None));
        for other in both.into_iter().chain([uncoded]) {
            assert!(Contender::all().any(|it| it == other), "{contender}: {other:?}");
        }
    }
}
