//! Server-sent events on an HTTP/1.1 response that is chunked and has no end of its own.

use http::{Request, StatusCode, Version, header};
use hyper::body::Incoming;
use pushbench_core::{Contender, Seq};
use pushbench_protocol::headers::{Content, ResponseParts};
use pushbench_protocol::http::ContentCoding;

use super::row::{Answers, Endpoint, Streams};
use crate::config::ServerConfig;
use crate::http::answer::{self, Answer};
use crate::http::fields::{coding_fields, entity_tag};
use crate::wire::{Language, Wire, begin_gzip};

/// The feed as an event stream.
pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/feed/sse",
    methods: &["GET"],
    is_for_people: false,
    answers: Answers::Stream(Streams { status: StatusCode::OK, agree, is_response: true }),
};

/// An HTTP/1.0 client knows no chunks, and so no end of a stream (RFC 9112 §7.1).
#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
fn agree(
    request: &Request<Incoming>,
    config: &ServerConfig,
    cursor: Seq,
) -> Result<(Vec<u8>, Wire), Answer> {
    if request.version() >= Version::HTTP_11 {
        let coding = coding(request, config);
        let mut head = head(config, cursor, coding);
        let wire = Wire::new(Language::Events);
        if coding == ContentCoding::Identity {
            return Ok((head, wire));
        }
        begin_gzip(&mut head);
        return Ok((head, wire.in_gzip()));
    }
    let reason = "an event stream needs HTTP/1.1";
    Err(answer::text(StatusCode::HTTP_VERSION_NOT_SUPPORTED, reason))
}

/// The response head, to be followed by chunks: the profile's, and what it cannot do without.
///
/// - `Content-Type`: an `EventSource` fails on any other (WHATWG HTML §9.2.2);
/// - `Transfer-Encoding: chunked`: how a client tells the stream's end from a broken connection
///   (RFC 9112 §8);
/// - `ETag`: the cursor that the stream continues from, as on every transport;
/// - `Content-Encoding`, where there is one (RFC 9110 §8.4).
fn head(config: &ServerConfig, cursor: Seq, coding: ContentCoding) -> Vec<u8> {
    let tag = entity_tag(cursor, coding);
    let mut own = vec![("transfer-encoding", "chunked"), ("etag", tag.as_str())];
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
