//! Counts of the trials at a load.

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
    /// Counts a trial.
    pub(super) const fn count(&mut self, is_met: bool) {
        self.trials += 1;
        if is_met {
            self.met += 1;
        } else {
            self.missed += 1;
        }
    }

    /// So many of its misses were the machine's of a certain time.
    pub(super) const fn forget_misses(&mut self, misses: u32) {
        self.missed = self.missed.saturating_sub(misses);
    }
}
