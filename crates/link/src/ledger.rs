//! Packets that the router sees, by phase.

use std::ops::Range;
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::ledger::{Direction, Phase};
use pushbench_metrics::observe::link::{LinkCounts, LinkRow, LinkTally, Packets, Stray};

use crate::flows::Flows;
use crate::line::Fate;
use crate::packet::Packet;

/// Packets behind the window are kept apart by this many nanoseconds, until it is known when the
/// drain ended.
const BUCKET_NS: u64 = 1_000_000;

/// Strays that are told apart.
const STRAYS: usize = 16;

/// The router's books.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// When warm-up begins and when the window does and ends; before they are known clients connect.
    edges: Option<[MonoInstant; 3]>,
    /// Sums up to the window's end, by phase and direction; histograms also behind it, as the drain's.
    phases: [[Sums; 2]; 4],
    /// Sums behind the window's end, by time and direction.
    after: Vec<(u64, [LinkTally; 2])>,
    flows: Flows,
    strays: Vec<Stray>,
    more_strays: Packets,
}

/// A phase's figures of one direction.
#[derive(Debug, Default)]
struct Sums {
    tally: LinkTally,
    queued: LatencyHistogram,
    late: LatencyHistogram,
}

impl Ledger {
    /// Empty books.
    pub(crate) fn new() -> Self {
        Self {
            edges: None,
            phases: Default::default(),
            after: Vec::new(),
            flows: Flows::new(),
            strays: Vec::new(),
            more_strays: Packets::default(),
        }
    }

    /// Says when the phases begin.
    pub(crate) const fn set_edges(&mut self, warmup: MonoInstant, window: &Range<MonoInstant>) {
        self.edges = Some([warmup, window.start, window.end]);
    }

    /// The window, once it is known.
    pub(crate) fn window(&self) -> Option<Range<MonoInstant>> {
        self.edges.map(|[_, start, end]| start..end)
    }

    /// Counts a packet of a client that came at `now`, and its fate.
    pub(crate) fn came(
        &mut self,
        now: MonoInstant,
        direction: Direction,
        client: u32,
        packet: &Packet<'_>,
        fate: Fate,
    ) {
        let bytes = packet.bytes.len() as u64;
        let mut tally = LinkTally::default();
        match &packet.tcp {
            Some(tcp) => {
                let again = u64::from(self.flows.again(client, direction, tcp));
                tally.tcp.packets = 1;
                tally.tcp.header_bytes = bytes - u64::from(tcp.payload);
                tally.tcp.retransmitted_bytes = again;
                tally.payload_bytes = u64::from(tcp.payload) - again;
                tally.retransmitted_segments = u64::from(again > 0);
            }
            None => tally.other.add(bytes),
        }
        let phase = self.phase(now);
        match fate {
            Fate::Dropped(cause) => tally.dropped[cause as usize].add(bytes),
            Fate::Arrives { queued, .. } => {
                self.phases[phase as usize][direction as usize].queued.record(queued);
            }
        }
        self.tally(phase, now, direction).merge(&tally);
    }

    /// Counts how late a packet left the router at `now`.
    pub(crate) fn left(&mut self, now: MonoInstant, direction: Direction, late: Duration) {
        let phase = self.phase(now);
        self.phases[phase as usize][direction as usize].late.record(late);
    }

    /// Counts bytes that are no packet between a client and the server.
    pub(crate) fn strayed(&mut self, direction: Direction, bytes: &[u8]) {
        let ends = Packet::read(bytes).map(|it| (it.ip.from, it.ip.to, it.ip.protocol));
        let known = self.strays.iter().position(|it| (it.direction, it.ends) == (direction, ends));
        let place = known.unwrap_or(self.strays.len());
        if place == self.strays.len() && place < STRAYS {
            self.strays.push(Stray { direction, ends, count: Packets::default() });
        }
        let count = self.strays.get_mut(place).map_or(&mut self.more_strays, |it| &mut it.count);
        count.add(bytes.len() as u64);
    }

    /// All that was counted; the drain ended at `closing`.
    pub(crate) fn counts(&self, closing: MonoInstant) -> LinkCounts {
        let mut rows = Vec::new();
        for phase in Phase::ALL {
            for direction in Direction::ALL {
                rows.extend(self.row(phase, direction, closing));
            }
        }
        LinkCounts {
            rows,
            cross: Vec::new(),
            strays: self.strays.clone(),
            more_strays: self.more_strays,
            untracked_segments: self.flows.untracked(),
        }
    }

    /// The row of a phase, where there is anything in it.
    fn row(&self, phase: Phase, direction: Direction, closing: MonoInstant) -> Option<LinkRow> {
        let none = Sums::default();
        let sums = self.phases.get(phase as usize).map_or(&none, |both| &both[direction as usize]);
        let mut tally = sums.tally;
        for (bucket, tallies) in &self.after {
            let after = if *bucket < closing.0 / BUCKET_NS { Phase::Drain } else { Phase::Close };
            if after == phase {
                tally.merge(&tallies[direction as usize]);
            }
        }
        let (queued, late) = (sums.queued.clone(), sums.late.clone());
        let row = LinkRow { phase, direction, tally, queued, late };
        (row.tally != LinkTally::default() || !row.late.is_empty()).then_some(row)
    }

    /// The phase of an instant; all behind the window counts as drain until that has ended.
    fn phase(&self, now: MonoInstant) -> Phase {
        match self.edges {
            Some([_, _, end]) if now >= end => Phase::Drain,
            Some([_, start, _]) if now >= start => Phase::Window,
            Some([warmup, _, _]) if now >= warmup => Phase::Warmup,
            _ => Phase::Connect,
        }
    }

    /// Where a packet is counted.
    fn tally(&mut self, phase: Phase, now: MonoInstant, direction: Direction) -> &mut LinkTally {
        if phase != Phase::Drain {
            return &mut self.phases[phase as usize][direction as usize].tally;
        }
        let bucket = now.0 / BUCKET_NS;
        // Packets come in the order of time.
        if self.after.last().is_none_or(|(last, _)| *last != bucket) {
            self.after.push((bucket, Default::default()));
        }
        let last = self.after.last_mut().expect("one was pushed if there was none");
        &mut last.1[direction as usize]
    }
}

#[cfg(test)]
mod tests;
