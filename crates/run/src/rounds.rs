//! A run from its first trial to its last: trials in the plan's order, each again where it is
//! invalid, and the floors among them.

use pushbench_metrics::record::TrialId;

use crate::error::RunError;
use crate::event::{self, Event, Listener};
use crate::setup::{ATTEMPTS, Attempt, Run};
use crate::{floor, trial};

impl Run {
    /// Goes through the trials, and tells `listener` of each as it ends.
    ///
    /// # Errors
    ///
    /// The first that no repeat helps; [`RunError::Stopped`] where `listener` wants it to end.
    pub fn play(&self, listener: &mut Listener<'_>) -> Result<(), RunError> {
        let trials = &self.plan.trials;
        (1_u32..).zip(trials).try_for_each(|(order, &id)| {
            let last = order as usize == trials.len();
            let floor = self.plan.has_floor_behind(id);
            self.attempts(order, id, last && !floor, listener)?;
            if floor { floor::attempts(self, id, last, listener) } else { Ok(()) }
        })
    }

    /// Runs the trial that is `order`th, and again, at once, where it is invalid, unless the server
    /// asked to be left alone.
    fn attempts(
        &self,
        order: u32,
        id: TrialId,
        last: bool,
        listener: &mut Listener<'_>,
    ) -> Result<(), RunError> {
        for number in 1..=ATTEMPTS {
            let trial = trial::run(self, Attempt { id, order, number }, listener)?;
            let stands = trial.is_valid() || number == ATTEMPTS || trial.was_told_to_wait();
            let (trial, last) = (Box::new(trial), stands && last);
            event::tell(listener, Event::TrialDone { trial, stands, last })?;
            if stands {
                break;
            }
        }
        Ok(())
    }
}
