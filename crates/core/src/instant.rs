//! An instant on the machine's monotonic clock.
//!
//! `CLOCK_MONOTONIC` is shared by all processes of one machine since its boot, which is what
//! lets the load generator subtract an instant that the server published from one of its own.
//! [`std::time::Instant`] hides its number and so cannot cross a process boundary.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Nanoseconds of `CLOCK_MONOTONIC`, meaningful between processes with the same boot id.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MonoInstant(pub u64);

impl MonoInstant {
    /// The nanoseconds since the clock's zero.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero where `earlier` is the later of the two.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// `self` plus `nanos` nanoseconds.
    #[must_use]
    pub const fn plus_nanos(self, nanos: u64) -> Self {
        Self(self.0.saturating_add(nanos))
    }
}

impl Add<Duration> for MonoInstant {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        self.plus_nanos(saturating_nanos(rhs))
    }
}

impl Sub<Duration> for MonoInstant {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(saturating_nanos(rhs)))
    }
}

impl fmt::Display for MonoInstant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09} s", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

/// The nanoseconds of `duration`, at most `u64::MAX` (584 years).
#[must_use]
pub fn saturating_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_differ_by_durations() {
        let start = MonoInstant(5_000);
        let end = start + Duration::from_nanos(250);
        assert_eq!(end.saturating_since(start), Duration::from_nanos(250));
        assert_eq!(start.saturating_since(end), Duration::ZERO);
        assert_eq!(end - Duration::from_nanos(250), start);
    }
}
