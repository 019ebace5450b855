//! Headers of IP and TCP: as much as tells who sends whom how much of what.
//!
//! Readers take a packet whole or cut behind its headers, and `None` is the answer to what is none.
//! Checksums are not looked at: where packets are captured they may not be there yet.

mod sent;
mod tcp;

use std::net::IpAddr;

pub use self::sent::Sent;
pub use self::tcp::{Tcp, TcpFlags};

/// The protocol number of TCP.
pub const TCP: u8 = 6;

/// The length of an IPv6 header (RFC 8200 §3), in bytes.
const IPV6: u32 = 40;

/// The fields of an IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ip {
    /// The sender.
    pub from: IpAddr,
    /// The receiver.
    pub to: IpAddr,
    /// The number of the protocol behind this header: in IPv6 it may be an extension header's.
    pub protocol: u8,
    /// The header's own length, options included, in bytes.
    pub header: u32,
    /// The length of the whole packet as its header says, in bytes.
    pub total: u32,
    /// Whether it is a fragment other than the first, so that no header stands behind this one.
    pub is_continued: bool,
}

impl Ip {
    /// Reads the header at the begin of `packet`; `None` where that is none of IPv4 or IPv6.
    #[must_use]
    pub fn read(packet: &[u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => Self::ipv4(packet),
            6 => Self::ipv6(packet),
            _ => None,
        }
    }

    /// RFC 791 §3.1.
    fn ipv4(packet: &[u8]) -> Option<Self> {
        let header = u32::from(*packet.first()? & 0x0f) * 4;
        let address = |at| Some(IpAddr::from(*packet.get(at..)?.first_chunk::<4>()?));
        let ip = Self {
            from: address(12)?,
            to: address(16)?,
            protocol: *packet.get(9)?,
            header,
            total: u16_at(packet, 2)?.into(),
            is_continued: u16_at(packet, 6)? & 0x1fff != 0,
        };
        (header >= 20).then_some(ip)
    }

    /// RFC 8200 §3, without extension headers.
    fn ipv6(packet: &[u8]) -> Option<Self> {
        let address = |at| Some(IpAddr::from(*packet.get(at..)?.first_chunk::<16>()?));
        Some(Self {
            from: address(8)?,
            to: address(24)?,
            protocol: *packet.get(6)?,
            header: IPV6,
            total: IPV6 + u32::from(u16_at(packet, 4)?),
            is_continued: false,
        })
    }

    /// The bytes behind the header, as far as `packet` has them.
    #[must_use]
    pub fn payload<'a>(&self, packet: &'a [u8]) -> Option<&'a [u8]> {
        packet.get(self.header as usize..)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

#[cfg(test)]
mod tests;
