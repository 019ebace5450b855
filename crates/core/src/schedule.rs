//! When messages exist: a pure function of the seed and the sequence number.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::instant::{MonoInstant, saturating_nanos};
use crate::message::Seq;
use crate::random;
use crate::units::{Rate, Span};

/// The stream of random numbers that Poisson gaps are drawn from.
const POISSON_STREAM: u64 = 1;

/// The law of a feed's instants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Schedule {
    /// Evenly spaced.
    Constant {
        /// Messages in a unit of time.
        rate: Rate,
    },
    /// Independent of each other: exponentially distributed gaps.
    Poisson {
        /// Messages in a unit of time, on average.
        rate: Rate,
    },
    /// Evenly spaced for a while, then silence, and again.
    Burst {
        /// Messages in a unit of time while the burst lasts.
        rate: Rate,
        /// How long a burst lasts.
        on: Span,
        /// The silence after it.
        off: Span,
    },
    /// The instants of a trace, from its start again after its end.
    Replay {
        /// How many times faster than it was recorded.
        speed: f64,
        /// Nanoseconds of each event since the trace's zero, ascending, at least one.
        offsets_ns: Arc<[u64]>,
    },
    /// None: messages are published by hand.
    Manual,
}

impl Schedule {
    /// The name of the law, as scenarios give it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Constant { .. } => "constant",
            Self::Poisson { .. } => "poisson",
            Self::Burst { .. } => "burst",
            Self::Replay { .. } => "replay",
            Self::Manual => "manual",
        }
    }

    /// Messages each second in the long run; `None` where they come by hand.
    #[must_use]
    pub fn mean_hz(&self) -> Option<f64> {
        match self {
            Self::Constant { rate } | Self::Poisson { rate } => Some(rate.hz()),
            Self::Burst { rate, on, off } => {
                Some(to_f64(burst_count(*rate, *on)) / (on.0 + off.0).as_secs_f64())
            }
            Self::Replay { speed, offsets_ns } => {
                Some(offsets_ns.len() as f64 * speed * 1e9 / to_f64(lap_ns(offsets_ns)))
            }
            Self::Manual => None,
        }
    }

    /// How many messages are due before `offset_ns` nanoseconds after the feed's origin. Takes
    /// time with their number under [`Schedule::Poisson`] only, where each gap depends on none
    /// other but has to be added.
    #[must_use]
    pub fn due_before(&self, seed: u64, offset_ns: u64) -> u64 {
        let is_before = |index: u64| {
            let offset = self.offsets(seed).nth(to_usize(index));
            offset.is_some_and(|offset| offset < offset_ns)
        };
        if matches!(self, Self::Poisson { .. } | Self::Manual) {
            return self.offsets(seed).take_while(|&offset| offset < offset_ns).count() as u64;
        }
        let mut beyond = 1;
        while is_before(beyond) && beyond < 1 << 60 {
            beyond *= 2;
        }
        let mut first = 0;
        while first < beyond {
            let middle = first + (beyond - first) / 2;
            if is_before(middle) {
                first = middle + 1;
            } else {
                beyond = middle;
            }
        }
        first
    }

    /// The instants from message 1 on, in nanoseconds after the feed's origin: ascending and
    /// without end, but for [`Schedule::Manual`], which has none.
    #[must_use]
    pub const fn offsets(&self, seed: u64) -> Offsets<'_> {
        Offsets { schedule: self, seed, index: 0, elapsed_ns: 0.0 }
    }
}

/// A burst of at least one message.
fn burst_count(rate: Rate, on: Span) -> u64 {
    // Half a period's tolerance, lest 0.1 s × 30/s become two messages by rounding error.
    to_u64((on.0.as_secs_f64() * rate.hz() + 1e-9).floor()).max(1)
}

/// The length of one pass through a trace: up to its last event, and a mean gap more.
fn lap_ns(offsets_ns: &[u64]) -> u64 {
    let last = offsets_ns.last().copied().unwrap_or(0);
    let gaps = (offsets_ns.len() as u64).saturating_sub(1);
    let mean_gap = last.checked_div(gaps).unwrap_or(0);
    if mean_gap == 0 { last + 1_000_000_000 } else { last + mean_gap }
}

#[expect(clippy::cast_precision_loss, reason = "2⁵³ ns are 104 days, 2⁵³ messages are enough")]
const fn to_f64(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
const fn to_u64(number: f64) -> u64 {
    number as u64
}

/// Iterator over a schedule's instants; see [`Schedule::offsets`].
#[derive(Debug, Clone)]
pub struct Offsets<'a> {
    schedule: &'a Schedule,
    seed: u64,
    /// Messages given so far.
    index: u64,
    /// Where the last Poisson message stood.
    elapsed_ns: f64,
}

impl Iterator for Offsets<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let index = self.index;
        self.index += 1;
        match self.schedule {
            Schedule::Constant { rate } => Some(evenly(index, *rate)),
            Schedule::Poisson { rate } => {
                let uniform = random::uniform(self.seed, POISSON_STREAM, index);
                self.elapsed_ns -= uniform.ln() * rate.period_nanos();
                Some(to_u64(self.elapsed_ns))
            }
            Schedule::Burst { rate, on, off } => {
                let count = burst_count(*rate, *on);
                let cycle = saturating_nanos(on.0 + off.0);
                Some((index / count).saturating_mul(cycle) + evenly(index % count, *rate))
            }
            Schedule::Replay { speed, offsets_ns } => {
                let events = offsets_ns.len() as u64;
                let event = usize::try_from(index % events).unwrap_or(0);
                let lap = to_f64(index / events) * to_f64(lap_ns(offsets_ns));
                Some(to_u64((lap + to_f64(offsets_ns[event])) / speed))
            }
            Schedule::Manual => None,
        }
    }

    /// Passes over `count` instants; at once, but under [`Schedule::Poisson`].
    fn nth(&mut self, count: usize) -> Option<u64> {
        if matches!(self.schedule, Schedule::Poisson { .. }) {
            for _ in 0..count {
                self.next();
            }
        } else {
            self.index = self.index.saturating_add(count as u64);
        }
        self.next()
    }
}

/// The instant of the message with `index` messages before it, without accumulating error.
fn evenly(index: u64, rate: Rate) -> u64 {
    to_u64((to_f64(index) * rate.period_nanos()).round())
}

/// The intended publish instants of a feed that runs, from some message on.
///
/// Walks the schedule as far as it is asked to, and keeps what it has walked: eight bytes for
/// each message, so that an arrival's due instant is one look into a vector.
#[derive(Debug, Clone)]
pub struct Timetable {
    schedule: Schedule,
    seed: u64,
    origin: MonoInstant,
    /// The message that `dues[0]` belongs to.
    first: Seq,
    dues: Vec<MonoInstant>,
}

impl Timetable {
    /// A timetable of the messages from `first` on, message 1 having been due at `origin` plus
    /// its offset.
    #[must_use]
    pub const fn new(schedule: Schedule, seed: u64, origin: MonoInstant, first: Seq) -> Self {
        let first = if first.0 == 0 { Seq(1) } else { first };
        Self { schedule, seed, origin, first, dues: Vec::new() }
    }

    /// A timetable of the messages that are due at `from` or later.
    #[must_use]
    pub fn starting_at(
        schedule: Schedule,
        seed: u64,
        origin: MonoInstant,
        from: MonoInstant,
    ) -> Self {
        let passed = schedule.due_before(seed, from.0.saturating_sub(origin.0));
        Self::new(schedule, seed, origin, Seq(passed + 1))
    }

    /// Walks on until the instant `end` is passed.
    pub fn extend_to(&mut self, end: MonoInstant) {
        if self.dues.last().is_some_and(|&due| due > end) {
            return;
        }
        let known = to_usize(self.first.0 - 1) + self.dues.len();
        for offset in self.schedule.offsets(self.seed).skip(known) {
            let due = self.origin.plus_nanos(offset);
            self.dues.push(due);
            if due > end {
                return;
            }
        }
    }

    /// When `seq` was due, as far as the timetable has been walked.
    #[must_use]
    pub fn due(&self, seq: Seq) -> Option<MonoInstant> {
        let index = seq.0.checked_sub(self.first.0)?;
        self.dues.get(to_usize(index)).copied()
    }

    /// Whether `seq` is due later than the timetable has been walked.
    #[must_use]
    pub fn is_beyond(&self, seq: Seq) -> bool {
        seq.0.checked_sub(self.first.0).is_some_and(|index| to_usize(index) >= self.dues.len())
    }

    /// The messages due in `[start, end)`, as their first and last number; the last is one
    /// below the first where there are none.
    pub fn between(&mut self, start: MonoInstant, end: MonoInstant) -> (Seq, Seq) {
        self.extend_to(end);
        let before = |instant| self.dues.partition_point(|&due| due < instant) as u64;
        (Seq(self.first.0 + before(start)), Seq(self.first.0 + before(end) - 1))
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn rate(hz: f64) -> Rate {
        Rate::from_hz(hz).unwrap()
    }

    fn schedules() -> impl Strategy<Value = Schedule> {
        let span = |millis| Span(Duration::from_millis(millis));
        prop_oneof![
            (0.1_f64..5000.0).prop_map(|hz| Schedule::Constant { rate: rate(hz) }),
            (0.1_f64..5000.0).prop_map(|hz| Schedule::Poisson { rate: rate(hz) }),
            (1.0_f64..1000.0, 10_u64..2000, 0_u64..5000).prop_map(move |(hz, on, off)| {
                Schedule::Burst { rate: rate(hz), on: span(on), off: span(off) }
            }),
            (prop::collection::vec(0_u64..1_000_000_000, 1..50), 0.5_f64..100.0).prop_map(
                |(mut offsets, speed)| {
                    offsets.sort_unstable();
                    Schedule::Replay { speed, offsets_ns: offsets.into() }
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn instants_ascend_and_depend_on_the_seed_alone(schedule in schedules(), seed: u64) {
            let offsets: Vec<u64> = schedule.offsets(seed).take(300).collect();
            prop_assert!(offsets.is_sorted());
            prop_assert_eq!(&offsets, &schedule.offsets(seed).take(300).collect::<Vec<_>>());
        }

        #[test]
        fn instants_are_counted_and_passed_over_as_if_walked(
            schedule in schedules(), seed: u64, offset in 0_u64..2_000_000_000, skip in 0_usize..300,
        ) {
            let walked = schedule.offsets(seed).take_while(|&due| due < offset).count() as u64;
            prop_assert_eq!(schedule.due_before(seed, offset), walked);
            let mut passed = schedule.offsets(seed);
            let mut stepped = schedule.offsets(seed);
            (0..skip).for_each(|_| { stepped.next(); });
            prop_assert_eq!(passed.nth(skip), stepped.next());
            prop_assert_eq!(passed.next(), stepped.next());
        }

        #[test]
        fn a_timetable_agrees_with_the_schedule(
            schedule in schedules(), seed: u64, first in 1_u64..200, start in 0_u64..1_000_000_000,
            length in 1_u64..1_000_000_000,
        ) {
            let origin = MonoInstant(1_000);
            let mut table = Timetable::new(schedule.clone(), seed, origin, Seq(first));
            let (start, end) = (MonoInstant(start), MonoInstant(start + length));
            let (low, high) = table.between(start, end);
            let due_in_window = schedule.offsets(seed).zip(1_u64..)
                .map(|(offset, seq)| (origin.plus_nanos(offset), seq))
                .take_while(|&(due, _)| due < end)
                .filter(|&(due, seq)| due >= start && seq >= first)
                .count() as u64;
            prop_assert_eq!(high.0 + 1 - low.0, due_in_window);
            for seq in low.0..=high.0 {
                let due = table.due(Seq(seq)).unwrap();
                prop_assert!(start <= due && due < end);
            }
        }
    }

    #[test]
    fn constant_instants_do_not_drift() {
        let schedule = Schedule::Constant { rate: rate(3.0) };
        assert_eq!(schedule.offsets(1).nth(3_000_000), Some(1_000_000_000_000_000));
    }

    #[test]
    fn poisson_gaps_have_the_mean_and_the_spread_of_the_law() {
        let schedule = Schedule::Poisson { rate: rate(1000.0) };
        let offsets: Vec<f64> = schedule.offsets(5).take(50_000).map(to_f64).collect();
        let gaps = offsets.windows(2).map(|pair| (pair[1] - pair[0]) / 1e6);
        let (sum, squares) = gaps.fold((0.0, 0.0), |(s, q), gap| (s + gap, q + gap * gap));
        let mean = sum / 49_999.0;
        assert!((mean - 1.0).abs() < 0.03, "mean {mean} ms");
        let deviation = (squares / 49_999.0 - mean * mean).sqrt();
        assert!((deviation - 1.0).abs() < 0.05, "deviation {deviation} ms");
    }

    #[test]
    fn a_burst_is_followed_by_its_silence() {
        let [on, off] = [100, 400].map(|millis| Span(Duration::from_millis(millis)));
        let schedule = Schedule::Burst { rate: rate(30.0), on, off };
        let millis: Vec<u64> = schedule.offsets(1).take(5).map(|ns| ns / 1_000_000).collect();
        assert_eq!(millis, [0, 33, 66, 500, 533]);
        assert_eq!(schedule.mean_hz(), Some(6.0));
    }

    #[test]
    fn a_trace_starts_again_a_mean_gap_after_its_end() {
        let offsets_ns = [0, 10, 40].map(|millis| millis * 1_000_000).into();
        let schedule = Schedule::Replay { speed: 2.0, offsets_ns };
        let millis: Vec<u64> = schedule.offsets(1).take(5).map(|ns| ns / 1_000_000).collect();
        assert_eq!(millis, [0, 5, 20, 30, 35]);
    }
}
