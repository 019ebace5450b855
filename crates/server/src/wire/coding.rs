//! The codings of messages that many streams share: each message is compressed once for all of them.

use std::cell::{Cell, RefCell};

use bytes::Bytes;
use pushbench_core::compression::CompressionTerms;
use pushbench_core::deflate::{DeflateSettings, WindowBits};
use pushbench_core::feed::message::Content;
use pushbench_protocol::deflate::Compressor;

use super::frames::compressed_frame;

/// A coding whose result depends on the message alone, so that it serves every stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SharedCoding {
    /// Of WebSockets that have agreed on permessage-deflate without the server's context takeover,
    /// and on this window (RFC 7692 §7.1).
    Deflate(WindowBits),
}

/// The compressors of a server. One is made when it is first wanted.
#[derive(Debug, Default)]
pub(crate) struct Codings {
    terms: Option<CompressionTerms>,
    /// By window.
    compressors: RefCell<Vec<(WindowBits, Compressor)>>,
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

    /// The message in a coding.
    pub(crate) fn encode(&self, coding: SharedCoding, content: Content, payload: &[u8]) -> Bytes {
        let SharedCoding::Deflate(window) = coding;
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
