//! Responses, with no header that has no use.
//!
//! hyper adds `Content-Length` wherever there may be one. No `Date`, since nothing here is kept
//! by a cache; a `Content-Type` wherever there is content (RFC 9110 §8.3).

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use pushbench_core::Seq;
use pushbench_core::message::Content;

use crate::hub::Gone;

/// Every answer that hyper sends.
pub(crate) type Answer = Response<Full<Bytes>>;

pub(crate) const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

pub(crate) fn content(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Bytes>,
) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

/// A sentence for a person, on a line of its own.
pub(crate) fn text(status: StatusCode, reason: impl std::fmt::Display) -> Answer {
    content(status, TEXT, format!("{reason}\n"))
}

/// An answer without content.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// The same, with the cursor that the client has from now on.
pub(crate) fn empty_at(status: StatusCode, cursor: Seq) -> Answer {
    with_cursor(empty(status), cursor)
}

/// Messages, as a poll gets them: text where the feed is text, so that a browser shows it.
pub(crate) fn messages(cursor: Seq, kind: Content, body: Bytes) -> Answer {
    let media_type = match kind {
        Content::Text => "text/plain",
        Content::Binary => "application/octet-stream",
    };
    with_cursor(content(StatusCode::OK, media_type, body), cursor)
}

fn with_cursor(mut answer: Answer, cursor: Seq) -> Answer {
    let etag = HeaderValue::from_str(&format!("\"{cursor}\"")).expect("quoted digits are visible");
    answer.headers_mut().insert(header::ETAG, etag);
    answer
}

/// The messages wanted are no longer held (RFC 9110 §15.5.11): names the oldest that is.
pub(crate) fn gone(gone: Gone) -> Answer {
    let body = serde_json::json!({ "error": gone.to_string(), "oldest": gone.oldest });
    content(StatusCode::GONE, JSON, body.to_string())
}

/// The same answer with one field more.
pub(crate) fn with_field(
    mut answer: Answer,
    name: header::HeaderName,
    value: &'static str,
) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}
