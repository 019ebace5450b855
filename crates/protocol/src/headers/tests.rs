use proptest::prelude::*;

use super::size::line_lengths;
use super::*;

const HOST: &str = "127.0.0.1:8080";

fn built_in(name: &str) -> HeaderProfile {
    HeaderProfile::built_in(name).unwrap()
}

fn request(profile: &HeaderProfile, contender: Contender, own: &[(&str, &str)]) -> String {
    let target = profile.path(contender);
    let mut out = Vec::new();
    profile.render_request(contender, &RequestParts { target, host: HOST, own }, &mut out);
    String::from_utf8(out).unwrap()
}

fn response(profile: &HeaderProfile, contender: Contender, parts: &ResponseParts<'_>) -> String {
    let mut out = Vec::new();
    profile.render_response(contender, parts, &mut out);
    String::from_utf8(out).unwrap()
}

/// The answer to a poll, with a body of `length` bytes.
fn ok(length: usize) -> ResponseParts<'static> {
    let content = Content::Body { media_type: "text/plain", length };
    ResponseParts { status: 200, content, etag: Some("\"42\""), own: &[] }
}

#[test]
fn every_built_in_profile_has_its_name_and_says_where_it_is_from() {
    for name in names() {
        let profile = built_in(name);
        assert_eq!(profile.name, name);
        assert!(profile.about.len() > 20, "{name}");
    }
    assert_eq!(HeaderProfile::built_in("lynx"), None);
}

/// The gate: REFERENCES.md §1, line by line.
#[test]
fn the_published_871_characters_are_909_bytes() {
    let kaazing = built_in("kaazing-2009");
    let sent = request(&kaazing, Contender::SHORT_POLL, &[]);
    let answer = response(&kaazing, Contender::SHORT_POLL, &ok(21));
    let lines: Vec<usize> = line_lengths(sent.as_bytes()).collect();
    assert_eq!(lines, [40, 20, 100, 71, 22, 29, 46, 15, 22, 45, 282]);
    let lines: Vec<usize> = line_lengths(answer.as_bytes()).collect();
    assert_eq!(lines, [15, 25, 49, 37, 18, 35]);
    let (up, down) = (HeadSize::of(sent.as_bytes()), HeadSize::of(answer.as_bytes()));
    assert_eq!(up, HeadSize { lines: 11, characters: 692, bytes: 716 });
    assert_eq!(down, HeadSize { lines: 6, characters: 179, bytes: 193 });
    assert_eq!((up + down).characters, 871);
    assert_eq!((up + down).bytes, 909);
    assert_eq!((up.bytes, down.bytes), (sent.len(), answer.len()));
    assert_eq!(kaazing.body_bytes, Some(21));
    assert_eq!(kaazing.delivery, Some(Delivery::Latest));
    assert!(
        sent.starts_with("GET /PollingStock//PollingStock HTTP/1.1\r\nHost: localhost:8080\r\n")
    );
}

/// As long as what was captured, with the target that was asked for then.
#[test]
fn browsers_and_curl_send_as_many_bytes_as_they_did() {
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let handshake = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
    ];
    // Captured with the offer of an extension, which is the transport's.
    let cases = [
        ("curl", 95, 86, None),
        ("chromium", 502, 550, Some(502 - 70)),
        ("firefox", 375, 423, Some(531 - 46)),
    ];
    for (name, poll, sse, websocket) in cases {
        let profile = built_in(name);
        let after = RequestParts { target: "/feed/poll?after=0", host: HOST, own: &[] };
        let mut out = Vec::new();
        profile.render_request(Contender::SHORT_POLL, &after, &mut out);
        assert_eq!(out.len(), poll, "{name}");
        assert_eq!(request(&profile, Contender::SSE, &[]).len(), sse, "{name}");
        let asked = request(&profile, Contender::WEBSOCKET, &handshake);
        assert!(websocket.is_none_or(|captured| captured == asked.len()), "{name}: {asked}");
    }
}

#[test]
fn minimal_is_what_is_sent_without_a_profile() {
    let minimal = built_in("minimal");
    let sent = request(&minimal, Contender::SHORT_POLL, &[]);
    assert_eq!(sent, "GET /feed/poll HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
    let answer = response(&minimal, Contender::LONG_POLL, &ok(64));
    let expected = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\netag: \"42\"\r\n\
                    content-length: 64\r\n\r\n";
    assert_eq!(answer, expected);
    let nothing = ResponseParts { status: 204, content: Content::None, ..ok(0) };
    let answer = response(&minimal, Contender::SHORT_POLL, &nothing);
    assert_eq!(answer, "HTTP/1.1 204 No Content\r\netag: \"42\"\r\n\r\n");
    let content = Content::Stream { media_type: "text/event-stream" };
    let stream = ResponseParts { content, own: &[("transfer-encoding", "chunked")], ..nothing };
    let answer = response(&minimal, Contender::SSE, &ResponseParts { status: 200, ..stream });
    let expected = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                    cache-control: no-store\r\nconnection: close\r\netag: \"42\"\r\n\
                    transfer-encoding: chunked\r\n\r\n";
    assert_eq!(answer, expected);
}

#[test]
fn the_transports_own_headers_take_their_place_or_follow() {
    let kaazing = built_in("kaazing-2009");
    let sent = request(&kaazing, Contender::SHORT_POLL_CLOSE, &[("connection", "close")]);
    assert!(sent.contains("\r\nKeep-Alive: 300\r\nConnection: close\r\nReferer"), "{sent}");
    let sent = request(&kaazing, Contender::SHORT_POLL, &[("Connection", "Keep-Alive")]);
    assert_eq!(sent, request(&kaazing, Contender::SHORT_POLL, &[]), "it says so already");
    let own = [("If-None-Match", "\"7\""), ("X", "y")];
    let sent = request(&kaazing, Contender::SHORT_POLL_CONDITIONAL, &own);
    assert!(sent.ends_with("=false\r\nIf-None-Match: \"7\"\r\nX: y\r\n\r\n"), "{sent}");

    // No place for the tag, but for whoever cannot do without.
    let answer = response(&kaazing, Contender::SHORT_POLL, &ok(21));
    assert!(!answer.contains("ETag"), "{answer}");
    let content = Content::Stream { media_type: "text/event-stream" };
    let own = &[("ETag", "\"42\"")];
    let answer = response(&kaazing, Contender::SSE, &ResponseParts { content, own, ..ok(0) });
    assert!(answer.contains("\r\nContent-Type: text/event-stream\r\nDate"), "{answer}");
    assert!(answer.ends_with("GMT\r\nETag: \"42\"\r\n\r\n"), "{answer}");
    assert!(!answer.contains("Content-Length"), "{answer}");
}

#[test]
fn what_a_profile_leaves_out_has_a_default() {
    let profile = HeaderProfile::parse("name = \"mine\"\n[request]\nheaders = []").unwrap();
    assert_eq!(profile.response, HeaderProfile::minimal().response);
    assert_eq!((profile.path, profile.delivery, profile.body_bytes), (None, None, None));
    let text = "name = 'mine'\n[request]\nheaders = [['accept', '*/*']]\n\
                [request.sse]\nheaders = [['host', 'there']]\n[response]\nheaders = [['A', '']]";
    let profile = HeaderProfile::parse(text).unwrap();
    let sent = request(&profile, Contender::SHORT_POLL, &[]);
    assert_eq!(sent, "GET /feed/poll HTTP/1.1\r\nHost: 127.0.0.1:8080\r\naccept: */*\r\n\r\n");
    let sent = request(&profile, Contender::SSE, &[]);
    assert_eq!(sent, "GET /feed/sse HTTP/1.1\r\nhost: there\r\n\r\n");
    // A kept connection needs to know where the body ends.
    let answer = response(&profile, Contender::SHORT_POLL, &ok(5));
    assert_eq!(answer, "HTTP/1.1 200 OK\r\nA: \r\nContent-Length: 5\r\n\r\n");
    let json = serde_json::to_string(&profile).unwrap();
    assert!(json.contains(r#""sse":[["host","there"]],"websocket":null}"#), "{json}");
    assert_eq!(serde_json::from_str::<HeaderProfile>(&json).unwrap(), profile);
}

#[test]
fn cookies_grow_by_what_is_asked() {
    for name in names() {
        for bytes in [0, 1, 2, 3, 4, 5, 400] {
            for contender in Contender::basic() {
                let value = |profile: &HeaderProfile| {
                    let cookie = profile.request.of(contender).get("cookie");
                    cookie.map_or(0, |header| header.value().len())
                };
                let before = built_in(name);
                let after = before.clone().with_cookie_bytes(bytes).unwrap();
                assert_eq!(value(&after), value(&before) + bytes, "{name} {contender} {bytes}");
            }
        }
        let all = built_in(name).with_cookie_bytes(usize::MAX).unwrap_err();
        assert!(matches!(all, HeaderError::TooLong(_)), "{all}");
    }
    let sent = request(&built_in("curl").with_cookie_bytes(5).unwrap(), Contender::SSE, &[]);
    assert!(sent.ends_with("\r\nCookie: p=xxx\r\n\r\n"), "{sent}");
}

#[test]
fn sizes_count_up_to_the_blank_line() {
    let size = |lines, characters, bytes| HeadSize { lines, characters, bytes };
    for (bytes, expected) in [
        (&b""[..], size(0, 0, 0)),
        (b"GET / HTTP/1.1\r\n\r\n", size(1, 14, 18)),
        (b"GET / HTTP/1.1\r\nA: b\r\n\r\nbody\r\n\r\n", size(2, 18, 24)),
        (b"GET / HTTP/1.1\r\nA: b\r\n", size(2, 18, 22)),
        (b"GET / HTTP/1.1\r\nA:", size(2, 16, 18)),
    ] {
        assert_eq!(HeadSize::of(bytes), expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_profile_that_cannot_be_sent_is_refused_with_its_line() {
    let start = "name = 'x'\n[request]\nheaders = [\n  ['Host', '{host}'],\n  ";
    let headers = [
        ("['Content Length', '5']", "`Content Length` is no header name: it has ` `"),
        ("['', 'a']", "no character"),
        ("['Ünicode', 'a']", "it has `Ü`"),
        ("['A:', 'a']", "it has `:`"),
        ("['A', \"b\\r\\nC: d\"]", "the value of `A` has `\\r`"),
        ("['A', \"b\\nC: d\"]", "has `\\n`"),
        ("['A', \"b\\u0000\"]", "has `\\0`"),
        ("['A', ' b']", "space at an end"),
        ("['content-length', '5']", "`content-length` belongs to the transport"),
        ("['Transfer-Encoding', 'chunked']", "belongs to the transport"),
        ("['Upgrade', 'websocket']", "belongs to the transport"),
        ("['sec-websocket-key', 'x']", "belongs to the transport"),
        ("['Sec-WebSocket-Extensions', 'x']", "belongs to the transport"),
        ("['host', 'b']", "`host` is there twice"),
        (
            "['Referer', 'http://{hots}/']",
            "nothing fills in `{hots}`; a request has `{host}`, `{scheme}`",
        ),
        ("['A', '{etag}']", "nothing fills in `{etag}`"),
        ("['A', 'b', 'c']", "two strings; here are 3"),
        ("['A']", "two strings; here are 1"),
        ("'A: b'", "invalid type: string"),
        ("['A', 5]", "invalid type: integer"),
    ];
    for (header, part) in headers {
        refused(&format!("{start}{header},\n]"), 5, part);
    }
    let response = "name = 'x'\n[request]\nheaders = []\n[response.sse]\nheaders = []\n\
                    [response]\nheaders = [\n";
    for (header, part) in [
        ("['Content-Length', '21']", "write `{content-length}`"),
        ("['ETag', 'x']", "write `{etag}`"),
        ("['Upgrade', 'x']", "belongs to the transport"),
        ("['Sec-WebSocket-Accept', 'x']", "belongs to the transport"),
        ("['A', '{host}']", "a response has `{content-length}`, `{content-type}`, `{etag}`"),
    ] {
        refused(&format!("{response}{header}]"), 8, part);
    }
}

#[test]
fn a_profile_with_a_setting_out_of_range_is_refused_with_its_line() {
    let rest = "\n[request]\nheaders = []";
    for (setting, part) in [
        ("body_bytes = 9", "body_bytes: 9B is not within 10B"),
        ("body_bytes = 1048577", "and 1MiB"),
        ("body_bytes = '2MiB'", "body_bytes: 2MiB"),
        ("body_bytes = -1", "does not start with a number"),
        ("path = 'feed'", "path: a path begins with `/`"),
        ("path = '/feed/ws'", "path: `/feed/ws` is where another transport goes"),
        ("path = '/a b'", "a path has no ` `"),
        ("path = '/a?b'", "the query is the transport's"),
        ("path = \"/a\\r\\nHost: b\"", "a path has no `\\r`"),
        ("delivery = 'some'", "unknown variant `some`"),
        ("bodybytes = 5", "unknown field `bodybytes`"),
        ("about = 5", "invalid type"),
        ("about = ", "string values must be quoted"),
    ] {
        refused(&format!("name = 'x'\n{setting}{rest}"), 2, part);
    }
    let of_polls = format!("name = 'x'{rest}\n\n[request.long-poll]\nheaders = []");
    refused(
        &of_polls,
        5,
        "unknown field `long-poll`, expected one of `headers`, `sse`, `websocket`",
    );
    refused(&format!("\nname = '../x'{rest}"), 2, "is not 1 to 64 letters");
    refused("name = 'x'", 1, "missing field `request`");
    let many = vec!["['A', 'b']"; MAX_HEADERS + 1].join(",");
    refused(&format!("name = 'x'\n[request]\nheaders = [{many}]"), 3, "49 headers are too many");
    // With the `Host` that it does not name.
    let many = vec!["['A', 'b']"; MAX_HEADERS].join(",");
    refused(&format!("name = 'x'\n[request]\nheaders = [{many}]"), 3, "49 headers are too many");
    let long = "x".repeat(pushbench_core::scenario::MAX_HEADER_BYTES);
    refused(&format!("name = 'x'\n[request]\nheaders = [['A','{long}']]"), 3, "are too long");
    for bytes in [10, 21, 1 << 20] {
        let text = format!("name = 'x'\nbody_bytes = {bytes}{rest}");
        assert_eq!(HeaderProfile::parse(&text).unwrap().body_bytes, Some(bytes));
    }
}

fn refused(text: &str, line: usize, part: &str) {
    let error = HeaderProfile::parse(text).unwrap_err();
    assert!(error.problem().contains(part), "{text}\n{error}");
    assert_eq!(error.line(), line, "{text}\n{error}");
    assert!(error.to_string().starts_with(&format!("line {line}: ")), "{error}");
}

#[test]
fn braces_that_are_no_placeholder_are_text() {
    let text = r#"name = 'x'
        [request]
        headers = [["Host", "h"], ["NEL", '{"max_age":5}{}{A}{'], ["Two", "{host}-{host}"]]"#;
    let sent = request(&HeaderProfile::parse(text).unwrap(), Contender::SHORT_POLL, &[]);
    let expected = format!("NEL: {{\"max_age\":5}}{{}}{{A}}{{\r\nTwo: {HOST}-{HOST}\r\n\r\n");
    assert!(sent.ends_with(&expected), "{sent}");
}

proptest! {
    /// Names begin with `x-`, values have no braces, lest they mean something.
    #[test]
    fn a_head_says_what_its_profile_says(
        fields in prop::collection::vec(
            ("x-[!#$%&'*+.^_`|~0-9A-Za-z-]{0,20}", "([!-z|~é€]([ \t!-z|~é€]{0,40}[!-z|~é€])?)?"),
            0..20,
        ),
        cookie in 0_usize..300,
    ) {
        let list: Vec<_> = fields.iter().map(|(name, value)| {
            toml::Value::Array(vec![name.as_str().into(), value.as_str().into()])
        }).collect();
        let list = toml::Value::Array(list);
        let text =
            format!("name = 'x'\n[request]\nheaders = {list}\n[response]\nheaders = {list}");
        let profile = HeaderProfile::parse(&text).unwrap().with_cookie_bytes(cookie).unwrap();
        let sent = request(&profile, Contender::SHORT_POLL, &[]);
        let mut expected = vec![("Host".to_owned(), HOST.to_owned())];
        expected.extend(fields.iter().cloned());
        let mut got = fields_of(&sent);
        let added = if cookie > 0 { got.pop() } else { None };
        prop_assert_eq!(added.map_or(0, |(_, value)| value.len()), cookie);
        prop_assert_eq!(got, expected);
        let size = HeadSize::of(sent.as_bytes());
        prop_assert_eq!((size.bytes, size.characters), (sent.len(), sent.len() - 2 * size.lines - 2));

        let answer = response(&profile, Contender::SHORT_POLL, &ok(3));
        let mut got = fields_of(&answer);
        prop_assert_eq!(got.pop(), Some(("Content-Length".to_owned(), "3".to_owned())));
        prop_assert_eq!(got, fields);
    }

    #[test]
    fn any_text_is_read_or_refused(text: String, name: String, value: String) {
        let _ = HeaderProfile::parse(&text);
        let pair = toml::Value::Array(vec![name.as_str().into(), value.as_str().into()]);
        let text = format!("name = 'x'\n[request]\nheaders = [{pair}]");
        if let Ok(profile) = HeaderProfile::parse(&text) {
            prop_assert!(HeadSize::of(request(&profile, Contender::SHORT_POLL, &[]).as_bytes()).lines <= 3);
        }
    }
}

/// Names and values of a head's lines, read without the help of what wrote them.
fn fields_of(head: &str) -> Vec<(String, String)> {
    let head = head.strip_suffix("\r\n\r\n").unwrap();
    let line = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    };
    head.split("\r\n").skip(1).map(line).collect()
}
