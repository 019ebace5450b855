//! Counts of the trials at a load.

use super::search::Outcome;

/// How many trials at a load met the objectives, and how many did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Trials.
    pub trials: u32,
    /// Those that met them.
    pub met: u32,
    /// Those that did not, and that say something.
    pub missed: u32,
}

impl Tally {
    pub(super) const fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Met { .. } => self.met += 1,
            Outcome::Missed { .. } => self.missed += 1,
            // It never was.
            Outcome::Impossible(_) => return,
        }
        self.trials += 1;
    }

    /// So many of its misses were the machine's of a certain time.
    pub(super) const fn forget_misses(&mut self, misses: u32) {
        self.missed = self.missed.saturating_sub(misses);
    }
}
