//! The search itself, without a clock and without a trial: which load is tried next, and what is
//! known once there is none.
//!
//! Load doubles from the least until it fails, then the interval between what held and what failed is
//! halved on the axis' scale until it is narrow. The noise of a shared machine makes things worse, hardly
//! ever better, and comes in bursts. So what holds is believed sooner than what fails, and a miss only
//! where the machine was as before: behind it the most load that held is tried again, and has to hold,
//! and not to take many times as much of the limit as it did. A burst in which a load misses is seen
//! there, also by a load so low that it bears it. In the end the load that fails is tried again in turns
//! with the one that holds, which is near by then. How many trials that takes is said in `session`.

mod session;

use std::collections::{BTreeMap, BTreeSet};

use pushbench_metrics::record::capacity::{Limit, Place};

use self::session::{Purpose, Session};
use super::tally::Tally;

/// How often the least load may fail that held before, until nothing more is asked of the machine.
const DISTURBANCES: u32 = 3;

/// From so many times the part of the limit that a load took before on, the machine is not as it was then.
const WORSE: f64 = 2.5;

/// The most trials of a search.
const TRIALS: u32 = 120;

/// The bounds of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The least load.
    pub least: u64,
    /// The most.
    pub most: u64,
    /// How far apart the ends of the interval may be, as a share of the lower.
    pub within: f64,
}

/// The outcome of a trial at a load.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It met the objectives; `clearly`, where no noise is behind that.
    Met {
        /// Whether one trial is enough.
        clearly: bool,
        /// The part of the limit that it took, 0 to 1; `None` where the objectives have no such limit.
        took: Option<f64>,
    },
    /// It did not, or could not be used.
    Missed {
        /// Why.
        limit: Limit,
        /// How many times the limit it took; `None` where that is not known.
        took: Option<f64>,
    },
    /// There can be no such trial, whenever it is tried.
    Impossible(Limit),
}

/// The end of a search.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// The most that held and the least that failed, and why.
    Between(u64, u64, Limit),
    /// The least load failed.
    Misses(Limit),
    /// The load to which the search was to go holds.
    AllHeld(u64),
    /// The machine did not let it be told.
    Unsettled(Option<u64>, Limit),
}

/// A search for the most load that holds.
#[derive(Debug, Clone)]
pub struct Search {
    bounds: Bounds,
    tried: BTreeMap<u64, Tally>,
    /// The limits that the misses at each load met.
    limits: BTreeMap<u64, Vec<Limit>>,
    held: BTreeSet<u64>,
    /// The least part of the limit that trials at each load took.
    least: BTreeMap<u64, f64>,
    /// Loads that failed, and whether they did so for good.
    failed: BTreeMap<u64, (Limit, bool)>,
    /// How often each load failed.
    failures: BTreeMap<u64, u32>,
    /// The last is at work, those before it wait for it.
    sessions: Vec<Session>,
    disturbed: u32,
    trials: u32,
    found: Option<Found>,
}

impl Search {
    /// A search that has yet to try the least load.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            tried: BTreeMap::new(),
            limits: BTreeMap::new(),
            held: BTreeSet::new(),
            least: BTreeMap::new(),
            failed: BTreeMap::new(),
            failures: BTreeMap::new(),
            sessions: vec![Session::of(bounds.least, Purpose::Probe)],
            disturbed: 0,
            trials: 0,
            found: None,
        }
    }

    /// The load to try next; `None` where the search is over.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        if self.found.is_some() { None } else { self.sessions.last().map(|session| session.load) }
    }

    /// The end, once it is there.
    #[must_use]
    pub const fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// The most load that held so far.
    #[must_use]
    pub fn holds(&self) -> Option<u64> {
        self.held.last().copied()
    }

    /// The least that failed so far.
    #[must_use]
    pub fn fails(&self) -> Option<u64> {
        self.failed.keys().next().copied()
    }

    /// Whether a load holds, as far as that is known.
    #[must_use]
    pub fn answer(&self, load: u64) -> Option<bool> {
        let misses = matches!(self.found, Some(Found::Misses(_)));
        if self.held.contains(&load) {
            return Some(true);
        }
        let fails = self.fails().is_some_and(|fails| load >= fails) || misses;
        fails.then_some(false)
    }

    /// The counts of each load that was tried.
    #[must_use]
    pub const fn tried(&self) -> &BTreeMap<u64, Tally> {
        &self.tried
    }

    /// The limit that most of the misses at a load met; of several the one that was first.
    #[must_use]
    pub fn limit(&self, load: u64) -> Option<&Limit> {
        let limits = self.limits.get(&load)?;
        let count = |place| limits.iter().filter(|limit| limit.place == place).count();
        limits.iter().rev().max_by_key(|limit| count(limit.place))
    }

    /// Takes the outcome of a trial at the load that [`next`](Self::next) named.
    pub fn take(&mut self, outcome: Outcome) {
        let Some(load) = self.next() else { return };
        let is_worse = self.is_worse(load, &outcome);
        let Some(session) = self.sessions.last_mut() else { return };
        self.trials += 1;
        let tally = self.tried.entry(load).or_default();
        match outcome {
            Outcome::Met { clearly, .. } => {
                tally.count(true);
                if is_worse && session.is_patient() {
                    session.waits();
                } else {
                    session.meets(clearly);
                }
            }
            Outcome::Missed { limit, .. } => {
                tally.count(false);
                session.misses(is_worse);
                self.limits.entry(load).or_default().push(limit);
            }
            // It never was a trial.
            Outcome::Impossible(limit) => {
                self.limits.insert(load, vec![limit.clone()]);
                return self.has_failed(load, limit, true);
            }
        }
        self.judge();
        if self.trials >= TRIALS && self.found.is_none() {
            self.give_up();
        }
    }

    /// Whether the machine was not as it was in other trials at that load. Notes what the trial took.
    fn is_worse(&mut self, load: u64, outcome: &Outcome) -> bool {
        let (took, is_machine) = match outcome {
            Outcome::Met { took, .. } => (*took, false),
            Outcome::Missed { limit, took } => (*took, limit.place == Place::Machine),
            Outcome::Impossible(_) => (None, false),
        };
        let Some(took) = took else { return is_machine };
        let least = self.least.entry(load).or_insert(f64::INFINITY);
        let is_worse = took > *least * WORSE;
        *least = least.min(took);
        is_machine || is_worse
    }

    /// Ends with an interval that is wider than was asked for, or with none.
    fn give_up(&mut self) {
        let fails = self.failed.first_key_value();
        self.found = Some(match (self.holds(), fails) {
            (Some(holds), Some((fails, (limit, true)))) => {
                Found::Between(holds, *fails, limit.clone())
            }
            (holds, _) => {
                let limit = Limit::new(Place::Machine, "its trials did not agree with each other");
                Found::Unsettled(holds, limit)
            }
        });
    }

    /// Goes on from what is known of the load that is at work.
    fn judge(&mut self) {
        let Some(session) = self.sessions.last() else { return };
        let (load, tally) =
            (session.load, self.tried.get(&session.load).copied().unwrap_or_default());
        if session.is_held(tally) {
            return self.has_held(load);
        }
        if session.is_failed(tally) {
            let is_known = session.purpose == Purpose::Recheck;
            let limit = self.limit(load).cloned();
            let limit = limit.unwrap_or_else(|| Limit::new(Place::Unknown, ""));
            return self.has_failed(load, limit, is_known);
        }
        if !session.wants_control() {
            return;
        }
        match self.held.range(..load).next_back() {
            Some(&below) => self.sessions.push(Session::of(below, Purpose::Control)),
            None => self.believe(),
        }
    }

    /// The misses of the load that is at work are believed: a lower one held behind them, or there is none.
    fn believe(&mut self) {
        if let Some(session) = self.sessions.last_mut() {
            session.believe();
        }
        self.judge();
    }

    /// The misses of the load that is at work say nothing of it: a lower one missed as well.
    fn forget(&mut self) {
        let Some(session) = self.sessions.last_mut() else { return };
        let (load, misses) = (session.load, session.forget());
        if let Some(tally) = self.tried.get_mut(&load) {
            tally.forget_misses(misses);
        }
        if let Some(limits) = self.limits.get_mut(&load) {
            limits.truncate(limits.len().saturating_sub(misses as usize));
        }
    }

    fn has_held(&mut self, load: u64) {
        self.held.insert(load);
        // What failed below it failed for another reason than load.
        self.failed = self.failed.split_off(&(load + 1));
        let session = self.sessions.pop();
        match session {
            _ if self.sessions.is_empty() => self.go_on(),
            Some(session) if session.is_shaken() => self.forget(),
            _ => self.believe(),
        }
    }

    /// `load` fails, perhaps for good.
    fn has_failed(&mut self, load: u64, limit: Limit, for_good: bool) {
        let below = self.held.range(..load).next_back().copied();
        match below {
            // It held before, and all that is above it may have failed for the same reason.
            None if self.held.contains(&load) => self.disturbance(limit),
            None => self.found = Some(Found::Misses(limit)),
            Some(below) => {
                drop(self.held.split_off(&load));
                let failures = self.failures.entry(load).or_default();
                *failures += 1;
                // One that held in between, and was tried in turns with a load near by.
                let again = *failures > 1 && self.is_narrow(below, load);
                self.failed.insert(load, (limit, for_good || again));
                self.sessions.clear();
                self.go_on();
            }
        }
    }

    /// The least load, which had held, does not any more: no miss since then says anything.
    fn disturbance(&mut self, limit: Limit) {
        self.disturbed += 1;
        if self.disturbed >= DISTURBANCES {
            self.found = Some(Found::Unsettled(self.holds(), limit));
            return;
        }
        for session in &mut self.sessions {
            *session = Session::of(session.load, session.purpose);
            let tally = self.tried.entry(session.load).or_default();
            tally.forget_misses(tally.missed);
            self.limits.remove(&session.load);
        }
    }

    /// Chooses the next load, where the last has its answer.
    fn go_on(&mut self) {
        let Some(holds) = self.holds() else { return };
        let fails =
            self.failed.first_key_value().map(|(load, (limit, known))| (*load, limit, *known));
        let is_confirmed = self.tried.get(&holds).is_some_and(|tally| tally.is_confirmed());
        let (next, purpose) = match fails {
            None if holds < self.bounds.most => {
                (holds.saturating_mul(2).min(self.bounds.most), Purpose::Probe)
            }
            Some((fails, ..)) if !self.is_narrow(holds, fails) => {
                (middle(holds, fails), Purpose::Probe)
            }
            // The load that holds has to show first that the machine is as before.
            Some((fails, _, false)) => {
                self.sessions.push(Session::of(fails, Purpose::Recheck));
                (holds, Purpose::Control)
            }
            _ if !is_confirmed => (holds, Purpose::Confirm),
            None => {
                self.found = Some(Found::AllHeld(holds));
                return;
            }
            Some((fails, limit, true)) => {
                self.found = Some(Found::Between(holds, fails, limit.clone()));
                return;
            }
        };
        self.sessions.push(Session::of(next, purpose));
    }

    fn is_narrow(&self, holds: u64, fails: u64) -> bool {
        fails - holds <= 1 || fails as f64 <= holds as f64 * (1.0 + self.bounds.within)
    }
}

/// The middle of an interval on a logarithmic scale, as round as fits between its ends.
fn middle(holds: u64, fails: u64) -> u64 {
    let middle = (holds as f64 * fails as f64).sqrt();
    let digits = if fails as f64 > holds as f64 * 1.3 { 2 } else { 3 };
    let unit = 10_f64.powi((middle.log10().floor() as i32 + 1 - digits).max(0));
    let round = ((middle / unit).round() * unit) as u64;
    let inside = holds + 1..fails;
    if inside.contains(&round) {
        round
    } else {
        (middle.round() as u64).clamp(holds + 1, fails - 1)
    }
}

#[cfg(test)]
mod tests;
