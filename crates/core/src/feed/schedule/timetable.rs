//! When the messages of a trial are due.

use super::{Checkpoint, Schedule, WalkError, to_usize};
use crate::feed::message::Seq;
use crate::instant::MonoInstant;

/// The most instants that a timetable holds: 1 GiB of them.
pub const MOST_DUE: usize = 1 << 27;

/// The intended publish instants of a feed that runs, from some message on.
///
/// Walks the schedule as far as it is asked to, and keeps what it has walked: eight bytes for
/// each message, so that an arrival's due instant is one look into a vector.
#[derive(Debug, Clone)]
pub struct Timetable {
    schedule: Schedule,
    seed: u64,
    origin: MonoInstant,
    /// The message that `dues[0]` belongs to.
    first: Seq,
    dues: Vec<MonoInstant>,
    /// Behind the last of `dues`.
    walked: Checkpoint,
}

impl Timetable {
    /// A timetable of all messages, the schedule having begun at `origin`.
    #[must_use]
    pub const fn new(schedule: Schedule, seed: u64, origin: MonoInstant) -> Self {
        Self::behind(schedule, seed, origin, Checkpoint::START)
    }

    /// A timetable of the messages that are due at `from` or later; of a Poisson feed, of those
    /// that also stand behind `checkpoint`.
    ///
    /// # Errors
    ///
    /// [`WalkError::TooFar`] where it is too far from the checkpoint to there.
    pub fn starting_at(
        schedule: Schedule,
        seed: u64,
        origin: MonoInstant,
        checkpoint: Checkpoint,
        from: MonoInstant,
    ) -> Result<Self, WalkError> {
        let place = schedule.seek(seed, checkpoint, from.0.saturating_sub(origin.0))?;
        Ok(Self::behind(schedule, seed, origin, place))
    }

    const fn behind(schedule: Schedule, seed: u64, origin: MonoInstant, at: Checkpoint) -> Self {
        let first = Seq(at.passed.saturating_add(1));
        Self { schedule, seed, origin, first, dues: Vec::new(), walked: at }
    }

    /// Walks on until the instant `end` is passed.
    ///
    /// # Errors
    ///
    /// [`WalkError::TooMany`] where more than [`MOST_DUE`] messages are due until then.
    pub fn extend_to(&mut self, end: MonoInstant) -> Result<(), WalkError> {
        let mut offsets = self.schedule.offsets_from(self.seed, self.walked);
        while self.dues.last().is_none_or(|&due| due <= end) {
            if self.dues.len() >= MOST_DUE {
                return Err(WalkError::TooMany);
            }
            let Some(offset) = offsets.next() else { break };
            self.dues.push(self.origin.plus_nanos(offset));
            self.walked = offsets.checkpoint();
        }
        Ok(())
    }

    /// When `seq` was due, as far as the timetable has been walked.
    #[must_use]
    pub fn due(&self, seq: Seq) -> Option<MonoInstant> {
        let index = seq.0.checked_sub(self.first.0)?;
        self.dues.get(to_usize(index)).copied()
    }

    /// Whether `seq` is due later than the timetable has been walked.
    #[must_use]
    pub fn is_beyond(&self, seq: Seq) -> bool {
        seq.0.checked_sub(self.first.0).is_some_and(|index| to_usize(index) >= self.dues.len())
    }

    /// The messages due in `[start, end)`, as their first and last number; the last is one
    /// below the first where there are none.
    ///
    /// # Errors
    ///
    /// Those of [`extend_to`](Self::extend_to).
    pub fn between(
        &mut self,
        start: MonoInstant,
        end: MonoInstant,
    ) -> Result<(Seq, Seq), WalkError> {
        self.extend_to(end)?;
        let before = |instant| self.dues.partition_point(|&due| due < instant) as u64;
        Ok((Seq(self.first.0 + before(start)), Seq(self.first.0 + before(end) - 1)))
    }
}
