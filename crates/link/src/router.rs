//! The router: takes each packet from one side, and has it ready for the other when it is due.

use std::net::IpAddr;
use std::ops::Range;

use pushbench_core::MonoInstant;
use pushbench_core::link::{Cause, Link, Scope};
use pushbench_metrics::observe::ledger::Direction;
use pushbench_metrics::observe::link::LinkCounts;

use crate::addressing::Addressing;
use crate::ledger::Ledger;
use crate::line::{Fate, Line};
use crate::packet::Packet;
use crate::schedule::{Schedule, Taken};

/// A side of the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The load processes, each client with an address of its own.
    Clients,
    /// The server.
    Server,
}

impl Side {
    /// Which way packets go that come from here.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::Clients => Direction::Up,
            Self::Server => Direction::Down,
        }
    }

    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Clients => Self::Server,
            Self::Server => Self::Clients,
        }
    }
}

/// A packet that is due, still held by the router.
#[derive(Debug)]
#[must_use = "the router holds its bytes until it is told that they are sent"]
pub struct Due {
    /// The side that it goes to.
    pub to: Side,
    taken: Taken<Bound>,
}

/// Where a packet goes, and in which books it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bound {
    to: Side,
    is_cross: bool,
}

/// The router between server and clients.
#[derive(Debug)]
pub struct Router {
    addressing: Addressing,
    scope: Scope,
    lines: Vec<[Line; 2]>,
    schedule: Schedule<Bound>,
    ledger: Ledger,
    /// The address of the traffic beside the feed, where there is any.
    cross: Option<IpAddr>,
    /// The books of that traffic.
    cross_ledger: Ledger,
}

/// The most bytes of packets that wait.
const ROOM: usize = 1 << 30;

impl Router {
    /// A router between the addresses of `addressing`, with the lines of `link`.
    #[must_use]
    pub fn new(link: &Link, addressing: Addressing, seed: u64) -> Self {
        Self::with_room(link, addressing, seed, ROOM)
    }

    /// One that holds at most `room` bytes of packets.
    fn with_room(link: &Link, addressing: Addressing, seed: u64, room: usize) -> Self {
        let lines = match link.scope {
            Scope::Client => addressing.clients,
            Scope::Shared => 1,
        };
        let pair = |line| Direction::ALL.map(|direction| Line::new(link, direction, seed, line));
        let lines = (0..lines).map(pair).collect();
        Self {
            addressing,
            scope: link.scope,
            lines,
            schedule: Schedule::new(room),
            ledger: Ledger::new(),
            // It has no line of its own.
            cross: addressing.cross().filter(|_| link.has_load() && link.scope == Scope::Shared),
            cross_ledger: Ledger::new(),
        }
    }

    /// Says when the phases of the trial begin; before that its clients connect.
    pub const fn set_edges(&mut self, warmup: MonoInstant, window: &Range<MonoInstant>) {
        self.ledger.set_edges(warmup, window);
        self.cross_ledger.set_edges(warmup, window);
    }

    /// Takes a whole IP packet that came from a side at `now`, which is not before the one that came
    /// last.
    pub fn packet(&mut self, now: MonoInstant, from: Side, bytes: &[u8]) {
        let direction = from.direction();
        let Some((client, packet)) = self.read(from, bytes) else {
            self.ledger.strayed(direction, bytes);
            return;
        };
        let line = if self.scope == Scope::Shared { 0 } else { client as usize };
        let bound = Bound { to: from.other(), is_cross: client == self.addressing.clients };
        let mut fate = self.lines[line][direction as usize].offer(now, packet.bytes.len());
        if let Fate::Arrives { at, .. } = fate
            && !self.schedule.push(at, bound, packet.bytes)
        {
            fate = Fate::Dropped(Cause::NoRoom);
        }
        let ledger = if bound.is_cross { &mut self.cross_ledger } else { &mut self.ledger };
        ledger.came(now, direction, client, &packet, fate);
    }

    /// A packet between a client and the server, and whose it is; that of the traffic beside the feed is
    /// of the one behind the last.
    fn read<'a>(&self, from: Side, bytes: &'a [u8]) -> Option<(u32, Packet<'a>)> {
        let packet = Packet::read(bytes)?;
        let (client, server) = match from {
            Side::Clients => (packet.ip.from, packet.ip.to),
            Side::Server => (packet.ip.to, packet.ip.from),
        };
        if server != self.addressing.server {
            return None;
        }
        let cross = || (self.cross == Some(client)).then_some(self.addressing.clients);
        Some((self.addressing.client(client).or_else(cross)?, packet))
    }

    /// When the next packet is due.
    #[must_use]
    pub fn next_due(&self) -> Option<MonoInstant> {
        self.schedule.next_due()
    }

    /// The next packet that is due at `now` or was before. Several may be taken before they are
    /// [`sent`](Self::sent).
    pub fn take_due(&mut self, now: MonoInstant) -> Option<Due> {
        self.schedule.pop(now).map(|taken| Due { to: taken.tag.to, taken })
    }

    /// The bytes of a packet that is due: a whole IP packet, as it came.
    #[must_use]
    pub fn bytes(&self, due: &Due) -> &[u8] {
        self.schedule.bytes(&due.taken)
    }

    /// Says that a packet left the router at `now`, which frees its place.
    pub fn sent(&mut self, due: Due, now: MonoInstant) {
        let late = now.saturating_since(due.taken.due);
        let is_cross = due.taken.tag.is_cross;
        let ledger = if is_cross { &mut self.cross_ledger } else { &mut self.ledger };
        ledger.left(now, due.to.other().direction(), late);
        self.schedule.release(due.taken);
    }

    /// The trial's window, once it is known.
    pub(crate) fn window(&self) -> Option<Range<MonoInstant>> {
        self.ledger.window()
    }

    /// Packets that wait until they are due.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.schedule.len()
    }

    /// All that the router saw; the trial's drain ended at `closing`.
    #[must_use]
    pub fn counts(&self, closing: MonoInstant) -> LinkCounts {
        let cross = self.cross_ledger.counts(closing).rows;
        LinkCounts { cross, ..self.ledger.counts(closing) }
    }
}

#[cfg(test)]
mod tests;
