//! Measurements of `pushbench headers`: the bytes of one message by each transport, layer by layer.
//!
//! A published figure such as "871 bytes against 2" is right or wrong by the layer at which bytes
//! are counted, so every [`Exchange`] can be asked for its size at each [`Level`].

mod claim;
mod tls;

use std::net::IpAddr;

use pushbench_core::{Contender, Delivery, Link, with_names};
use pushbench_protocol::headers::HeadSize;
use serde::{Deserialize, Serialize};

use crate::observe::ledger::Source;
use crate::record::environment::Environment;

pub use self::claim::{Claim, PUBLISHED_POLL, PUBLISHED_PUSH, TOLERANCE, UseCase, WindowBytes};
pub use self::tls::TlsBytes;

/// The version of this format that this build writes.
pub const FORMAT: u32 = 1;

/// An Ethernet header as captures show it: without preamble, padding and checksum.
pub const ETHERNET_HEADER: u64 = 14;

/// Everything that `pushbench headers` found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadersRecord {
    /// The version of the format, [`FORMAT`].
    pub format: u32,
    /// The version of pushbench that wrote it.
    pub version: String,
    /// When it began, RFC 3339 in UTC.
    pub started: String,
    /// The arguments that it was started with.
    pub command_line: Vec<String>,
    /// The machine.
    pub environment: Environment,
    /// The server's address, on loopback or over the link.
    pub address: IpAddr,
    /// The link between server and clients; `None` for loopback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Who counted what TCP and IP carry: packets captured, or the kernel.
    pub source: Source,
    /// One for each profile and size of cookies.
    pub cases: Vec<HeaderCase>,
    /// The published claim beside ours, where it was asked for.
    pub claim: Option<Claim>,
}

/// One header profile, played by each transport.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderCase {
    /// The profile's name.
    pub profile: String,
    /// How the profile was obtained, from which version, and when.
    pub about: String,
    /// Bytes by which the value of each request's `Cookie` is longer than the profile has it.
    pub cookie_bytes: u64,
    /// The promise to clients.
    pub delivery: Delivery,
    /// Size of each message.
    pub payload_bytes: u64,
    /// One for each transport; WebSocket is always there, since all are compared with it.
    pub rows: Vec<ContenderBytes>,
    /// All that went over the link, by two counts; `None` over loopback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_link: Option<OverLink>,
}

/// All that went over the link in a case, from the first connection's opening to the last one's close,
/// both ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverLink {
    /// As it came to the router.
    pub router: Passed,
    /// By the kernel's count of each connection.
    pub kernel: Passed,
    /// Segments with payload that had been sent before, as the router saw them.
    pub sent_again: u64,
    /// Packets that did not come out of the link.
    pub dropped: u64,
}

/// Packets of TCP that passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// How many.
    pub packets: u64,
    /// Their bytes, headers included.
    pub ip_bytes: u64,
    /// Their payload.
    pub payload_bytes: u64,
}

impl OverLink {
    /// Adds each figure of `other` to its own.
    pub const fn merge(&mut self, other: &Self) {
        self.router.merge(&other.router);
        self.kernel.merge(&other.kernel);
        self.sent_again += other.sent_again;
        self.dropped += other.dropped;
    }

    /// Whether the two counts contradict each other: all payload is in both, unless some was sent again,
    /// of which the clients' kernel knows its own side alone.
    #[must_use]
    pub const fn is_contradictory(&self) -> bool {
        self.sent_again == 0 && self.router.payload_bytes != self.kernel.payload_bytes
    }
}

impl Passed {
    const fn merge(&mut self, other: &Self) {
        self.packets += other.packets;
        self.ip_bytes += other.ip_bytes;
        self.payload_bytes += other.payload_bytes;
    }
}

/// The push that all others are compared with.
pub const PUSH: Contender = Contender::WEBSOCKET;

/// The poll that it is compared with first.
pub const POLL: Contender = Contender::SHORT_POLL;

impl HeaderCase {
    /// The measurements of a contender.
    ///
    /// A case has all its rows in clear or all in TLS, so that they are found by their names in clear.
    #[must_use]
    pub fn row(&self, contender: Contender) -> Option<&ContenderBytes> {
        self.rows.iter().find(|row| row.in_clear() == contender)
    }

    /// How many times a [push](PUSH) of the same message an exchange of `row` is.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "bytes of an exchange are below 2⁵³")]
    pub fn ratio(&self, row: &ContenderBytes, level: Level) -> Option<f64> {
        let push = self.row(PUSH)?.exchange.at(level);
        (push > 0).then(|| row.exchange.at(level) as f64 / push as f64)
    }
}

/// Bytes of one message by one transport, and of a connection once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContenderBytes {
    /// The contender.
    #[serde(rename = "transport")]
    pub contender: Contender,
    /// The usual exchange for one message on a connection that has been in use: of those played,
    /// the one that came out most often.
    pub exchange: Exchange,
    /// How many were played.
    pub exchanges: u32,
    /// How many of them came out as the usual one.
    pub usual: u32,
    /// Pure ACKs in all of them together beyond those of the usual one.
    pub extra_acks: u64,
    /// Opening a TCP connection; `None` where each exchange opens its own.
    pub open: Option<Traffic>,
    /// The first request and its answer: a handshake, a stream's start, or a first poll. Where
    /// each exchange opens its own connection, open and close are part of it.
    pub subscription: Exchange,
    /// From the client's good-bye to the last ACK; `None` where each exchange closes its own.
    pub close: Option<Traffic>,
}

impl ContenderBytes {
    /// The contender on a stack without TLS.
    #[must_use]
    pub fn in_clear(&self) -> Contender {
        Contender { stack: self.contender.stack.basic(), ..self.contender }
    }

    /// Traffic up to the connection's first message that opened it; where each exchange opens its
    /// own, the whole of the first one.
    #[must_use]
    pub fn opening(&self) -> &Traffic {
        self.open.as_ref().unwrap_or(&self.subscription.traffic)
    }
}

/// Bytes to and fro for one message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Exchange {
    /// The request's head; nothing where none was sent.
    pub request: Head,
    /// The response's head; nothing where none came.
    pub response: Head,
    /// The message itself.
    pub payload: u64,
    /// WebSocket headers, SSE fields, chunk sizes, batch separators.
    pub framing: u64,
    /// The traffic that TCP and IP made of it.
    pub traffic: Traffic,
}

/// The size of an HTTP head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Head {
    /// Without line ends, as published figures were counted.
    pub characters: u64,
    /// As sent: with line ends and the blank line.
    pub bytes: u64,
}

impl From<HeadSize> for Head {
    fn from(size: HeadSize) -> Self {
        Self { characters: size.characters as u64, bytes: size.bytes as u64 }
    }
}

/// Traffic on the wire, in both directions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Traffic {
    /// Packets as captured; `None` where the kernel counted, which knows segments only.
    pub packets: Option<u64>,
    /// TCP segments. Several may travel as one packet on loopback, for a network card to cut.
    pub segments: u64,
    /// Of these, ACKs and nothing else.
    pub acks: u64,
    /// Payload of the segments.
    pub tcp_bytes: u64,
    /// IP packets, one for each segment, headers included.
    pub ip_bytes: u64,
    /// The part of TCP's payload that secures the rest; nothing in clear.
    #[serde(default)]
    pub tls: TlsBytes,
}

impl Traffic {
    /// The segments as Ethernet frames, as captures count: 14 bytes more for each.
    #[must_use]
    pub const fn ethernet_bytes(&self) -> u64 {
        self.ip_bytes + self.segments * ETHERNET_HEADER
    }

    /// The traffic since `earlier`, which may be nothing at all.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            packets: self.packets.map(|now| now - earlier.packets.unwrap_or(0)),
            segments: self.segments - earlier.segments,
            acks: self.acks - earlier.acks,
            tcp_bytes: self.tcp_bytes - earlier.tcp_bytes,
            ip_bytes: self.ip_bytes - earlier.ip_bytes,
            tls: self.tls.since(&earlier.tls),
        }
    }
}

with_names! {
    /// Where bytes are counted, from the innermost out.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Level {
        /// Characters that a transport adds to the message, HTTP's line ends left out: the published
        /// way.
        Characters = "characters",
        /// Bytes that it adds to the message.
        Bytes = "bytes",
        /// Payload of TCP segments, the message included.
        Tcp = "tcp",
        /// IP packets, those of ACKs included.
        Ip = "ip",
        /// Ethernet frames.
        Ethernet = "ethernet",
    }
}

impl Exchange {
    /// Its size at a level.
    #[must_use]
    pub const fn at(&self, level: Level) -> u64 {
        match level {
            Level::Characters => self.request.characters + self.response.characters + self.framing,
            Level::Bytes => self.http_bytes() + self.framing,
            Level::Tcp => self.traffic.tcp_bytes,
            Level::Ip => self.traffic.ip_bytes,
            Level::Ethernet => self.traffic.ethernet_bytes(),
        }
    }

    /// Both heads as sent.
    #[must_use]
    pub const fn http_bytes(&self) -> u64 {
        self.request.bytes + self.response.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of the published poll, and a push of the same 21 bytes.
    fn published() -> (Exchange, Exchange) {
        let traffic = |segments, tcp_bytes| Traffic {
            packets: Some(segments),
            segments,
            acks: 1,
            tcp_bytes,
            ip_bytes: tcp_bytes + segments * 52,
            tls: TlsBytes::default(),
        };
        let poll = Exchange {
            request: Head { characters: 692, bytes: 716 },
            response: Head { characters: 179, bytes: 193 },
            payload: 21,
            framing: 0,
            traffic: traffic(3, 930),
        };
        let push =
            Exchange { payload: 21, framing: 2, traffic: traffic(2, 23), ..Exchange::default() };
        (poll, push)
    }

    #[test]
    fn each_level_holds_the_one_within() {
        let (poll, push) = published();
        assert_eq!(Level::ALL.map(|level| poll.at(level)), [871, 909, 930, 1086, 1128]);
        assert_eq!(Level::ALL.map(|level| push.at(level)), [2, 2, 23, 127, 155]);
    }

    #[test]
    fn traffic_between_two_readings_is_their_difference() {
        let (poll, push) = published();
        let (packets, tls) = (Some(5), TlsBytes { records: 22, ..TlsBytes::default() });
        let both = Traffic { packets, segments: 5, acks: 2, tcp_bytes: 953, ip_bytes: 1213, tls };
        assert_eq!(both.since(&poll.traffic), Traffic { tls, ..push.traffic });
        let kernel = Traffic { packets: None, ..both };
        assert_eq!(kernel.since(&poll.traffic).packets, None);
    }
}
