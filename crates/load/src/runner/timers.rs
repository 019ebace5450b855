//! What is planned, and the one timer that wakes the loop for it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::AsRawFd as _;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use pushbench_core::MonoInstant;
use pushbench_probe::timer::Timer;

/// What is to be done at some instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    /// A phase begins or ends.
    Phase,
    /// A client's poll is due.
    Tick(u32),
    /// A client has paused long enough and tries to connect again.
    Retry(u32),
    /// Somebody may be watching.
    Progress,
    /// The loop's own lag is looked at.
    Pulse,
    /// Connecting has taken long enough.
    ConnectLimit,
    /// Closing has taken long enough.
    CloseLimit,
}

/// Alarms in the order of their instants.
///
/// A timerfd stands for the earliest of them. It is never read: arming it again makes it
/// unreadable, and an edge-triggered loop asks for no more.
#[derive(Debug)]
pub(super) struct Timers {
    alarms: BinaryHeap<Reverse<(MonoInstant, Alarm)>>,
    timer: Timer,
    armed: Option<MonoInstant>,
}

impl Timers {
    /// No alarms, on a loop that reports the timer as `token`.
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let timer = Timer::new()?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { alarms: BinaryHeap::new(), timer, armed: None })
    }

    /// Plans `alarm` for `at`. It cannot be taken back.
    pub(super) fn set(&mut self, at: MonoInstant, alarm: Alarm) {
        self.alarms.push(Reverse((at, alarm)));
    }

    /// Takes the earliest alarm that is due at `now`, with the instant that it was planned for.
    pub(super) fn due(&mut self, now: MonoInstant) -> Option<(MonoInstant, Alarm)> {
        let Reverse((at, _)) = self.alarms.peek()?;
        if *at > now {
            return None;
        }
        self.alarms.pop().map(|Reverse(alarm)| alarm)
    }

    /// Makes the loop wake for the earliest alarm. To be called before each wait.
    pub(super) fn arm(&mut self) -> io::Result<()> {
        let earliest = self.alarms.peek().map(|Reverse((at, _))| *at);
        if earliest == self.armed {
            return Ok(());
        }
        self.armed = earliest;
        earliest.map_or(Ok(()), |at| self.timer.arm(at))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mio::{Events, Poll};
    use pushbench_probe::clock::now;

    use super::*;

    #[test]
    fn alarms_come_in_their_order_and_the_loop_wakes_for_each() {
        let mut poll = Poll::new().unwrap();
        let mut timers = Timers::new(poll.registry(), Token(7)).unwrap();
        let start = now();
        let after = |millis| start + Duration::from_millis(millis);
        timers.set(after(9), Alarm::Tick(9));
        timers.set(after(3), Alarm::Tick(3));
        timers.set(start - Duration::from_secs(1), Alarm::Progress);
        let (mut events, mut rung) = (Events::with_capacity(4), Vec::new());
        while rung.len() < 3 {
            timers.arm().unwrap();
            poll.poll(&mut events, Some(Duration::from_secs(5))).unwrap();
            assert!(!events.is_empty(), "the loop did not wake");
            while let Some((at, alarm)) = timers.due(now()) {
                assert!(now() >= at);
                rung.push(alarm);
            }
        }
        assert_eq!(rung, [Alarm::Progress, Alarm::Tick(3), Alarm::Tick(9)]);
    }
}
