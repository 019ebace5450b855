//! Instants of the messages of a trial, whoever sends them.

use pushbench_core::feed::schedule::{HORIZON, Timetable, WalkError};
use pushbench_core::talk::Talk;
use pushbench_core::{Identity, MonoInstant};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::observe::speakers::Speakers;
use pushbench_metrics::record::control::TrialTiming;

/// When each message was due, as far as a trial has any.
#[derive(Debug)]
pub(super) enum Dues {
    /// Of the feed.
    Feed(Timetable),
    /// Of each client of the trial.
    Speakers(Speakers),
}

impl Dues {
    /// Those of the feed of a trial whose messages count from the instant `now`.
    pub(super) fn of_feed(timing: &TrialTiming, now: MonoInstant) -> Result<Self, WalkError> {
        let horizon = timing.warmup.min(now) - HORIZON;
        let (schedule, checkpoint) = (timing.schedule.clone(), timing.checkpoint);
        let mut table =
            Timetable::starting_at(schedule, timing.seed, timing.origin, checkpoint, horizon)?;
        table.extend_to(timing.drain_deadline)?;
        Ok(Self::Feed(table))
    }

    /// Those of so many clients that talk.
    pub(super) fn of_speakers(
        timing: &TrialTiming,
        talk: &Talk,
        clients: u32,
    ) -> Result<Self, WalkError> {
        let until = timing.drain_deadline;
        Speakers::new(talk, timing.seed, clients, timing.origin, until).map(Self::Speakers)
    }

    /// When a message was due, as far as the trial goes.
    #[inline]
    pub(super) fn due(&self, message: Identity) -> Option<MonoInstant> {
        match self {
            Self::Feed(table) => table.due(message.seq),
            Self::Speakers(speakers) => speakers.due(message),
        }
    }

    /// Whether a message is due later than the trial goes.
    pub(super) fn is_beyond(&self, message: Identity) -> bool {
        match self {
            Self::Feed(table) => table.is_beyond(message.seq),
            Self::Speakers(speakers) => speakers.is_beyond(message),
        }
    }

    /// The messages of each client that are due in `window`; none where there is only the feed.
    pub(super) fn windows(&mut self, window: &Window) -> Result<Vec<Window>, WalkError> {
        match self {
            Self::Feed(_) => Ok(Vec::new()),
            Self::Speakers(speakers) => speakers.windows(window),
        }
    }
}
