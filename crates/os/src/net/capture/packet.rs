//! One captured packet, and how it is read from the bytes that the kernel hands over.

use std::net::{IpAddr, SocketAddr};

use pushbench_core::MonoInstant;

use crate::net::tcp_info::IpVersion;

/// The kernel's note in front of each frame (`PACKET_VNET_HDR`, `struct virtio_net_hdr` of
/// `linux/virtio_net.h`): how the frame is to be cut into segments, in the machine's byte order.
const NOTE: usize = 10;
/// An Ethernet header (RFC 894). The loopback interface has one too, with empty addresses.
const ETHERNET: usize = 14;
/// An IPv6 header (RFC 8200 §3).
const IPV6: usize = 40;
const TCP: u8 = 6;

/// `VIRTIO_NET_HDR_GSO_NONE`: the frame is one segment.
const ONE_SEGMENT: u8 = 0;

/// One packet as the loopback interface passed it.
///
/// The kernel moves several segments as one packet of up to 64 KiB where more data waits than a
/// segment holds, for a network card to cut apart (segmentation offload). A packet is what other
/// tools count: [`Packet::ip_bytes`] has one set of headers, as any pcap file shows. A segment is
/// what TCP_INFO counts and a wire carries: [`Packet::wire_bytes`] has the headers of all
/// [`Packet::segments`]. With messages of some kilobytes the two are nearly always the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// When the kernel received it, on the monotonic clock.
    ///
    /// Converted from the wall clock, by which the kernel stamps packets, to within a
    /// microsecond or so, unless the wall clock is set while the packet waits to be read.
    pub at: MonoInstant,
    /// The sender.
    pub from: SocketAddr,
    /// The receiver.
    pub to: SocketAddr,
    /// The whole IP packet as seen, headers included, in bytes.
    pub ip_bytes: u32,
    /// Its IP and TCP headers, options included, in bytes.
    pub header_bytes: u32,
    /// Its TCP payload, in bytes.
    pub tcp_payload_bytes: u32,
    /// Into how many segments a network card would cut it; 1 where there is nothing to cut.
    pub segments: u32,
    /// The flags of its TCP header.
    pub flags: TcpFlags,
    /// Its sequence number (RFC 9293 §3.4): of its first payload byte, or of its SYN or FIN.
    pub seq: u32,
    /// The sequence number that its sender expects next, where [`TcpFlags::ack`] is set.
    pub ack: u32,
}

impl Packet {
    /// Which version of IP carried it.
    #[must_use]
    pub fn ip(&self) -> IpVersion {
        IpVersion::of(self.from.ip())
    }

    /// The size of all segments of the packet at the IP layer, in bytes: each has headers of its
    /// own.
    #[must_use]
    pub const fn wire_bytes(&self) -> u64 {
        self.tcp_payload_bytes as u64 + self.segments as u64 * self.header_bytes as u64
    }

    /// The size of all segments of the packet as Ethernet frames of 14 bytes of header each, in
    /// bytes, the way captures count: without preamble, padding and checksum.
    #[must_use]
    pub const fn ethernet_bytes(&self) -> u64 {
        self.wire_bytes() + self.segments as u64 * ETHERNET as u64
    }

    /// Whether the packet only acknowledges: no payload, and none of SYN, FIN and RST.
    #[must_use]
    pub const fn is_pure_ack(&self) -> bool {
        let flags = self.flags;
        self.tcp_payload_bytes == 0 && !flags.syn() && !flags.fin() && !flags.rst()
    }

    /// Reads a frame with the kernel's note before it; `None` where that is no TCP in IPv4 or
    /// in IPv6 without extension headers, or where its headers are cut short or contradict
    /// each other.
    pub(super) fn parse(at: MonoInstant, bytes: &[u8]) -> Option<Self> {
        let (note, frame) = bytes.split_at_checked(NOTE)?;
        let (ethernet, packet) = frame.split_at_checked(ETHERNET)?;
        let network = match u16_at(ethernet, 12)? {
            0x0800 => Network::ipv4(packet)?,
            0x86dd => Network::ipv6(packet)?,
            _ => return None,
        };
        let tcp = packet.get(network.header..)?;
        let offset_and_flags = tcp.get(12..14)?;
        // RFC 9293 §3.1: the data offset, in words of four bytes, is the length of the header.
        let tcp_header = u32::from(offset_and_flags[0] >> 4) * 4;
        let header_bytes = network.header as u32 + tcp_header;
        let tcp_payload_bytes = network.total.checked_sub(header_bytes)?;
        if tcp_header < 20 {
            return None;
        }
        Some(Self {
            at,
            from: SocketAddr::new(network.from, u16_at(tcp, 0)?),
            to: SocketAddr::new(network.to, u16_at(tcp, 2)?),
            ip_bytes: network.total,
            header_bytes,
            tcp_payload_bytes,
            segments: segments(note, tcp_payload_bytes)?,
            flags: TcpFlags(offset_and_flags[1]),
            seq: u32_at(tcp, 4)?,
            ack: u32_at(tcp, 8)?,
        })
    }
}

/// The fields of an IP header.
struct Network {
    from: IpAddr,
    to: IpAddr,
    /// Its own length, options included.
    header: usize,
    /// The length of the whole packet.
    total: u32,
}

impl Network {
    /// RFC 791 §3.1. Segments of one write may together be longer than the length field can
    /// say, which is then 0 ("BIG TCP", only where an administrator allows it): not read.
    fn ipv4(packet: &[u8]) -> Option<Self> {
        let first = *packet.first()?;
        let header = usize::from(first & 0x0f) * 4;
        if first >> 4 != 4 || header < 20 || *packet.get(9)? != TCP {
            return None;
        }
        let address = |at| Some(IpAddr::from(*packet.get(at..)?.first_chunk::<4>()?));
        let total = u16_at(packet, 2)?.into();
        Some(Self { from: address(12)?, to: address(16)?, header, total })
    }

    /// RFC 8200 §3, without extension headers.
    fn ipv6(packet: &[u8]) -> Option<Self> {
        if packet.first()? >> 4 != 6 || *packet.get(6)? != TCP {
            return None;
        }
        let payload = u32::from(u16_at(packet, 4)?);
        let address = |at| Some(IpAddr::from(*packet.get(at..)?.first_chunk::<16>()?));
        let total = IPV6 as u32 + payload;
        Some(Self { from: address(8)?, to: address(24)?, header: IPV6, total })
    }
}

/// How many segments the kernel's note says a payload is.
fn segments(note: &[u8], payload: u32) -> Option<u32> {
    let kind = *note.get(1)?;
    let size = u32::from(u16::from_ne_bytes([*note.get(4)?, *note.get(5)?]));
    if kind == ONE_SEGMENT {
        return Some(1);
    }
    (size > 0).then(|| payload.div_ceil(size).max(1))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

/// The control bits of a TCP header (RFC 9293 §3.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TcpFlags(u8);

impl TcpFlags {
    /// None set.
    pub const NONE: Self = Self(0);

    /// Only SYN set.
    pub const SYN: Self = Self(0x02);

    const NAMES: [&'static str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];

    /// The sender has no more to send.
    #[must_use]
    pub const fn fin(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// Opens a connection.
    #[must_use]
    pub const fn syn(self) -> bool {
        self.0 & 0x02 != 0
    }

    /// Aborts the connection.
    #[must_use]
    pub const fn rst(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// Hands the payload to the receiver without waiting for more.
    #[must_use]
    pub const fn psh(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// Acknowledges: all packets but the first.
    #[must_use]
    pub const fn ack(self) -> bool {
        self.0 & 0x10 != 0
    }
}

impl std::fmt::Debug for TcpFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set = Self::NAMES.iter().enumerate().filter(|(bit, _)| self.0 >> bit & 1 == 1);
        let names: Vec<&str> = set.map(|(_, name)| *name).collect();
        write!(f, "{{{}}}", names.join(", "))
    }
}

#[cfg(test)]
pub(super) mod tests;
