//! The instants of a schedule one after the other, and places among them to go on from.

use serde::{Deserialize, Serialize};

use super::{Schedule, burst_count, lap_ns, to_f64, to_u64};
use crate::checked_when_read;
use crate::instant::saturating_nanos;
use crate::random;
use crate::units::Rate;

/// The stream of random numbers that Poisson gaps are drawn from.
const POISSON_STREAM: u64 = 1;

/// A place in a schedule, between two messages: whoever has it goes on from there, to the very
/// same instants, without those before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Checkpoint {
    /// Messages before it.
    pub passed: u64,
    /// Under [`Schedule::Poisson`] the sum of the gaps before it, in nanoseconds and in every bit:
    /// what is added to it next is rounded as it was for whoever added from the start. Else 0.
    pub elapsed_ns: f64,
}

checked_when_read!(Checkpoint);

/// A checkpoint that is none.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "a checkpoint after {passed} messages and {elapsed_ns:e} ns is none: both are from 0 to 2^63 - 1"
)]
pub(super) struct CheckpointError {
    passed: u64,
    elapsed_ns: f64,
}

impl Checkpoint {
    /// Before the first message.
    pub const START: Self = Self { passed: 0, elapsed_ns: 0.0 };

    /// Whether it is before the first message.
    #[must_use]
    pub fn is_start(&self) -> bool {
        *self == Self::START
    }

    fn check(self) -> Result<(), CheckpointError> {
        let Self { passed, elapsed_ns } = self;
        let most = i64::MAX.unsigned_abs();
        if passed <= most && (0.0..to_f64(most)).contains(&elapsed_ns) {
            return Ok(());
        }
        Err(CheckpointError { passed, elapsed_ns })
    }

    /// Whether so many gaps of a Poisson feed may come to such a sum: within twelve standard
    /// deviations, and what a few long gaps may add, which no seed is beyond.
    #[must_use]
    pub fn is_likely(self, rate: Rate) -> bool {
        let (count, gaps) = (to_f64(self.passed), self.elapsed_ns / rate.period_nanos());
        (gaps - count).abs() <= 12.0 * count.sqrt() + 60.0
    }
}

/// Iterator over a schedule's instants; see [`Schedule::offsets`].
#[derive(Debug, Clone)]
pub struct Offsets<'a> {
    schedule: &'a Schedule,
    seed: u64,
    /// Behind the message given last.
    place: Checkpoint,
}

impl<'a> Offsets<'a> {
    pub(super) const fn new(schedule: &'a Schedule, seed: u64, place: Checkpoint) -> Self {
        Self { schedule, seed, place }
    }

    /// The place behind the message given last.
    #[must_use]
    pub const fn checkpoint(&self) -> Checkpoint {
        self.place
    }

    /// The instant of the message with `index` messages before it; that of the next one only under
    /// [`Schedule::Poisson`].
    fn offset(&mut self, index: u64) -> Option<u64> {
        match self.schedule {
            Schedule::Constant { rate } => Some(evenly(index, *rate)),
            Schedule::Poisson { rate } => {
                let uniform = random::uniform(self.seed, POISSON_STREAM, index);
                self.place.elapsed_ns -= uniform.ln() * rate.period_nanos();
                Some(to_u64(self.place.elapsed_ns))
            }
            Schedule::Burst { rate, on, off } => {
                let count = burst_count(*rate, *on);
                let cycle = saturating_nanos(on.0 + off.0);
                let start = (index / count).saturating_mul(cycle);
                Some(start.saturating_add(evenly(index % count, *rate)))
            }
            Schedule::Replay { speed, offsets_ns } => {
                let events = offsets_ns.len() as u64;
                let event = usize::try_from(index.checked_rem(events)?).ok()?;
                let lap = to_f64(index / events) * to_f64(lap_ns(offsets_ns));
                Some(to_u64((lap + to_f64(offsets_ns[event])) / speed))
            }
            Schedule::Manual => None,
        }
    }
}

impl Iterator for Offsets<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let index = self.place.passed;
        self.place.passed = index.saturating_add(1);
        // The clock's last instant is none that a message can be waited for.
        self.offset(index).filter(|&offset| offset < u64::MAX)
    }

    /// Passes over `count` instants; at once, but under [`Schedule::Poisson`].
    fn nth(&mut self, count: usize) -> Option<u64> {
        if matches!(self.schedule, Schedule::Poisson { .. }) {
            for _ in 0..count {
                self.next()?;
            }
        } else {
            self.place.passed = self.place.passed.saturating_add(count as u64);
        }
        self.next()
    }
}

/// The instant of the message with `index` messages before it, without accumulating error.
fn evenly(index: u64, rate: Rate) -> u64 {
    to_u64((to_f64(index) * rate.period_nanos()).round())
}
