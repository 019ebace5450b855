//! Where latency is spent: the parts of each stamped sample, and what they add up to.
//!
//! Five instants split the way of a message, from the one at which it was due to the one at which
//! the client had it ([`MessageStamps`]). What lies between two of them is a [`Part`], so the parts of a
//! sample are its latency, to the nanosecond, and nothing is left over.
//!
//! The kernel stamps the last byte of a read. Such a stamp speaks for a message that came with
//! the same *write* of the server as that byte. A message that shared a read with a later write
//! has none of its own. To leave it out would be to leave out what came in a heap after a stall,
//! or waited for a client that was late, and so what a breakdown is for. It borrows the median
//! network time of the messages that have a stamp, and at most as much as lets it be there when
//! its read's last byte was; how many borrow is counted ([`Coverage::borrowed`]).
//!
//! Of a server that says nothing of its writes, the stamp of a read's last byte speaks for all
//! messages in the read. An answer to a poll comes as a whole, so that it is theirs; of a stream it
//! is the latest at which the kernel can have had them, and the load generator's part the least. Where
//! the run gave that server its messages, what lies between is the server's, the network included.

use std::collections::{HashMap, HashSet};

use pushbench_core::{MonoInstant, Seq, with_names};
use serde::{Deserialize, Serialize};

use crate::observe::histogram::LatencyHistogram;
use crate::observe::stamps::{LoadStamps, Received, ServerStamps, Written};

with_names! {
    /// A part of the latency, in the order in which a message meets them.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Part {
        /// From the instant at which it was due until the server had published it.
        Publisher = "publisher",
        /// From its publication until the client asked for it; 0 where it had asked before, as a
        /// stream and a waiting long poll have.
        Poll = "poll",
        /// From then until the server handed its last byte to the socket, on the request's way in too where
        /// that is not stamped.
        Server = "server",
        /// From then until the client's kernel had it, and over a link before that the request's way to the
        /// server's kernel, as far as the message waited for it.
        Network = "network",
        /// From then until the client had it.
        Load = "load",
    }
}

/// The stamps of one message at one client: the instants that it passed on its way there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageStamps {
    /// When it was due.
    pub due: MonoInstant,
    /// When it was published.
    pub published: MonoInstant,
    /// When it was asked for, which may be long before.
    pub asked: MonoInstant,
    /// When the server's kernel had that request; `None` of a stream, and where nobody stamped it.
    pub requested: Option<MonoInstant>,
    /// Right before its last byte was written.
    pub written: MonoInstant,
    /// When the client's kernel had its last byte.
    pub kernel: MonoInstant,
    /// When the client had all of it.
    pub at: MonoInstant,
}

impl MessageStamps {
    /// Nanoseconds of each part, in the order of [`Part::ALL`]; they add up to
    /// [`latency`](Self::latency). One is negative where the kernel's stamp is off by more than
    /// the part is long.
    #[must_use]
    pub fn parts(&self) -> [i64; Part::ALL.len()] {
        let wanted = self.published.max(self.asked);
        let there = self.requested.map_or(wanted, |requested| wanted.max(requested));
        [
            between(self.due, self.published),
            between(self.published, wanted),
            between(there, self.written),
            between(wanted, there) + self.way_down(),
            between(self.kernel, self.at),
        ]
    }

    /// Nanoseconds from the write to the client's kernel.
    const fn way_down(&self) -> i64 {
        between(self.written, self.kernel)
    }

    /// Nanoseconds from the instant at which it was due until the client had it.
    #[must_use]
    pub const fn latency(&self) -> i64 {
        between(self.due, self.at)
    }
}

const fn between(from: MonoInstant, to: MonoInstant) -> i64 {
    to.0.wrapping_sub(from.0).cast_signed()
}

/// A quantity over the stamped samples.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Each sample; what is negative stands here as 0.
    pub histogram: LatencyHistogram,
    /// All samples together, as they are, ns: so means add up exactly.
    pub sum_ns: i64,
}

impl Share {
    fn record(&mut self, nanos: i64) {
        self.histogram.record_ns(u64::try_from(nanos).unwrap_or(0));
        self.sum_ns = self.sum_ns.saturating_add(nanos);
    }

    /// The mean, µs; `None` where there is no sample.
    #[must_use]
    pub fn mean_us(&self) -> Option<f64> {
        let count = self.histogram.count();
        (count > 0).then(|| self.sum_ns as f64 / 1e3 / count as f64)
    }

    fn merge(&mut self, other: &Self) {
        self.histogram.merge(&other.histogram);
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
    }
}

/// Where the latency of a trial's stamped samples was spent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Breakdown {
    /// The parts, in the order of [`Part::ALL`]. Of a server that ran already only
    /// the load generator's is known, and of one that is somebody else's the network's is in the server's.
    parts: [Share; Part::ALL.len()],
    /// The latency of the same samples; empty where the server has another clock.
    pub latency: Share,
    /// The same without the load generator's part: up to the client's kernel.
    pub without_load: LatencyHistogram,
    /// The same, counted from the instant of writing and not from when it was due: what one
    /// gets who forgets what a server that stands still does not send (coordinated omission).
    pub since_written: LatencyHistogram,
    /// The fate of the arrivals that were to be stamped.
    pub coverage: Coverage,
}

/// The fate of the arrivals that were to be stamped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Arrivals of sampled messages on stamped connections.
    pub arrivals: u64,
    /// Of them, those with all instants: the samples.
    pub samples: u64,
    /// Samples that shared a read with what the server wrote later, and borrow the network time;
    /// where nothing is known of its writes, those that shared a read with a later message and
    /// have its instant at the kernel.
    pub borrowed: u64,
    /// Left out: the same, where there is nothing to borrow from.
    pub shared_read: u64,
    /// Left out, the kernel having given no stamp that can be used.
    pub no_kernel_stamp: u64,
    /// Left out, nothing being known of the server's write.
    pub no_write: u64,
    /// Left out for want of room.
    pub without_room: u64,
    /// Samples of which a part is negative by more than the clocks' offset is in doubt: faults.
    pub impossible: u64,
    /// How far the kernel's stamps may be off at most, ns.
    pub clock_bound_ns: u64,
    /// The wall clock was set meanwhile, so that the kernel's stamps could not be used.
    pub clock_stepped: bool,
}

impl Breakdown {
    /// Joins what the servers and the load processes of a trial stamped. `servers` is empty where
    /// the server is another's; `same_clock` is whether instants of the feed compare with those
    /// of the clients.
    #[must_use]
    pub fn join(servers: &[ServerStamps], loads: &[LoadStamps], same_clock: bool) -> Self {
        let logs: Vec<Log> = servers.iter().map(Log::of).collect();
        let mut breakdown = Self::default();
        let bound = servers.iter().map(|server| server.clock_bound_ns).max();
        breakdown.coverage.clock_bound_ns = bound.unwrap_or(0);
        let mut loan = Loan::default();
        for load in loads {
            breakdown.add(&logs, load, same_clock, &mut loan);
        }
        breakdown.lend(&loan);
        breakdown
    }

    /// The part `part`.
    #[must_use]
    pub const fn part(&self, part: Part) -> &Share {
        &self.parts[part as usize]
    }

    /// Whether there is anything to show.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.coverage.samples == 0
    }

    /// Adds the figures of another trial.
    pub fn merge(&mut self, other: &Self) {
        for (own, theirs) in self.parts.iter_mut().zip(&other.parts) {
            own.merge(theirs);
        }
        self.latency.merge(&other.latency);
        self.without_load.merge(&other.without_load);
        self.since_written.merge(&other.since_written);
        self.coverage.merge(&other.coverage);
    }

    /// Adds what one load process stamped; those whose instant at the kernel is that of something
    /// later are to borrow of the others.
    fn add(&mut self, servers: &[Log<'_>], load: &LoadStamps, same_clock: bool, loan: &mut Loan) {
        let coverage = &mut self.coverage;
        coverage.arrivals += load.received.len() as u64 + load.without_room;
        coverage.without_room += load.without_room;
        coverage.clock_bound_ns = coverage.clock_bound_ns.max(load.clock_bound_ns);
        coverage.clock_stepped |= load.clock_stepped;
        // After a reconnect a message may come twice; the first is what the client waited for.
        let mut seen = HashSet::with_capacity(load.received.len());
        for received in &load.received {
            let Some(&(client, address)) = load.connections.get(received.connection as usize)
            else {
                continue;
            };
            if !seen.insert((client, received.seq)) {
                self.coverage.arrivals -= 1;
                continue;
            }
            let Some(kernel) = received.kernel else {
                self.coverage.no_kernel_stamp += 1;
                continue;
            };
            if servers.iter().all(Log::is_silent) {
                let published = servers.iter().find_map(|log| log.published.get(&received.seq));
                self.record_arrival(received, (published.copied(), kernel), same_clock);
                continue;
            }
            let found = servers.iter().find_map(|server| server.find(address, received));
            let Some((published, written)) = found else {
                self.coverage.no_write += 1;
                continue;
            };
            let Received { due, asked, at, .. } = *received;
            let Written { at: written_at, requested, .. } = *written;
            let stamps =
                MessageStamps { due, published, asked, requested, written: written_at, kernel, at };
            if written.completes(received.last) {
                loan.ways_down.record_ns(u64::try_from(stamps.way_down()).unwrap_or(0));
                self.record(&stamps);
            } else {
                loan.borrowers.push(stamps);
            }
        }
    }

    /// Records those without a kernel stamp of their own with the median way down of the others.
    fn lend(&mut self, Loan { ways_down, borrowers }: &Loan) {
        let Some(median_us) = ways_down.percentile_us(0.5) else {
            self.coverage.shared_read += borrowers.len() as u64;
            return;
        };
        let median_ns = (median_us * 1e3) as u64;
        self.coverage.borrowed += borrowers.len() as u64;
        for stamps in borrowers {
            let kernel = stamps.written.plus_nanos(median_ns).min(stamps.kernel);
            self.record(&MessageStamps { kernel, ..*stamps });
        }
    }

    fn record(&mut self, stamps: &MessageStamps) {
        let parts = stamps.parts();
        let bound = i64::try_from(self.coverage.clock_bound_ns).unwrap_or(i64::MAX);
        self.coverage.samples += 1;
        self.coverage.impossible += u64::from(parts.iter().any(|&part| part < -bound));
        for (share, part) in self.parts.iter_mut().zip(parts) {
            share.record(part);
        }
        self.latency.record(stamps.latency());
        self.without_load.record_ns(stamps.kernel.0.saturating_sub(stamps.due.0));
        self.since_written.record_ns(stamps.at.0.saturating_sub(stamps.written.0));
    }

    /// Of a server that says nothing: the client's own part, the whole where it is known, and the rest
    /// where it is known when the message was published.
    fn record_arrival(
        &mut self,
        received: &Received,
        (published, kernel): (Option<MonoInstant>, MonoInstant),
        same_clock: bool,
    ) {
        self.coverage.samples += 1;
        if let Some(published) = published {
            let wanted = published.max(received.asked);
            self.parts[Part::Publisher as usize].record(between(received.due, published));
            self.parts[Part::Poll as usize].record(between(published, wanted));
            self.parts[Part::Server as usize].record(between(wanted, kernel));
        }
        self.coverage.borrowed += u64::from(received.last != received.seq);
        self.parts[Part::Load as usize].record(between(kernel, received.at));
        if same_clock {
            self.latency.record(between(received.due, received.at));
            self.without_load.record_ns(kernel.0.saturating_sub(received.due.0));
        }
    }
}

impl Coverage {
    fn merge(&mut self, other: &Self) {
        self.arrivals += other.arrivals;
        self.samples += other.samples;
        self.borrowed += other.borrowed;
        self.shared_read += other.shared_read;
        self.no_kernel_stamp += other.no_kernel_stamp;
        self.no_write += other.no_write;
        self.without_room += other.without_room;
        self.impossible += other.impossible;
        self.clock_bound_ns = self.clock_bound_ns.max(other.clock_bound_ns);
        self.clock_stepped |= other.clock_stepped;
    }
}

/// Samples that have no stamp of the client's kernel of their own, and what they may borrow.
#[derive(Default)]
struct Loan {
    /// The ways down of those that have one.
    ways_down: LatencyHistogram,
    borrowers: Vec<MessageStamps>,
}

/// One server's stamps, made ready for being looked up.
struct Log<'a> {
    published: HashMap<Seq, MonoInstant>,
    /// Connections with the same address: a port may be used again.
    peers: HashMap<std::net::SocketAddr, Vec<u32>>,
    /// By connection, and within one by time.
    written: Vec<&'a Written>,
}

impl<'a> Log<'a> {
    fn of(stamps: &'a ServerStamps) -> Self {
        let mut peers: HashMap<_, Vec<u32>> = HashMap::new();
        for (peer, &address) in (0..).zip(&stamps.peers) {
            peers.entry(address).or_default().push(peer);
        }
        let mut written: Vec<&Written> = stamps.written.iter().collect();
        written.sort_unstable_by_key(|written| (written.peer, written.at));
        Self { published: stamps.published.iter().copied().collect(), peers, written }
    }

    /// Whether the server says nothing of its writes.
    fn is_silent(&self) -> bool {
        self.peers.is_empty()
    }

    /// When a message was published, and the write that completed it: the last on a connection of
    /// that address that can have led to the arrival.
    fn find(
        &self,
        address: std::net::SocketAddr,
        received: &Received,
    ) -> Option<(MonoInstant, &'a Written)> {
        let published = *self.published.get(&received.seq)?;
        let of_peer = |&peer: &u32| {
            let end = self
                .written
                .partition_point(|written| (written.peer, written.at) <= (peer, received.at));
            let before = self.written[..end].iter().rev().copied();
            before
                .take_while(|written| written.peer == peer)
                .find(|written| written.completes(received.seq))
        };
        let found = self.peers.get(&address)?.iter().filter_map(of_peer);
        found.max_by_key(|written| written.at).map(|written| (published, written))
    }
}

#[cfg(test)]
mod tests;
