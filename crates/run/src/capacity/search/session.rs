//! Trials at one load for one purpose, and how many of them are enough.

use super::super::tally::Tally;

/// Trials that meet the objective at a load before it holds.
const HOLDS: u32 = 2;

/// The same of the load that the search comes to in the end.
const CONFIRMS: u32 = 3;

/// Believed misses before a load fails.
const MISSES: u32 = 4;

/// The same of a load that failed before, when it is tried in turns with the one that holds.
const AGREES: u32 = 2;

/// Misses behind which a lower load is tried again.
const UNGUARDED: u32 = 2;

/// Trials for which the next step waits for the machine to be as before.
const PATIENCE: u32 = 4;

/// A purpose for which a load is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is not known whether it holds.
    Probe,
    /// It held, and one above it misses.
    Control,
    /// It is the load that holds which the search comes to.
    Confirm,
    /// It is the one that fails which the search comes to, looked at again some time later.
    Recheck,
}

/// Trials at one load for one purpose.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    pub(super) load: u64,
    pub(super) purpose: Purpose,
    met: u32,
    missed: u32,
    /// The misses behind which a lower load held, or there was none.
    believed: u32,
    /// Trials that met the objective on a machine that was not as before.
    waited: u32,
    /// Whether the machine was not as before in any trial.
    is_shaken: bool,
}

impl Session {
    pub(super) const fn of(load: u64, purpose: Purpose) -> Self {
        Self { load, purpose, met: 0, missed: 0, believed: 0, waited: 0, is_shaken: false }
    }

    /// Whether it waits for the machine to be as before. After a while the load above it is tried again,
    /// however that may be.
    pub(super) const fn is_patient(&self) -> bool {
        self.waited < PATIENCE
    }

    /// Counts a trial that met the objective on a machine that was not as before.
    pub(super) const fn waits(&mut self) {
        self.waited += 1;
        self.is_shaken = true;
    }

    /// Counts a trial that met the objective.
    pub(super) const fn meets(&mut self, clearly: bool) {
        self.met += if clearly { HOLDS } else { 1 };
    }

    /// Counts a trial that did not meet it.
    pub(super) const fn misses(&mut self, is_worse: bool) {
        self.missed += 1;
        self.is_shaken |= is_worse;
    }

    /// Believes the misses so far.
    pub(super) const fn believe(&mut self) {
        self.believed = self.missed;
    }

    /// Forgets the misses that are not believed yet, and says how many.
    pub(super) const fn forget(&mut self) -> u32 {
        let forgotten = self.missed - self.believed;
        self.missed = self.believed;
        forgotten
    }

    /// Whether the machine was not as before in any trial, the forgotten ones included.
    pub(super) const fn is_shaken(&self) -> bool {
        self.is_shaken
    }

    /// Whether a lower load has to hold before there is another trial.
    pub(super) const fn wants_control(&self) -> bool {
        let each = match self.purpose {
            Purpose::Recheck => 1,
            _ => UNGUARDED,
        };
        self.missed - self.believed >= each
    }

    pub(super) const fn is_held(&self, tally: Tally) -> bool {
        match self.purpose {
            Purpose::Probe => self.met >= HOLDS,
            Purpose::Control => self.met > 0,
            Purpose::Confirm => tally.is_confirmed(),
            Purpose::Recheck => self.met >= AGREES,
        }
    }

    pub(super) const fn is_failed(&self, tally: Tally) -> bool {
        match self.purpose {
            Purpose::Probe | Purpose::Control => self.believed >= MISSES,
            Purpose::Confirm => self.believed >= UNGUARDED && tally.is_refuted(),
            Purpose::Recheck => self.believed >= AGREES,
        }
    }
}

impl Tally {
    pub(super) const fn is_confirmed(self) -> bool {
        self.met >= CONFIRMS && self.met > self.missed
    }

    /// Where it is not confirmed.
    const fn is_refuted(self) -> bool {
        self.missed >= CONFIRMS
    }
}
