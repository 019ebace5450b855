use pushbench_core::{Contender, Delivery};
use pushbench_protocol::headers::{HeadSize, HeaderProfile};

use super::*;
use crate::session::Sessions;
use crate::session::tests::plan;

/// Heads, body bytes and ends, read in pieces of `step` bytes; then the end of the connection.
fn read(wire: &[u8], step: usize) -> Result<(Vec<Head>, Vec<u8>, usize), HttpError> {
    let (mut reader, mut out) = (ResponseReader::default(), Output::default());
    let (mut heads, mut body, mut ends) = (Vec::new(), Vec::new(), 0);
    for mut piece in wire.chunks(step) {
        while let Some(part) = reader.next(&mut piece, &mut out)? {
            match part {
                Part::Head(head) => heads.push(head),
                Part::Data(data) => body.extend_from_slice(data),
                Part::End => ends += 1,
            }
        }
    }
    ends += usize::from(matches!(reader.finish(), Ok(Some(Part::End))));
    Ok((heads, body, ends))
}

#[test]
fn a_request_is_as_short_as_it_can_be() {
    let mut plan = plan(Contender::SHORT_POLL, Delivery::Every);
    plan.target = "127.0.0.1:80".parse().unwrap();
    let head = RequestHead::new(&plan, "", &[]);
    let render = |after| {
        let mut out = Vec::new();
        head.render(&mut out, after, |_| {});
        String::from_utf8(out).unwrap()
    };
    assert_eq!(render(None), "GET /feed/poll HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n");
    assert_eq!(
        render(Some(Seq(5))),
        "GET /feed/poll?after=5 HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"
    );

    plan.target = "[::1]:80".parse().unwrap();
    let head = RequestHead::new(&plan, "a=b", &[("X", "y")]);
    let mut out = Vec::new();
    head.render(&mut out, Some(Seq(7)), |out| out.extend_from_slice(b"Z: z\r\n"));
    assert_eq!(
        out,
        b"GET /feed/poll?a=b&after=7 HTTP/1.1\r\nHost: [::1]:80\r\nX: y\r\nZ: z\r\n\r\n"
    );
    assert_eq!(head.describe(Some(Seq(7))), "GET /feed/poll?a=b&after=7");
}

#[test]
fn bodies_end_where_the_standard_says() {
    let cases: [(&[u8], &[u8], usize); 9] = [
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\nX: a\r\n  b\r\n\r\nhi", b"hi", 1),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\nContent-Length: 9\r\n\r\nHTTP/1.1 102 P\r\n\r\n\
           HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n\
           02;a=\"b\"\r\nhi\r\n0\r\nX: y\r\nZ: \r\n\r\n", b"hi", 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x-odd\r\nContent-Length: 1\r\n\r\nhi", b"hi", 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 204 No\r\n\r\n", b"hi", 2),
        (b"HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", b"", 1),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b"", 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", b"hi", 1),
        (b"HTTP/1.0 200 OK\r\n\r\nhi", b"hi", 1),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x", 1),
    ];
    for (wire, body, ends) in cases {
        for step in [1, 5, 1000] {
            let (_, got, got_ends) = read(wire, step).unwrap();
            assert_eq!((got.as_slice(), got_ends), (body, ends), "{}", wire.escape_ascii());
        }
    }
}

#[test]
fn heads_that_cannot_be_understood_are_refused() {
    let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 2 * HEAD_LIMIT]].concat();
    for step in [1000, 1 << 20] {
        assert!(matches!(read(&endless, step), Err(HttpError::Head(HeadError::TooLong))));
    }
    let length = b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n";
    assert!(matches!(read(length, 9), Err(HttpError::Head(HeadError::Length))));
    let chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz";
    assert!(matches!(read(chunk, 9), Err(HttpError::Chunk(_))));
}

#[test]
fn a_connection_that_ends_within_a_response_is_told() {
    for wire in [&b"HTTP/1.1 2"[..], b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh"] {
        let (mut reader, mut out) = (ResponseReader::default(), Output::default());
        let mut input = wire;
        while reader.next(&mut input, &mut out).unwrap().is_some() {}
        assert_eq!(reader.finish(), Err(()));
        assert_eq!(reader.finish(), Ok(None), "a new connection begins anew");
    }
}

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
