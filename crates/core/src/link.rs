//! Links: what lies between server and clients, and what it does to their packets.
//!
//! A link is a pair of lines, one for each direction, for each client or one pair for all. Sizes are
//! those of whole IP packets, headers included.

mod built_in;
mod cause;
mod check;
mod quantity;
mod ways;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::built_in::{LinkName, NamedLink, names};
pub use self::cause::Cause;
pub use self::check::LinkError;
pub use self::quantity::{BurstLength, QueueLimit};
pub use self::ways::Ways;
use crate::checked_when_read;
use crate::ip::IpVersion;
use crate::named::by_name;
use crate::units::{BitRate, Share, Span};

/// The settings of a link: the `[link]` table.
///
/// What is given once holds for both directions; `{ down = …, up = … }` parts them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct Link {
    /// How long a packet is under way in one direction, once the line has sent all of it.
    pub delay: Ways<Span>,
    /// By how much a packet's delay may differ from that, to either side: uniform on
    /// [delay − jitter, delay + jitter], a draw for each packet.
    ///
    /// Without [`reorder`](Self::reorder) a packet does not overtake the one before it and arrives
    /// with it at the earliest, so that packets closer together than the jitter are later on average
    /// than `delay`.
    pub jitter: Ways<Span>,
    /// The share of packets that are lost on the way, of those that the queue took.
    pub loss: Ways<Share>,
    /// How many packets are lost in a row on average: losses then come in bursts, after Gilbert and
    /// Elliott. Without it each packet is lost or not, whatever became of the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<Ways<BurstLength>>,
    /// The rate from server to client; without it a packet of any size is sent in no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down: Option<BitRate>,
    /// The rate from client to server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up: Option<BitRate>,
    /// How much may wait in front of a line that has a rate; what comes beyond is dropped at the tail.
    pub queue: Ways<QueueLimit>,
    /// The version of IP at both ends.
    pub ip_version: IpVersion,
    /// The largest packet that passes, in bytes, IP header included.
    pub mtu: u16,
    /// Whose lines they are.
    pub scope: Scope,
    /// Whether a packet may overtake the one before it, where [`jitter`](Self::jitter) has it so.
    pub reorder: bool,
    /// TCP connections beside the feed, from the server's side to the clients', that take of the
    /// shared line all that they get.
    #[serde(skip_serializing_if = "is_zero")]
    pub load_down: u32,
    /// The same from the clients' side to the server's.
    #[serde(skip_serializing_if = "is_zero")]
    pub load_up: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(flows: &u32) -> bool {
    *flows == 0
}

checked_when_read!(Link);

impl Link {
    /// How long a small packet and the answer to it take at the most, where neither is lost: both
    /// delays, and both queues where a line has a rate.
    #[must_use]
    pub fn round_trip(&self) -> Duration {
        let delays = self.delay.each().into_iter().chain(self.jitter.each()).map(|span| span.0);
        let waits = [(self.down, self.queue.down), (self.up, self.queue.up)];
        let waits = waits.into_iter().filter_map(|(rate, limit)| Some(limit.longest(rate?)));
        delays.chain(waits).fold(Duration::ZERO, Duration::saturating_add)
    }

    /// How long a packet of so many bytes takes to the server and a small one back, where nothing waits:
    /// both delays, and its time on the line up.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2⁵³ bytes and bit/s")]
    pub fn answer_to(&self, bytes: u64) -> Duration {
        let delays = self.delay.each().into_iter().map(|span| span.0);
        let line =
            self.up.map(|up| (bytes * 8) as f64 / up.bits() as f64).map(Duration::from_secs_f64);
        delays.chain(line).fold(Duration::ZERO, Duration::saturating_add)
    }

    /// Whether there is traffic beside the feed.
    #[must_use]
    pub const fn has_load(&self) -> bool {
        self.load_down > 0 || self.load_up > 0
    }

    /// Whether packets are lost on it: on the way, or since other traffic fills the queue.
    #[must_use]
    pub fn loses(&self) -> bool {
        self.loss != Ways::default() || self.has_load()
    }

    /// How much longer everything may take over the link than without: four round trips, and ten
    /// seconds where packets are lost, since what is sent again waits longer each time (RFC 6298
    /// §5.5). They are also where others fill the queue.
    #[must_use]
    pub fn grace(&self) -> Duration {
        let again = if self.loses() { Duration::from_secs(10) } else { Duration::ZERO };
        self.round_trip() * 4 + again
    }
}

/// Whose lines a link has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Each client has an access line of its own.
    #[default]
    Client,
    /// One line that all clients share.
    Shared,
}

by_name!(Scope);

impl Default for Link {
    /// A link that does nothing to packets but pass them on, none of which is larger than Ethernet's.
    fn default() -> Self {
        Self {
            delay: Ways::default(),
            jitter: Ways::default(),
            loss: Ways::default(),
            burst: None,
            down: None,
            up: None,
            queue: Ways::both(QueueLimit::Time(Span(Duration::from_millis(200)))),
            ip_version: IpVersion::V4,
            mtu: 1500,
            scope: Scope::Client,
            reorder: false,
            load_down: 0,
            load_up: 0,
        }
    }
}

#[cfg(test)]
mod tests;
