//! Settings of codings: how hard a compressor tries, how far it looks back, and on what.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::deflate::{DeflateRangeError, DeflateSettings, MemLevel};
use crate::units::ByteSize;

/// The levels of zlib that compress; 0 would only store.
pub(crate) const LEVELS: RangeInclusive<u64> = 1..=9;

/// Logarithms of window sizes (RFC 1950 §2.2, RFC 7692 §7.1.2), without 8, which no compressor of
/// zlib's kind keeps to.
pub(crate) const WINDOW_BITS: RangeInclusive<u64> = 9..=15;

/// The settings of the contenders with a coding at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Compression {
    /// How hard the compressor tries, from 1 to 9.
    pub level: u8,
    /// The logarithm of how many bytes it looks back.
    pub window_bits: u8,
    /// The size from which a message, or the body of an answer, is compressed.
    pub threshold: ByteSize,
}

impl Compression {
    /// The same for a compressor, which has zlib's usual memory for symbols.
    ///
    /// # Errors
    ///
    /// [`DeflateRangeError`] where a setting is out of its range.
    pub fn deflate(self) -> Result<DeflateSettings, DeflateRangeError> {
        let (level, window) = (self.level.try_into()?, self.window_bits.try_into()?);
        Ok(DeflateSettings { level, window, memory: MemLevel::default() })
    }
}

/// A server's terms for clients that offer to read what is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompressionTerms {
    /// The compressors' settings; the window is the largest that is agreed on.
    pub deflate: DeflateSettings,
    /// The size from which a message, or the body of an answer, is compressed.
    pub threshold: ByteSize,
    /// Whether a client may have a compressor of its own, whose messages refer to those before them
    /// (RFC 7692 §7.1.1). Otherwise a message is compressed once for all.
    pub takeover: bool,
}

impl Default for Compression {
    /// As zlib has it, and everything compressed.
    fn default() -> Self {
        Self { level: 6, window_bits: 15, threshold: ByteSize(0) }
    }
}
