//! Responses of hyper, with no header that has no use.
//!
//! hyper adds `Content-Length` wherever there may be one. No `Date`, since nothing here is kept
//! by a cache; a `Content-Type` wherever there is content (RFC 9110 §8.3).

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use pushbench_core::{Seq, text};

/// Every answer that hyper sends.
pub(crate) type Answer = Response<Full<Bytes>>;

pub(crate) const JSON: &str = "application/json";
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

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
    content(status, TEXT, sentence(reason))
}

/// The words of one: those of a request are shown and not obeyed, if a terminal is at the other
/// end.
pub(crate) fn sentence(reason: impl std::fmt::Display) -> String {
    format!("{}\n", text::line(&reason.to_string()))
}

/// The messages wanted are no longer held, or were of another feed (RFC 9110 §15.5.11): says what
/// there is.
pub(crate) fn gone(json: String) -> Answer {
    content(StatusCode::GONE, JSON, json)
}

/// The number of a message that was taken, in JSON.
pub(crate) fn number(seq: Seq) -> String {
    format!("{{\"seq\":{seq}}}")
}

/// An answer that has no content.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}

/// The same answer with one field more.
pub(crate) fn with_field(
    mut answer: Answer,
    name: header::HeaderName,
    value: HeaderValue,
) -> Answer {
    answer.headers_mut().insert(name, value);
    answer
}
