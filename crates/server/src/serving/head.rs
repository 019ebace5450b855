//! A request's head, where it is a poll's or that of a message: read from a connection's bytes, or by
//! hyper.
//!
//! A poll that has a body, or says anything of one, is left to hyper: where such a body ends is hyper's
//! to judge, which gets all the bytes, so that no two readers can disagree about where the next request
//! begins (RFC 9112 §11.2). So is a message unless one `Content-Length` of digits alone says it all.

use std::borrow::Cow;
use std::mem::MaybeUninit;

use http::Version;
use pushbench_core::feed::message::Content;

use crate::access::{Asked, Claims, Cors};
use crate::config::ServerConfig;
use crate::counters::EndpointRow;
use crate::endpoint::Route;
use crate::endpoint::row::Answers;
use crate::http::fields::{is_bytes, lists};
use crate::polls::request::{Persistence, PollRequest};
use crate::query::{Keys, Query, cut};

/// The longest request line and header section.
pub(super) const MAX_HEAD: usize = 16 << 10;

/// The most header fields, as with hyper, which answers where there are more.
const MAX_HEADERS: usize = 100;

/// The beginning of a connection's bytes.
#[derive(Debug)]
pub(super) enum Parsed<'a> {
    /// A head that ends later.
    Partial,
    /// A poll of the feed or of the room of that name, and the length of its head.
    Poll(PollRequest<'a>, Option<&'a str>, usize),
    /// A message for a room, and the length of its head and body.
    Words(Words<'a>, usize),
    /// The head of one whose body ends later.
    PartialBody,
    /// Anything else, malformed heads and polls that are not let in included.
    Other,
}

/// A message for a room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) endpoint: EndpointRow,
    pub(super) room: &'a str,
    pub(super) content: Content,
    pub(super) payload: &'a [u8],
    pub(super) persistence: Persistence,
    pub(super) cors: Cors,
}

/// Reads the head that `bytes` begins with, of a connection whose address on this side is a
/// loopback one or not.
pub(super) fn parse<'a>(bytes: &'a [u8], config: &ServerConfig, is_loopback: bool) -> Parsed<'a> {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(bytes, &mut headers) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(_) => return Parsed::Other,
    };
    let (Some(method), Some(target), Some(version)) =
        (request.method, request.path, request.version)
    else {
        return Parsed::Other;
    };
    let (path, query) = cut(target, b'?');
    let route = Route::of(path, &config.headers);
    let version = if version == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    if !route.endpoint.takes(method) || length > MAX_HEAD {
        return Parsed::Other;
    }
    let mut fields = Fields::default();
    for header in &*request.headers {
        fields.take(header.name, header.value);
    }
    let is_plain = match route.endpoint.answers {
        Answers::Poll { .. } => !fields.of_body,
        Answers::Say => version == Version::HTTP_11 && query.is_none(),
        _ => false,
    };
    let is_for_people = route.endpoint.is_for_people;
    let asked = Asked { is_for_people, version, authority: None, is_loopback };
    if !is_plain {
        return Parsed::Other;
    }
    let Ok(cors) = config.access.admit(&fields.claims, asked) else { return Parsed::Other };
    match route.endpoint.answers {
        Answers::Poll { waits } => {
            let is_head = method == "HEAD";
            let poll = fields.poll((route, waits), query, is_head, version, cors);
            Parsed::Poll(poll, route.room, length)
        }
        _ => match body(request.headers, config.rooms.message) {
            Some(body) => {
                words(bytes.split_at(length), body, route, fields.persistence(version), cors)
            }
            None => Parsed::Other,
        },
    }
}

/// The message that a head brings, as soon as all of it is there behind it.
fn words<'a>(
    (head, behind): (&[u8], &'a [u8]),
    Body { length, content }: Body,
    route: Route<'a>,
    persistence: Persistence,
    cors: Cors,
) -> Parsed<'a> {
    let Some(payload) = behind.get(..length) else { return Parsed::PartialBody };
    let (endpoint, room) = (route.row, route.room.unwrap_or_default());
    let words = Words { endpoint, room, content, payload, persistence, cors };
    Parsed::Words(words, head.len() + length)
}

/// The body of a message, as its head tells of it.
struct Body {
    length: usize,
    content: Content,
}

/// The body, where nothing is said of it but its length, once and in digits, and its media type; `None`
/// where hyper is to judge, also where it has too many bytes.
fn body(headers: &[httparse::Header<'_>], most: usize) -> Option<Body> {
    let (mut length, mut content) = (None, Content::Text);
    for header in headers {
        let is = |wanted: &str| header.name.eq_ignore_ascii_case(wanted);
        if is("content-length") {
            if length.is_some() || !header.value.iter().all(u8::is_ascii_digit) {
                return None;
            }
            length = Some(std::str::from_utf8(header.value).ok()?.parse().ok()?);
        } else if is("content-type") {
            content = if is_bytes(header.value) { Content::Binary } else { Content::Text };
        } else if ["transfer-encoding", "expect", "content-encoding"].into_iter().any(is) {
            return None;
        }
    }
    let length = length.filter(|&length| length <= most)?;
    Some(Body { length, content })
}

/// The length of the request that `bytes` begin with, a poll or a message, on a loopback connection; `None`
/// where hyper would read on. For the property that testkit checks.
#[doc(hidden)]
#[must_use]
pub fn taken_request(bytes: &[u8], config: &ServerConfig) -> httparse::Status<Option<usize>> {
    match parse(bytes, config, true) {
        Parsed::Partial | Parsed::PartialBody => httparse::Status::Partial,
        Parsed::Poll(.., length) | Parsed::Words(_, length) => {
            httparse::Status::Complete(Some(length))
        }
        Parsed::Other => httparse::Status::Complete(None),
    }
}

/// The poll that hyper has read, whose body is known to be empty and which is let in.
pub(crate) fn read_by_hyper<B>(
    request: &http::Request<B>,
    route: (Route<'_>, bool),
    cors: Cors,
) -> PollRequest<'static> {
    let mut fields = Fields::default();
    for (name, value) in request.headers() {
        fields.take(name.as_str(), value.as_bytes());
    }
    let is_head = request.method() == http::Method::HEAD;
    let poll = fields.poll(route, request.uri().query(), is_head, request.version(), cors);
    let owned = |list: Cow<'_, [u8]>| Cow::Owned(list.into_owned());
    let (condition, accepted) = (poll.condition.map(owned), poll.accepted.map(owned));
    PollRequest { condition, accepted, ..poll }
}

/// The header fields that mean something to a poll.
#[derive(Debug, Default)]
struct Fields<'a> {
    close: bool,
    keep_alive: bool,
    condition: Option<Cow<'a, [u8]>>,
    accepted: Option<Cow<'a, [u8]>>,
    /// There is, or may be, a body.
    of_body: bool,
    claims: Claims<'a>,
}

impl<'a> Fields<'a> {
    fn take(&mut self, name: &str, value: &'a [u8]) {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        // Lengths tell most names apart without comparing them.
        match name.len() {
            10 if is("connection") => {
                self.close |= lists(value, b"close");
                self.keep_alive |= lists(value, b"keep-alive");
            }
            13 if is("if-none-match") => join(&mut self.condition, value),
            14 if is("content-length") => self.of_body = true,
            15 if is("accept-encoding") => join(&mut self.accepted, value),
            17 => self.of_body |= is("transfer-encoding"),
            _ => self.claims.take(name, value),
        }
    }

    /// Whether the connection outlives the response (RFC 9112 §9.3).
    fn persistence(&self, version: Version) -> Persistence {
        match (self.close, version >= Version::HTTP_11) {
            (true, _) => Persistence::Closes,
            (false, true) => Persistence::Kept,
            (false, false) if self.keep_alive => Persistence::KeptAsAsked,
            (false, false) => Persistence::Closes,
        }
    }

    fn poll(
        self,
        (route, waits): (Route<'a>, bool),
        query: Option<&str>,
        head_only: bool,
        version: Version,
        cors: Cors,
    ) -> PollRequest<'a> {
        let keys = if waits { Keys::Waiting } else { Keys::Common };
        PollRequest {
            endpoint: route.row,
            waits,
            query: Query::parse(query, keys, route.delivery),
            head_only,
            persistence: self.persistence(version),
            condition: self.condition,
            accepted: self.accepted,
            cors,
        }
    }
}

/// Adds a line to a field: all of them are one list (RFC 9110 §5.3).
fn join<'a>(list: &mut Option<Cow<'a, [u8]>>, value: &'a [u8]) {
    *list = Some(match list.take() {
        None => Cow::Borrowed(value),
        Some(before) => Cow::Owned([&before, &b", "[..], value].concat()),
    });
}

#[cfg(test)]
mod tests {
    use pushbench_core::Delivery;
    use pushbench_protocol::headers::HeaderProfile;

    use super::*;

    fn config(headers: HeaderProfile) -> ServerConfig {
        let payload =
            pushbench_core::feed::payload::Payload::Recorded { payloads: ["x".into()].into() };
        let schedule = pushbench_core::feed::schedule::Schedule::Manual;
        let feed = pushbench_core::feed::FeedSpec { seed: 1, schedule, payload };
        ServerConfig { headers, ..ServerConfig::new(feed) }
    }

    fn parsed(bytes: &str) -> Parsed<'_> {
        parse(bytes.as_bytes(), &config(HeaderProfile::minimal()), true)
    }

    fn is_poll(bytes: &str) -> bool {
        matches!(parsed(bytes), Parsed::Poll(..))
    }

    #[test]
    fn only_a_poll_without_a_body_is_taken() {
        for taken in [
            "GET /feed/poll HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "\r\nHEAD /feed/poll?after=1 HTTP/1.0\r\n\r\n",
            "GET /feed/long-poll?timeout=bad HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\r\n",
        ] {
            assert!(is_poll(taken), "{taken}");
        }
        for other in [
            "HEAD /feed/long-poll HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "POST /feed/poll HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /feed/polls HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET http://x/feed/poll HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /feed/poll HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
            "GET /feed/poll HTTP/1.1\r\nHost: localhost\r\nTransfer-encoding: chunked\r\n\r\n",
            "GET /feed/poll HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n",
            "GET /feed/poll HTTP/1.1\r\nHost: localhost\r\nA: b\r\n Content-Length: 5\r\n\r\n",
            "GET /feed/poll HTTP/2.0\r\n\r\n",
            "GET /feed/poll HTTP/1.1\r\n\r\n",
            "GET /feed/poll HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            "GET /feed/poll HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n",
        ] {
            assert!(matches!(parsed(other), Parsed::Other), "{other}");
        }
    }

    #[test]
    fn a_head_in_pieces_is_partial_up_to_its_end() {
        let whole = "GET /feed/poll?after=7 HTTP/1.1\r\nIf-None-Match: \"1\"\r\nHost: localhost\r\n\
                     if-none-match: \"7\"\r\n\r\n";
        for end in 0..whole.len() {
            assert!(matches!(parsed(&whole[..end]), Parsed::Partial), "{end}");
        }
        let Parsed::Poll(poll, _, length) = parsed(whole) else { panic!() };
        assert_eq!(length, whole.len());
        assert_eq!(poll.condition.as_deref(), Some(&b"\"1\", \"7\""[..]));
    }

    #[test]
    fn the_profiles_path_is_a_short_poll_with_its_delivery() {
        let profile = HeaderProfile::built_in("kaazing-2009").unwrap();
        let text = "GET /PollingStock//PollingStock HTTP/1.1\r\nHost: localhost:8080\r\n\r\n";
        let config = config(profile.clone());
        let Parsed::Poll(poll, ..) = parse(text.as_bytes(), &config, true) else { panic!() };
        assert_eq!(poll.endpoint, Route::of("/feed/poll", &profile).row);
        assert_eq!(poll.query.unwrap().delivery, Delivery::Latest);
        assert!(!is_poll(text));
        let stolen = HeaderProfile { path: Some("/feed/ws".to_owned()), ..profile };
        assert!(matches!(Route::of("/feed/ws", &stolen).endpoint.answers, Answers::Stream(_)));
    }

    #[test]
    fn a_connection_is_kept_as_its_version_and_its_header_say() {
        for (version, connection, expected) in [
            ("1.1", "x", Persistence::Kept),
            ("1.1", "upgrade, Close", Persistence::Closes),
            ("1.0", "x", Persistence::Closes),
            ("1.0", "Keep-Alive", Persistence::KeptAsAsked),
            ("1.0", "keep-alive, close", Persistence::Closes),
        ] {
            let head = format!(
                "GET /feed/poll HTTP/{version}\r\nHost: localhost\r\nConnection: {connection}\r\n\r\n"
            );
            let Parsed::Poll(poll, ..) = parsed(&head) else { panic!() };
            assert_eq!(poll.persistence, expected, "{head}");
        }
    }
}
