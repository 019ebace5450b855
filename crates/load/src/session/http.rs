//! HTTP/1.1 from the client's side: requests rendered, responses read as they arrive (RFC 9112).

use std::io::Write as _;

use pushbench_core::Seq;
use pushbench_metrics::observe::ledger::Layer;
use pushbench_metrics::record::control::LoadPlan;
use pushbench_protocol::chunked::{self, ChunkError, ChunkedReader};
use pushbench_protocol::headers::RequestParts;

use super::error::{HeadError, ProtocolError};
use super::head::{BodyLength, Kept, Parsed, parse_head};
use super::output::{Note, Output};

pub(crate) use super::head::Head;

/// The longest response head.
pub(crate) const HEAD_LIMIT: usize = 16 * 1024;

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
    /// The name of the header profile.
    profile: String,
    /// The profile offers to take coded answers (RFC 9110 §12.5.3).
    takes_coded: bool,
}

impl RequestHead {
    /// The plan's request, with `query` (`name=value`, joined by `&`, or empty), the headers of
    /// its profile, and `own`: those that the transport cannot do without.
    pub(crate) fn new(plan: &LoadPlan, query: &str, own: &[(&str, &str)]) -> Self {
        let profile = &plan.headers;
        let host = plan.subject.host.clone().unwrap_or_else(|| plan.target.to_string());
        let path = plan.subject.path.as_deref().unwrap_or(profile.path(plan.contender));
        let mark = if query.is_empty() { "" } else { "?" };
        let mut end = String::from(" HTTP/1.1\r\n");
        let mut takes_coded = false;
        // The target stands in `start`.
        let parts = RequestParts { target: "", host: &host, own };
        for (name, value) in profile.request_headers(plan.contender, &parts) {
            takes_coded |= name.eq_ignore_ascii_case("Accept-Encoding") && &*value != "identity";
            end.extend([name, ": ", &value, "\r\n"]);
        }
        let (has_query, foreign) = (!query.is_empty(), plan.subject.is_foreign());
        let (start, profile) =
            (format!("GET {}{path}{mark}{query}", plan.subject.prefix), profile.name.clone());
        Self { start, end, has_query, foreign, profile, takes_coded }
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

    /// Whether the server is none of ours.
    pub(crate) const fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// Refuses an answer that would have to be decoded before its messages could be read.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::Encoded`].
    pub(crate) fn check_coding(
        &self,
        head: &Head,
        after: Option<Seq>,
    ) -> Result<(), ProtocolError> {
        let Some(coding) = head.coding.as_deref().filter(|_| head.status == 200) else {
            return Ok(());
        };
        Err(ProtocolError::Encoded {
            request: self.describe(after),
            coding: coding.to_owned(),
            profile: self.profile.clone(),
            offered: self.takes_coded,
        })
    }

    /// Method and target, for a person to read.
    pub(crate) fn describe(&self, after: Option<Seq>) -> String {
        let after = after.filter(|_| !self.foreign);
        let mark = if self.has_query { '&' } else { '?' };
        after.map_or_else(|| self.start.clone(), |seq| format!("{}{mark}after={seq}", self.start))
    }
}

/// What a piece of a connection's input turned out to be. Heads and chunk framing are attributed
/// by the reader; `Data` is for whoever knows what it means.
#[derive(Debug, PartialEq, Eq)]
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
    /// A field that somebody wants.
    kept: Option<Box<Kept>>,
}

impl ResponseReader {
    /// A reader that keeps the value of the field called `name`, of any length that a head may
    /// have.
    pub(crate) fn keeping(name: &'static str) -> Self {
        Self { kept: Some(Box::new((name, Vec::new()))), ..Self::default() }
    }

    /// That value, of the last head that [has it](Head::kept).
    pub(crate) fn kept(&self) -> &[u8] {
        self.kept.as_ref().map_or(&[], |kept| &kept.1)
    }

    /// Begins a new connection.
    pub(crate) fn restart(&mut self) {
        (self.state, self.partial) = (State::Head, Vec::new());
    }

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

    /// The head, how many bytes of `input` it takes, and what it asks for. Where it ends later,
    /// keeps all of it.
    fn parse(&mut self, input: &[u8]) -> Result<Option<Parsed>, HttpError> {
        let before = self.partial.len();
        let parsed = if before == 0 {
            parse_head(input, self.kept.as_deref_mut())
        } else {
            self.partial.extend_from_slice(input);
            parse_head(&self.partial, self.kept.as_deref_mut())
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

#[cfg(test)]
mod tests;
