//! Headers of a client's frames, and their masks (RFC 6455 §5.2, §5.3).

use crate::frame::{FrameError, Opcode};

/// The longest header: two bytes, a 64-bit length, and the mask.
pub(super) const HEADER_LIMIT: usize = 14;

/// A frame's header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) opcode: Opcode,
    pub(super) last: bool,
    /// RSV1.
    pub(super) compressed: bool,
    pub(super) length: u64,
    pub(super) mask: [u8; 4],
}

/// Takes the mask off, or puts it on (§5.3); the first byte has the first of its bytes.
#[inline]
pub fn unmask(data: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = data.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// Reads a header (§5.2); `None` where `bytes` ends within it.
#[inline]
pub(super) fn header(bytes: &[u8]) -> Result<Option<(Header, usize)>, FrameError> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if first & 0x30 != 0 {
        return Err(FrameError::Reserved);
    }
    let opcode = Opcode::new(first & 0x0f)?;
    if second & 0x80 == 0 {
        return Err(FrameError::Unmasked);
    }
    let (length, used) = match second & 0x7f {
        126 => {
            let Some(length) = rest.first_chunk() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*length)), 4)
        }
        127 => {
            let Some(length) = rest.first_chunk() else { return Ok(None) };
            (u64::from_be_bytes(*length), 10)
        }
        length => (u64::from(length), 2),
    };
    if length >> 63 != 0 {
        return Err(FrameError::Length);
    }
    let Some(mask) = bytes[used..].first_chunk() else { return Ok(None) };
    let (last, compressed) = (first & 0x80 != 0, first & 0x40 != 0);
    Ok(Some((Header { opcode, last, compressed, length, mask: *mask }, used + 4)))
}
