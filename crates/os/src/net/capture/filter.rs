//! Which packets a capture sees, as a classic BPF program for the kernel.

use libc::{BPF_ABS, BPF_B, BPF_H, BPF_IND, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_LDX};
use libc::{BPF_MSH, BPF_RET, BPF_W, sock_filter};

use super::error::CaptureError;

/// How many bytes of a frame the kernel keeps: the longest Ethernet, IPv4 and TCP headers
/// (14 + 60 + 60). A packet cut to its headers holds no pages of its payload, so that many more
/// fit into the socket's buffer.
const KEPT: u32 = 134;

// Offsets in an Ethernet frame: RFC 894, RFC 791 §3.1, RFC 8200 §3.
const ETHER_TYPE: u32 = 12;
const IP: u32 = 14;
const IPV4_FRAGMENT: u32 = IP + 6;
const IPV4_PROTOCOL: u32 = IP + 9;
const IPV6_NEXT_HEADER: u32 = IP + 6;
const IPV6_TCP: u32 = IP + 40;
/// From the source port, with which a TCP header begins, to the destination port.
const NEXT_PORT: u32 = 2;

/// No offset: the kernel answers it with the kind of packet (`linux/filter.h`).
const PACKET_TYPE: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE) as u32;

const DROP: sock_filter = instruction(BPF_RET | BPF_K, 0, 0, 0);
const KEEP: sock_filter = instruction(BPF_RET | BPF_K, 0, 0, KEPT);

/// TCP ports, of which a packet must have one as its source or its destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortFilter {
    ports: Vec<u16>,
}

impl PortFilter {
    /// The most ports in one filter. The program jumps over its IPv4 part, which has four
    /// instructions for each port, and a jump of classic BPF reaches 255.
    pub const MOST: usize = 32;

    /// Packets from or to one of `ports`.
    ///
    /// # Errors
    ///
    /// [`CaptureError::Ports`] where these are none, or more than [`PortFilter::MOST`].
    pub fn new(ports: &[u16]) -> Result<Self, CaptureError> {
        let mut ports = ports.to_vec();
        ports.sort_unstable();
        ports.dedup();
        match ports.len() {
            1..=Self::MOST => Ok(Self { ports }),
            count => Err(CaptureError::Ports { count }),
        }
    }

    /// The ports, in ascending order.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// A program that passes Ethernet frames with TCP in IPv4, or in IPv6 without extension
    /// headers, from or to one of the ports; nothing else, and nothing that goes out, since on
    /// the loopback interface that comes in again.
    pub(super) fn program(&self) -> Vec<sock_filter> {
        let ipv4 = self.ipv4();
        // At most 8 + 4 × MOST instructions.
        let past_ipv4 = ipv4.len() as u8;
        let mut program = vec![load(BPF_W | BPF_ABS, PACKET_TYPE)];
        program.extend([jump(BPF_JEQ, u32::from(libc::PACKET_OUTGOING), 0, 1), DROP]);
        program.push(load(BPF_H | BPF_ABS, ETHER_TYPE));
        program.push(jump(BPF_JEQ, libc::ETH_P_IP as u32, 0, past_ipv4));
        program.extend(ipv4);
        program.extend(self.ipv6());
        program
    }

    /// Instructions that check the rest of an IPv4 packet, to the end.
    fn ipv4(&self) -> Vec<sock_filter> {
        let mut program = tcp_in(IPV4_PROTOCOL).to_vec();
        // Only the first fragment of a packet has its TCP header.
        program.extend([load(BPF_H | BPF_ABS, IPV4_FRAGMENT), jump(BPF_JSET, 0x1fff, 0, 1), DROP]);
        // The index register is the length of the IPv4 header, options included.
        program.push(instruction(BPF_LDX | BPF_B | BPF_MSH, 0, 0, IP));
        program.extend(self.either_port(BPF_IND, IP));
        program
    }

    /// Instructions that check the rest of a packet that is not IPv4, to the end.
    fn ipv6(&self) -> Vec<sock_filter> {
        let mut program = vec![jump(BPF_JEQ, libc::ETH_P_IPV6 as u32, 1, 0), DROP];
        program.extend(tcp_in(IPV6_NEXT_HEADER));
        program.extend(self.either_port(BPF_ABS, IPV6_TCP));
        program
    }

    /// Keeps the packet if the port at `source`, or the one behind it, is one of ours.
    fn either_port(&self, mode: u32, source: u32) -> Vec<sock_filter> {
        let mut program = Vec::new();
        for offset in [source, source + NEXT_PORT] {
            program.push(load(BPF_H | mode, offset));
            for port in &self.ports {
                program.extend([jump(BPF_JEQ, u32::from(*port), 0, 1), KEEP]);
            }
        }
        program.push(DROP);
        program
    }
}

/// A program that passes what goes out, whole, and nothing that comes in.
pub(crate) fn outgoing() -> [sock_filter; 4] {
    let all = instruction(BPF_RET | BPF_K, 0, 0, u32::MAX);
    let is_outgoing = jump(BPF_JEQ, u32::from(libc::PACKET_OUTGOING), 0, 1);
    [load(BPF_W | BPF_ABS, PACKET_TYPE), is_outgoing, all, DROP]
}

/// A program that passes nothing.
pub(crate) const fn nothing() -> [sock_filter; 1] {
    [DROP]
}

/// Drops the packet unless the protocol number at `offset` is TCP's.
fn tcp_in(offset: u32) -> [sock_filter; 3] {
    [load(BPF_B | BPF_ABS, offset), jump(BPF_JEQ, libc::IPPROTO_TCP as u32, 1, 0), DROP]
}

fn load(size_and_mode: u32, offset: u32) -> sock_filter {
    instruction(BPF_LD | size_and_mode, 0, 0, offset)
}

/// Skips `yes` instructions where the accumulator passes the test against `value`, else `no`.
fn jump(test: u32, value: u32, yes: u8, no: u8) -> sock_filter {
    instruction(BPF_JMP | test | BPF_K, yes, no, value)
}

const fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> sock_filter {
    // All codes of classic BPF fit into a byte.
    sock_filter { code: code as u16, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::super::packet::tests::{ipv4_frame, ipv6_frame};
    use super::*;

    /// Runs a program as the kernel would, over an incoming or outgoing frame.
    fn run(program: &[sock_filter], frame: &[u8], packet_type: u8) -> u32 {
        let (mut accumulator, mut index, mut at) = (0, 0, 0);
        let half = |at: u32| frame.get(at as usize..at as usize + 2);
        loop {
            let sock_filter { code, jt, jf, k } = program[at];
            at += 1;
            let skip = |yes: bool| usize::from(if yes { jt } else { jf });
            match u32::from(code) {
                c if c == BPF_RET | BPF_K => return k,
                c if c == BPF_JMP | BPF_JEQ | BPF_K => at += skip(accumulator == k),
                c if c == BPF_JMP | BPF_JSET | BPF_K => at += skip(accumulator & k != 0),
                c if c == BPF_LD | BPF_W | BPF_ABS => accumulator = u32::from(packet_type),
                c if c == BPF_LD | BPF_B | BPF_ABS => accumulator = u32::from(frame[k as usize]),
                c if c == BPF_LDX | BPF_B | BPF_MSH => {
                    index = u32::from(frame[k as usize] & 0x0f) * 4;
                }
                c => {
                    let from = if c & BPF_IND == 0 { k } else { k + index };
                    // Loading from beyond the end drops the packet.
                    let Some(bytes) = half(from) else { return 0 };
                    accumulator = u32::from(u16::from_be_bytes([bytes[0], bytes[1]]));
                }
            }
        }
    }

    fn keeps(ports: &[u16], frame: &[u8]) -> bool {
        run(&PortFilter::new(ports).unwrap().program(), frame, libc::PACKET_HOST) != 0
    }

    #[test]
    fn what_goes_out_passes_whole_and_nothing_else() {
        let frame = ipv4_frame(0);
        assert_eq!(run(&outgoing(), &frame, libc::PACKET_OUTGOING), u32::MAX);
        assert_eq!(run(&outgoing(), &frame, libc::PACKET_HOST), 0);
        assert_eq!(run(&nothing(), &frame, libc::PACKET_OUTGOING), 0);
    }

    #[test]
    fn a_port_counts_as_source_and_as_destination() {
        for frame in [ipv4_frame(0), ipv4_frame(3), ipv6_frame()] {
            assert!(keeps(&[40_000], &frame));
            assert!(keeps(&[8080], &frame));
            assert!(keeps(&[1, 2, 8080, 9000], &frame));
            assert!(!keeps(&[8081, 1, 40_001], &frame));
        }
    }

    #[test]
    fn what_goes_out_is_dropped() {
        let program = PortFilter::new(&[8080]).unwrap().program();
        assert_eq!(run(&program, &ipv4_frame(0), libc::PACKET_OUTGOING), 0);
        assert_eq!(run(&program, &ipv4_frame(0), libc::PACKET_HOST), KEPT);
    }

    #[test]
    fn what_is_not_tcp_is_dropped() {
        let mut udp = ipv4_frame(0);
        udp[23] = 17;
        assert!(!keeps(&[8080], &udp));
        let mut udp = ipv6_frame();
        udp[20] = 17;
        assert!(!keeps(&[8080], &udp));
        let mut arp = ipv4_frame(0);
        arp[12..14].copy_from_slice(&[0x08, 0x06]);
        assert!(!keeps(&[8080], &arp));
        let mut fragment = ipv4_frame(0);
        fragment[21] = 185;
        assert!(!keeps(&[8080], &fragment));
    }

    #[test]
    fn the_largest_filter_works_and_a_larger_one_is_refused() {
        let most: Vec<u16> = (8080..8080 + PortFilter::MOST as u16).collect();
        assert!(keeps(&most, &ipv4_frame(10)));
        assert!(keeps(&most, &ipv6_frame()));
        for count in [0, PortFilter::MOST + 1] {
            let ports: Vec<u16> = (1..=count as u16).collect();
            let error = PortFilter::new(&ports).unwrap_err();
            assert!(matches!(error, CaptureError::Ports { count: told } if told == count));
        }
        assert_eq!(PortFilter::new(&[9, 7, 9]).unwrap().ports(), [7, 9]);
    }
}
