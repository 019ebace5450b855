//! Literal packets.

use proptest::prelude::*;

use super::*;

/// A segment of 21 bytes from port 8080 to port 40,000 with timestamps: its header, payload
/// apart. PSH and ACK, sequence number 0x01020304.
const HEADER: [u8; 32] = [
    0x1f, 0x90, 0x9c, 0x40, // ports
    1, 2, 3, 4, // sequence
    9, 8, 7, 6, // acknowledgement
    0x80, 0x18, 0x02, 0x00, 0xfe, 0x3d, 0, 0, // 8 words, flags, window, checksum, urgent
    1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, // no-op, no-op, timestamps
];

/// That segment in IPv4, whose header has `options` words of options.
fn ipv4(options: u8) -> Vec<u8> {
    let total = 20 + options * 4 + 32 + 21;
    let mut packet = vec![0x45 + options, 0, 0, total, 0, 1, 0x40, 0, 64, 6, 0, 0];
    packet.extend([127, 0, 0, 1, 127, 0, 0, 2]);
    packet.extend(std::iter::repeat_n(1, usize::from(options) * 4));
    packet.extend(HEADER);
    packet.extend([b'x'; 21]);
    packet
}

/// That segment in IPv6.
fn ipv6() -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 32 + 21, 6, 64];
    for last in [1, 2] {
        packet.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend(HEADER);
    packet.extend([b'x'; 21]);
    packet
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_segment_of_21_bytes() {
    let v4 = ["127.0.0.1", "127.0.0.2"];
    for (case, packet, ends, header, total) in [
        ("IPv4", ipv4(0), v4, 20, 73),
        ("IPv4 with options", ipv4(3), v4, 32, 85),
        ("IPv4 with all options", ipv4(10), v4, 60, 113),
        ("IPv6", ipv6(), ["fd00::1", "fd00::2"], 40, 93),
    ] {
        let [from, to] = ends.map(address);
        let ip = Ip::read(&packet).unwrap();
        assert_eq!(
            ip,
            Ip { from, to, protocol: TCP, header, total, is_continued: false },
            "{case}"
        );
        let expected = Tcp {
            from: 8080,
            to: 40_000,
            seq: 0x0102_0304,
            ack: 0x0908_0706,
            flags: TcpFlags::from_bits(0x18),
            header: 32,
            payload: 21,
        };
        assert_eq!(Tcp::read(&ip, &packet), Some(expected), "{case}");
        // A capture keeps no more than headers.
        let headers = &packet[..packet.len() - 21];
        assert_eq!(Tcp::read(&Ip::read(headers).unwrap(), headers), Some(expected), "{case}");
    }
}

#[test]
fn headers_that_contradict_each_other_are_none() {
    let edited = |at: usize, byte: u8| {
        let mut packet = ipv4(0);
        packet[at] = byte;
        packet
    };
    let tcp = |packet: &[u8]| Tcp::read(&Ip::read(packet)?, packet);
    assert!(tcp(&ipv4(0)).is_some());
    for (case, packet) in [
        ("version 5", edited(0, 0x55)),
        ("an IP header of 16 bytes", edited(0, 0x44)),
        ("an IP header that ends behind the packet", edited(0, 0x4f)[..50].to_vec()),
        ("a packet shorter than its headers", edited(3, 51)),
        ("a TCP header of 16 bytes", edited(32, 0x40)),
        ("UDP", edited(9, 17)),
        ("the second fragment", edited(7, 1)),
    ] {
        assert_eq!(tcp(&packet), None, "{case}");
    }
}

#[test]
fn flags_have_names() {
    let cases = [(0x02, "{SYN}"), (0x12, "{SYN, ACK}"), (0x18, "{PSH, ACK}"), (0xff, ALL)];
    const ALL: &str = "{FIN, SYN, RST, PSH, ACK, URG, ECE, CWR}";
    for (bits, text) in cases {
        assert_eq!(format!("{:?}", TcpFlags::from_bits(bits)), text);
    }
    let all = TcpFlags::from_bits(0xff);
    assert!(all.fin() && all.syn() && all.rst() && all.psh() && all.ack());
    let none = TcpFlags::from_bits(0);
    assert!(!none.fin() && !none.syn() && !none.rst() && !none.psh() && !none.ack());
}

fn segment(seq: u32, payload: u32, flags: u8) -> Tcp {
    let flags = TcpFlags::from_bits(flags);
    Tcp { from: 1, to: 2, seq, ack: 0, flags, header: 20, payload }
}

#[test]
fn bytes_that_were_sent_before_are_told_from_those_that_were_not() {
    // Two bytes before the numbers start again at 0.
    let start = u32::MAX - 1;
    let mut sent = Sent::first(&segment(start, 0, 0x02));
    for (from, payload, flags, again, case) in [
        (1, 100, 0x10, 0, "the first bytes, beyond the last number"),
        (1, 100, 0x10, 100, "all of them again"),
        (51, 100, 0x18, 50, "half of it again"),
        (151, 0, 0x10, 0, "an ACK"),
        (150, 1, 0x10, 1, "the last byte, as a probe"),
        (251, 10, 0x18, 0, "behind a gap that was lost before it came here"),
        (151, 100, 0x18, 100, "the gap: not to be told from what was sent before"),
        (261, 5, 0x11, 0, "the last bytes, with FIN"),
        (261, 5, 0x11, 5, "the same again"),
    ] {
        assert_eq!(sent.again(&segment(start.wrapping_add(from), payload, flags)), again, "{case}");
    }
    assert_eq!(sent.next(), start.wrapping_add(267), "FIN has a number, too");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(ip) = Ip::read(&bytes) {
            let _ = Tcp::read(&ip, &bytes);
        }
    }

    /// Most garbage is no packet; this one is nearly one.
    #[test]
    fn a_packet_with_some_bytes_changed_is_read_or_refused(
        v6: bool,
        changes in prop::collection::vec((0_usize..93, any::<u8>()), 0..4),
        cut in 0_usize..=93,
    ) {
        let mut packet = if v6 { ipv6() } else { ipv4(5) };
        for (at, byte) in changes {
            packet[at] = byte;
        }
        packet.truncate(cut);
        let Some(ip) = Ip::read(&packet) else { return Ok(()) };
        if let Some(tcp) = Tcp::read(&ip, &packet) {
            prop_assert_eq!(ip.header + tcp.header + tcp.payload, ip.total);
        }
    }
}
