//! How far the clock of senders' stamps is from the monotonic one, as the parent of a trial measures
//! it for all processes.

use pushbench_core::feed::stamp::{StampClock, StampOffset};
use pushbench_os::net::rx_stamp::ClockOffset;

pub(crate) fn now(clock: StampClock) -> StampOffset {
    let ClockOffset { nanos, bound } = match clock {
        StampClock::Wall => ClockOffset::now(),
        StampClock::Monotonic => ClockOffset::default(),
    };
    let bound_ns = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
    StampOffset { clock, ahead_ns: nanos, bound_ns }
}

/// By how much the clock was set since `then`, ns: more than the bounds of both leave in doubt; 0 where
/// it was not.
pub(crate) fn step_since(then: &StampOffset) -> u64 {
    let now = now(then.clock);
    let step = now.ahead_ns.abs_diff(then.ahead_ns);
    if step > now.bound_ns + then.bound_ns { step } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_nobody_sets_does_not_step() {
        for clock in [StampClock::Wall, StampClock::Monotonic] {
            let then = now(clock);
            assert_eq!(step_since(&then), 0);
            let set = StampOffset { ahead_ns: then.ahead_ns - 3_000_000, ..then };
            assert!(step_since(&set).abs_diff(3_000_000) <= 2 * 1_000_000);
        }
    }
}
