//! The clock of a tab and the machine's: where the one is on the other, and how surely.

use std::time::Duration;

use pushbench_core::MonoInstant;

/// Where the zero of a tab's clock is on the monotonic one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offset {
    /// Nanoseconds from the monotonic clock's zero to the tab's.
    pub(crate) ns: i64,
    /// By how much that may be wrong at most.
    pub(crate) bound: Duration,
}

impl Offset {
    /// The offset by a round trip within which the tab read `there`, in milliseconds: half way between
    /// both ends, wrong by half of it at most.
    pub(crate) fn of_round_trip(sent: MonoInstant, there: f64, back: MonoInstant) -> Self {
        let middle = sent.0.midpoint(back.0).cast_signed();
        Self { ns: middle - nanos(there), bound: back.saturating_since(sent) / 2 }
    }

    /// The one that is known more surely.
    pub(crate) fn surer(self, other: Self) -> Self {
        if other.bound < self.bound { other } else { self }
    }

    /// By how much two offsets of a tab differ.
    pub(crate) const fn shift(self, other: Self) -> Duration {
        Duration::from_nanos(self.ns.abs_diff(other.ns))
    }

    /// The offset between two, of what lies between them in time.
    pub(crate) const fn between(self, other: Self) -> i64 {
        self.ns.midpoint(other.ns)
    }
}

/// An instant of a tab, in milliseconds, on the monotonic clock.
pub(crate) fn instant(offset_ns: i64, there: f64) -> MonoInstant {
    MonoInstant(offset_ns.saturating_add(nanos(there)).max(0).cast_unsigned())
}

/// An instant of the monotonic clock on a tab's, in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "below 2^53: some hundred days")]
pub(crate) const fn milliseconds(offset_ns: i64, instant: MonoInstant) -> f64 {
    (instant.0.cast_signed() - offset_ns) as f64 / 1e6
}

#[expect(clippy::cast_possible_truncation, reason = "what is too large saturates")]
fn nanos(ms: f64) -> i64 {
    (ms * 1e6).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_wrong_by_half_its_round_trip_at_most() {
        // The tab's zero is at 1,000,000 ns; it read its clock at 1,500,000.
        for (sent, back) in [(1_490_000, 1_510_000), (1_499_000, 1_600_000), (1_300_000, 1_500_000)]
        {
            let offset = Offset::of_round_trip(MonoInstant(sent), 0.5, MonoInstant(back));
            let error = Duration::from_nanos(offset.ns.abs_diff(1_000_000));
            assert!(error <= offset.bound, "{offset:?}");
        }
        let sure = Offset { ns: 5, bound: Duration::from_nanos(1) };
        let vague = Offset { ns: 9, bound: Duration::from_nanos(7) };
        assert_eq!((sure.surer(vague), vague.surer(sure)), (sure, sure));
        assert_eq!((sure.shift(vague), sure.between(vague)), (Duration::from_nanos(4), 7));
    }

    #[test]
    fn an_instant_goes_there_and_back() {
        let at = MonoInstant(19_166_341_978_421_000);
        assert_eq!(instant(1_000_005, milliseconds(1_000_005, at)).0.abs_diff(at.0) / 1_000, 0);
    }
}
