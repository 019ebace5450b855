//! Literal frames, as the kernel hands them over.

use super::*;

const AT: MonoInstant = MonoInstant(5);

/// No segmentation, as in most notes.
const WHOLE: [u8; NOTE] = [0; NOTE];

/// A segment of 21 bytes from port 8080 to port 40,000 with timestamps: its header, payload
/// apart. PSH and ACK, sequence number 0x01020304.
const TCP_HEADER: [u8; 32] = [
    0x1f, 0x90, 0x9c, 0x40, // ports
    1, 2, 3, 4, // sequence
    9, 8, 7, 6, // acknowledgement
    0x80, 0x18, 0x02, 0x00, 0xfe, 0x3d, 0, 0, // 8 words, flags, window, checksum, urgent
    1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, // no-op, no-op, timestamps
];

/// The frame of that segment in IPv4, whose header has `options` words of options.
pub(in super::super) fn ipv4_frame(options: u8) -> Vec<u8> {
    let total = 20 + options * 4 + 32 + 21;
    let mut frame = vec![0; 12];
    frame.extend([0x08, 0x00]);
    frame.extend([0x45 + options, 0, 0, total, 0, 1, 0x40, 0, 64, 6, 0, 0]);
    frame.extend([127, 0, 0, 1, 127, 0, 0, 2]);
    frame.extend(std::iter::repeat_n(1, usize::from(options) * 4));
    frame.extend(TCP_HEADER);
    frame.extend([b'x'; 21]);
    frame
}

/// The frame of that segment in IPv6.
pub(in super::super) fn ipv6_frame() -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend([0x86, 0xdd]);
    frame.extend([0x60, 0, 0, 0, 0, 32 + 21, 6, 64]);
    for _ in 0..2 {
        frame.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    }
    frame.extend(TCP_HEADER);
    frame.extend([b'x'; 21]);
    frame
}

fn parse(note: [u8; NOTE], frame: &[u8]) -> Option<Packet> {
    Packet::parse(AT, &[note.as_slice(), frame].concat())
}

#[test]
fn a_segment_of_21_bytes() {
    let v4 = ["127.0.0.1:8080", "127.0.0.2:40000"];
    // Ends, whole IP packet, headers.
    let cases = [
        ("IPv4", ipv4_frame(0), v4, 73, 52),
        ("IPv4 with options", ipv4_frame(3), v4, 85, 64),
        ("IPv4 with all options", ipv4_frame(10), v4, 113, 92),
        ("IPv6", ipv6_frame(), ["[::1]:8080", "[::1]:40000"], 93, 72),
    ];
    for (case, frame, ends, ip_bytes, header_bytes) in cases {
        let [from, to] = ends.map(|end| end.parse().unwrap());
        let expected = Packet {
            at: AT,
            from,
            to,
            ip_bytes,
            header_bytes,
            tcp_payload_bytes: 21,
            segments: 1,
            flags: TcpFlags::from_bits(0x18),
            seq: 0x0102_0304,
            ack: 0x0908_0706,
        };
        assert_eq!(parse(WHOLE, &frame), Some(expected), "{case}");
        assert_eq!(expected.wire_bytes(), u64::from(ip_bytes), "{case}");
        assert_eq!(expected.ethernet_bytes(), u64::from(ip_bytes) + 14, "{case}");
    }
}

#[test]
fn the_payload_may_be_cut_off_but_no_header() {
    let whole = ipv4_frame(0);
    let headers = 14 + 20;
    for length in 0..whole.len() {
        let packet = parse(WHOLE, &whole[..length]);
        // Ports, numbers, offset and flags are the first 14 bytes of a TCP header.
        assert_eq!(packet.is_some(), length >= headers + 14, "cut to {length}");
    }
    assert_eq!(Packet::parse(AT, &[0; NOTE - 1]), None);
}

#[test]
fn what_contradicts_itself_is_not_read() {
    let spoilt: [(&str, usize, u8); 7] = [
        ("IP version 6 in an IPv4 frame", 14, 0x65),
        ("an IPv4 header of 16 bytes", 14, 0x44),
        ("a packet shorter than its headers", 17, 51),
        ("a packet of length 0", 17, 0),
        ("UDP", 23, 17),
        ("a TCP header of 16 bytes", 46, 0x40),
        ("an unknown protocol", 13, 6),
    ];
    for (case, at, value) in spoilt {
        let mut frame = ipv4_frame(0);
        frame[at] = value;
        assert_eq!(parse(WHOLE, &frame), None, "{case}");
    }
    for (case, at, value) in [("IPv4 in an IPv6 frame", 14, 0x45), ("hop-by-hop options", 20, 0)] {
        let mut frame = ipv6_frame();
        frame[at] = value;
        assert_eq!(parse(WHOLE, &frame), None, "{case}");
    }
}

#[test]
fn a_packet_of_several_segments_is_as_many_on_a_wire() {
    // Segments of 10 bytes: 21 bytes are three.
    let mut note = WHOLE;
    note[1] = 1;
    note[4..6].copy_from_slice(&10u16.to_ne_bytes());
    let packet = parse(note, &ipv4_frame(0)).unwrap();
    assert_eq!(packet.segments, 3);
    assert_eq!(packet.ip_bytes, 73);
    assert_eq!(packet.wire_bytes(), 3 * 52 + 21);
    assert_eq!(packet.ethernet_bytes(), 3 * 66 + 21);
    // Segments of no length.
    note[4..6].copy_from_slice(&[0, 0]);
    assert_eq!(parse(note, &ipv4_frame(0)), None);
}

#[test]
fn a_pure_acknowledgement_carries_and_changes_nothing() {
    let frame = |flags: u8, payload: u8| {
        let mut frame = ipv4_frame(0);
        frame[17] = 52 + payload;
        frame[47] = flags;
        parse(WHOLE, &frame).unwrap()
    };
    assert!(frame(0x10, 0).is_pure_ack());
    for not in [frame(0x10, 21), frame(0x11, 0), frame(0x12, 0), frame(0x14, 0)] {
        assert!(!not.is_pure_ack(), "{not:?}");
    }
}
