//! The monotonic clock that every process of a run stamps time with.
//!
//! Code that decides by the time takes a [`Clock`], so that a test can put a clock in its place
//! that stands still; code that only waits calls [`sleep_until`].

use std::time::Duration;

use pushbench_core::MonoInstant;
use rustix::io::Errno;
use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::procfs;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Something that tells the instant.
pub trait Clock {
    /// The present instant, never earlier than one it told before.
    fn now(&self) -> MonoInstant;
}

/// `CLOCK_MONOTONIC` of this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Monotonic;

impl Clock for Monotonic {
    #[inline]
    fn now(&self) -> MonoInstant {
        now()
    }
}

/// The present instant of `CLOCK_MONOTONIC`.
///
/// Asks the vDSO: tens of nanoseconds and no system call, unless the machine's clocksource
/// cannot be read from user space.
#[inline]
#[must_use]
pub fn now() -> MonoInstant {
    let time = clock_gettime(ClockId::Monotonic);
    // The monotonic clock starts at zero and has no negative part.
    MonoInstant(time.tv_sec as u64 * NANOS_PER_SECOND + time.tv_nsec as u64)
}

/// How long the machine has been suspended since its boot: the monotonic clock stands still
/// meanwhile and the boot clock does not. Exact to a microsecond or so.
#[must_use]
pub fn suspended() -> Duration {
    let readings = (0..5).map(|_| {
        let before = now().as_nanos();
        let time = clock_gettime(ClockId::Boottime);
        let boot = time.tv_sec as u64 * NANOS_PER_SECOND + time.tv_nsec as u64;
        let after = now().as_nanos();
        (after - before, boot.saturating_sub(before.midpoint(after)))
    });
    // The one during which least time passed is the most exact.
    Duration::from_nanos(readings.min().map_or(0, |(_, ahead)| ahead))
}

/// The smallest step that the monotonic clock says it makes.
#[must_use]
pub fn resolution() -> Duration {
    let step = rustix::time::clock_getres(ClockId::Monotonic);
    Duration::new(step.tv_sec as u64, step.tv_nsec as u32)
}

/// The name of one boot of one machine, unlike all others (`/proc/sys/kernel/random/boot_id`).
///
/// Instants of two processes compare only where this is the same, and not empty, for both.
/// Empty where it cannot be read.
#[must_use]
pub fn boot_id() -> String {
    procfs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

/// Blocks the thread until `instant`; returns at once where that is past.
///
/// The wait is for an absolute instant, so that neither a signal nor the time that passes before
/// the call makes it longer. The kernel may wake the thread later than asked, by its timer slack
/// (50 µs unless changed), never earlier.
pub fn sleep_until(instant: MonoInstant) {
    let until = to_timespec(instant);
    while clock_nanosleep_absolute(ClockId::Monotonic, &until) == Err(Errno::INTR) {}
}

/// `instant` as the kernel takes it. All of `u64` fits: it is at most 584 years.
pub(crate) fn to_timespec(instant: MonoInstant) -> Timespec {
    Timespec {
        tv_sec: (instant.as_nanos() / NANOS_PER_SECOND) as _,
        tv_nsec: (instant.as_nanos() % NANOS_PER_SECOND) as _,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_clock_that_the_kernel_calls_monotonic() {
        let before = now();
        let uptime = procfs::read("/proc/uptime").unwrap();
        let seconds: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        // Uptime goes on while the machine sleeps and the monotonic clock does not; the text
        // ends in whole hundredths.
        assert!(before.as_nanos() as f64 <= (seconds + 0.01) * 1e9);
        assert!(now() >= before);
        assert!(Monotonic.now() >= before);
    }

    #[test]
    fn sleeping_never_ends_early() {
        let until = now() + Duration::from_millis(3);
        sleep_until(until);
        assert!(now() >= until);
    }

    #[test]
    fn sleeping_until_a_past_instant_returns() {
        sleep_until(MonoInstant(0));
        sleep_until(now());
    }

    #[test]
    fn an_instant_splits_into_seconds_and_nanoseconds() {
        let split = to_timespec(MonoInstant(7_000_000_019));
        assert_eq!((split.tv_sec, split.tv_nsec), (7, 19));
        let last = to_timespec(MonoInstant(u64::MAX));
        assert_eq!((last.tv_sec, last.tv_nsec), (18_446_744_073, 709_551_615));
    }

    #[test]
    fn uptime_goes_on_while_the_machine_is_suspended() {
        let uptime = procfs::read("/proc/uptime").unwrap();
        let seconds: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        let awake = (now().as_nanos() as f64) / 1e9;
        // The text ends in whole hundredths, and time passes between the two readings.
        assert!(suspended().as_secs_f64() + awake >= seconds - 0.01);
        assert!(resolution() > Duration::ZERO);
    }

    #[test]
    fn a_boot_has_one_id() {
        assert_eq!(boot_id().len(), 36);
        assert_eq!(boot_id(), boot_id());
    }
}
