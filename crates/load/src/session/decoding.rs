//! Answers in gzip: asked for where the contender is one with that coding, and read as they arrive.

use pushbench_core::units::ByteSize;
use pushbench_metrics::observe::ledger::{Direction, Layer, Tally};
use pushbench_protocol::gzip::{GzipError, GzipReader};
use pushbench_protocol::http::{BodyLength, ContentCoding, ResponseHead};

use super::error::ProtocolError;
use super::inflating::BUFFER;
use super::output::Output;
use super::request::RequestTarget;

/// The field that asks for gzip and nothing else (RFC 9110 §12.5.3).
pub(super) const ACCEPT_GZIP: (&str, &str) = ("Accept-Encoding", "gzip");

/// The most bytes of an answer, inflated: many times those of the largest that a server of ours gives.
/// What is inflated is looked at and not kept, so that this bounds time.
const BODY_LIMIT: u64 = 16 << 20;

/// The answer of a server that was asked for gzip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// It is coded in this way.
    Coded,
    /// It is as it is, and may be: there is little of it.
    Small,
    /// It is as it is.
    Plain,
    /// It is coded in some other way.
    Other,
}

impl Given {
    /// As an answer's head has it. Bodies below `threshold` need no coding.
    pub(super) fn of(head: &ResponseHead, threshold: ByteSize) -> Self {
        match (ContentCoding::of(head.coding.as_deref()), head.body) {
            (None, _) => Self::Other,
            (Some(ContentCoding::Gzip), _) => Self::Coded,
            // Of nothing there is nothing to compress.
            (_, BodyLength::Bytes(bytes)) if bytes < threshold.0.max(1) => Self::Small,
            _ => Self::Plain,
        }
    }
}

/// The fault of a coded body.
#[derive(Debug)]
pub(super) enum Fault {
    /// In its coding.
    Coding(GzipError),
    /// In what it is without.
    Text(ProtocolError),
}

impl Fault {
    /// The same, of the body of the answer to a request.
    #[cold]
    pub(super) fn of(self, target: RequestTarget<'_>) -> ProtocolError {
        match self {
            Self::Coding(source) => ProtocolError::Gzip { request: target.describe(), source },
            Self::Text(error) => error,
        }
    }
}

/// Inflates the body of an answer. There is one for as long as such an answer comes, so that a client
/// that waits for the next has no window to keep.
#[derive(Debug)]
pub(super) struct Decoder {
    reader: Box<GzipReader>,
}

impl Decoder {
    /// Of a body that ends, or of a stream, which may go on forever.
    pub(super) fn new(is_stream: bool) -> Self {
        let limit = if is_stream { u64::MAX } else { BODY_LIMIT };
        Self { reader: Box::new(GzipReader::new(limit)) }
    }

    /// Inflates the next bytes of the body, and gives them to `take` in pieces.
    ///
    /// All of them are payload: the lengths of a batch and the fields of events are inside, and cannot
    /// be told from the messages. What `take` counts is what there would have been without.
    ///
    /// # Errors
    ///
    /// What is wrong with the coding, or what `take` says.
    #[inline(never)]
    pub(super) fn read(
        &mut self,
        mut coded: &[u8],
        out: &mut Output,
        mut take: impl FnMut(&[u8], &mut Output) -> Result<(), ProtocolError>,
    ) -> Result<(), Fault> {
        let before = out.received;
        let mut buffer = std::mem::take(&mut out.bench.buffer);
        buffer.resize(BUFFER, 0);
        let length = coded.len();
        let result = loop {
            match self.reader.next(&mut coded, &mut buffer) {
                Ok(None) => break Ok(()),
                Ok(Some(data)) => {
                    if let Err(error) = take(data, out) {
                        break Err(Fault::Text(error));
                    }
                }
                Err(error) => break Err(Fault::Coding(error)),
            }
        };
        out.bench.buffer = buffer;
        let payload = |tally: &Tally| tally.get(Direction::Down, Layer::Payload) as usize;
        let plain = payload(&out.received) - payload(&before);
        out.received = before;
        out.count(Layer::Payload, length);
        out.saved(plain, length);
        result
    }

    /// Whether the body may end here.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        self.reader.finish().map_err(Fault::Coding)
    }
}

#[cfg(test)]
mod tests;
