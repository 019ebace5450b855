//! Heads as they are sent: the profile's headers in their order, and the transport's own.

use std::borrow::Cow;

use super::{Header, HeaderProfile, HeaderSet};
use pushbench_core::Contender;
use pushbench_core::contender::Security;

/// The end of each line (RFC 9112 §2.1).
const LINE_END: &[u8] = b"\r\n";

/// Who sends a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

impl Side {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }

    /// The placeholders that are filled in.
    pub(super) fn placeholders(self) -> &'static [&'static str] {
        match self {
            Self::Request => &["host", "scheme"],
            Self::Response => &["content-length", "content-type", "etag"],
        }
    }
}

/// The parts of a request's head that its profile does not know.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    /// Path and query.
    pub target: &'a str,
    /// Host and port, for `{host}`.
    pub host: &'a str,
    /// The headers without which the transport would not work, as name and value. Where the
    /// profile has one of that name it takes its place, in the profile's case, unless it is a
    /// `Connection` that already says so, or a `Vary`, which it is added to; the others follow the
    /// profile's. For example
    /// `Connection: close`, `If-None-Match`, or a handshake's.
    pub own: &'a [(&'a str, &'a str)],
}

/// The parts of a response's head that its profile does not know.
#[derive(Debug, Clone, Copy)]
pub struct ResponseParts<'a> {
    /// The status code.
    pub status: u16,
    /// The body behind the head.
    pub content: Content<'a>,
    /// The entity tag with its quotes, for `{etag}`. Where there is none, or the profile has no
    /// place for one, none is sent.
    pub etag: Option<&'a str>,
    /// As in a request.
    pub own: &'a [(&'a str, &'a str)],
}

/// The body behind a response's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// Nothing, as after 101, 204 and 304: headers that describe content are left out.
    None,
    /// A body. Its length is sent even where the profile has no place for it.
    Body {
        /// The media type, for `{content-type}`.
        media_type: &'a str,
        /// The size, for `{content-length}`.
        length: usize,
    },
    /// A body whose end is not known yet: without length.
    Stream {
        /// The media type. It is sent whatever the profile has, since an `EventSource` fails on
        /// any other (WHATWG HTML §9.2.2).
        media_type: &'a str,
    },
}

impl Content<'_> {
    /// Whether a response with this content has this header.
    fn admits(self, header: &Header) -> bool {
        const OF_CONTENT: [&str; 5] = [
            "Content-Type",
            "Content-Encoding",
            "Content-Language",
            "Content-Length",
            "Content-Range",
        ];
        match self {
            Self::None => !OF_CONTENT.iter().any(|name| header.is(name)),
            Self::Stream { .. } => !header.is("Content-Length"),
            Self::Body { .. } => true,
        }
    }
}

impl HeaderProfile {
    /// The headers of a request, in order, filled in.
    ///
    /// They are the same for each request of a run, but for what a caller puts in `own`: who
    /// sends many prepares the lines once.
    #[must_use]
    pub fn request_headers<'a>(
        &'a self,
        contender: Contender,
        request: &RequestParts<'a>,
    ) -> Vec<(&'a str, Cow<'a, str>)> {
        let secured = contender.stack.security == Security::Tls;
        let scheme = if secured { "https" } else { "http" };
        let values = [("host", Some(request.host)), ("scheme", Some(scheme))];
        headers(self.request.of(contender), |_| true, &values, request.own)
    }

    /// Appends the head of a `GET`, blank line included.
    pub fn render_request(
        &self,
        contender: Contender,
        request: &RequestParts<'_>,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(b"GET ");
        out.extend_from_slice(request.target.as_bytes());
        out.extend_from_slice(b" HTTP/1.1\r\n");
        push_headers(&self.request_headers(contender, request), out);
        out.extend_from_slice(LINE_END);
    }

    /// The headers of a response, in order, filled in.
    #[must_use]
    pub fn response_headers<'a>(
        &'a self,
        contender: Contender,
        response: &ResponseParts<'a>,
    ) -> Vec<(&'a str, Cow<'a, str>)> {
        let (media_type, length) = match response.content {
            Content::None => (None, None),
            Content::Stream { media_type } => (Some(media_type), None),
            Content::Body { media_type, length } => (Some(media_type), Some(length.to_string())),
        };
        let values = [
            ("content-type", media_type),
            ("content-length", length.as_deref()),
            ("etag", response.etag),
        ];
        let set = self.response.of(contender);
        let admitted = |header: &Header| response.content.admits(header);
        let mut own = Vec::with_capacity(response.own.len() + 1);
        if let Content::Stream { media_type } = response.content {
            own.push(("Content-Type", media_type));
        }
        own.extend_from_slice(response.own);
        let mut headers = headers(set, admitted, &values, &own);
        if let (Some(length), None) = (length, set.get("Content-Length")) {
            headers.push(("Content-Length", length.into()));
        }
        headers
    }

    /// Appends a response's head, blank line included.
    pub fn render_response(
        &self,
        contender: Contender,
        response: &ResponseParts<'_>,
        out: &mut Vec<u8>,
    ) {
        let line = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
        out.extend_from_slice(line.as_bytes());
        push_headers(&self.response_headers(contender, response), out);
        out.extend_from_slice(LINE_END);
    }
}

/// Appends header lines, without the blank line behind them.
fn push_headers(headers: &[(&str, Cow<'_, str>)], out: &mut Vec<u8>) {
    for (name, value) in headers {
        for part in [name.as_bytes(), b": ", value.as_bytes(), LINE_END] {
            out.extend_from_slice(part);
        }
    }
}

/// The list's headers with their values filled in, where there are values, and the transport's.
fn headers<'a>(
    set: &'a HeaderSet,
    admitted: impl Fn(&Header) -> bool,
    values: &[(&str, Option<&str>)],
    own: &[(&'a str, &'a str)],
) -> Vec<(&'a str, Cow<'a, str>)> {
    let mut headers: Vec<(&str, Cow<'_, str>)> = Vec::with_capacity(set.iter().len() + own.len());
    // Those of the transport's that have taken a place.
    let mut placed = vec![false; own.len()];
    for header in set.iter().filter(|header| admitted(header)) {
        let Some(index) = own.iter().position(|(name, _)| header.is(name)) else {
            headers.extend(fill(header.value(), values).map(|value| (header.name(), value)));
            continue;
        };
        if !std::mem::replace(&mut placed[index], true) {
            let wanted = own[index].1;
            headers.push((header.name(), taking_place(header, wanted)));
        }
    }
    let rest = own.iter().zip(placed).filter(|(_, placed)| !placed);
    headers.extend(rest.map(|(&(name, value), _)| (name, value.into())));
    headers
}

/// The value of one of the transport's headers where the profile has one of that name.
fn taking_place<'a>(header: &'a Header, wanted: &'a str) -> Cow<'a, str> {
    let (value, is_list) = (header.value(), header.is("Connection") || header.is("Vary"));
    match () {
        () if is_list && lists(value, wanted) => value.into(),
        // An answer varies with what the profile says too (RFC 9110 §12.5.5).
        () if header.is("Vary") => format!("{value}, {wanted}").into(),
        () => wanted.into(),
    }
}

/// Whether a comma-separated list names `token`.
fn lists(list: &str, token: &str) -> bool {
    list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// The names in braces. Braces around anything but lower-case letters and hyphens are text, as in
/// a value that is JSON.
pub(super) fn placeholders(value: &str) -> impl Iterator<Item = &str> {
    let name = |rest: &'_ str| {
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-')?;
        (end > 0 && rest[end..].starts_with('}')).then_some(end)
    };
    value.match_indices('{').filter_map(move |(start, _)| {
        let rest = &value[start + 1..];
        name(rest).map(|end| &rest[..end])
    })
}

/// The value with what is known in place of its placeholders; `None` where it is not known.
fn fill<'a>(value: &'a str, values: &[(&str, Option<&str>)]) -> Option<Cow<'a, str>> {
    let mut filled = Cow::Borrowed(value);
    for found in placeholders(value) {
        // A name that nothing fills in is refused where profiles are read.
        if let Some((name, known)) = values.iter().find(|(name, _)| *name == found) {
            filled = filled.replace(&format!("{{{name}}}"), (*known)?).into();
        }
    }
    Some(filled)
}

/// The words behind a status code (RFC 9110 §15). Empty is allowed (RFC 9112 §4).
const fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}
