//! Packets that a link's router saw, and their fates.
//!
//! A packet is counted as it comes to the router, where its sender's kernel has counted it too; what
//! the link then dropped of that stands beside it.

use std::net::IpAddr;

use pushbench_core::link::Cause;
use serde::{Deserialize, Serialize};

use super::histogram::LatencyHistogram;
use super::ledger::{Direction, Ledger, Phase, Source, TcpipTally};

/// Packets, and their bytes at the IP layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packets {
    /// How many.
    pub packets: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
}

impl Packets {
    /// Adds a packet.
    pub const fn add(&mut self, bytes: u64) {
        self.packets += 1;
        self.bytes += bytes;
    }

    /// Adds each figure of `other` to its own.
    pub const fn merge(&mut self, other: &Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
    }
}

/// Packets that came to the router from one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTally {
    /// Segments of TCP: their headers, and what of their payload was sent before.
    pub tcp: TcpipTally,
    /// Payload of TCP that was not sent before, in bytes.
    pub payload_bytes: u64,
    /// Segments with payload that was sent before, however little.
    pub retransmitted_segments: u64,
    /// Packets that are no segments of TCP, such as ICMP.
    pub other: Packets,
    /// Those of all these that were dropped, by cause in the order of [`Cause::ALL`].
    pub dropped: [Packets; Cause::ALL.len()],
}

impl LinkTally {
    /// All packets that came.
    #[must_use]
    pub const fn packets(&self) -> u64 {
        self.tcp.packets + self.other.packets
    }

    /// Bytes of all packets that came, at the IP layer.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.tcp.bytes() + self.payload_bytes + self.other.bytes
    }

    /// Packets dropped for a cause.
    #[must_use]
    pub const fn dropped(&self, cause: Cause) -> Packets {
        self.dropped[cause as usize]
    }

    /// Adds each figure of `other` to its own.
    pub fn merge(&mut self, other: &Self) {
        self.tcp.merge(&other.tcp);
        self.payload_bytes += other.payload_bytes;
        self.retransmitted_segments += other.retransmitted_segments;
        self.other.merge(&other.other);
        self.dropped.iter_mut().zip(&other.dropped).for_each(|(own, theirs)| own.merge(theirs));
    }
}

/// Packets that came to the router in a phase from one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkRow {
    /// When.
    pub phase: Phase,
    /// Which way.
    pub direction: Direction,
    /// The count.
    pub tally: LinkTally,
    /// How long each packet that the link did not drop waited until its line began to send it. Behind
    /// the window's end all is in the drain's row.
    pub queued: LatencyHistogram,
    /// How long after it was due each packet left the router, which is the instrument's own doing. As
    /// above.
    pub late: LatencyHistogram,
}

/// Packets between no client and the server, which the router does not pass on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    /// Which way they went.
    pub direction: Direction,
    /// Sender, receiver and the number of the protocol; `None` where they were no IP packets.
    pub ends: Option<(IpAddr, IpAddr, u8)>,
    /// How many.
    pub count: Packets,
}

/// Packets that a router saw in a trial.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkCounts {
    /// Those that came, by phase and direction.
    pub rows: Vec<LinkRow>,
    /// The same of the traffic beside the feed, none of which is in the rows above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cross: Vec<LinkRow>,
    /// Strays by their ends, the first sixteen that differ.
    pub strays: Vec<Stray>,
    /// All other strays.
    pub more_strays: Packets,
    /// Segments of connections that were more than the router could follow: none of their payload is
    /// known to have been sent before.
    pub untracked_segments: u64,
}

impl LinkCounts {
    /// The sum of all rows of one direction.
    #[must_use]
    pub fn total(&self, direction: Direction) -> LinkTally {
        total(&self.rows, direction)
    }

    /// The sum of all rows of one direction of the traffic beside the feed.
    #[must_use]
    pub fn cross_total(&self, direction: Direction) -> LinkTally {
        total(&self.cross, direction)
    }

    /// Adds what TCP and IP added to a trial's ledger, as packets that were seen: the feed's alone.
    pub fn add_to(&self, ledger: &mut Ledger) {
        for row in &self.rows {
            ledger.add_tcpip(row.phase, row.direction, Source::Captured, &row.tally.tcp);
        }
    }
}

fn total(rows: &[LinkRow], direction: Direction) -> LinkTally {
    let mut total = LinkTally::default();
    rows.iter().filter(|row| row.direction == direction).for_each(|row| total.merge(&row.tally));
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_has_the_routers_count_in_place_of_the_kernels() {
        let tcp = TcpipTally { packets: 3, header_bytes: 156, retransmitted_bytes: 40 };
        let other = Packets { packets: 1, bytes: 56 };
        let tally = LinkTally { tcp, payload_bytes: 100, other, ..LinkTally::default() };
        assert_eq!((tally.packets(), tally.bytes()), (4, 352));
        let (queued, late) = (LatencyHistogram::default(), LatencyHistogram::default());
        let row = LinkRow { phase: Phase::Window, direction: Direction::Down, tally, queued, late };
        let counts = LinkCounts {
            rows: vec![row.clone(), row.clone()],
            cross: vec![row],
            ..LinkCounts::default()
        };
        assert_eq!(counts.cross_total(Direction::Down).bytes(), 352);
        assert_eq!(counts.total(Direction::Down).bytes(), 704);
        assert_eq!(counts.total(Direction::Up), LinkTally::default());
        let mut ledger = Ledger::default();
        ledger.add_tcpip(Phase::Window, Direction::Down, Source::Kernel, &tcp);
        counts.add_to(&mut ledger);
        assert_eq!(ledger.tcpip_bytes(Phase::Window), Some(2 * 196));
        let json = serde_json::to_string(&counts).unwrap();
        assert_eq!(serde_json::from_str::<LinkCounts>(&json).unwrap(), counts);
    }
}
