//! Counts of the devices of a link's networks, and of the router at them.
//!
//! A packet of a link may be lost by its line alone. What is lost elsewhere, in the queue of a device
//! or because it did not take a packet, nobody asked for: one such packet makes what was measured
//! untrue.

use std::time::Duration;

use pushbench_core::link::Cause;
use pushbench_core::with_names;
use serde::{Deserialize, Serialize};

use super::attendance::Attendance;
use super::histogram::LatencyHistogram;
use super::ledger::Direction;
use super::link::LinkCounts;

with_names! {
    /// How packets come from the kernel to the router.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Backend {
        /// TUN devices.
        Tun = "tun",
        /// Pairs of virtual Ethernet devices, and packet sockets.
        Veth = "veth",
    }
}

/// Packets that a device dropped or got wrong, since it exists (`struct rtnl_link_stats64` of
/// linux/if_link.h).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCounters {
    /// Packets that the network was given by the device.
    pub received: u64,
    /// Packets that the device took from the network.
    pub sent: u64,
    /// Received, and not processed.
    pub receive_dropped: u64,
    /// To be sent, and dropped: a queue was full, or nobody held the other end.
    pub send_dropped: u64,
    /// Errors in either direction.
    pub errors: u64,
}

impl DeviceCounters {
    /// Packets that are gone, whatever the cause.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.receive_dropped + self.send_dropped + self.errors
    }

    /// The counts from `earlier` to `self`.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            received: self.received.saturating_sub(earlier.received),
            sent: self.sent.saturating_sub(earlier.sent),
            receive_dropped: self.receive_dropped.saturating_sub(earlier.receive_dropped),
            send_dropped: self.send_dropped.saturating_sub(earlier.send_dropped),
            errors: self.errors.saturating_sub(earlier.errors),
        }
    }
}

/// Packets that a port could not pass on as they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortCounts {
    /// Packets that the device did not take.
    pub refused: u64,
    /// Packets of which the device took a part.
    pub short: u64,
    /// Packets that came larger than the MTU, and so not whole.
    pub cut: u64,
}

impl PortCounts {
    /// All of them.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.refused + self.short + self.cut
    }
}

/// Drops at a side that no line asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideCounts {
    /// At the device of the side's network.
    pub device: DeviceCounters,
    /// At the router's end of the pair, where there is one.
    pub router_end: Option<DeviceCounters>,
    /// Packets that waited for the router and found no room.
    pub overflowed: u64,
    /// At the router's port.
    pub port: PortCounts,
}

impl SideCounts {
    /// All packets that are gone and should not be.
    ///
    /// Of a pair the router takes packets as they go out of the network's device. What becomes of
    /// them behind that, at the other end, is of no consequence. A packet socket's overflow is in
    /// none of its device's counters.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        let devices = match &self.router_end {
            Some(end) => {
                let to_network = end.send_dropped + self.device.receive_dropped;
                to_network + end.errors + self.device.errors
            }
            None => self.device.lost(),
        };
        devices + self.overflowed + self.port.all()
    }

    /// The counts from `earlier` to `self`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            device: self.device.since(&earlier.device),
            router_end: match (&self.router_end, &earlier.router_end) {
                (Some(own), Some(earlier)) => Some(own.since(earlier)),
                (own, _) => *own,
            },
            overflowed: self.overflowed.saturating_sub(earlier.overflowed),
            port: PortCounts {
                refused: self.port.refused.saturating_sub(earlier.port.refused),
                short: self.port.short.saturating_sub(earlier.port.short),
                cut: self.port.cut.saturating_sub(earlier.port.cut),
            },
        }
    }
}

/// Figures of a router's work in a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouterMeasured {
    /// How packets came to the router.
    pub backend: Backend,
    /// Packets as they came, what the lines made of them, and how late they left.
    pub link: LinkCounts,
    /// Packets that waited until they were due when the router stopped.
    pub waiting: u64,
    /// Packets that were given to their device.
    pub forwarded: u64,
    /// At the server's device.
    pub server: SideCounts,
    /// At the clients' device.
    pub clients: SideCounts,
    /// How long the router was at work.
    pub elapsed: Duration,
    /// For how long it ran.
    pub cpu: Duration,
    /// The longest that it was ready to run and did not, between two looks at that a millisecond
    /// apart. A packet that came meanwhile waited unseen in its device: it is in no lateness, and a
    /// kernel whose retransmission timer ran out (200 ms at least) sent it again. Zero where the
    /// kernel does not tell.
    pub longest_wait: Duration,
    /// How it kept hold of its core within the window.
    #[serde(default)]
    pub attendance: Attendance,
}

impl RouterMeasured {
    /// Packets that are gone though no setting of a line dropped them. One is enough for what was
    /// measured to be untrue.
    #[must_use]
    pub fn unasked_drops(&self) -> u64 {
        let of_all = |way| [self.link.total(way), self.link.cross_total(way)];
        let totals = Direction::ALL.map(of_all);
        let totals = totals.as_flattened();
        let unasked = Cause::ALL.into_iter().filter(|cause| !cause.is_asked_for());
        let by_router =
            unasked.flat_map(|cause| totals.iter().map(move |total| total.dropped(cause).packets));
        self.server.lost() + self.clients.lost() + by_router.sum::<u64>()
    }

    /// How long after it was due each packet left the router.
    #[must_use]
    pub fn lateness(&self) -> LatencyHistogram {
        let mut all = LatencyHistogram::default();
        self.link.rows.iter().for_each(|row| all.merge(&row.late));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_packet_that_nobody_asked_to_drop_counts_once() {
        let counters = |receive_dropped, send_dropped, errors| DeviceCounters {
            received: 0,
            sent: 90,
            receive_dropped,
            send_dropped,
            errors,
        };
        let port = PortCounts { refused: 8, short: 16, cut: 32 };
        let device = counters(1, 2, 4);
        let alone = SideCounts { device, router_end: None, overflowed: 64, port };
        assert_eq!(alone.lost(), 127);
        // What the pair drops behind the tap is no loss.
        let side = SideCounts { router_end: Some(counters(1000, 128, 256)), ..alone };
        assert_eq!(side.lost(), 127 - 2 + 128 + 256);
        let later = SideCounts { overflowed: 66, ..side };
        assert_eq!(later.since(&side).lost(), 2);
        assert_eq!(later.since(&side).device.sent, 0);
    }
}
