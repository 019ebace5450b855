//! Bytes of a server's connections, as its kernel counts them for each: whoever is at the other end.
//!
//! Clients that are the load generator's are counted there, by layer. A proxy and a browser count nothing
//! that could be had, and their other end does: what a proxy asks of the server behind it, and all that a
//! browser sends and is sent.

use serde::{Deserialize, Serialize};

use crate::observe::ledger::{Direction, TcpipTally};

/// Bytes of all connections of a server in the window, by direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedBytes {
    /// Sent to the server.
    pub up: ServedWay,
    /// Sent by it.
    pub down: ServedWay,
    /// Connections that were accepted.
    pub connections: u64,
}

/// Bytes of one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedWay {
    /// Bytes that the sockets moved: everything above TCP, once.
    pub socket_bytes: u64,
    /// Bytes of TCP and IP. Of those that were sent again only the server's are known.
    pub tcpip: TcpipTally,
}

impl ServedBytes {
    /// Those of one direction.
    #[must_use]
    pub const fn get(&self, direction: Direction) -> &ServedWay {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    /// Adds those of other connections.
    pub const fn merge(&mut self, other: &Self) {
        self.up.merge(&other.up);
        self.down.merge(&other.down);
        self.connections += other.connections;
    }

    /// Those that have come since an earlier count of the same connections.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            up: self.up.since(&earlier.up),
            down: self.down.since(&earlier.down),
            connections: self.connections.saturating_sub(earlier.connections),
        }
    }

    /// Bytes of TCP and IP, both directions.
    #[must_use]
    pub const fn tcpip_bytes(&self) -> u64 {
        self.up.tcpip.bytes() + self.down.tcpip.bytes()
    }

    /// Bytes on the wire at the IP layer, both directions.
    #[must_use]
    pub const fn wire_bytes(&self) -> u64 {
        self.up.socket_bytes + self.down.socket_bytes + self.tcpip_bytes()
    }
}

impl ServedWay {
    const fn merge(&mut self, other: &Self) {
        self.socket_bytes += other.socket_bytes;
        self.tcpip.merge(&other.tcpip);
    }

    // The end of a connection is a model and no count, so that a connection's last count may be
    // smaller by a segment than the one before.
    const fn since(&self, earlier: &Self) -> Self {
        let (now, before) = (&self.tcpip, &earlier.tcpip);
        Self {
            socket_bytes: self.socket_bytes.saturating_sub(earlier.socket_bytes),
            tcpip: TcpipTally {
                packets: now.packets.saturating_sub(before.packets),
                header_bytes: now.header_bytes.saturating_sub(before.header_bytes),
                retransmitted_bytes: now
                    .retransmitted_bytes
                    .saturating_sub(before.retransmitted_bytes),
            },
        }
    }
}
