//! Messages of a sender whose schedule is not known here: told apart by the number that the sender
//! gave them, and timed by the instant that it wrote into them.
//!
//! A schedule says when a message was due; a stamp says when its sender came to write it. A stall
//! before the stamp is not in a latency that is counted from it.

use serde::{Deserialize, Serialize};

use super::identity::Sender;
use super::message::Seq;
use crate::instant::MonoInstant;

/// The clock that a sender reads its stamps from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StampClock {
    /// Time of day, from the Unix epoch.
    #[default]
    Wall,
    /// The monotonic clock of the machine that both sides run on.
    Monotonic,
}

/// The instant that a sender wrote into a message: nanoseconds from the zero of its [`StampClock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp(pub i64);

/// A message that rules found in what arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamped {
    /// The counter that numbered it: one for each name, where the sender has several.
    pub sender: Sender,
    /// Its number, where it has one.
    pub seq: Option<Seq>,
    /// The instant of its sender, where it has one.
    pub stamp: Option<Stamp>,
}

/// How stamps are put on the monotonic clock of whoever receives them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampOffset {
    /// The clock that they are read from.
    pub clock: StampClock,
    /// How far that is ahead of the monotonic clock, nanoseconds; negative where it is behind.
    pub ahead_ns: i64,
    /// How far that may be from the truth, nanoseconds.
    pub bound_ns: u64,
}

impl StampOffset {
    /// The instant that a stamp names; the clock's zero where it was before that.
    #[inline]
    #[must_use]
    pub const fn to_monotonic(&self, stamp: Stamp) -> MonoInstant {
        let nanos = stamp.0.saturating_sub(self.ahead_ns);
        MonoInstant(if nanos < 0 { 0 } else { nanos.cast_unsigned() })
    }

    /// The stamp of an instant.
    #[must_use]
    pub fn to_stamp(&self, instant: MonoInstant) -> Stamp {
        let nanos = i64::try_from(instant.0).unwrap_or(i64::MAX);
        Stamp(nanos.saturating_add(self.ahead_ns))
    }
}

/// The instant that the latencies of a trial are counted from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyFrom {
    /// When the schedule had the message due.
    #[default]
    Schedule,
    /// The instant that its sender wrote into it: a stall of the sender before that is not in it.
    Stamp,
    /// Nothing is known of when a message was due, so that it has no latency.
    Nothing,
}

impl LatencyFrom {
    /// As figures of latency are called: `latency`, or with whence it is counted.
    #[must_use]
    pub const fn latency(self) -> &'static str {
        match self {
            Self::Schedule | Self::Nothing => "latency",
            Self::Stamp => "latency (from stamp)",
        }
    }

    /// The same at the beginning of a sentence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Schedule | Self::Nothing => "Latency",
            Self::Stamp => "Latency (from stamp)",
        }
    }

    /// Whether it is by the schedule.
    #[must_use]
    pub const fn is_schedule(&self) -> bool {
        matches!(self, Self::Schedule)
    }

    /// As it stands in a record and in a column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Stamp => "stamp",
            Self::Nothing => "nothing",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_put_on_the_clock_of_arrivals() {
        let offset = StampOffset { ahead_ns: 1_000, ..StampOffset::default() };
        assert_eq!(offset.to_monotonic(Stamp(1_700)), MonoInstant(700));
        assert_eq!(offset.to_monotonic(Stamp(300)), MonoInstant(0));
        assert_eq!(offset.to_monotonic(Stamp(i64::MIN)), MonoInstant(0));
        assert_eq!(offset.to_stamp(MonoInstant(700)), Stamp(1_700));
        let behind = StampOffset { ahead_ns: -50, ..offset };
        assert_eq!(behind.to_monotonic(Stamp(0)), MonoInstant(50));
        assert_eq!(behind.to_monotonic(Stamp(i64::MAX)), MonoInstant(i64::MAX.unsigned_abs()));
    }
}
