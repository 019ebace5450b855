//! Alarms that are planned, and the one timer that wakes the loop for it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use pushbench_core::MonoInstant;
use pushbench_os::time::timer::Timer;

use crate::session::Wake;

/// A thing to be done at some instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    /// A phase begins or ends.
    Phase,
    /// A client's poll is due.
    Tick(u32),
    /// A client's next message is due.
    Say(u32),
    /// A client's connection stands, on which it may say what is due.
    CatchUp(u32),
    /// Clients leave, and others come in their place.
    Leave,
    /// A client has paused long enough and tries to connect again.
    Retry(u32),
    /// A client's connection should be closed by now.
    HangUp(u32),
    /// A client has paused long enough and asks again on its connection.
    Ask(u32),
    /// Something that a client's session has put off is due.
    Wake(u32, Wake),
    /// Somebody may be watching.
    Progress,
    /// The loop's own lag is looked at.
    LoopCheck,
    /// Connecting has taken long enough.
    ConnectLimit,
    /// Closing has taken long enough.
    CloseLimit,
}

/// An alarm and its instant. The greatest of a heap is the earliest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Planned {
    at: MonoInstant,
    alarm: Alarm,
}

impl Ord for Planned {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        // Instants are almost always enough, and one comparison of numbers.
        other.at.cmp(&self.at).then_with(|| other.alarm.cmp(&self.alarm))
    }
}

impl PartialOrd for Planned {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Alarms in the order of their instants.
///
/// A timerfd stands for the earliest of them. It is never read: arming it again makes it
/// unreadable, and an edge-triggered loop asks for no more.
#[derive(Debug)]
pub(super) struct Timers {
    alarms: BinaryHeap<Planned>,
    timer: Timer,
    armed: Option<MonoInstant>,
    /// How much earlier than planned a tick may come.
    ahead: Duration,
}

/// The most that a tick comes early, where the period is long enough for [`PERIOD_SHARE`] of it.
const LONGEST_AHEAD: Duration = Duration::from_micros(100);

/// The part of its period by which a tick may come early.
const PERIOD_SHARE: u32 = 100;

impl Timers {
    /// No alarms, on a loop that reports the timer as `token`.
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let timer = Timer::new()?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { alarms: BinaryHeap::new(), timer, armed: None, ahead: Duration::ZERO })
    }

    /// Lets ticks of this `period` that are due within a moment of each other be done together.
    ///
    /// Waking up costs more than a poll does. With a poll due each 20 µs it was most of what polls
    /// cost, where other load generators, which ask as soon as they are answered, never sleep.
    pub(super) fn tick_together(&mut self, period: Duration) {
        self.ahead = (period / PERIOD_SHARE).min(LONGEST_AHEAD);
    }

    /// Plans `alarm` for `at`. It cannot be taken back.
    pub(super) fn set(&mut self, at: MonoInstant, alarm: Alarm) {
        self.alarms.push(Planned { at, alarm });
    }

    /// Takes the earliest alarm that is due at `now`, with the instant that it was planned for.
    #[inline]
    pub(super) fn due(&mut self, now: MonoInstant) -> Option<(MonoInstant, Alarm)> {
        let Planned { at, alarm } = *self.alarms.peek()?;
        let ahead = if matches!(alarm, Alarm::Tick(_)) { self.ahead } else { Duration::ZERO };
        if at > now + ahead {
            return None;
        }
        self.take_earliest();
        Some((at, alarm))
    }

    // Apart, so that whether anything is due is asked in place.
    #[inline(never)]
    fn take_earliest(&mut self) {
        self.alarms.pop();
    }

    /// Makes the loop wake for the earliest alarm. To be called before each wait.
    pub(super) fn arm(&mut self) -> io::Result<()> {
        let earliest = self.alarms.peek().map(|planned| planned.at);
        if earliest == self.armed {
            return Ok(());
        }
        self.armed = earliest;
        earliest.map_or(Ok(()), |at| self.timer.arm(at))
    }
}

#[cfg(test)]
mod tests {
    use mio::{Events, Poll};
    use pushbench_os::time::clock::now;

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
        let (mut events, mut done) = (Events::with_capacity(4), Vec::new());
        while done.len() < 3 {
            timers.arm().unwrap();
            poll.poll(&mut events, Some(Duration::from_secs(5))).unwrap();
            assert!(!events.is_empty(), "the loop did not wake");
            while let Some((at, alarm)) = timers.due(now()) {
                assert!(now() >= at);
                done.push(alarm);
            }
        }
        assert_eq!(done, [Alarm::Progress, Alarm::Tick(3), Alarm::Tick(9)]);
    }

    #[test]
    fn ticks_that_are_almost_due_come_along_and_nothing_else_does() {
        let poll = Poll::new().unwrap();
        let mut timers = Timers::new(poll.registry(), Token(7)).unwrap();
        let start = now();
        let after = |micros| start + Duration::from_micros(micros);
        timers.tick_together(Duration::from_secs(1));
        for micros in [0, 60, 100, 101] {
            timers.set(after(micros), Alarm::Tick(micros as u32));
        }
        let mut due = || timers.due(start).map(|(at, _)| at);
        let done: Vec<MonoInstant> = std::iter::from_fn(&mut due).collect();
        assert_eq!(done, [start, after(60), after(100)]);
        timers.set(start, Alarm::Phase);
        timers.set(after(1), Alarm::Phase);
        assert_eq!(timers.due(start), Some((start, Alarm::Phase)));
        assert_eq!(timers.due(start), None, "a phase never begins early");
        timers.tick_together(Duration::from_millis(1));
        assert_eq!(timers.due(after(1)), Some((after(1), Alarm::Phase)));
        assert_eq!(timers.due(after(90)), None);
        assert_eq!(timers.due(after(91)), Some((after(101), Alarm::Tick(101))));
    }
}
