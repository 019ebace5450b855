//! From counted segments to bytes of headers: arithmetic, no I/O.

use pushbench_core::IpVersion;

use super::{TcpInfo, TcpState};

/// A TCP header without options (RFC 9293 §3.1).
const TCP: u64 = 20;
/// The timestamps option (RFC 7323 §3.2), 10 bytes, and two no-operations to align it.
const TIMESTAMPS: u64 = 12;
/// The other options of Linux's SYN and SYN/ACK: maximum segment size (4 bytes, RFC 9293
/// §3.7.1), SACK permitted (2, RFC 2018 §2) and window scale (3, RFC 7323 §2). With timestamps
/// SACK permitted stands in the place of the two no-operations, and one aligns the scale: the
/// whole is 20. Without, three align the two: 12.
const SYN_OPTIONS_BESIDE_TIMESTAMPS: u64 = 8;
const SYN_OPTIONS_ALONE: u64 = 12;

/// The IP and TCP headers of a segment, in bytes: all but SYN and SYN/ACK, and ACKs that tell of
/// lost segments (12, 20, 28 or 36 bytes longer).
#[must_use]
pub const fn header_bytes(ip: IpVersion, timestamps: bool) -> u64 {
    ip.header_bytes() + TCP + if timestamps { TIMESTAMPS } else { 0 }
}

/// The IP and TCP headers of a SYN or SYN/ACK as Linux sends them, in bytes; `timestamps` tells
/// whether the connection has them.
#[must_use]
pub const fn syn_header_bytes(ip: IpVersion, timestamps: bool) -> u64 {
    let options = if timestamps { SYN_OPTIONS_BESIDE_TIMESTAMPS } else { SYN_OPTIONS_ALONE };
    header_bytes(ip, timestamps) + options
}

/// Which end of a connection a socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// It called `connect`.
    Client,
    /// It came out of `accept`.
    Server,
}

/// Segments of one connection, as one of its ends sees them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Segments {
    /// Segments that this end sent, of any kind.
    pub sent: u64,
    /// Segments that this end received, of any kind.
    pub received: u64,
    /// How many of those sent were a SYN or SYN/ACK, whose headers are longer.
    pub syns_sent: u64,
    /// How many of those received were a SYN or SYN/ACK.
    pub syns_received: u64,
    /// How many of those sent were an RST of no socket, whose headers have no options.
    pub bare_sent: u64,
    /// How many of those received were such an RST.
    pub bare_received: u64,
}

/// Words of the ends of a connection, above TCP, that they send no more: TLS has such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Parting {
    /// There are none.
    Silent,
    /// This end has said so, and closes before it hears the other.
    First,
    /// This end has said so in answer to the other.
    Second,
}

/// The size of IP and TCP headers, in bytes, by direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeaderBytes {
    /// Headers of what this end sent.
    pub sent: u64,
    /// Headers of what this end received.
    pub received: u64,
}

impl Segments {
    /// All segments of a connection up to the reading `info`, its handshake among them.
    ///
    /// Taken for fewer than 2³² segments, and for one SYN each way: a SYN that was sent twice
    /// is 8 bytes short. `None` where the kernel does not count segments.
    #[must_use]
    pub fn since_open(side: Side, info: &TcpInfo) -> Option<Self> {
        // A listener sends the SYN/ACK, so that its connection does not count it.
        let uncounted = match side {
            Side::Client => 0,
            Side::Server => 1,
        };
        let sent = u64::from(info.segments_out?) + uncounted;
        let received = u64::from(info.segments_in?);
        Some(Self { sent, received, syns_sent: 1, syns_received: 1, ..Self::default() })
    }

    /// The segments between two readings of one socket, of which the earlier was taken when the
    /// handshake was over.
    ///
    /// Taken for fewer than 2³² segments each way. `None` where the kernel does not count them.
    #[must_use]
    pub fn between(earlier: &TcpInfo, later: &TcpInfo) -> Option<Self> {
        let passed = |from: Option<u32>, to: Option<u32>| Some(to?.wrapping_sub(from?).into());
        Some(Self {
            sent: passed(earlier.segments_out, later.segments_out)?,
            received: passed(earlier.segments_in, later.segments_in)?,
            ..Self::default()
        })
    }

    /// A model of what follows the reading `last` if the socket is closed now, having read all
    /// that it received, and its other end answers at once.
    ///
    /// That is FIN, FIN with ACK, ACK: three segments, less what `last` has counted. Where the
    /// other end takes more than 40 ms to close, it acknowledges apart, which is one more. A
    /// socket that is closed with bytes unread sends one RST instead, and that is all.
    ///
    /// A word that comes to a closed socket is answered with an RST. So where this end is the first
    /// to say that it leaves, the other's word comes with its FIN, or in its place, and an RST in the
    /// place of the last ACK. Where it is the second, its own word lies unread at the other end,
    /// which closes by an RST in the place of a FIN, and nobody acknowledges that.
    #[must_use]
    pub const fn of_close(last: &TcpInfo, parting: Parting) -> Self {
        let (sent, received, bare_sent) = match (last.state, parting) {
            (TcpState::Opening | TcpState::Closed, _) => (0, 0, 0),
            (TcpState::Open, Parting::Silent) => (2, 1, 0),
            (TcpState::Open, Parting::First) => (2, 1, 1),
            (TcpState::Open, Parting::Second) => (1, 1, 0),
            (TcpState::FinSent | TcpState::FinReceived, _) => (1, 1, 0),
            (TcpState::BothFins, _) => (0, 1, 0),
        };
        Self { sent, received, syns_sent: 0, syns_received: 0, bare_sent, bare_received: 0 }
    }

    /// These, up to a last reading `info`: where the other end had closed before this one's word
    /// came, which was the second, an RST has come from no socket.
    #[must_use]
    pub const fn met(mut self, info: &TcpInfo, parting: Parting) -> Self {
        let reset = matches!((info.state, parting), (TcpState::Closed, Parting::Second));
        self.bare_received = if reset && self.received > 0 { 1 } else { 0 };
        self
    }

    /// The size of these segments' headers at the IP layer.
    #[must_use]
    pub const fn header_bytes(self, ip: IpVersion, timestamps: bool) -> HeaderBytes {
        let each = header_bytes(ip, timestamps);
        let longer = syn_header_bytes(ip, timestamps) - each;
        let options = each - header_bytes(ip, false);
        HeaderBytes {
            sent: self.sent * each + self.syns_sent * longer - self.bare_sent * options,
            received: self.received * each + self.syns_received * longer
                - self.bare_received * options,
        }
    }
}
