//! HTTP/1.1 from the client's side: requests rendered, responses read as they arrive (RFC 9112).

use std::io::Write as _;
use std::mem::MaybeUninit;

use pushbench_core::Seq;
use pushbench_core::headers::RequestParts;
use pushbench_core::wire::chunked::{self, ChunkError, ChunkedReader};
use pushbench_metrics::control::LoadPlan;
use pushbench_metrics::ledger::Layer;

use super::error::{HeadError, ProtocolError};
use super::output::{Note, Output};
use super::recovery::{RetryAfter, retry_after};

/// The longest response head.
pub(crate) const HEAD_LIMIT: usize = 16 * 1024;

/// The most header fields that a response may have.
const MAX_HEADERS: usize = 64;

/// Characters of a `Sec-WebSocket-Accept`: 20 bytes in base64 (RFC 6455 §4.2.2).
pub(crate) const ACCEPT_LEN: usize = 28;

/// The longest entity tag that is kept.
const TAG_LIMIT: usize = 31;

/// A `GET` request of which only the cursor varies.
///
/// Prepared once for all clients of a load process, so that rendering one is a few copies.
#[derive(Debug)]
pub(crate) struct RequestHead {
    /// Method, path, and what stands in the query at all times.
    start: String,
    /// Behind the target: version, and the fixed headers. The blank line is not part of it.
    end: String,
    has_query: bool,
    /// The server is none of ours: it knows no cursor of ours.
    foreign: bool,
}

impl RequestHead {
    /// The plan's request, with `query` (`name=value`, joined by `&`, or empty), the headers of
    /// its profile, and `own`: those that the transport cannot do without.
    pub(crate) fn new(plan: &LoadPlan, query: &str, own: &[(&str, &str)]) -> Self {
        let (profile, host) = (&plan.headers, plan.target.to_string());
        let path = plan.foreign_path.as_deref().unwrap_or(profile.path(plan.transport));
        let mark = if query.is_empty() { "" } else { "?" };
        let mut end = String::from(" HTTP/1.1\r\n");
        // The target stands in `start`.
        let parts = RequestParts { target: "", host: &host, own };
        for (name, value) in profile.request_headers(plan.transport, &parts) {
            end.extend([name, ": ", &value, "\r\n"]);
        }
        let (has_query, foreign) = (!query.is_empty(), plan.foreign_path.is_some());
        Self { start: format!("GET {path}{mark}{query}"), end, has_query, foreign }
    }

    /// Appends the request, with `after` in its query where a cursor is known, and whatever
    /// headers `more` appends.
    pub(crate) fn render(
        &self,
        out: &mut Vec<u8>,
        after: Option<Seq>,
        more: impl FnOnce(&mut Vec<u8>),
    ) {
        out.extend_from_slice(self.start.as_bytes());
        if let Some(after) = after.filter(|_| !self.foreign) {
            // Writing to a Vec cannot fail.
            let _ = write!(out, "{}after={after}", if self.has_query { '&' } else { '?' });
        }
        out.extend_from_slice(self.end.as_bytes());
        more(out);
        out.extend_from_slice(b"\r\n");
    }

    /// Where a stream begins that was answered with `head`. A server that is none of ours need
    /// not say.
    pub(crate) fn start_of(&self, head: &Head) -> Option<Seq> {
        head.cursor.or(self.foreign.then_some(Seq::NONE))
    }

    /// Method and target, for a person to read.
    pub(crate) fn describe(&self, after: Option<Seq>) -> String {
        let after = after.filter(|_| !self.foreign);
        let mark = if self.has_query { '&' } else { '?' };
        after.map_or_else(|| self.start.clone(), |seq| format!("{}{mark}after={seq}", self.start))
    }
}

/// What matters of a response's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// The sequence number in its `ETag`.
    pub(crate) cursor: Option<Seq>,
    /// That `ETag`, for who does not look into it.
    pub(crate) tag: Option<Tag>,
    /// The server closes the connection behind the response (RFC 9112 §9.6).
    pub(crate) close: bool,
    /// The `Sec-WebSocket-Accept` of a 101.
    pub(crate) accept: Option<[u8; ACCEPT_LEN]>,
    body: BodyLength,
}

/// An entity tag that is not looked into, as it was sent (RFC 9110 §8.8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag {
    bytes: [u8; TAG_LIMIT],
    length: u8,
}

impl Tag {
    /// `None` where it is too long to be kept.
    fn new(value: &[u8]) -> Option<Self> {
        let mut bytes = [0; TAG_LIMIT];
        bytes.get_mut(..value.len())?.copy_from_slice(value);
        // At most TAG_LIMIT.
        Some(Self { bytes, length: value.len() as u8 })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// How a body ends (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyLength {
    Bytes(u64),
    Chunked,
    UntilEnd,
}

/// What a piece of a connection's input turned out to be. Heads and chunk framing are attributed
/// by the reader; `Data` is for whoever knows what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// A response begins.
    Head(Head),
    /// Bytes of its body.
    Data(&'a [u8]),
    /// It is complete.
    End,
}

/// Input that is no HTTP.
#[derive(Debug)]
pub(crate) enum HttpError {
    Head(HeadError),
    Chunk(ChunkError),
}

impl HttpError {
    /// Says what the answer was to.
    pub(crate) fn of(self, request: String) -> ProtocolError {
        match self {
            Self::Head(source) => ProtocolError::Head { request, source },
            Self::Chunk(source) => ProtocolError::Chunk { request, source },
        }
    }
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Head,
    Bytes(u64),
    Chunked(ChunkedReader),
    UntilEnd,
}

/// Reads one response after another.
#[derive(Debug, Default)]
pub(crate) struct ResponseReader {
    state: State,
    /// The start of a head that arrived in pieces. Holds no memory otherwise.
    partial: Vec<u8>,
}

impl ResponseReader {
    /// Takes the next part off the front of `input`; `None` once it is used up.
    pub(crate) fn next<'a>(
        &mut self,
        input: &mut &'a [u8],
        out: &mut Output,
    ) -> Result<Option<Part<'a>>, HttpError> {
        match &mut self.state {
            State::Head => self.head(input, out),
            State::Bytes(0) => Ok(Some(self.end())),
            _ if input.is_empty() => Ok(None),
            State::Bytes(left) => {
                let length = usize::try_from(*left).map_or(input.len(), |n| n.min(input.len()));
                let (data, rest) = input.split_at(length);
                *input = rest;
                *left -= data.len() as u64;
                Ok(Some(Part::Data(data)))
            }
            State::UntilEnd => Ok(Some(Part::Data(std::mem::take(input)))),
            State::Chunked(reader) => {
                while let Some(piece) = reader.next(input).map_err(HttpError::Chunk)? {
                    match piece {
                        chunked::Piece::Framing(bytes) => out.count(Layer::Framing, bytes),
                        chunked::Piece::Data(data) => return Ok(Some(Part::Data(data))),
                    }
                    if reader.is_done() {
                        return Ok(Some(self.end()));
                    }
                }
                Ok(None)
            }
        }
    }

    /// The connection has ended: whether that completes a response whose body had no other end.
    /// `Err` where it cut one short.
    pub(crate) fn finish(&mut self) -> Result<Option<Part<'static>>, ()> {
        let (state, partial) = (std::mem::take(&mut self.state), std::mem::take(&mut self.partial));
        match state {
            State::Head if partial.is_empty() => Ok(None),
            State::UntilEnd => Ok(Some(Part::End)),
            _ => Err(()),
        }
    }

    fn end(&mut self) -> Part<'static> {
        self.state = State::Head;
        Part::End
    }

    fn head<'a>(
        &mut self,
        input: &mut &'a [u8],
        out: &mut Output,
    ) -> Result<Option<Part<'a>>, HttpError> {
        while !input.is_empty() {
            let Some((head, used, wait)) = self.parse(input)? else {
                out.count(Layer::Http, input.len());
                *input = &[];
                return Ok(None);
            };
            out.count(Layer::Http, used);
            *input = &input[used..];
            out.notes.extend(wait.map(Note::RetryAfter));
            // An interim response (RFC 9110 §15.2) is no answer; 101 is.
            if head.status >= 200 || head.status == 101 {
                self.state = match head.body {
                    BodyLength::Bytes(length) => State::Bytes(length),
                    BodyLength::Chunked => State::Chunked(ChunkedReader::default()),
                    BodyLength::UntilEnd => State::UntilEnd,
                };
                return Ok(Some(Part::Head(head)));
            }
        }
        Ok(None)
    }

    /// The head, how many bytes of `input` it takes, and what it asks for. Where it ends later, keeps all of it.
    fn parse(&mut self, input: &[u8]) -> Result<Option<Parsed>, HttpError> {
        let before = self.partial.len();
        let parsed = if before == 0 {
            parse_head(input)
        } else {
            self.partial.extend_from_slice(input);
            parse_head(&self.partial)
        };
        match parsed.map_err(HttpError::Head)? {
            Some((head, length, wait)) => {
                self.partial = Vec::new();
                Ok(Some((head, length - before, wait)))
            }
            None if before + input.len() > HEAD_LIMIT => Err(HttpError::Head(HeadError::TooLong)),
            None => {
                if before == 0 {
                    self.partial.extend_from_slice(input);
                }
                Ok(None)
            }
        }
    }
}

/// A head, how many bytes it takes, and how long the server asks to be left alone.
type Parsed = (Head, usize, Option<RetryAfter>);

/// Reads a head that `bytes` begins with, and its length; `None` where it ends later.
fn parse_head(bytes: &[u8]) -> Result<Option<Parsed>, HeadError> {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let length =
        match config.parse_response_with_uninit_headers(&mut response, bytes, &mut headers)? {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => return Ok(None),
        };
    let status = response.code.unwrap_or(0);
    let mut head = Head {
        status,
        cursor: None,
        tag: None,
        // HTTP/1.0 closes unless told otherwise, and nothing here would tell.
        close: response.version == Some(0),
        accept: None,
        body: BodyLength::UntilEnd,
    };
    for header in &*response.headers {
        head.take(header)?;
    }
    let wait = if status < 300 { None } else { retry_after(status, response.headers) };
    // 1xx, 204 and 304 have no body whatever their headers say (RFC 9112 §6.3).
    if status < 200 || matches!(status, 204 | 304) {
        head.body = BodyLength::Bytes(0);
    }
    Ok(Some((head, length, wait)))
}

impl Head {
    fn take(&mut self, header: &httparse::Header<'_>) -> Result<(), HeadError> {
        let (name, value) = (header.name, header.value);
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        // Lengths tell most names apart without comparing them.
        match name.len() {
            4 if is("etag") => {
                self.cursor = cursor(value);
                self.tag = Tag::new(value);
            }
            14 if is("content-length") && self.body != BodyLength::Chunked => {
                let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                self.body = BodyLength::Bytes(length.ok_or(HeadError::Length)?);
            }
            // Chunked is what a server's body ends with, or it has no length (RFC 9112 §6.1).
            17 if is("transfer-encoding") => self.body = BodyLength::Chunked,
            10 if is("connection") => self.close |= lists(value, b"close"),
            20 if is("sec-websocket-accept") => self.accept = value.try_into().ok(),
            _ => {}
        }
        Ok(())
    }
}

/// The number in an entity tag, weak or strong: `"42"`, `W/"42"` (RFC 9110 §8.8.3).
fn cursor(tag: &[u8]) -> Option<Seq> {
    let text = std::str::from_utf8(tag).ok()?.trim();
    let opaque = text.strip_prefix("W/").unwrap_or(text);
    opaque.strip_prefix('"')?.strip_suffix('"')?.parse().ok().map(Seq)
}

/// Whether a comma-separated list names `token`.
fn lists(list: &[u8], token: &[u8]) -> bool {
    list.split(|&byte| byte == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests;
