//! The codings of messages that many streams share: each message is compressed once for all of them.

use std::cell::{Cell, RefCell};

use bytes::Bytes;
use pushbench_core::Seq;
use pushbench_core::compression::CompressionTerms;
use pushbench_core::deflate::{DeflateSettings, WindowBits};
use pushbench_core::feed::message::Content;
use pushbench_protocol::deflate::Compressor;
use pushbench_protocol::gzip::{self, GzipWriter, Suffix};

use super::events;
use super::frames::{compressed_frame, tagged_message};

/// A coding whose result depends on the message alone, so that it serves every stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SharedCoding {
    /// Of WebSockets that have agreed on permessage-deflate without the server's context takeover,
    /// and on this window (RFC 7692 §7.1).
    Deflate(WindowBits),
    /// Of event streams in the content coding gzip: blocks of a member, which refer to nothing before
    /// them (RFC 9110 §8.4.1.3, RFC 1952).
    Gzip,
    /// Of event streams to clients of HTTP/1.0: none at all, not even chunks.
    UntilClose,
    /// Of WebSockets whose text messages begin with a character that says what they are.
    Tagged,
}

/// A message in a coding.
#[derive(Debug)]
pub(crate) struct Encoding {
    pub(crate) bytes: Bytes,
    /// Of what a gzip member has of it.
    pub(crate) text: Suffix,
}

/// The compressors of a server. One is made when it is first wanted.
#[derive(Debug, Default)]
pub(crate) struct Codings {
    terms: Option<CompressionTerms>,
    /// By window.
    compressors: RefCell<Vec<(WindowBits, Compressor)>>,
    gzip: RefCell<Option<GzipWriter>>,
    /// A message just compressed.
    scratch: RefCell<Vec<u8>>,
    /// Messages compressed: once for each shared coding, and for each stream that shares none.
    compressions: Cell<u64>,
}

impl Codings {
    pub(crate) fn new(terms: Option<CompressionTerms>) -> Self {
        Self { terms, ..Self::default() }
    }

    pub(crate) const fn compressions(&self) -> u64 {
        self.compressions.get()
    }

    /// Whether a message of `len` bytes is compressed, and does not travel as it is.
    pub(crate) fn takes(&self, len: usize) -> bool {
        self.terms.is_some_and(|terms| len as u64 >= terms.threshold.0)
    }

    /// Whether a message of `len` bytes is in that coding on a stream that has agreed to it. A
    /// WebSocket's message is compressed or not by itself (RFC 7692 §6); all of an event stream is in
    /// its own.
    pub(crate) fn has(&self, coding: SharedCoding, content: Content, len: usize) -> bool {
        match coding {
            SharedCoding::Deflate(_) => self.takes(len),
            SharedCoding::Gzip | SharedCoding::UntilClose => true,
            SharedCoding::Tagged => content == Content::Text,
        }
    }

    /// The message in a coding.
    pub(crate) fn encode(
        &self,
        coding: SharedCoding,
        seq: Seq,
        content: Content,
        payload: &[u8],
    ) -> Encoding {
        match coding {
            SharedCoding::Deflate(window) => {
                let bytes = self.deflated(window, content, payload);
                Encoding { bytes, text: Suffix::default() }
            }
            SharedCoding::Gzip => self.event(seq, content, payload),
            SharedCoding::UntilClose => {
                let bytes = events::event(seq, content, payload).into();
                Encoding { bytes, text: Suffix::default() }
            }
            SharedCoding::Tagged => {
                Encoding { bytes: tagged_message(payload), text: Suffix::default() }
            }
        }
    }

    /// A message as an event in blocks of a gzip member, in a chunk of its own.
    fn event(&self, seq: Seq, content: Content, payload: &[u8]) -> Encoding {
        let (event, mut scratch) =
            (events::event(seq, content, payload), self.scratch.borrow_mut());
        scratch.clear();
        let sum = if self.takes(payload.len()) {
            self.compressions.set(self.compressions() + 1);
            let mut writer = self.gzip.borrow_mut();
            let settings = self.terms.unwrap_or_default().deflate;
            let writer = writer.get_or_insert_with(|| GzipWriter::new(settings));
            writer.push_block(&event, &mut scratch)
        } else {
            gzip::push_stored(&event, &mut scratch)
        };
        Encoding { bytes: events::chunk(&scratch), text: Suffix::of(sum) }
    }

    pub(super) fn deflated(&self, window: WindowBits, content: Content, payload: &[u8]) -> Bytes {
        let mut compressors = self.compressors.borrow_mut();
        let place = compressors.iter().position(|(made, _)| *made == window);
        let place = place.unwrap_or_else(|| {
            let settings = self.terms.map(|terms| terms.deflate).unwrap_or_default();
            let settings = DeflateSettings { window, ..settings };
            compressors.push((window, Compressor::new(settings, false)));
            compressors.len() - 1
        });
        self.frame(&mut compressors[place].1, content, payload)
    }

    /// A message as a frame, compressed behind those that this compressor has had.
    pub(crate) fn frame(
        &self,
        compressor: &mut Compressor,
        content: Content,
        payload: &[u8],
    ) -> Bytes {
        let mut scratch = self.scratch.borrow_mut();
        scratch.clear();
        compressor.push(payload, &mut scratch);
        self.compressions.set(self.compressions() + 1);
        compressed_frame(content, &scratch)
    }
}
