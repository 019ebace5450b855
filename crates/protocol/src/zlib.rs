//! Raw DEFLATE (RFC 1951) into and out of buffers that the caller owns, by zlib-rs.

use std::fmt;

use pushbench_core::deflate::DeflateSettings;
use zlib_rs::{
    Deflate, DeflateConfig, DeflateFlush, Inflate, InflateFlush, Status, compress_bound,
};

/// The end of a flushed piece: an empty stored block without its first bits (RFC 1951 §3.2.4).
pub(crate) const FLUSHED: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// More than the bytes that end a stream, and than a flush's, which zlib would repeat else.
const SLACK: usize = 64;

/// A stream of blocks that is being written.
pub(crate) struct Deflater(Deflate);

impl Deflater {
    pub(crate) fn new(settings: DeflateSettings) -> Self {
        let DeflateSettings { level, window, memory } = settings;
        Self(Deflate::new_with_config(DeflateConfig {
            level: level.get().into(),
            window_bits: -i32::from(window.get()),
            mem_level: memory.get().into(),
            ..DeflateConfig::default()
        }))
    }

    /// Appends `input`, complete up to its last byte and ending in [`FLUSHED`]. With `takeover` it
    /// refers to what came before; without, neither it nor what follows does.
    ///
    /// Nothing may be flushed twice: `input` has a byte.
    pub(crate) fn flush(&mut self, input: &[u8], takeover: bool, out: &mut Vec<u8>) {
        let flush = if takeover { DeflateFlush::SyncFlush } else { DeflateFlush::FullFlush };
        self.push(input, flush, out);
        debug_assert!(out.ends_with(&FLUSHED));
    }

    /// Appends `input` and the stream's end; another stream begins.
    pub(crate) fn finish(&mut self, input: &[u8], out: &mut Vec<u8>) {
        self.push(input, DeflateFlush::Finish, out);
        self.0.reset();
    }

    fn push(&mut self, mut input: &[u8], flush: DeflateFlush, out: &mut Vec<u8>) {
        loop {
            let start = out.len();
            let room = compress_bound(input.len()) + SLACK;
            out.resize(start + room, 0);
            let before = (self.0.total_in(), self.0.total_out());
            self.0.compress(input, &mut out[start..], flush).expect(
                "the settings are within their ranges, and a stream's end is its last call",
            );
            let written = since(before.1, self.0.total_out());
            input = &input[since(before.0, self.0.total_in())..];
            out.truncate(start + written);
            // With room left over nothing waits inside.
            if written < room {
                return;
            }
        }
    }
}

/// A stream that is being read.
pub(crate) struct Inflater(Inflate);

/// A step through a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// Bytes taken off the front of the input.
    pub(crate) read: usize,
    /// Bytes put at the front of the output.
    pub(crate) written: usize,
    /// The stream has ended; its checksum, if it has one, is right.
    pub(crate) ended: bool,
}

/// Bytes that are no DEFLATE, or no gzip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Invalid;

impl Inflater {
    /// Blocks with nothing around them. Whatever the sender's window is, zlib-rs holds the largest.
    pub(crate) fn raw() -> Self {
        Self(Inflate::new(false, 15))
    }

    /// One gzip member (RFC 1952).
    pub(crate) fn gzip() -> Self {
        Self(Inflate::new(true, 16 + 15))
    }

    /// Begins another raw stream.
    pub(crate) fn reset_raw(&mut self) {
        self.0.reset(false);
    }

    /// Reads on, until the input is used up, the output is full or the stream has ended.
    pub(crate) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Invalid> {
        let before = (self.0.total_in(), self.0.total_out());
        let status =
            self.0.decompress(input, output, InflateFlush::NoFlush).map_err(|_| Invalid)?;
        Ok(Step {
            read: since(before.0, self.0.total_in()),
            written: since(before.1, self.0.total_out()),
            ended: status == Status::StreamEnd,
        })
    }
}

/// The bytes of one call, which a buffer held.
fn since(before: u64, now: u64) -> usize {
    usize::try_from(now - before).unwrap_or(usize::MAX)
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").field("total_in", &self.0.total_in()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").field("total_in", &self.0.total_in()).finish_non_exhaustive()
    }
}
