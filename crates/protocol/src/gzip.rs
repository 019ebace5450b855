//! Bodies and event streams in gzip (RFC 1952).
//!
//! A stream that many clients read is compressed once: each client gets [`HEADER`], then the same
//! blocks from wherever it joins, and at its end a trailer of its own, whose checksum comes of the
//! blocks' by arithmetic ([`Sum`]).

mod reader;
mod sum;

use pushbench_core::deflate::DeflateSettings;

pub use self::reader::{GzipError, GzipReader};
pub use self::sum::{Suffix, Sum};
use crate::zlib::Deflater;

/// A member's header (RFC 1952 §2.3): neither name nor time, an unknown system.
pub const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Compresses bodies, and blocks of streams.
#[derive(Debug)]
pub struct GzipWriter {
    deflater: Deflater,
}

impl GzipWriter {
    /// A writer that is used for one body or block after another. It holds the memory of a
    /// [`Compressor`](crate::deflate::Compressor::memory).
    #[must_use]
    pub fn new(settings: DeflateSettings) -> Self {
        Self { deflater: Deflater::new(settings) }
    }

    /// Appends `text` as blocks of a member's middle, which end on a byte and refer to nothing
    /// before them, so that they may follow whatever blocks of others, and can be read as soon as
    /// they arrive. An empty text is no block.
    pub fn push_block(&mut self, text: &[u8], out: &mut Vec<u8>) -> Sum {
        if !text.is_empty() {
            self.deflater.flush(text, false, out);
        }
        Sum::of(text)
    }

    /// Appends `text` as a whole member.
    pub fn push_body(&mut self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&HEADER);
        self.deflater.finish(text, out);
        Sum::of(text).push_to(out);
    }
}

/// Appends `text` as a member's middle as [`GzipWriter::push_block`] does, and as it is (RFC 1951
/// §3.2.4): five bytes more for each 65,535, and nobody has to compress.
pub fn push_stored(text: &[u8], out: &mut Vec<u8>) -> Sum {
    for piece in text.chunks(usize::from(u16::MAX)) {
        let length = piece.len() as u16;
        out.push(0);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(piece);
    }
    Sum::of(text)
}

/// Appends the end of a member: a last, empty block (RFC 1951 §3.2.6), and the checksum and length
/// of all that its blocks hold.
pub fn push_trailer(all: Sum, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x03, 0x00]);
    all.push_to(out);
}

#[cfg(test)]
mod tests;
