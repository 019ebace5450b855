//! The head of a response, and what follows from its fields (RFC 9110, RFC 9112).
//!
//! Fields that are lists may be split over several lines (RFC 9110 §5.3): what they say is gathered
//! over all of them before it is judged.

use std::mem::MaybeUninit;

use pushbench_core::Seq;

use super::error::{HandshakeError, HeadError};
use super::recovery::{RetryAfter, retry_after};

/// The most header fields that a response may have.
const MAX_HEADERS: usize = 128;

/// Characters of a `Sec-WebSocket-Accept`: 20 bytes in base64 (RFC 6455 §4.2.2).
const ACCEPT_LEN: usize = 28;

/// What matters of a response's head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// The sequence number in its `ETag`.
    pub(crate) cursor: Option<Seq>,
    /// It has the field that its reader [keeps](super::http::ResponseReader::keeping).
    pub(crate) kept: bool,
    /// The server closes the connection behind the response (RFC 9112 §9.3).
    pub(crate) close: bool,
    /// The codings of its body, other than chunked, as the server names them.
    pub(crate) coding: Option<Box<str>>,
    /// What a 101 switches to.
    pub(crate) upgrade: Option<Box<Upgrade>>,
    pub(super) body: BodyLength,
}

/// How a body ends (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum BodyLength {
    Bytes(u64),
    Chunked,
    #[default]
    UntilEnd,
}

/// What a switch of protocols says of the new one (RFC 6455 §4.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Upgrade {
    old_version: bool,
    /// Whether it is to WebSocket, and to nothing else.
    websocket: Option<bool>,
    connection: bool,
    /// The only `Sec-WebSocket-Accept`.
    accept: Option<[u8; ACCEPT_LEN]>,
    accepts: u32,
    extension: Option<Box<str>>,
    subprotocol: Option<Box<str>>,
}

impl Upgrade {
    fn take(&mut self, header: &httparse::Header<'_>) {
        let is = |wanted: &str| header.name.eq_ignore_ascii_case(wanted);
        let text = || (!header.value.is_empty()).then(|| lossy(header.value));
        if is("upgrade") {
            let websocket = header.value.eq_ignore_ascii_case(b"websocket");
            self.websocket = Some(websocket && self.websocket.unwrap_or(true));
        } else if is("connection") {
            self.connection |= list(header.value).any(|item| item.eq_ignore_ascii_case(b"upgrade"));
        } else if is("sec-websocket-accept") {
            self.accepts += 1;
            self.accept = header.value.try_into().ok();
        } else if is("sec-websocket-extensions") {
            self.extension = self.extension.take().or_else(text);
        } else if is("sec-websocket-protocol") {
            self.subprotocol = self.subprotocol.take().or_else(text);
        }
    }

    /// Whether a WebSocket is open now, for a client that offered neither extension nor
    /// subprotocol, and whose key is answered by `accept`.
    ///
    /// # Errors
    ///
    /// What the client must fail the connection for.
    pub(crate) fn check(&self, accept: &str) -> Result<(), HandshakeError> {
        if self.old_version {
            return Err(HandshakeError::Version);
        }
        if self.websocket != Some(true) {
            return Err(HandshakeError::Upgrade);
        }
        if !self.connection {
            return Err(HandshakeError::Connection);
        }
        let answered = self.accept.is_some_and(|answer| answer == accept.as_bytes());
        if self.accepts != 1 || !answered {
            return Err(HandshakeError::Accept);
        }
        if let Some(extension) = &self.extension {
            return Err(HandshakeError::Extension(extension.to_string()));
        }
        self.subprotocol
            .as_ref()
            .map_or(Ok(()), |subprotocol| Err(HandshakeError::Subprotocol(subprotocol.to_string())))
    }
}

/// What the fields say of a body's end and of the connection behind it.
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

/// A head, how many bytes it takes, and how long the server asks to be left alone.
pub(super) type Parsed = (Head, usize, Option<RetryAfter>);

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
    head_of(&response, parsed?, kept)
}

/// What a client reads all the same: a field's value that goes on in the next line, and white space
/// behind its name (RFC 9112 §5.1, §5.2). Looked for where a head has no other reading.
#[cold]
fn lenient() -> httparse::ParserConfig {
    let mut config = httparse::ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    config.allow_spaces_after_header_name_in_responses(true);
    config
}

/// What matters of a head that has been taken apart.
fn head_of(
    response: &httparse::Response<'_, '_>,
    parsed: httparse::Status<usize>,
    mut kept: Option<&mut Kept>,
) -> Result<Option<Parsed>, HeadError> {
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    let (status, old_version) = (response.code.unwrap_or(0), response.version == Some(0));
    let (mut head, mut framing) = (Head { status, ..Head::default() }, Framing::default());
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
        let mut upgrade = Upgrade { old_version, ..Upgrade::default() };
        response.headers.iter().for_each(|header| upgrade.take(header));
        head.upgrade = Some(Box::new(upgrade));
    }
    head.close = framing.closes(old_version);
    head.body = framing.body(status)?;
    let wait = if status < 300 { None } else { retry_after(status, response.headers) };
    Ok(Some((head, length, wait)))
}

impl Head {
    fn take(&mut self, header: &httparse::Header<'_>, framing: &mut Framing) {
        let (name, value) = (header.name, header.value);
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        // Lengths tell most names apart without comparing them.
        match name.len() {
            4 if is("etag") => self.cursor = cursor(value),
            14 if is("content-length") => framing.length(value),
            17 if is("transfer-encoding") => framing.transfer(value, &mut self.coding),
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

fn lossy(value: &[u8]) -> Box<str> {
    String::from_utf8_lossy(value).into()
}

/// `text/event-stream`, in any case and with any parameters (RFC 9110 §8.3.1).
pub(super) fn is_event_stream(value: &[u8]) -> bool {
    let essence = value.split(|&byte| byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"text/event-stream")
}

/// Digits and nothing else.
fn decimal(text: &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    (!text.is_empty()).then_some(number)
}

/// The number in an entity tag, weak or strong: `"42"`, `W/"42"` (RFC 9110 §8.8.3).
fn cursor(tag: &[u8]) -> Option<Seq> {
    let tag = tag.trim_ascii();
    let opaque = tag.strip_prefix(b"W/").unwrap_or(tag);
    decimal(opaque.strip_prefix(b"\"")?.strip_suffix(b"\"")?).map(Seq)
}

/// The items of a comma-separated list, without the empty ones (RFC 9110 §5.6.1).
fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests;
