//! The kernel's counters of each TCP connection, for anyone who holds the socket.
//!
//! The meaning of the counters of [`TcpInfo`], found by comparing them with captured packets (Linux
//! 6.18, loopback; the tests of [`capture`](crate::net::capture) repeat it):
//!
//! | event | client out | client in | server out | server in |
//! |---|---|---|---|---|
//! | SYN | 1 | | | 1 |
//! | SYN/ACK | | 1 | **0** | |
//! | the ACK that ends the handshake | 1 | | | 1 |
//! | `connect` and `accept` have returned | **2** | **1** | **0** | **2** |
//! | a segment with data, each time it is sent | 1 | 1 | 1 | 1 |
//! | an ACK alone: at once, delayed (40 ms), window update | 1 | 1 | 1 | 1 |
//! | a FIN; the ACK of a FIN | 1 | 1 | 1 | 1 |
//! | one write sent as one packet of *n* segments (segmentation offload) | *n* | *n* | *n* | *n* |
//!
//! So the server's SYN/ACK is the only segment that its sender does not count: a listener sends
//! it, before there is a connection. On loopback `client in = server out + 1`, and `client out =
//! server in`, exactly, once nothing is under way. A segment is counted when it is sent, not
//! when the application writes; an ACK may follow 40 ms after its data, so that a reading is
//! final only once `bytes_acked` of each end has reached what that end has sent. What is lost is
//! counted where it was sent only.
//!
//! `bytes_acked` and `bytes_received` count a FIN as a byte, and the client's `bytes_acked` its
//! SYN too: right after `connect` it is 1. `bytes_sent` and the data segments count neither.
//!
//! **Segments, not packets.** Where more data waits than a segment holds, the kernel moves
//! several segments as one packet of up to 64 KiB, for a network card to cut apart. A capture
//! shows the packet; TCP_INFO counts the segments, as a wire would carry them, and so do
//! [`Packet::segments`](crate::net::capture::Packet::segments) and
//! [`Packet::wire_bytes`](crate::net::capture::Packet::wire_bytes): these are what a ledger by the
//! kernel and a ledger by capture agree on, exactly. On loopback, whose segments hold up to
//! 65,483 bytes (a new connection's 32,741), most packets are one segment, but not all: of
//! 34,399 packets of a server that wrote faster than its client read, two were two segments.

use std::io;
use std::os::fd::AsFd;

use crate::posix;

mod segments;

pub use pushbench_core::IpVersion;
pub use segments::{HeaderBytes, Parting, Segments, Side, header_bytes, syn_header_bytes};

/// As much of `struct tcp_info` as is read here. The kernel's grows, and only at its end.
const SIZE: usize = 216;
/// Bytes that every Linux fills in that runs Rust programs: up to `tcpi_total_retrans`.
const OLDEST: usize = 104;

// Bits of `tcpi_options` (`linux/tcp.h`).
const OPTION_TIMESTAMPS: u8 = 1;
const OPTION_SACK: u8 = 2;

/// One reading of `TCP_INFO` (tcp(7), `struct tcp_info` of `linux/tcp.h`).
///
/// `None` is what an older kernel does not tell. Counters of 32 bits wrap around;
/// [`Segments::between`] knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpInfo {
    /// How far opened or closed the connection is.
    pub state: TcpState,
    /// Segments received, of any kind (`tcpi_segs_in`, Linux 4.2).
    pub segments_in: Option<u32>,
    /// Segments sent, of any kind, each time they are (`tcpi_segs_out`, Linux 4.2).
    pub segments_out: Option<u32>,
    /// Segments received with payload, duplicates too (`tcpi_data_segs_in`, Linux 4.6).
    pub data_segments_in: Option<u32>,
    /// Segments sent with payload, each time they are (`tcpi_data_segs_out`, Linux 4.6).
    pub data_segments_out: Option<u32>,
    /// Bytes that the other end has acknowledged, its FIN counting as one, and a client's SYN
    /// too (`tcpi_bytes_acked`, Linux 4.1).
    pub bytes_acked: Option<u64>,
    /// Bytes received in order and without duplicates, a FIN counting as one
    /// (`tcpi_bytes_received`, Linux 4.1).
    pub bytes_received: Option<u64>,
    /// Payload bytes sent, each time they are (`tcpi_bytes_sent`, Linux 4.19).
    pub bytes_sent: Option<u64>,
    /// Payload bytes sent again (`tcpi_bytes_retrans`, Linux 4.19).
    pub bytes_retransmitted: Option<u64>,
    /// Segments sent again, a SYN too (`tcpi_total_retrans`).
    pub retransmits: u32,
    /// Whether both ends put timestamps into each segment (RFC 7323): 12 bytes of header.
    pub timestamps: bool,
    /// Whether both ends allow selective acknowledgements (RFC 2018). They lengthen an ACK
    /// where, and only where, segments were lost or overtaken.
    pub sack: bool,
    /// The smoothed round-trip time, in microseconds (`tcpi_rtt`). It includes the time by which
    /// the other end delays its ACKs.
    pub rtt_us: u32,
    /// The shortest round-trip time of late, in microseconds (`tcpi_min_rtt`, Linux 4.6).
    pub min_rtt_us: Option<u32>,
    /// Segments that may be under way (`tcpi_snd_cwnd`).
    pub congestion_window: u32,
    /// The window from which it grows more slowly, in segments (`tcpi_snd_ssthresh`); 2³¹ − 1 until slow
    /// start has ended.
    pub slow_start_threshold: u32,
    /// For how long so far nothing but the other end's window kept this one from sending, in microseconds
    /// (`tcpi_rwnd_limited`, Linux 4.9).
    pub receiver_limited_us: Option<u64>,
    /// The same of its own send buffer (`tcpi_sndbuf_limited`, Linux 4.9).
    pub buffer_limited_us: Option<u64>,
    /// The most payload of a segment that is sent, in bytes (`tcpi_snd_mss`).
    pub send_mss: u32,
    /// The kernel's estimate of the other end's segments, in bytes (`tcpi_rcv_mss`); 536 until
    /// there was one larger.
    pub receive_mss: u32,
}

/// How far opened or closed a connection is: the states of RFC 9293 §3.3.2, by which FINs were
/// counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TcpState {
    /// The handshake is under way.
    Opening,
    /// Both ends may send.
    Open,
    /// This end has sent its FIN (`FIN_WAIT`).
    FinSent,
    /// The other end's FIN has come (`CLOSE_WAIT`).
    FinReceived,
    /// Both, and this end's FIN is not acknowledged (`CLOSING`, `LAST_ACK`).
    BothFins,
    /// Nothing more will be sent: closed both ways, or reset. Also a socket that listens.
    Closed,
}

impl TcpState {
    /// Whether the other end's FIN has come, which [`TcpInfo::bytes_received`] counts; of a connection that
    /// is closed both ways it is taken for granted.
    #[must_use]
    pub const fn has_received_fin(self) -> bool {
        matches!(self, Self::FinReceived | Self::BothFins | Self::Closed)
    }

    /// From `tcpi_state`, an enumerator of `net/tcp_states.h`.
    const fn from_kernel(state: u8) -> Self {
        match state {
            1 => Self::Open,
            2 | 3 | 12 => Self::Opening,
            4 | 5 => Self::FinSent,
            8 => Self::FinReceived,
            9 | 11 => Self::BothFins,
            _ => Self::Closed,
        }
    }
}

impl TcpInfo {
    /// The counters of `socket`. The call takes some 0.7 µs.
    ///
    /// # Errors
    ///
    /// The error of `getsockopt` where `socket` is none, or none of TCP.
    pub fn of(socket: impl AsFd) -> io::Result<Self> {
        let mut bytes = [0; SIZE];
        let (level, name) = (libc::IPPROTO_TCP, libc::TCP_INFO);
        let length = posix::socket_option(socket.as_fd(), level, name, &mut bytes)?;
        let filled = bytes.get(..length).unwrap_or(&bytes);
        Self::parse(filled).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }

    /// Reads as much of the structure as there is, in the machine's byte order.
    fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < OLDEST {
            return None;
        }
        let options = *bytes.get(5)?;
        Some(Self {
            state: TcpState::from_kernel(*bytes.first()?),
            segments_in: u32_at(bytes, 140),
            segments_out: u32_at(bytes, 136),
            data_segments_in: u32_at(bytes, 152),
            data_segments_out: u32_at(bytes, 156),
            bytes_acked: u64_at(bytes, 120),
            bytes_received: u64_at(bytes, 128),
            bytes_sent: u64_at(bytes, 200),
            bytes_retransmitted: u64_at(bytes, 208),
            retransmits: u32_at(bytes, 100)?,
            timestamps: options & OPTION_TIMESTAMPS != 0,
            sack: options & OPTION_SACK != 0,
            rtt_us: u32_at(bytes, 68)?,
            min_rtt_us: u32_at(bytes, 148),
            congestion_window: u32_at(bytes, 80)?,
            slow_start_threshold: u32_at(bytes, 76)?,
            receiver_limited_us: u64_at(bytes, 176),
            buffer_limited_us: u64_at(bytes, 184),
            send_mss: u32_at(bytes, 16)?,
            receive_mss: u32_at(bytes, 20)?,
        })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_ne_bytes(*four))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|eight| u64::from_ne_bytes(*eight))
}

#[cfg(test)]
pub(crate) mod tests;
