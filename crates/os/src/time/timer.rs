//! A timer that an event loop waits on as on any other file descriptor.
//!
//! The timers of async runtimes round to a millisecond, which would be the largest latency in
//! many a table. A timerfd is as exact as the kernel's own timers, and epoll reports it beside
//! the sockets.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use pushbench_core::MonoInstant;
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::time::clock::to_timespec;

/// One shot at an absolute instant of `CLOCK_MONOTONIC`, readable from that instant until
/// [`Timer::acknowledge`].
///
/// The descriptor does not block and closes on exec; it serves tokio's `AsyncFd` and mio's
/// `SourceFd`, edge-triggered ones too.
#[derive(Debug)]
pub struct Timer {
    fd: OwnedFd,
}

impl Timer {
    /// A timer that is not armed.
    ///
    /// # Errors
    ///
    /// The error of `timerfd_create`: usually that this process has too many files open.
    pub fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(Self { fd })
    }

    /// Makes the timer fire once at `at`, and at once where that is past, in place of whatever
    /// it was armed for. An expiry that was not yet acknowledged is forgotten.
    ///
    /// # Errors
    ///
    /// The error of `timerfd_settime`; no instant is a reason.
    pub fn arm(&self, at: MonoInstant) -> io::Result<()> {
        // Zero is the kernel's way to say "disarm"; the first nanosecond is as long past.
        self.set(to_timespec(at.max(MonoInstant(1))))
    }

    /// Takes note of an expiry: whether the timer has fired since it was armed or last
    /// acknowledged. Afterwards the descriptor is no longer readable.
    ///
    /// # Errors
    ///
    /// The error of `read`, except that there is nothing to read, which is `Ok(false)`.
    pub fn acknowledge(&self) -> io::Result<bool> {
        let mut expiries = [0; size_of::<u64>()];
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.fd, &mut expiries)) {
            Ok(_) => Ok(true),
            Err(Errno::AGAIN) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn set(&self, at: Timespec) -> io::Result<()> {
        let once = Itimerspec { it_interval: Timespec::default(), it_value: at };
        timerfd_settime(&self.fd, TimerfdTimerFlags::ABSTIME, &once)?;
        Ok(())
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;
    use crate::time::clock::now;

    /// Waits as long as it takes.
    fn wait(timer: &Timer) {
        let mut fds = [PollFd::new(timer, PollFlags::IN)];
        assert_eq!(poll(&mut fds, None).unwrap(), 1);
    }

    fn readable(timer: &Timer) -> bool {
        let mut fds = [PollFd::new(timer, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec::default())).unwrap() == 1
    }

    #[test]
    fn it_fires_at_its_instant_and_not_before() {
        let timer = Timer::new().unwrap();
        let at = now() + Duration::from_millis(3);
        timer.arm(at).unwrap();
        wait(&timer);
        assert!(now() >= at);
        assert!(timer.acknowledge().unwrap());
        assert!(!timer.acknowledge().unwrap(), "one shot is acknowledged once");
    }

    #[test]
    fn a_past_instant_fires_at_once() {
        let timer = Timer::new().unwrap();
        for past in [MonoInstant(0), MonoInstant(1), now() - Duration::from_millis(1), now()] {
            timer.arm(past).unwrap();
            assert!(readable(&timer), "armed for {past}");
            assert!(timer.acknowledge().unwrap(), "armed for {past}");
            assert!(!readable(&timer), "armed for {past}");
        }
    }

    #[test]
    fn nothing_fires_that_is_not_armed() {
        let timer = Timer::new().unwrap();
        assert!(!timer.acknowledge().unwrap());
        timer.arm(MonoInstant(u64::MAX)).unwrap();
        assert!(!timer.acknowledge().unwrap());
    }

    #[test]
    fn arming_again_forgets_what_was() {
        let timer = Timer::new().unwrap();
        timer.arm(MonoInstant(0)).unwrap();
        timer.arm(now() + Duration::from_secs(3600)).unwrap();
        assert!(!timer.acknowledge().unwrap());
    }
}
