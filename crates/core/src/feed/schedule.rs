//! When messages exist: a pure function of the seed and the sequence number.

mod offsets;
mod rules;
#[cfg(test)]
mod tests;
mod timetable;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::offsets::{Checkpoint, Offsets};
pub use self::rules::{BURSTS, MAX_EVENTS, MAX_OFFSET_NS, RATES, SILENCES, SPEEDS, ScheduleError};
pub(crate) use self::rules::{check_burst, check_rate, check_span, check_speed};
pub use self::timetable::{MOST_DUE, Timetable};
use crate::checked_when_read;
use crate::feed::message::Seq;
use crate::units::{Rate, Span};

/// How long before a trial a message may have been due and still have its instant known: one that
/// a slow poll brings into warm-up.
pub const HORIZON: Duration = Duration::from_secs(60);

/// The most Poisson gaps that are added up to join a feed, which takes a second or so.
pub const MOST_STEPS: u64 = 100_000_000;

/// The law of a feed's instants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", remote = "Self")]
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

checked_when_read!(Schedule);

/// Why the instants that a trial needs are not computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WalkError {
    /// A Poisson feed that began too long ago.
    #[error(
        "the instants of a poisson schedule have to be added up one by one, and about {steps} of \
         them, as the feed's origin and rate have it, take too long; at most {MOST_STEPS} are: \
         start the server afresh, or have the feed's description say a `checkpoint` that is nearer"
    )]
    TooFar {
        /// How many, roughly.
        steps: u64,
    },
    /// A trial in which too much is due.
    #[error(
        "more than {MOST_DUE} messages are due in one trial, whose instants take more than 1 GiB; \
         shorten it, or lower the rate"
    )]
    TooMany,
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

    /// The instants from message 1 on, in nanoseconds after the feed's origin: ascending, and
    /// without end but for that of the clock, after 584 years. [`Schedule::Manual`] has none.
    #[must_use]
    pub const fn offsets(&self, seed: u64) -> Offsets<'_> {
        self.offsets_from(seed, Checkpoint::START)
    }

    /// The same from the message behind `checkpoint` on.
    #[must_use]
    pub const fn offsets_from(&self, seed: u64, checkpoint: Checkpoint) -> Offsets<'_> {
        Offsets::new(self, seed, checkpoint)
    }

    /// The place in front of the first message that is due `offset_ns` nanoseconds after the feed's
    /// origin or later. Takes time with the number of messages under [`Schedule::Poisson`] only,
    /// where each gap depends on none other but has to be added; it goes on from `checkpoint`
    /// there, and comes to nothing before it.
    ///
    /// # Errors
    ///
    /// [`WalkError::TooFar`] where that would take more than a second or so.
    pub fn seek(
        &self,
        seed: u64,
        checkpoint: Checkpoint,
        offset_ns: u64,
    ) -> Result<Checkpoint, WalkError> {
        match self {
            Self::Poisson { rate } => self.walk(seed, *rate, checkpoint, offset_ns),
            Self::Manual => Ok(Checkpoint::START),
            _ => Ok(Checkpoint { passed: self.count_before(offset_ns), ..Checkpoint::START }),
        }
    }

    /// The instant of message `seq` in nanoseconds after the feed's origin, or of the first one
    /// behind `checkpoint` where it is before that; `None` where it has none.
    ///
    /// # Errors
    ///
    /// As of [`seek`](Self::seek).
    pub fn offset_of(
        &self,
        seed: u64,
        checkpoint: Checkpoint,
        seq: Seq,
    ) -> Result<Option<u64>, WalkError> {
        if !matches!(self, Self::Poisson { .. }) {
            return Ok(self.offsets(seed).nth(to_usize(seq.0.saturating_sub(1))));
        }
        let steps = seq.0.saturating_sub(1).saturating_sub(checkpoint.passed);
        if steps > MOST_STEPS {
            return Err(WalkError::TooFar { steps });
        }
        Ok(self.offsets_from(seed, checkpoint).nth(to_usize(steps)))
    }

    /// Adds up Poisson gaps until the next would reach `offset_ns`.
    fn walk(
        &self,
        seed: u64,
        rate: Rate,
        from: Checkpoint,
        offset_ns: u64,
    ) -> Result<Checkpoint, WalkError> {
        let steps = (to_f64(offset_ns) - from.elapsed_ns) / rate.period_nanos();
        if steps > to_f64(MOST_STEPS) {
            return Err(WalkError::TooFar { steps: to_u64(steps) });
        }
        let mut offsets = self.offsets_from(seed, from);
        let mut place = from;
        // Twice as many gaps as there are on average do not fit into the time left.
        for _ in 0..2 * MOST_STEPS {
            match offsets.next() {
                Some(offset) if offset < offset_ns => place = offsets.checkpoint(),
                _ => break,
            }
        }
        Ok(place)
    }

    /// How many messages are due before `offset_ns`, where each one's instant can be had at once.
    fn count_before(&self, offset_ns: u64) -> u64 {
        let is_before = |index: u64| {
            let offset = self.offsets(0).nth(to_usize(index));
            offset.is_some_and(|offset| offset < offset_ns)
        };
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
    let pause = if mean_gap == 0 { 1_000_000_000 } else { mean_gap };
    last.saturating_add(pause)
}

#[expect(clippy::cast_precision_loss, reason = "2⁵³ ns are 104 days, 2⁵³ messages are enough")]
const fn to_f64(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
const fn to_u64(number: f64) -> u64 {
    number as u64
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
