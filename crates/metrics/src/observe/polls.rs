//! Inputs of a check of short polls against their model, beside latencies: round trips, and for
//! some clients what each of them saw.
//!
//! A client that polls on a strict period sees few different delays: where the period is a
//! multiple of the gap between messages, the same ones over and over. Its samples depend on each
//! other, so what chance can do is found by resampling clients, and for that the clients must be
//! kept apart. At most [`KEPT`] are, in neighbours by their place in the period, and on a grid.

use serde::{Deserialize, Serialize};

use crate::observe::histogram::LatencyHistogram;
use crate::observe::ledger::Phase;
use crate::observe::observer::{Arrival, Event};

/// Clients that are kept apart, at most.
pub const KEPT: u32 = 1_024;

/// Cells of the grid in a poll period. What chance does to a distribution shows at its edges as
/// well as between them, so the grid need only be finer than what is looked for: 1/128 < 0.01.
pub const CELLS: u32 = 128;

/// Cells from 0 to a period and a quarter, and one for all beyond.
pub const ALL_CELLS: usize = (CELLS + CELLS / 4 + 1) as usize;

/// Follows the polls of one load process.
#[derive(Debug, Clone)]
pub struct Polls {
    period_ns: u64,
    /// When each client's outstanding request was sent; 0 where there is none.
    asked: Vec<u64>,
    /// For each client where it is kept.
    places: Vec<Option<u32>>,
    kept: Vec<Watched>,
    round_trip: LatencyHistogram,
}

#[derive(Debug, Clone)]
struct Watched {
    rank: u32,
    requests: u64,
    empty: u64,
    cells: Box<[u32]>,
}

impl Polls {
    /// For clients that poll each `period_ns`, `ranks[i]` being the place of client `i` in the
    /// order of all `total` clients of the trial over the period.
    ///
    /// Neighbours are kept in pairs, and of the pairs every n-th, so that the processes of a
    /// trial keep [`KEPT`] clients together, spread over the whole period.
    #[must_use]
    pub fn new(period_ns: u64, ranks: &[u32], total: u32) -> Self {
        let each = total.div_ceil(KEPT).max(1);
        let mut kept = Vec::new();
        let places = ranks.iter().map(|&rank| {
            ((rank / 2).is_multiple_of(each)).then(|| {
                let cells = vec![0; ALL_CELLS].into();
                kept.push(Watched { rank, requests: 0, empty: 0, cells });
                kept.len() as u32 - 1
            })
        });
        let places = places.collect();
        let (asked, round_trip) = (vec![0; ranks.len()], LatencyHistogram::default());
        Self { period_ns: period_ns.max(1), asked, places, kept, round_trip }
    }

    /// A message that counts as a sample reached its client.
    #[inline]
    pub(crate) fn delivered(&mut self, arrival: &Arrival) {
        let Some(kept) = self.kept_of(arrival.client) else { return };
        let nanos = u128::from(arrival.at.0.saturating_sub(arrival.due.0));
        let cell = nanos * u128::from(CELLS) / u128::from(self.period_ns);
        let cell = usize::try_from(cell).unwrap_or(usize::MAX).min(ALL_CELLS - 1);
        self.kept[kept].cells[cell] += 1;
    }

    /// A message reached its client, within the window or not.
    #[inline]
    pub(crate) fn arrived(&mut self, arrival: &Arrival, in_window: bool) {
        let asked = std::mem::take(&mut self.asked[arrival.client as usize]);
        if asked > 0 && in_window {
            self.round_trip.record_ns(arrival.at.0.saturating_sub(asked));
        }
    }

    /// Something else happened, at `at` nanoseconds.
    #[inline]
    pub(crate) fn happened(&mut self, phase: Phase, at: u64, event: &Event) {
        let (client, is_request) = match *event {
            Event::Request { client } => (client, true),
            Event::EmptyResponse { client } => (client, false),
            _ => return,
        };
        self.asked[client as usize] = if is_request { at } else { 0 };
        if phase != Phase::Window {
            return;
        }
        let Some(kept) = self.kept_of(client) else { return };
        let kept = &mut self.kept[kept];
        kept.requests += u64::from(is_request);
        kept.empty += u64::from(!is_request);
    }

    fn kept_of(&self, client: u32) -> Option<usize> {
        self.places[client as usize].map(|place| place as usize)
    }

    /// The observations, without the clients that `is_expected` does not name.
    #[must_use]
    pub fn finish(self, is_expected: impl Fn(u32) -> bool) -> PollsMeasured {
        let clients = (0_u32..).zip(&self.places).filter(|&(client, _)| is_expected(client));
        let kept: Vec<Kept> = clients
            .clone()
            .filter_map(|(_, place)| Some(self.kept[(*place)? as usize].to_kept()))
            .collect();
        let mut measured = PollsMeasured {
            round_trip: self.round_trip,
            clients: u32::try_from(clients.count()).unwrap_or(u32::MAX),
            kept,
        };
        measured.sort();
        measured
    }
}

impl Watched {
    fn to_kept(&self) -> Kept {
        let cells = (0_u16..).zip(&self.cells).filter(|(_, count)| **count > 0);
        Kept {
            rank: self.rank,
            requests: self.requests,
            empty: self.empty,
            cells: cells.map(|(cell, &count)| (cell, count)).collect(),
        }
    }
}

/// Observations of polls, of one load process or of all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PollsMeasured {
    /// From a request that brought messages to these, within the window.
    pub round_trip: LatencyHistogram,
    /// Clients that polled, kept or not.
    pub clients: u32,
    /// The clients that are kept apart, by rank. Left out of a record once they have been used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
}

impl PollsMeasured {
    /// Adds the clients of another load process of the same trial.
    pub fn merge(&mut self, other: &Self) {
        self.round_trip.merge(&other.round_trip);
        self.clients += other.clients;
        self.kept.extend(other.kept.iter().cloned());
        self.sort();
    }

    fn sort(&mut self) {
        self.kept.sort_by_key(|kept| kept.rank);
    }
}

/// One client of those that are kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its place in the order of all clients over the poll period.
    pub rank: u32,
    /// Requests that it sent in the window.
    pub requests: u64,
    /// Of its answers in the window, those without news.
    pub empty: u64,
    /// How many of its latencies fall into which cell of the grid, where any do.
    pub cells: Vec<(u16, u32)>,
}

impl Kept {
    /// How many messages of the window it received.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.cells.iter().map(|&(_, count)| u64::from(count)).sum()
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::{MonoInstant, Sender, Seq};

    use super::*;

    const PERIOD: u64 = 128_000;

    fn arrival(client: u32, due: u64, at: u64) -> Arrival {
        let (due, at) = (MonoInstant(due), MonoInstant(at));
        Arrival { client, sender: Sender::FEED, seq: Seq(1), due, at }
    }

    #[test]
    fn latencies_fall_into_cells_and_far_ones_into_the_last() {
        let mut polls = Polls::new(PERIOD, &[0, 1], 2);
        for latency in [0, 999, 1_000, PERIOD, 10 * PERIOD] {
            polls.delivered(&arrival(1, 5, 5 + latency));
        }
        let measured = polls.finish(|_| true);
        let last = (ALL_CELLS - 1) as u16;
        assert_eq!(measured.kept[1].cells, [(0, 2), (1, 1), (128, 1), (last, 1)]);
        assert_eq!((measured.kept[0].delivered(), measured.kept[1].delivered()), (0, 5));
    }

    #[test]
    fn a_round_trip_goes_from_a_request_to_the_first_message_it_brought() {
        let mut polls = Polls::new(PERIOD, &[0, 1], 2);
        let ask = |polls: &mut Polls, at| {
            polls.happened(Phase::Window, at, &Event::Request { client: 1 });
        };
        ask(&mut polls, 1_000);
        polls.arrived(&arrival(1, 5, 1_300), true);
        polls.arrived(&arrival(1, 6, 1_300), true);
        ask(&mut polls, 2_000);
        polls.happened(Phase::Window, 2_100, &Event::EmptyResponse { client: 1 });
        ask(&mut polls, 3_000);
        polls.arrived(&arrival(1, 5, 3_300), false);
        let measured = polls.finish(|_| true);
        assert_eq!((measured.round_trip.count(), measured.round_trip.max_us()), (1, Some(0.3)));
        assert_eq!((measured.kept[1].requests, measured.kept[1].empty), (3, 1));
    }

    #[test]
    fn of_many_clients_pairs_of_neighbours_are_kept_and_processes_agree_which() {
        let total = 10_000;
        let (one, other): (Vec<u32>, Vec<u32>) = (0..total).rev().partition(|rank| rank % 3 == 0);
        let mut all = Polls::new(PERIOD, &one, total).finish(|_| true);
        all.merge(&Polls::new(PERIOD, &other, total).finish(|_| true));
        assert_eq!(all.clients, total);
        assert!((900..=KEPT as usize).contains(&all.kept.len()), "{}", all.kept.len());
        for pair in all.kept.chunks(2) {
            assert!(pair[0].rank % 2 == 0 && pair[1].rank == pair[0].rank + 1);
        }
    }

    #[test]
    fn who_is_not_expected_is_left_out() {
        let polls = Polls::new(PERIOD, &[1, 0, 2], 3);
        let measured = polls.finish(|client| client != 1);
        assert_eq!(measured.clients, 2);
        assert_eq!(measured.kept.iter().map(|kept| kept.rank).collect::<Vec<_>>(), [1, 2]);
    }
}
