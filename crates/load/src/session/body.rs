//! Messages out of the bytes that carry them. A payload is looked at, never kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pushbench_core::Seq;
use pushbench_core::number::{NumberError, NumberReader};
use pushbench_metrics::observe::ledger::Layer;
use pushbench_protocol::batch::{BatchError, BatchReader, MAX_BATCH, Piece};

use super::http::Head;
use super::output::Output;

/// Base64 characters that are decoded at a time: as many as a number as pushbench writes it needs.
const BASE64_STEP: usize = 28;

/// How much of an error's explanation is worth keeping.
const SAID_LIMIT: usize = 160;

/// Reads the number of a payload that arrives as base64 (RFC 4648 §4).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Base64Number {
    number: NumberReader,
    /// Characters of a group of four that is not complete.
    group: [u8; 4],
    length: u8,
}

impl Base64Number {
    /// Takes the next piece of the data.
    pub(crate) fn push(&mut self, mut piece: &[u8]) {
        // The line feed between two lines of data is no character of base64.
        if piece == b"\n" {
            return;
        }
        while !self.number.is_decided() && !piece.is_empty() {
            let whole = (piece.len() & !3).min(BASE64_STEP);
            if self.length == 0 && whole > 0 {
                self.decode(&piece[..whole]);
                piece = &piece[whole..];
                continue;
            }
            self.group[usize::from(self.length)] = piece[0];
            self.length += 1;
            piece = &piece[1..];
            if self.length == 4 {
                self.length = 0;
                let group = self.group;
                self.decode(&group);
            }
        }
    }

    fn decode(&mut self, groups: &[u8]) {
        let mut bytes = [0; BASE64_STEP / 4 * 3];
        match STANDARD.decode_slice(groups, &mut bytes) {
            Ok(length) => self.number.push(&bytes[..length]),
            Err(_) => self.number.fail(NumberError::Base64),
        }
    }

    /// The number of the payload that ends here; the next one begins.
    pub(crate) fn finish(&mut self) -> Result<Seq, NumberError> {
        if self.length > 0 && !self.number.is_decided() {
            self.number.fail(NumberError::Base64);
        }
        self.length = 0;
        self.number.finish()
    }
}

/// The start of a text for a person to read, kept while it arrives.
#[derive(Debug, Default)]
pub(crate) struct Said {
    text: Vec<u8>,
    /// What comes is nothing to read.
    coded: bool,
}

impl Said {
    /// The text is the body behind `head`. One that is coded says nothing to a person.
    pub(crate) fn begin(&mut self, head: &Head) {
        self.coded = head.coding.is_some();
        self.text.clear();
        if let Some(coding) = &head.coding {
            self.text.extend_from_slice(format!("(words coded with {coding})").as_bytes());
        }
    }

    pub(crate) fn extend(&mut self, piece: &[u8]) {
        if !self.coded {
            let room = SAID_LIMIT - self.text.len();
            self.text.extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }

    pub(crate) fn take(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(self).text).into_owned()
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
    NoSequence(NumberError),
}

/// Reads the body of a poll's response.
#[derive(Debug, Default)]
pub(crate) struct BodyReader {
    kind: Kind,
    batch: BatchReader,
    number: NumberReader,
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
        self.number = NumberReader::default();
    }

    /// Takes and attributes bytes of the body. Messages of a batch go to `out`.
    pub(crate) fn data(&mut self, mut data: &[u8], out: &mut Output) -> Result<(), BodyError> {
        self.length += data.len() as u64;
        match self.kind {
            Kind::Batch => self.batch(&mut data, out),
            Kind::Single => {
                out.count(Layer::Payload, data.len());
                self.number.push(data);
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
                        let seq = self.number.last(payload).map_err(BodyError::NoSequence)?;
                        out.messages.push(seq);
                        self.last = Some(seq);
                    } else {
                        self.number.push(payload);
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
            Kind::Single => self.number.finish().map(Some).map_err(BodyError::NoSequence),
            Kind::Words => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_base64_of_any_length() {
        for start in [&b"0000000042"[..], b"{ \"a long name of a member\": 42,\r\n"] {
            for length in start.len()..start.len() + 30 {
                let mut payload = start.to_vec();
                payload.resize(length, 0xff);
                for step in [1, 3, 7, 1000] {
                    let mut number = Base64Number::default();
                    for piece in STANDARD.encode(&payload).as_bytes().chunks(step) {
                        number.push(piece);
                    }
                    assert_eq!(number.finish(), Ok(Seq(42)), "{length} bytes by {step}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_base64_is_named_and_the_next_one_is_read() {
        let mut number = Base64Number::default();
        for data in [&b"{\"n\":5}"[..], b"MDAw*", b"MDAwMDAwMDA0M"] {
            number.push(data);
            assert_eq!(number.finish(), Err(NumberError::Base64), "{}", data.escape_ascii());
            number.push(b"MDAwMDAwMDA0Mg==");
            assert_eq!(number.finish(), Ok(Seq(42)));
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
