//! Pace of a feed: its messages one after the other, each handed to a sink at its instant, or as
//! soon after as the thread is free.
//!
//! A message is prepared ahead of its instant. Where the sink is slower than the schedule, all
//! messages that are due are handed over in one turn, so that each receiver can get them together;
//! a turn's bound leaves others their share. A message that is due is never dropped: a late one
//! counts with its delay. Whoever drives the pace waits, in whichever way it can.

use std::time::Duration;

use pushbench_core::feed::FeedSpec;
use pushbench_core::schedule::{Checkpoint, Offsets};
use pushbench_core::{MonoInstant, Seq};

/// Messages handed over in one turn.
const MESSAGES_PER_TURN: usize = 64;

/// Bytes handed over in one turn, but for a single larger message.
const BYTES_PER_TURN: usize = 1 << 20;

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

    /// Sends on what was taken in this turn, the last message at `now`.
    fn flush(&mut self, now: MonoInstant) -> Result<(), Self::Error>;
}

/// A message of the schedule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) seq: Seq,
    /// The intended instant.
    pub(crate) at: MonoInstant,
    /// The place in the schedule behind it.
    pub(crate) place: Checkpoint,
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

    /// The next message of the schedule.
    fn pull(&mut self) -> Option<Due> {
        let at = self.origin.plus_nanos(self.offsets.next()?);
        let place = self.offsets.checkpoint();
        (at < self.end).then_some(Due { seq: Seq(place.passed), at, place })
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
    ///
    /// # Errors
    ///
    /// The sink's.
    pub(crate) fn turn<S: Sink>(
        &mut self,
        sink: &mut S,
        message: S::Message,
        due: &Due,
    ) -> Result<MonoInstant, S::Error> {
        let Taken { at: mut now, mut bytes } = sink.take(message, due)?;
        for _ in 1..MESSAGES_PER_TURN {
            if bytes >= BYTES_PER_TURN || !self.is_behind(now) {
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

    use pushbench_core::payload::{Payload, PayloadKind};
    use pushbench_core::schedule::Schedule;
    use pushbench_core::units::Rate;

    use super::*;

    const MS: u64 = 1_000_000;

    /// A message each 10 ms.
    fn feed() -> FeedSpec {
        let schedule = Schedule::Constant { rate: Rate::from_hz(100.0).unwrap() };
        let payload = Payload::Generated { kind: PayloadKind::Text, bytes: 64 };
        FeedSpec { seed: 1, schedule, payload }
    }

    /// The numbers of messages taken, turn by turn, at an instant that stands still.
    struct Turns {
        now: MonoInstant,
        bytes: usize,
        turns: Vec<Vec<u64>>,
        turn: Vec<u64>,
    }

    impl Sink for Turns {
        type Message = Seq;
        type Error = Infallible;

        fn prepare(&mut self, due: &Due) -> Seq {
            due.seq
        }

        fn take(&mut self, message: Seq, due: &Due) -> Result<Taken, Infallible> {
            assert_eq!(message, due.seq);
            self.turn.push(due.seq.0);
            Ok(Taken { at: self.now, bytes: self.bytes })
        }

        fn flush(&mut self, _: MonoInstant) -> Result<(), Infallible> {
            self.turns.push(std::mem::take(&mut self.turn));
            Ok(())
        }
    }

    /// The turns of a sink that is at `now` all the while.
    fn turns(now: u64, bytes: usize, delay: u64, end: u64) -> Vec<Vec<u64>> {
        let feed = feed();
        let (origin, delay) = (MonoInstant(0), Duration::from_nanos(delay));
        let mut pace = Pace::new(&feed, origin, delay, MonoInstant(end));
        let (now, turn) = (MonoInstant(now), Vec::new());
        let mut sink = Turns { now, bytes, turns: Vec::new(), turn };
        while let Some((due, at)) = pace.next() {
            assert_eq!(at, due.at + delay);
            let message = sink.prepare(&due);
            pace.turn(&mut sink, message, &due).unwrap();
        }
        sink.turns
    }

    #[test]
    fn a_sink_that_is_in_time_takes_one_message_a_turn() {
        let each = turns(0, 64, 0, 50 * MS);
        assert!(each.len() >= 4 && each.iter().all(|turn| turn.len() == 1), "{each:?}");
        assert!(each.concat().is_sorted());
    }

    #[test]
    fn a_late_sink_takes_all_that_are_due_but_no_more_than_a_turn_holds() {
        let late = turns(10_000 * MS, 64, 0, 1_000 * MS);
        assert!(late[0].len() == MESSAGES_PER_TURN && late.len() == 2, "{late:?}");
        let all: Vec<u64> = (1..=late.concat().len() as u64).collect();
        assert_eq!(late.concat(), all, "none is dropped");
        let large = turns(10_000 * MS, BYTES_PER_TURN / 2, 0, 1_000 * MS);
        assert!(large.iter().all(|turn| turn.len() <= 2), "{large:?}");
        assert_eq!(large.concat(), all);
    }

    /// A message that is published later than due is not behind before that.
    #[test]
    fn a_delay_moves_every_message() {
        let delayed = turns(30 * MS, 64, 30 * MS, 100 * MS);
        assert!(delayed.iter().all(|turn| turn.len() <= 2), "{delayed:?}");
    }
}
