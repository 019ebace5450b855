//! A run from its first trial to its last: trials in the plan's order, each again where it is
//! invalid, and the floors among them.

use pushbench_core::Contender;
use pushbench_metrics::record::{TrialId, TrialRecord};

use crate::error::RunError;
use crate::event::{self, AttemptRecord, Event, Listener};
use crate::setup::{Attempt, Run};
use crate::validity::record;
use crate::{floor, trial};

/// How often a trial is run at most: one that is invalid is repeated once.
const ATTEMPTS: u32 = 2;

impl Run {
    /// Plays one trial, whatever it is worth.
    pub(crate) fn play_once(
        &self,
        attempt: Attempt,
        listener: &mut Listener<'_>,
    ) -> Result<TrialRecord, RunError> {
        record::of(&self.plan, attempt, trial::play(self, attempt, listener))
    }

    /// Goes through the trials, and tells `listener` of each as it ends.
    ///
    /// # Errors
    ///
    /// The first that no repeat helps; [`RunError::Stopped`] where `listener` wants it to end.
    pub fn play(&self, listener: &mut Listener<'_>) -> Result<(), RunError> {
        let trials = &self.plan.trials;
        (1_u32..).zip(trials).try_for_each(|(number, &id)| {
            let last = number as usize == trials.len();
            let order = self.plan.before + number;
            let has_floor = self.plan.has_floor_behind(id);
            repeat(last && !has_floor, listener, |number, listener| {
                let attempt = Attempt { id, order, number };
                let trial = self.play_once(attempt, listener)?;
                let stands = trial.is_valid() || trial.is_settled();
                Ok((AttemptRecord::Trial(Box::new(trial)), stands))
            })?;
            if !has_floor {
                return Ok(());
            }
            let bare = floor::in_place_of(self, id);
            let id = TrialId { contender: Contender::FLOOR, ..id };
            repeat(last, listener, |number, listener| {
                let floor = floor::play(&bare, Attempt { id, order: 0, number }, listener)?;
                let stands = floor.invalid.is_empty();
                Ok((AttemptRecord::Floor(floor), stands))
            })
        })
    }
}

/// Plays a trial, the run's `last` or not, and again, at once, where it does not stand.
fn repeat(
    last: bool,
    listener: &mut Listener<'_>,
    play: impl Fn(u32, &mut Listener<'_>) -> Result<(AttemptRecord, bool), RunError>,
) -> Result<(), RunError> {
    for number in 1..=ATTEMPTS {
        let (record, stands) = play(number, listener)?;
        let stands = stands || number == ATTEMPTS;
        event::tell(listener, Event::Done { record, stands, last: stands && last })?;
        if stands {
            break;
        }
    }
    Ok(())
}
