//! Pace of a feed: its messages one after the other, each handed to a sink at its instant, or as
//! soon after as the thread is free.
//!
//! A message is prepared ahead of its instant. Where the sink is slower than the schedule, all
//! messages that are due are handed over at once, so that each receiver can get them together;
//! a bound leaves others their share. A message that is due is never dropped: a late one
//! counts with its delay. Whoever drives the pace waits, in whichever way it can.

use std::time::Duration;

use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::schedule::{Checkpoint, Offsets};
use pushbench_core::{MonoInstant, Seq};

/// Messages handed over at once.
const MESSAGES_AT_ONCE: usize = 64;

/// Bytes handed over at once, but for a single larger message.
const BYTES_AT_ONCE: usize = 1 << 20;

/// A receiver of a feed's messages.
pub(crate) trait Sink {
    /// A message that is ready to be handed over.
    type Message;
    /// A failure that ends the walk.
    type Error;

    /// Gets a message ready, ahead of its instant.
    fn prepare(&mut self, due: &Due) -> Self::Message;

    /// Takes a message at its instant or later, as is `due`.
    fn take(&mut self, message: Self::Message, due: &Due) -> Result<Taken, Self::Error>;

    /// Sends on all that was taken since the last flush, its last message at `now`.
    fn flush(&mut self, now: MonoInstant) -> Result<(), Self::Error>;
}

/// A message of the schedule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) seq: Seq,
    /// The intended instant.
    pub(crate) at: MonoInstant,
    /// The checkpoint behind it.
    pub(crate) checkpoint: Checkpoint,
}

/// A message that was taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    /// The instant of that.
    pub(crate) at: MonoInstant,
    /// Bytes of its payload.
    pub(crate) bytes: usize,
}

/// A walk through the schedule of a feed.
#[derive(Debug)]
pub(crate) struct Pace<'a> {
    offsets: Offsets<'a>,
    origin: MonoInstant,
    /// How much later than due each message is handed over.
    delay: Duration,
    /// The instant before which all messages are due.
    end: MonoInstant,
    next: Option<Due>,
}

impl<'a> Pace<'a> {
    /// Walks the schedule of `feed`, counted from `origin`, up to `end`; hands each message over
    /// `delay` later than it is due.
    pub(crate) fn new(
        feed: &'a FeedSpec,
        origin: MonoInstant,
        delay: Duration,
        end: MonoInstant,
    ) -> Self {
        let offsets = feed.schedule.offsets(feed.seed);
        let mut pace = Self { offsets, origin, delay, end, next: None };
        pace.next = pace.pull();
        pace
    }

    /// Goes on behind `seq`.
    pub(crate) fn skip_to(&mut self, seq: Seq) {
        while self.next.is_some_and(|due| due.seq <= seq) {
            self.next = self.pull();
        }
    }

    /// The next message of the schedule.
    fn pull(&mut self) -> Option<Due> {
        let at = self.origin.plus_nanos(self.offsets.next()?);
        let checkpoint = self.offsets.checkpoint();
        (at < self.end).then_some(Due { seq: Seq(checkpoint.passed), at, checkpoint })
    }

    /// The message to wait for, and when it is to be handed over; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<(Due, MonoInstant)> {
        let due = self.next?;
        self.next = self.pull();
        Some((due, due.at + self.delay))
    }

    /// Whether another message is to be handed over by `now`.
    pub(crate) fn is_behind(&self, now: MonoInstant) -> bool {
        self.next.is_some_and(|due| due.at + self.delay <= now)
    }

    /// Hands `message`, which is `due`, to `sink`, and with it all that are due by then.
    pub(crate) fn hand_over<S: Sink>(
        &mut self,
        sink: &mut S,
        message: S::Message,
        due: &Due,
    ) -> Result<MonoInstant, S::Error> {
        let Taken { at: mut now, mut bytes } = sink.take(message, due)?;
        for _ in 1..MESSAGES_AT_ONCE {
            if bytes >= BYTES_AT_ONCE || !self.is_behind(now) {
                break;
            }
            let Some((due, _)) = self.next() else { break };
            let message = sink.prepare(&due);
            let taken = sink.take(message, &due)?;
            (now, bytes) = (taken.at, bytes + taken.bytes);
        }
        sink.flush(now)?;
        Ok(now)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use pushbench_core::feed::payload::{Payload, PayloadKind};
    use pushbench_core::feed::schedule::Schedule;
    use pushbench_core::units::Rate;

    use super::*;

    const MS: u64 = 1_000_000;

    /// A message each 10 ms.
    fn feed() -> FeedSpec {
        let schedule = Schedule::Constant { rate: Rate::from_hz(100.0).unwrap() };
        let payload = Payload::Generated { kind: PayloadKind::Text, bytes: 64 };
        FeedSpec { seed: 1, schedule, payload }
    }

    /// The numbers of messages taken from flush to flush, at an instant that stands still.
    struct Numbers {
        now: MonoInstant,
        bytes: usize,
        flushed: Vec<Vec<u64>>,
        taken: Vec<u64>,
    }

    impl Sink for Numbers {
        type Message = Seq;
        type Error = Infallible;

        fn prepare(&mut self, due: &Due) -> Seq {
            due.seq
        }

        fn take(&mut self, message: Seq, due: &Due) -> Result<Taken, Infallible> {
            assert_eq!(message, due.seq);
            self.taken.push(due.seq.0);
            Ok(Taken { at: self.now, bytes: self.bytes })
        }

        fn flush(&mut self, _: MonoInstant) -> Result<(), Infallible> {
            self.flushed.push(std::mem::take(&mut self.taken));
            Ok(())
        }
    }

    /// The numbers that a sink takes at once which is at `now` all the while.
    fn numbers(now: u64, bytes: usize, delay: u64, end: u64) -> Vec<Vec<u64>> {
        let feed = feed();
        let (origin, delay) = (MonoInstant(0), Duration::from_nanos(delay));
        let mut pace = Pace::new(&feed, origin, delay, MonoInstant(end));
        let now = MonoInstant(now);
        let mut sink = Numbers { now, bytes, flushed: Vec::new(), taken: Vec::new() };
        while let Some((due, at)) = pace.next() {
            assert_eq!(at, due.at + delay);
            let message = sink.prepare(&due);
            pace.hand_over(&mut sink, message, &due).unwrap();
        }
        sink.flushed
    }

    #[test]
    fn a_sink_that_is_in_time_takes_one_message_at_once() {
        let each = numbers(0, 64, 0, 50 * MS);
        assert!(each.len() >= 4 && each.iter().all(|some| some.len() == 1), "{each:?}");
        assert!(each.concat().is_sorted());
    }

    #[test]
    fn a_late_sink_takes_all_that_are_due_but_no_more_than_the_bound() {
        let late = numbers(10_000 * MS, 64, 0, 1_000 * MS);
        assert!(late[0].len() == MESSAGES_AT_ONCE && late.len() == 2, "{late:?}");
        let all: Vec<u64> = (1..=late.concat().len() as u64).collect();
        assert_eq!(late.concat(), all, "none is dropped");
        let large = numbers(10_000 * MS, BYTES_AT_ONCE / 2, 0, 1_000 * MS);
        assert!(large.iter().all(|some| some.len() <= 2), "{large:?}");
        assert_eq!(large.concat(), all);
    }

    /// A message that is published later than due is not behind before that.
    #[test]
    fn a_delay_moves_every_message() {
        let delayed = numbers(30 * MS, 64, 30 * MS, 100 * MS);
        assert!(delayed.iter().all(|some| some.len() <= 2), "{delayed:?}");
    }
}
