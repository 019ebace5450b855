//! The header of TCP.

use std::fmt;

use super::{Ip, u16_at, u32_at};

/// The fields of a TCP header (RFC 9293 §3.1) that accounts are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tcp {
    /// The sender's port.
    pub from: u16,
    /// The receiver's port.
    pub to: u16,
    /// The sequence number of the first payload byte, or of the SYN or FIN.
    pub seq: u32,
    /// The sequence number that the sender expects next, where [`TcpFlags::ack`] is set.
    pub ack: u32,
    /// The control bits.
    pub flags: TcpFlags,
    /// The header's own length, options included, in bytes.
    pub header: u32,
    /// The length of what it carries, in bytes.
    pub payload: u32,
}

impl Tcp {
    /// Reads the header behind that of `ip` in `packet`; `None` where there is none, or where the
    /// headers contradict each other.
    #[must_use]
    pub fn read(ip: &Ip, packet: &[u8]) -> Option<Self> {
        if ip.protocol != super::TCP || ip.is_continued {
            return None;
        }
        let tcp = ip.payload(packet)?;
        let offset_and_flags = tcp.get(12..14)?;
        // The data offset, in words of four bytes, is the length of the header.
        let header = u32::from(offset_and_flags[0] >> 4) * 4;
        let payload = ip.total.checked_sub(ip.header + header)?;
        if header < 20 {
            return None;
        }
        Some(Self {
            from: u16_at(tcp, 0)?,
            to: u16_at(tcp, 2)?,
            seq: u32_at(tcp, 4)?,
            ack: u32_at(tcp, 8)?,
            flags: TcpFlags(offset_and_flags[1]),
            header,
            payload,
        })
    }

    /// The sequence number behind all that the segment carries: SYN and FIN have one each.
    #[must_use]
    pub const fn end(&self) -> u32 {
        let controls = self.flags.syn() as u32 + self.flags.fin() as u32;
        self.seq.wrapping_add(self.payload).wrapping_add(controls)
    }
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

    /// The flags of the header's fourteenth byte.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The header's fourteenth byte.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

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

impl fmt::Debug for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = Self::NAMES.iter().enumerate().filter(|(bit, _)| self.0 >> bit & 1 == 1);
        let names: Vec<&str> = set.map(|(_, name)| *name).collect();
        write!(f, "{{{}}}", names.join(", "))
    }
}
