//! Server-sent events on a response that has no end of its own: chunked, or in HTTP/1.0, which knows no
//! chunks, up to the end of the connection.

use http::{Request, StatusCode, Version, header};
use hyper::body::Incoming;
use pushbench_core::{Contender, Seq};
use pushbench_protocol::headers::{Content, ResponseParts};
use pushbench_protocol::http::ContentCoding;

use super::row::{Answers, Endpoint, Joining, Streams};
use crate::config::ServerConfig;
use crate::http::answer::Answer;
use crate::http::fields::{coding_fields, entity_tag};
use crate::wire::{Language, Wire, begin_gzip};

/// The feed as an event stream.
pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/feed/sse",
    methods: &["GET"],
    is_for_people: false,
    answers: Answers::Stream(STREAMS),
};

/// A room as an event stream.
pub(super) const ROOM: Endpoint = Endpoint { path: "/rooms/NAME/sse", ..ENDPOINT };

const STREAMS: Streams =
    Streams { status: StatusCode::OK, agree, is_response: true, is_echo: false };

/// Streams for HTTP/1.0 are never coded: whoever asks so is a proxy with an old or a bare configuration.
#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
fn agree(
    request: &Request<Incoming>,
    config: &ServerConfig,
    Joining { cursor, presence, .. }: Joining,
) -> Result<(Vec<u8>, Wire), Answer> {
    let wire = Wire::new(Language::Events);
    let wire = if presence { wire.with_presence() } else { wire };
    if request.version() < Version::HTTP_11 {
        return Ok((
            head(config, cursor, ContentCoding::Identity, &UNTIL_CLOSE),
            wire.until_close(),
        ));
    }
    let coding = coding(request, config);
    let mut head = head(config, cursor, coding, &CHUNKED);
    if coding == ContentCoding::Identity {
        return Ok((head, wire));
    }
    begin_gzip(&mut head);
    Ok((head, wire.in_gzip()))
}

/// How a client tells the stream's end from a broken connection (RFC 9112 §8).
const CHUNKED: [(&str, &str); 1] = [("transfer-encoding", "chunked")];

/// The end of the connection is the stream's (RFC 9112 §6.3). nginx, which asks in HTTP/1.0 unless it is
/// told otherwise, holds an answer of no known length back until it has 4 KiB of it; this field tells it
/// not to, and goes no further.
const UNTIL_CLOSE: [(&str, &str); 1] = [("x-accel-buffering", "no")];

/// The response head: the profile's, and what it cannot do without.
///
/// - `Content-Type`: an `EventSource` fails on any other (WHATWG HTML §9.2.2);
/// - how it ends;
/// - `ETag`: the cursor that the stream continues from, as on every transport;
/// - `Content-Encoding`, where there is one (RFC 9110 §8.4).
fn head(
    config: &ServerConfig,
    cursor: Seq,
    coding: ContentCoding,
    ending: &[(&'static str, &'static str)],
) -> Vec<u8> {
    let tag = entity_tag(cursor, coding);
    let mut own = ending.to_vec();
    own.push(("etag", tag.as_str()));
    own.extend(coding_fields(coding, true, config.compression.is_some()));
    let content = Content::Stream { media_type: "text/event-stream" };
    let parts = ResponseParts { status: 200, content, etag: Some(&tag), own: &own };
    let mut head = Vec::new();
    config.headers.render_response(Contender::SSE, &parts, &mut head);
    head
}

/// The coding that the client takes, where the server has any.
fn coding(request: &Request<Incoming>, config: &ServerConfig) -> ContentCoding {
    if config.compression.is_none() {
        return ContentCoding::Identity;
    }
    let lines = request.headers().get_all(header::ACCEPT_ENCODING);
    let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
    ContentCoding::choose(&lines.join(&b", "[..]))
}
