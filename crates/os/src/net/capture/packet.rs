//! One captured packet, and how it is read from the bytes that the kernel hands over.

use std::net::SocketAddr;

use pushbench_core::MonoInstant;
use pushbench_protocol::ip::{Ip, Tcp, TcpFlags};

use crate::net::tcp_info::IpVersion;

/// The kernel's note in front of each frame (`PACKET_VNET_HDR`, `struct virtio_net_hdr` of
/// `linux/virtio_net.h`): how the frame is to be cut into segments, in the machine's byte order.
const NOTE: usize = 10;
/// An Ethernet header (RFC 894). The loopback interface has one too, with empty addresses.
const ETHERNET: usize = 14;
/// Ethernet's numbers for IPv4 and IPv6 (RFC 894, RFC 2464 §3).
const ETHER_TYPES: [[u8; 2]; 2] = [[0x08, 0x00], [0x86, 0xdd]];

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
        let is_ipv6 = ETHER_TYPES.iter().position(|known| ethernet.ends_with(known))? == 1;
        let ip = Ip::read(packet).filter(|ip| ip.from.is_ipv6() == is_ipv6)?;
        let tcp = Tcp::read(&ip, packet)?;
        Some(Self {
            at,
            from: SocketAddr::new(ip.from, tcp.from),
            to: SocketAddr::new(ip.to, tcp.to),
            ip_bytes: ip.total,
            header_bytes: ip.header + tcp.header,
            tcp_payload_bytes: tcp.payload,
            segments: segments(note, tcp.payload)?,
            flags: tcp.flags,
            seq: tcp.seq,
            ack: tcp.ack,
        })
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

#[cfg(test)]
pub(super) mod tests;
