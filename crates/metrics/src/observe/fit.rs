//! Whether a feed is published as its description says: messages in hand before they were due, and
//! numbers that the schedule does not have.
//!
//! Every latency is an arrival minus an instant that was computed from the description. Where
//! that is wrong, latencies are, and a message that comes before it exists is what shows it.

use std::time::Duration;

use pushbench_core::{MonoInstant, Seq};
use serde::{Deserialize, Serialize};

use crate::observe::observer::Arrival;

/// How much earlier than due a message may arrive, for instants that are rounded.
pub const TOLERANCE: Duration = Duration::from_micros(1);

/// How long early messages have to come before a pace is told from them.
const PACE_NEEDS: Duration = Duration::from_millis(500);

/// From this much faster than its description on a feed has another rate.
const PACE_DIFFERS: f64 = 0.01;

/// A message that arrived before it was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Early {
    /// Which message.
    pub seq: Seq,
    /// When it arrived.
    pub at: MonoInstant,
    /// How early it was.
    pub by: Duration,
}

/// Misfits with the feed's description, of all clients from warm-up on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fit {
    /// Arrivals more than [`TOLERANCE`] before they were due.
    pub early: u64,
    /// The one that was earliest against its instant.
    pub worst: Option<Early>,
    /// The one that came first.
    pub first: Option<Early>,
    /// The one that came last.
    pub last: Option<Early>,
    /// Arrivals of numbers that are not due before the trial is over.
    pub ahead: u64,
    /// The least of these.
    pub first_ahead: Option<Seq>,
    /// Arrivals of numbers that were due so long before the trial that their instants are not
    /// known.
    pub behind: u64,
    /// The greatest of these.
    pub last_behind: Option<Seq>,
}

impl Fit {
    /// Takes a message into account that arrived before it was due.
    #[cold]
    pub fn arrived_early(&mut self, arrival: &Arrival) {
        let by = arrival.due.saturating_since(arrival.at);
        if by > TOLERANCE {
            let early = Some(Early { seq: arrival.seq, at: arrival.at, by });
            self.take(&Self {
                early: 1,
                worst: early,
                first: early,
                last: early,
                ..Self::default()
            });
        }
    }

    /// Takes a number into account whose instant is not known: one that is not due before the
    /// trial is over, or else one of long before it.
    #[cold]
    pub fn off_schedule(&mut self, seq: Seq, is_ahead: bool) {
        self.take(&if is_ahead {
            Self { ahead: 1, first_ahead: Some(seq), ..Self::default() }
        } else {
            Self { behind: 1, last_behind: Some(seq), ..Self::default() }
        });
    }

    /// Adds what another load process of the same trial saw.
    pub fn merge(&mut self, other: &Self) {
        self.take(other);
    }

    fn take(&mut self, other: &Self) {
        self.early += other.early;
        self.worst = pick(self.worst, other.worst, |ours, theirs| theirs.by > ours.by);
        self.first = pick(self.first, other.first, |ours, theirs| theirs.at < ours.at);
        self.last = pick(self.last, other.last, |ours, theirs| theirs.at >= ours.at);
        self.ahead += other.ahead;
        self.first_ahead = pick(self.first_ahead, other.first_ahead, |ours, theirs| theirs < ours);
        self.behind += other.behind;
        self.last_behind = pick(self.last_behind, other.last_behind, |ours, theirs| theirs > ours);
    }

    /// Whether nothing was seen that does not fit.
    #[must_use]
    pub const fn is_perfect(&self) -> bool {
        self.early == 0 && self.ahead == 0 && self.behind == 0
    }

    /// How many times as fast as described the feed runs, where messages come ever earlier.
    #[must_use]
    pub fn pace(&self) -> Option<f64> {
        let (first, last) = (self.first?, self.last?);
        let took = last.at.saturating_since(first.at);
        if took < PACE_NEEDS {
            return None;
        }
        let gained = last.by.as_secs_f64() - first.by.as_secs_f64();
        let pace = 1.0 + gained / took.as_secs_f64();
        (pace > 1.0 + PACE_DIFFERS).then_some(pace)
    }
}

/// `ours`, unless there is only `theirs`, or that is `better`.
fn pick<T: Copy>(ours: Option<T>, theirs: Option<T>, better: fn(&T, &T) -> bool) -> Option<T> {
    match (ours, theirs) {
        (Some(one), Some(other)) => Some(if better(&one, &other) { other } else { one }),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::Sender;

    use super::*;

    const MS: u64 = 1_000_000;

    fn seen(arrivals: &[(u64, u64, u64)]) -> Fit {
        let mut fit = Fit::default();
        for &(seq, due, at) in arrivals {
            let (due, at) = (MonoInstant(due), MonoInstant(at));
            fit.arrived_early(&Arrival { client: 0, sender: Sender::FEED, seq: Seq(seq), due, at });
        }
        fit
    }

    #[test]
    fn a_microsecond_is_forgiven_and_no_more() {
        assert!(seen(&[(1, 5_000, 4_000), (2, 5_000, 5_000)]).is_perfect());
        let fit = seen(&[(1, 5_000, 3_999)]);
        assert_eq!((fit.early, fit.worst.unwrap().by), (1, Duration::from_nanos(1_001)));
    }

    #[test]
    fn a_constant_lead_is_no_pace_and_a_growing_one_is() {
        let constant: Vec<_> = (1..40).map(|n| (n, n * 50 * MS + 100 * MS, n * 50 * MS)).collect();
        let fit = seen(&constant);
        assert_eq!((fit.early, fit.pace()), (39, None));
        let growing: Vec<_> = (1..40).map(|n| (n, n * 50 * MS, n * 40 * MS)).collect();
        let fit = seen(&growing);
        assert!((fit.pace().unwrap() - 1.25).abs() < 1e-9, "{fit:?}");
        assert_eq!(fit.worst.unwrap().seq, Seq(39));
    }

    #[test]
    fn processes_add_up_in_any_order() {
        let (mut one, mut two) = (seen(&[(1, 90, 10), (9, 9_000, 1_000)]), seen(&[(4, 9_999, 99)]));
        one.off_schedule(Seq(80), true);
        two.off_schedule(Seq(70), true);
        two.off_schedule(Seq(3), false);
        let (mut left, mut right) = (one, two);
        left.merge(&two);
        right.merge(&one);
        assert_eq!(left, right);
        assert_eq!((left.early, left.ahead, left.behind), (2, 2, 1));
        assert_eq!((left.first_ahead, left.worst.unwrap().seq), (Some(Seq(70)), Seq(4)));
        assert_eq!((left.first.unwrap().seq, left.last.unwrap().seq), (Seq(4), Seq(9)));
    }
}
