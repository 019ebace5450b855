use pushbench_core::{Contender, Delivery};
use pushbench_protocol::headers::{HeadSize, HeaderProfile};

use crate::session::tests::plan;
use crate::session::{Output, Sessions};

/// The request printed by Lubbers and Greco (2010): 716 bytes with its line ends.
#[test]
fn a_poll_of_the_published_profile_is_the_published_request() {
    let mut plan = plan(Contender::SHORT_POLL, Delivery::Latest);
    plan.headers = HeaderProfile::built_in("kaazing-2009").unwrap();
    let mut session = Sessions::new(&plan).session(0);
    let mut out = Output::default();
    session.opened(&mut out);
    let sent = out.send.bytes();
    assert!(
        sent.starts_with(b"GET /PollingStock//PollingStock HTTP/1.1\r\nHost: localhost:8080\r\n")
    );
    assert_eq!(HeadSize::of(sent), HeadSize { lines: 11, characters: 692, bytes: 716 });
    assert_eq!(sent.len(), 716);
}

#[test]
fn what_a_transport_needs_stands_beside_a_profiles_headers() {
    for (contender, needed) in [
        (Contender::SHORT_POLL_CLOSE, "Connection: close\r\n"),
        (Contender::WEBSOCKET, "Upgrade: websocket\r\n"),
        (Contender::SSE, "Accept: text/event-stream\r\n"),
        (Contender::LONG_POLL, "GET /feed/long-poll?timeout=0s HTTP/1.1\r\n"),
    ] {
        let mut plan = plan(contender, Delivery::Every);
        let profile = HeaderProfile::built_in("chromium").unwrap();
        plan.headers = profile.with_cookie_bytes(400).unwrap();
        let mut out = Output::default();
        Sessions::new(&plan).session(0).opened(&mut out);
        let sent = std::str::from_utf8(out.send.bytes()).unwrap();
        assert!(sent.contains(needed), "{sent}");
        assert_eq!(sent.matches("Connection: ").count(), 1, "{sent}");
        let cookie = sent.lines().find_map(|line| line.strip_prefix("Cookie: ")).unwrap();
        assert_eq!(cookie.len(), 400);
    }
}
