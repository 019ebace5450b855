//! Messages out of the bytes that carry them. A payload is looked at, never kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pushbench_core::Seq;
use pushbench_core::message::SEQ_PREFIX;
use pushbench_core::wire::batch::{BatchError, BatchReader, MAX_BATCH, Piece};
use pushbench_metrics::ledger::Layer;

use super::output::Output;

/// Base64 characters that hold a payload's first [`SEQ_PREFIX`] bytes.
const PREFIX_LEN: usize = SEQ_PREFIX.div_ceil(3) * 4;

/// How much of an error's explanation is worth keeping.
const SAID_LIMIT: usize = 160;

/// The start of a payload that arrives in pieces: as much as its sequence number needs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SeqPrefix {
    bytes: [u8; PREFIX_LEN],
    len: u8,
}

impl SeqPrefix {
    /// Adds a piece of the payload.
    #[inline]
    pub(crate) fn extend(&mut self, piece: &[u8]) {
        let len = usize::from(self.len);
        let more = piece.len().min(PREFIX_LEN - len);
        self.bytes[len..len + more].copy_from_slice(&piece[..more]);
        // At most PREFIX_LEN.
        self.len += more as u8;
    }

    /// The number in the payload whose last piece this is; the next payload begins.
    #[inline]
    pub(crate) fn finish(&mut self, last: &[u8]) -> Option<Seq> {
        if self.len == 0 {
            return Seq::from_payload(last);
        }
        self.extend(last);
        let seq = Seq::from_payload(self.start());
        self.len = 0;
        seq
    }

    /// The number in a payload that arrived as base64 (RFC 4648 §4); the next one begins.
    pub(crate) fn finish_base64(&mut self) -> Option<Seq> {
        let mut decoded = [0; SEQ_PREFIX];
        let length = STANDARD.decode_slice(self.start(), &mut decoded);
        self.len = 0;
        Seq::from_payload(&decoded[..length.ok()?])
    }

    /// What has been collected.
    pub(crate) fn start(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Forgets it.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }
}

/// The start of a text for a person to read, kept while it arrives.
#[derive(Debug, Default)]
pub(crate) struct Said(Vec<u8>);

impl Said {
    pub(crate) fn extend(&mut self, piece: &[u8]) {
        let room = SAID_LIMIT - self.0.len();
        self.0.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    pub(crate) fn take(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.0)).into_owned()
    }
}

/// The oldest message held, where a server's words name it: `"oldest":7`, `oldest is 7`.
pub(crate) fn oldest_in(text: &str) -> Option<Seq> {
    let (_, behind) = text.split_once("oldest")?;
    let start = behind.find(|c: char| c.is_ascii_digit())?;
    let digits = &behind[start..];
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok().map(Seq)
}

/// What the body of a response is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Messages with their lengths, as polls under `every` get them.
    Batch,
    /// One message, as polls under `latest` get it.
    Single,
    /// Words that explain an error.
    #[default]
    Words,
}

/// A body that is not what it should be.
#[derive(Debug)]
pub(crate) enum BodyError {
    Batch(BatchError),
    NoSequence,
}

/// Reads the body of a poll's response.
#[derive(Debug, Default)]
pub(crate) struct BodyReader {
    kind: Kind,
    batch: BatchReader,
    prefix: SeqPrefix,
    /// Bytes of the body so far.
    length: u64,
    /// The last message of this body.
    last: Option<Seq>,
    pub(crate) said: Said,
}

impl BodyReader {
    /// A new body begins.
    pub(crate) fn begin(&mut self, kind: Kind) {
        (self.kind, self.length, self.last) = (kind, 0, None);
        self.batch = BatchReader::default();
        self.prefix.clear();
    }

    /// Takes and attributes bytes of the body. Messages of a batch go to `out`.
    pub(crate) fn data(&mut self, mut data: &[u8], out: &mut Output) -> Result<(), BodyError> {
        self.length += data.len() as u64;
        match self.kind {
            Kind::Batch => self.batch(&mut data, out),
            Kind::Single => {
                out.count(Layer::Payload, data.len());
                self.prefix.extend(data);
                Ok(())
            }
            Kind::Words => {
                out.count(Layer::Http, data.len());
                self.said.extend(data);
                Ok(())
            }
        }
    }

    fn batch(&mut self, data: &mut &[u8], out: &mut Output) -> Result<(), BodyError> {
        while let Some(piece) = self.batch.next(data).map_err(BodyError::Batch)? {
            match piece {
                Piece::Framing(bytes) => out.count(Layer::Framing, bytes),
                Piece::Payload(payload, done) => {
                    out.count(Layer::Payload, payload.len());
                    if done {
                        let seq = self.prefix.finish(payload).ok_or(BodyError::NoSequence)?;
                        out.messages.push(seq);
                        self.last = Some(seq);
                    } else {
                        self.prefix.extend(payload);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the batch is about as long as one may be: another message may not have had room.
    pub(crate) const fn is_full(&self) -> bool {
        self.length > (MAX_BATCH - MAX_BATCH / 16) as u64
    }

    /// The body has ended: its last message, if it had any. A single message is not yet in any
    /// output, since it may be one that the client has.
    pub(crate) fn end(&mut self) -> Result<Option<Seq>, BodyError> {
        match self.kind {
            Kind::Batch => self.batch.finish().map(|()| self.last).map_err(BodyError::Batch),
            Kind::Single if self.length == 0 => Ok(None),
            Kind::Single => self.prefix.finish(&[]).map(Some).ok_or(BodyError::NoSequence),
            Kind::Words => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_however_its_payload_arrives() {
        let payload = br#"{"seq":"0000000042","symbol":"ABC"}"#;
        for cut in 0..payload.len() {
            let mut prefix = SeqPrefix::default();
            prefix.extend(&payload[..cut]);
            assert_eq!(prefix.finish(&payload[cut..]), Some(Seq(42)), "cut at {cut}");
            assert_eq!(prefix.finish(b"0000000043"), Some(Seq(43)), "the next one is its own");
        }
    }

    #[test]
    fn a_number_is_found_in_base64_of_any_length() {
        for length in 10..40 {
            let mut payload = b"0000000042".to_vec();
            payload.resize(length, 0xff);
            let mut prefix = SeqPrefix::default();
            for piece in STANDARD.encode(&payload).as_bytes().chunks(7) {
                prefix.extend(piece);
            }
            assert_eq!(prefix.finish_base64(), Some(Seq(42)), "{length} bytes");
        }
    }

    #[test]
    fn the_oldest_message_is_found_in_words_and_in_json() {
        assert_eq!(oldest_in("{\"oldest\":7,\"after\":2}"), Some(Seq(7)));
        assert_eq!(oldest_in("message 2 is gone; the oldest still held is 7"), Some(Seq(7)));
        assert_eq!(oldest_in("oldest 12."), Some(Seq(12)));
        assert_eq!((oldest_in("gone: 7"), oldest_in("the oldest")), (None, None));
    }
}
