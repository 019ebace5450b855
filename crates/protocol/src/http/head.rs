//! The head of a response, and what follows from its fields (RFC 9110, RFC 9112).
//!
//! Fields that are lists may be split over several lines (RFC 9110 §5.3): what they say is gathered
//! over all of them before it is judged.

use std::mem::MaybeUninit;

use pushbench_core::Seq;
use thiserror::Error;

use super::field::{decimal, is_event_stream, list, lossy};
use super::retry_after::{RetryAfter, retry_after};
use crate::websocket::Upgrade;

/// The most header fields that a response may have.
const MAX_HEADERS: usize = 128;

/// The longest response head, in bytes.
pub const HEAD_LIMIT: usize = 16 * 1024;

/// A response head that cannot be understood.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum HeadError {
    /// It is malformed.
    #[error("{0}")]
    Malformed(#[from] httparse::Error),
    /// It is a record of TLS (RFC 8446 §5.1): an alert, as a rule.
    #[error("it is TLS: ask for https:// or wss://")]
    Tls,
    /// It does not end.
    #[error("its head is longer than {HEAD_LIMIT} bytes")]
    TooLong,
    /// Its body's length is unknowable (RFC 9112 §6.3).
    #[error("its Content-Length is not one number")]
    Length,
    /// Its body is chunked twice (RFC 9112 §6.1).
    #[error("its Transfer-Encoding names chunked more than once")]
    Transfer,
}

/// The head of a response, as far as a client of the feed needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// The sequence number in its `ETag`.
    pub cursor: Option<Seq>,
    /// It has the field that its reader [keeps](super::ResponseReader::keeping).
    pub kept: bool,
    /// The server closes the connection behind the response (RFC 9112 §9.3).
    pub close: bool,
    /// Its body is an event stream (WHATWG HTML §9.2.5).
    pub events: bool,
    /// The codings of its body, other than chunked, as the server names them.
    pub coding: Option<Box<str>>,
    /// The protocol that a 101 switches to.
    pub upgrade: Option<Box<Upgrade>>,
    /// How long the server asks to be left alone, where it refuses.
    pub retry_after: Option<Box<RetryAfter>>,
    /// How its body ends.
    pub body: BodyLength,
}

/// How a body ends (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BodyLength {
    /// So many bytes behind the head.
    Bytes(u64),
    /// In chunks, with the last one (RFC 9112 §7.1).
    Chunked,
    /// With the connection.
    #[default]
    UntilEnd,
}

/// The fields that speak of a body's end and of the connection behind it.
#[derive(Debug, Default)]
struct Framing {
    /// `Content-Length`, where it is one number.
    length: Option<Result<u64, HeadError>>,
    /// `Transfer-Encoding` names a coding; whether chunked is its last.
    transfer: Option<bool>,
    chunks: u32,
    close: bool,
    keep_alive: bool,
}

impl Framing {
    /// Adds the number, or the list of numbers that are all the same (RFC 9112 §6.3).
    fn length(&mut self, value: &[u8]) {
        if let (None, Some(length)) = (self.length, decimal(value)) {
            self.length = Some(Ok(length));
            return;
        }
        for item in value.split(|&byte| byte == b',') {
            let length = decimal(item.trim_ascii()).ok_or(HeadError::Length);
            let same = self.length.is_none_or(|before| before == length);
            self.length = Some(if same { length } else { Err(HeadError::Length) });
        }
    }

    /// Adds codings; those that are to be named go to `coding`. `identity` was one once, and
    /// changed nothing (RFC 2616 §3.6).
    fn transfer(&mut self, value: &[u8], coding: &mut Option<Box<str>>) {
        for item in list(value).filter(|item| !item.eq_ignore_ascii_case(b"identity")) {
            let chunked = item.eq_ignore_ascii_case(b"chunked");
            self.transfer = Some(chunked);
            self.chunks += u32::from(chunked);
            if !chunked {
                name_coding(coding, item);
            }
        }
    }

    fn connection(&mut self, value: &[u8]) {
        for item in list(value) {
            self.close |= item.eq_ignore_ascii_case(b"close");
            self.keep_alive |= item.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// Whether the connection ends behind the response (RFC 9112 §9.3). A chunked body in HTTP/1.0
    /// is no reason to trust it with another request (§6.1).
    const fn closes(&self, old_version: bool) -> bool {
        self.close || (old_version && (!self.keep_alive || self.transfer.is_some()))
    }

    /// RFC 9112 §6.3, in its order.
    fn body(&self, status: u16) -> Result<BodyLength, HeadError> {
        if status < 200 || matches!(status, 204 | 304) {
            return Ok(BodyLength::Bytes(0));
        }
        match (self.transfer, self.length) {
            (Some(_), _) if self.chunks > 1 => Err(HeadError::Transfer),
            (Some(true), _) => Ok(BodyLength::Chunked),
            (Some(false), _) | (None, None) => Ok(BodyLength::UntilEnd),
            (None, Some(length)) => length.map(BodyLength::Bytes),
        }
    }
}

/// A field whose value somebody wants as it was sent: its name, and the last value.
pub(super) type Kept = (&'static str, Vec<u8>);

/// A head, and how many bytes it takes.
pub(super) type Parsed = (ResponseHead, usize);

/// Reads a head that `bytes` begins with, and its length; `None` where it ends later.
pub(super) fn parse_head(
    bytes: &[u8],
    kept: Option<&mut Kept>,
) -> Result<Option<Parsed>, HeadError> {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let strict = httparse::ParserConfig::default();
    let parsed = strict.parse_response_with_uninit_headers(&mut response, bytes, &mut headers);
    if parsed == Err(httparse::Error::HeaderName) {
        let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut []);
        let parsed =
            lenient().parse_response_with_uninit_headers(&mut response, bytes, &mut headers);
        return head_of(&response, parsed?, kept);
    }
    let is_tls = || matches!(bytes, [20..=23, 3, 0..=4, ..]);
    let told = |error: httparse::Error| if is_tls() { HeadError::Tls } else { error.into() };
    head_of(&response, parsed.map_err(told)?, kept)
}

/// The leniency of a client: a field's value may go on in the next line, and white space stand
/// behind its name (RFC 9112 §5.1, §5.2). Looked for where a head has no other reading.
#[cold]
fn lenient() -> httparse::ParserConfig {
    let mut config = httparse::ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    config.allow_spaces_after_header_name_in_responses(true);
    config
}

/// The head that has been taken apart.
fn head_of(
    response: &httparse::Response<'_, '_>,
    parsed: httparse::Status<usize>,
    mut kept: Option<&mut Kept>,
) -> Result<Option<Parsed>, HeadError> {
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    let (status, old_version) = (response.code.unwrap_or(0), response.version == Some(0));
    let mut head = ResponseHead { status, ..ResponseHead::default() };
    let mut framing = Framing::default();
    for header in &*response.headers {
        head.take(header, &mut framing);
        if let Some((name, value)) = &mut kept
            && header.name.eq_ignore_ascii_case(name)
            && !header.value.is_empty()
        {
            value.clear();
            value.extend_from_slice(header.value);
            head.kept = true;
        }
    }
    if status == 101 {
        // Behind a switch of protocols comes no content that could be coded.
        (head.upgrade, head.coding) = (Some(Box::new(Upgrade::of(response))), None);
    }
    head.close = framing.closes(old_version);
    head.body = framing.body(status)?;
    if status >= 300 {
        head.retry_after = retry_after(status, response.headers).map(Box::new);
    }
    Ok(Some((head, length)))
}

impl ResponseHead {
    fn take(&mut self, header: &httparse::Header<'_>, framing: &mut Framing) {
        let (name, value) = (header.name, header.value);
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        // Lengths tell most names apart without comparing them.
        match name.len() {
            4 if is("etag") => self.cursor = cursor(value),
            14 if is("content-length") => framing.length(value),
            17 if is("transfer-encoding") => framing.transfer(value, &mut self.coding),
            // The value first, since most are none and its first letter says so.
            12 if is_event_stream(value) && is("content-type") => self.events = true,
            10 if is("connection") => framing.connection(value),
            16 if is("content-encoding") => {
                let codings = list(value).filter(|item| !item.eq_ignore_ascii_case(b"identity"));
                codings.for_each(|item| name_coding(&mut self.coding, item));
            }
            _ => {}
        }
    }
}

fn name_coding(codings: &mut Option<Box<str>>, item: &[u8]) {
    let item = lossy(item);
    *codings = Some(match codings.take() {
        Some(before) => format!("{before}, {item}").into(),
        None => item,
    });
}

/// The number in an entity tag, weak or strong: `"42"`, `W/"42"` (RFC 9110 §8.8.3).
fn cursor(tag: &[u8]) -> Option<Seq> {
    let tag = tag.trim_ascii();
    let opaque = tag.strip_prefix(b"W/").unwrap_or(tag);
    decimal(opaque.strip_prefix(b"\"")?.strip_suffix(b"\"")?).map(Seq)
}

#[cfg(test)]
mod tests;
