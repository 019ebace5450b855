//! The search itself, without a clock and without a trial: which load is tried next, and what is
//! known once there is none.
//!
//! Load doubles from the least until it fails, then the interval between what held and what failed is
//! halved on the axis' scale until it is narrow. The noise of a shared machine makes things worse, hardly ever better, and
//! comes in bursts. So what holds is believed sooner than what fails: two trials that meet the
//! objective are enough, or one that does by far; a load fails with four that miss it, and between
//! the second and the third the most load that held is tried again. Where that misses too, it is the
//! machine of this minute that is seen, or the lower load had only been lucky, and that one is
//! tested in its turn, by the same rules. In the end the lower load has to hold in most of its trials.

use std::collections::{BTreeMap, BTreeSet};

use pushbench_metrics::record::capacity::{Limit, Place};

use super::tally::Tally;

/// Trials that miss the objective at a load before it fails.
const MISSES: u32 = 4;

/// The miss from which on the load below is tried again behind each, so that time passes as well.
const GUARDED_FROM: u32 = 2;

/// Trials that meet the objective at a load before it holds.
const HOLDS: u32 = 2;

/// The same of the load that the search comes to in the end.
const CONFIRMS: u32 = 3;

/// Trials that agree about a load that failed when it is looked at once more.
const AGREES: u32 = 2;

/// How often the least load may fail that held before, until nothing more is asked of the machine.
const DISTURBANCES: u32 = 3;

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
    },
    /// It did not, or could not be used.
    Missed(Limit),
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

/// A purpose for which a load is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
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
struct Session {
    load: u64,
    purpose: Purpose,
    met: u32,
    missed: u32,
    /// The misses behind which a lower load has held, or there was none.
    guarded: u32,
}

/// A search for the most load that holds.
#[derive(Debug, Clone)]
pub struct Search {
    bounds: Bounds,
    tried: BTreeMap<u64, Tally>,
    /// The limits that the misses at each load met.
    limits: BTreeMap<u64, Vec<Limit>>,
    held: BTreeSet<u64>,
    /// Loads that failed, and whether they did so for good.
    failed: BTreeMap<u64, (Limit, bool)>,
    /// How often each load failed: one that held in between and fails again does so for good.
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
        let Some(session) = self.sessions.last_mut().filter(|_| self.found.is_none()) else {
            return;
        };
        let load = session.load;
        self.trials += 1;
        self.tried.entry(load).or_default().count(&outcome);
        match outcome {
            Outcome::Met { clearly } => session.met += if clearly { HOLDS } else { 1 },
            Outcome::Missed(limit) => {
                session.missed += 1;
                self.limits.entry(load).or_default().push(limit);
            }
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

    /// Ends with an interval that is wider than was asked for, or with none.
    fn give_up(&mut self) {
        let fails = self.failed.first_key_value();
        self.found = Some(match (self.holds(), fails) {
            (Some(holds), Some((fails, (limit, _)))) => {
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
        if session.missed < GUARDED_FROM || session.guarded >= session.missed {
            return;
        }
        match self.held.range(..load).next_back() {
            Some(&below) => self.sessions.push(Session::of(below, Purpose::Control)),
            None => self.guard(),
        }
    }

    /// Nothing below the load that is at work can be tried, or it held.
    fn guard(&mut self) {
        if let Some(session) = self.sessions.last_mut() {
            session.guarded = session.missed;
        }
        self.judge();
    }

    fn has_held(&mut self, load: u64) {
        self.held.insert(load);
        // What failed below it failed for another reason than load.
        self.failed = self.failed.split_off(&(load + 1));
        self.sessions.pop();
        if self.sessions.is_empty() { self.go_on() } else { self.guard() }
    }

    /// `load` fails, perhaps for good.
    fn has_failed(&mut self, load: u64, limit: Limit, for_good: bool) {
        let below = self.held.range(..load).next_back().copied();
        match below {
            // It held before, and all that is above it may have failed for the same reason.
            None if self.held.contains(&load) => self.disturbance(limit),
            None => self.found = Some(Found::Misses(limit)),
            Some(_) => {
                drop(self.held.split_off(&load));
                let failures = self.failures.entry(load).or_default();
                *failures += 1;
                self.failed.insert(load, (limit, for_good || *failures > 1));
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
            self.tried.entry(session.load).or_default().forget_misses();
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
            _ if !is_confirmed => (holds, Purpose::Confirm),
            None => {
                self.found = Some(Found::AllHeld(holds));
                return;
            }
            Some((fails, _, false)) => (fails, Purpose::Recheck),
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

impl Tally {
    const fn is_confirmed(self) -> bool {
        self.met >= CONFIRMS && self.met > self.missed
    }

    const fn is_refuted(self) -> bool {
        self.missed >= CONFIRMS && self.missed >= self.met
    }
}

impl Session {
    const fn of(load: u64, purpose: Purpose) -> Self {
        Self { load, purpose, met: 0, missed: 0, guarded: 0 }
    }

    const fn is_held(&self, tally: Tally) -> bool {
        match self.purpose {
            Purpose::Probe => self.met >= HOLDS,
            Purpose::Control => self.met > 0,
            Purpose::Confirm => tally.is_confirmed(),
            Purpose::Recheck => self.met >= AGREES,
        }
    }

    const fn is_failed(&self, tally: Tally) -> bool {
        match self.purpose {
            Purpose::Probe | Purpose::Control => self.missed >= MISSES,
            Purpose::Confirm => self.guarded >= GUARDED_FROM && tally.is_refuted(),
            Purpose::Recheck => self.missed >= AGREES,
        }
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
