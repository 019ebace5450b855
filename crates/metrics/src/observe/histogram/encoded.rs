//! The bytes of an encoded histogram, looked at before the decoder sets memory aside for what they
//! claim: the V2 format of HdrHistogram, deflated.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use hdrhistogram::serialization::DeserializeError;

use super::{HistogramError, LONGEST_NS};

/// The cookie of the deflated format; the length of what follows stands behind it.
const DEFLATED: u32 = 0x1c84_9314;

/// Bytes of a header: cookie, length of the counts, an offset, digits, both bounds, a ratio.
const HEADER: usize = 40;

/// The most bytes of header and counts: more than a histogram of [`LONGEST_NS`] to three digits has
/// when each of its counts takes all nine bytes.
const MOST: u64 = 1 << 20;

/// The most samples of a histogram.
const MOST_SAMPLES: i64 = 1 << 53;

/// Header and counts, inflated.
pub(super) fn inflate(bytes: &[u8]) -> Result<Vec<u8>, HistogramError> {
    let (frame, deflated) = bytes.split_at_checked(8).ok_or(HistogramError::Length)?;
    if number(frame, 0) != u64::from(DEFLATED) {
        return Err(HistogramError::Hdr(DeserializeError::InvalidCookie));
    }
    let mut inflated = Vec::new();
    let read = ZlibDecoder::new(deflated).take(MOST + 1).read_to_end(&mut inflated);
    read.map_err(DeserializeError::IoError)?;
    if inflated.len() as u64 > MOST { Err(HistogramError::Length) } else { Ok(inflated) }
}

/// Checks that header and counts are of a histogram of ours to `expected` digits, and agree.
pub(super) fn check(inflated: &[u8], expected: u8) -> Result<(), HistogramError> {
    let (header, counts) = inflated.split_at_checked(HEADER).ok_or(HistogramError::Length)?;
    let long = |at: usize| number(header, at) << 32 | number(header, at + 4);
    let (low, high, digits) = (long(16), long(24), number(header, 12));
    if (low, high, digits) != (1, LONGEST_NS, u64::from(expected)) {
        let digits = u8::try_from(digits).unwrap_or(u8::MAX);
        return Err(HistogramError::Bounds { low, high, digits, expected });
    }
    if number(header, 4) != counts.len() as u64 {
        return Err(HistogramError::Length);
    }
    check_counts(counts)
}

/// Counts, and runs of zeros as negative numbers, none of which is absurd.
fn check_counts(mut rest: &[u8]) -> Result<(), HistogramError> {
    let mut samples = 0_i64;
    while !rest.is_empty() {
        let (count, length) = next(rest).ok_or(HistogramError::Length)?;
        rest = &rest[length..];
        samples = samples.saturating_add(count.max(0));
        if samples > MOST_SAMPLES || count < -MOST_SAMPLES {
            return Err(HistogramError::Counts);
        }
    }
    Ok(())
}

/// The number at the start of `bytes`, and how many of them it takes: seven bits in each, the
/// lowest first, but for all eight of a ninth, its sign in the lowest bit.
fn next(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().take(9).enumerate() {
        let whole = index == 8;
        value |= u64::from(if whole { byte } else { byte & 0x7f }) << (7 * index);
        if whole || byte < 0x80 {
            #[expect(clippy::cast_possible_wrap, reason = "ZigZag: the sign is the lowest bit")]
            let signed = (value >> 1) as i64 ^ -((value & 1) as i64);
            return Some((signed, index + 1));
        }
    }
    None
}

/// The big-endian number of four bytes at `at`, which are there.
fn number(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 4].iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
