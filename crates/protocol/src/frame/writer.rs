//! Frames as either end writes them (RFC 6455 §5.2).

use super::{CONTROL_LIMIT, Opcode};

/// The bit of a message's last frame, and that of a compressed message's first (RFC 7692 §6).
const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;

/// The bit of a frame whose payload is masked.
const MASKED: u8 = 0x80;

/// Appends a frame as a client sends it: in one piece and masked (§5.3). Clients of this project
/// send control frames only, so `payload` is at most 125 bytes; the rest is cut off.
pub fn push_control(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], mask: [u8; 4]) {
    let payload = &payload[..payload.len().min(CONTROL_LIMIT as usize)];
    push_head(out, opcode, payload.len(), mask);
    push_masked(out, payload, mask);
}

/// Appends a message in one frame, masked as clients must (RFC 6455 §5.1).
pub fn push_message(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], mask: [u8; 4]) {
    push_head(out, opcode, payload.len(), mask);
    push_masked(out, payload, mask);
}

/// Appends a frame's payload, masked (§5.3).
pub fn push_masked(out: &mut Vec<u8>, payload: &[u8], mask: [u8; 4]) {
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// Appends the head of such a frame, with a payload of `length` bytes.
pub fn push_head(out: &mut Vec<u8>, opcode: Opcode, length: usize, mask: [u8; 4]) {
    out.push(FIN | opcode as u8);
    push_length(out, MASKED, length);
    out.extend_from_slice(&mask);
}

/// Appends a frame as a server sends it: in one piece and not masked; one of a message that is
/// `compressed` says so (RFC 7692 §6.1).
pub fn push_unmasked(out: &mut Vec<u8>, opcode: Opcode, compressed: bool, payload: &[u8]) {
    let mark = if compressed { RSV1 } else { 0 };
    out.push(FIN | mark | opcode as u8);
    push_length(out, 0, payload.len());
    out.extend_from_slice(payload);
}

/// The length of such a frame with a payload of `length` bytes.
#[must_use]
pub const fn unmasked_len(length: usize) -> usize {
    let header = match length {
        0..126 => 2,
        126..0x1_0000 => 4,
        _ => 10,
    };
    header + length
}

/// The shortest form of a length.
fn push_length(out: &mut Vec<u8>, mark: u8, length: usize) {
    match length {
        0..126 => out.push(mark | length as u8),
        126..0x1_0000 => {
            out.push(mark | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(mark | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455 §5.2: 7 bits of length, or 16, or 64.
    #[test]
    fn a_header_has_the_size_that_its_length_needs() {
        for (len, header) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let mut frame = Vec::new();
            push_unmasked(&mut frame, Opcode::Text, false, &vec![b'x'; len]);
            assert_eq!(frame.len() - len, header, "{len} bytes");
            assert_eq!(frame.len(), unmasked_len(len));
        }
    }

    /// The examples of RFC 6455 §5.7.
    #[test]
    fn frames_are_as_in_the_standard() {
        let mut out = Vec::new();
        push_unmasked(&mut out, Opcode::Text, false, b"Hello");
        assert_eq!(out, b"\x81\x05Hello");
        out.clear();
        push_message(&mut out, Opcode::Text, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(out, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    }
}
