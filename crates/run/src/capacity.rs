//! Capacity: the most load that still meets an objective, looked for trial by trial.
//!
//! ```text
//! search -> load -> point -> trial -> judge -> outcome -> search
//!                                       cause --^
//! ```
//!
//! [`search`] says which load is tried next and what is known in the end, and sees neither clock nor
//! trial. `judge` holds a trial against the objectives, `cause` says where the limit lies that it
//! met. [`CapacityRun`] plays: the contenders take turns, trial by trial, so that what the machine
//! does at a time hits all of them, and so that a load is tried again some time later.

mod cause;
mod judge;
pub mod search;
mod tally;

use std::collections::BTreeMap;
use std::time::Duration;

use pushbench_core::Contender;
use pushbench_core::scenario::{Objective, Scenario};
use pushbench_core::units::{ByteSize, Count, Rate};
use pushbench_metrics::judge::figures::Figures;
use pushbench_metrics::judge::stats;
use pushbench_metrics::observe::censored::Bounded;
use pushbench_metrics::record::capacity::{
    self, Capacity, Limit, Over, Place, Reading, Step, Verdict,
};
use pushbench_metrics::record::{TrialId, TrialRecord};

use self::judge::Judge;
use self::search::{Bounds, Found, Outcome, Search};
pub use self::tally::Tally;
use crate::error::RunError;
use crate::event::Listener;
use crate::packets::RouterSpeed;
use crate::plan::Plan;
use crate::setup::{Attempt, Run};

/// Messages that no server process gives to all clients together in a second: an estimate of time goes
/// no further.
const MOST_MESSAGES: f64 = 200_000.0;

/// A question of capacity.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The setting that load is raised by.
    pub over: Over,
    /// The conditions that have to hold, each for its contenders.
    pub objectives: Vec<Objective>,
    /// The least load that is tried, in the unit of the axis.
    pub least: f64,
    /// The most.
    pub most: f64,
    /// How far apart the ends of an interval may be, as a share of the lower.
    pub within: f64,
}

/// A trial that was played for a search.
#[derive(Debug)]
pub struct Tried {
    /// Its record.
    pub trial: TrialRecord,
    /// Its load, in the unit of the axis.
    pub load: f64,
    /// Whether the load holds, where that is known by now.
    pub holds: Option<bool>,
    /// The limit that the load's misses met so far.
    pub limit: Option<Limit>,
    /// Whether its contender's search is over.
    pub is_last: bool,
}

/// The search for the capacity of each contender of a plan.
#[derive(Debug)]
pub struct CapacityRun {
    run: Run,
    question: Question,
    searches: Vec<(Contender, Search)>,
    /// The loads of the plan's points, in their order.
    loads: Vec<u64>,
    /// The objectives' figures in each trial that tells them.
    readings: BTreeMap<(Contender, u64), Vec<Vec<Option<f64>>>>,
    /// Who is next.
    turn: usize,
    played: u32,
    speed: Option<RouterSpeed>,
}

/// The parts into which a unit of the axis is divided.
const fn parts(over: Over) -> f64 {
    match over {
        Over::Clients | Over::Payload => 1.0,
        Over::Rate => 1_000.0,
    }
}

/// `load` in the unit of the axis.
fn value(over: Over, load: u64) -> f64 {
    load as f64 / parts(over)
}

/// `scenario` with those loads, each of them a point where nothing else is a list.
#[must_use]
pub fn with_loads(scenario: Scenario, over: Over, loads: &[f64]) -> Scenario {
    let whole = |load: &f64| load.round() as u64;
    match over {
        Over::Clients => {
            let clients: Vec<Count> = loads.iter().map(whole).map(Count).collect();
            Scenario { clients: clients.into(), ..scenario }
        }
        Over::Rate => {
            let rates: Vec<Rate> = loads.iter().filter_map(|load| Rate::from_hz(*load)).collect();
            Scenario { rate: rates.into(), ..scenario }
        }
        Over::Payload => {
            let sizes: Vec<ByteSize> = loads.iter().map(whole).map(ByteSize).collect();
            Scenario { payload: sizes.into(), ..scenario }
        }
    }
}

impl CapacityRun {
    /// A search by a run's plan, whose scenario has one value for each setting; that of the searched
    /// one is of no consequence. `speed` is that of a link's router, where there is one.
    #[must_use]
    pub fn new(run: Run, question: Question, speed: Option<RouterSpeed>) -> Self {
        let load = |value: f64| (value * parts(question.over)).round() as u64;
        let bounds = Bounds {
            least: load(question.least),
            most: load(question.most),
            within: question.within,
        };
        let contenders = run.plan.contenders();
        let searches = contenders.map(|contender| (contender, Search::new(bounds))).collect();
        let (loads, readings, turn, played) = (Vec::new(), BTreeMap::new(), 0, 0);
        Self { run, question, searches, loads, readings, turn, played, speed }
    }

    /// The scenario, with each load that was tried so far.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.run.plan
    }

    /// Plays the next trial; `None` where every search is over.
    ///
    /// # Errors
    ///
    /// Reasons for which no trial can be played; [`RunError::Stopped`] where `listener` has it so.
    pub fn next(&mut self, listener: &mut Listener<'_>) -> Result<Option<Tried>, RunError> {
        let Some((at, load, attempt)) = self.prepare() else { return Ok(None) };
        let trial = self.run.play_once(attempt, listener)?;
        Ok(Some(self.take(at, load, trial)))
    }

    /// Puts the next trial that there can be into the plan: whose it is, by place, and its load.
    fn prepare(&mut self) -> Option<(usize, u64, Attempt)> {
        loop {
            let (at, load) = self.choose()?;
            let contender = self.searches[at].0;
            let plan = self.plan_with(load);
            let place = self.loads.iter().position(|tried| *tried == load);
            let point = place.unwrap_or(self.loads.len()) as u32 + 1;
            let tally = self.searches[at].1.tried().get(&load).copied().unwrap_or_default();
            let id = TrialId { point, contender, round: tally.trials + 1 };
            if let Some(limit) = impossible(&plan, id, self.speed.as_ref()) {
                self.searches[at].1.take(Outcome::Impossible(limit));
                continue;
            }
            if place.is_none() {
                self.loads.push(load);
            }
            self.run.plan = plan;
            self.played += 1;
            return Some((at, load, Attempt { id, order: self.played, number: 1 }));
        }
    }

    /// Whose turn it is, by place, and the load.
    fn choose(&mut self) -> Option<(usize, u64)> {
        let count = self.searches.len();
        let turn = self.turn;
        let mut places = (0..count).map(|after| (turn + after) % count);
        let found = places.find_map(|at| Some((at, self.searches[at].1.next()?)))?;
        self.turn = found.0 + 1;
        Some(found)
    }

    /// The plan with `load` among its points.
    fn plan_with(&self, load: u64) -> Plan {
        let plan = self.run.plan.clone();
        let new = (!self.loads.contains(&load)).then_some(load);
        let loads = self.loads.iter().copied().chain(new);
        let loads: Vec<f64> = loads.map(|load| value(self.question.over, load)).collect();
        let scenario = with_loads(plan.scenario, self.question.over, &loads);
        let points = scenario.points(plan.trace.as_ref());
        Plan { scenario, points, trials: Vec::new(), ..plan }
    }

    fn take(&mut self, at: usize, load: u64, trial: TrialRecord) -> Tried {
        let Question { over, objectives, .. } = &self.question;
        let point = self.run.plan.point(trial.id);
        let tcp_bytes = self.run.plan.layout.tcp_bytes();
        let judge = Judge { trial: &trial, point, objectives, tcp_bytes };
        let outcome = judge.outcome();
        if judge.tells() {
            let figures = Figures::of_trial(&trial);
            let read = objectives.iter().map(|objective| {
                judge::value(&trial, &figures, objective.figure()).and_then(Bounded::exact)
            });
            self.readings.entry((trial.id.contender, load)).or_default().push(read.collect());
        }
        let search = &mut self.searches[at].1;
        search.take(outcome);
        Tried {
            load: value(*over, load),
            holds: search.answer(load),
            limit: search.limit(load).cloned(),
            is_last: search.found().is_some(),
            trial,
        }
    }

    /// The knowledge so far.
    #[must_use]
    pub fn capacity(&self) -> Capacity {
        let Question { over, objectives, least, most, within } = self.question.clone();
        let searches = self.searches.iter().map(|(contender, search)| capacity::Search {
            contender: *contender,
            verdict: self.verdict(*contender, search),
            steps: self.steps(*contender, search),
        });
        let searches = searches.collect();
        Capacity { over, objectives, least, most, within, searches }
    }

    fn verdict(&self, contender: Contender, search: &Search) -> Verdict {
        let of = |load: u64| value(self.question.over, load);
        match search.found().cloned() {
            None => Verdict::Unfinished { holds: search.holds().map(of) },
            // It may well hold on another day.
            Some(Found::Between(holds, _, limit)) if limit.place == Place::Machine => {
                Verdict::Unsettled { holds: Some(of(holds)), limit }
            }
            Some(Found::Between(holds, _, limit)) if limit.place.is_ours() => {
                Verdict::AtLeast { holds: of(holds), limit }
            }
            Some(Found::Between(holds, fails, limit)) => {
                Verdict::Within { holds: of(holds), fails: of(fails), limit }
            }
            Some(Found::Misses(limit))
                if limit.place.is_ours() || self.is_unmeasured(contender, &limit) =>
            {
                Verdict::Unsettled { holds: None, limit }
            }
            Some(Found::Misses(limit)) => Verdict::Misses { least: self.question.least, limit },
            Some(Found::AllHeld(load)) => Verdict::AtLeast {
                holds: of(load),
                limit: Limit::new(Place::Asked, "no more was tried"),
            },
            Some(Found::Unsettled(holds, limit)) => {
                Verdict::Unsettled { holds: holds.map(of), limit }
            }
        }
    }

    /// Whether the least load was missed for want of a figure.
    fn is_unmeasured(&self, contender: Contender, limit: &Limit) -> bool {
        let least = (self.question.least * parts(self.question.over)).round() as u64;
        let readings = self.medians(contender, least);
        limit.place == Place::Unknown && readings.iter().any(|reading| reading.median.is_none())
    }

    fn steps(&self, contender: Contender, search: &Search) -> Vec<Step> {
        let step = |(load, tally): (&u64, &Tally)| {
            let place = self.loads.iter().position(|tried| tried == load)?;
            Some(Step {
                load: value(self.question.over, *load),
                point: place as u32 + 1,
                trials: tally.trials,
                met: tally.met,
                holds: search.answer(*load),
                limit: search.limit(*load).cloned(),
                readings: self.medians(contender, *load),
            })
        };
        search.tried().iter().filter(|(_, tally)| tally.trials > 0).filter_map(step).collect()
    }

    /// The median of each objective of `contender`'s at a load.
    fn medians(&self, contender: Contender, load: u64) -> Vec<Reading> {
        let none = Vec::new();
        let trials = self.readings.get(&(contender, load)).unwrap_or(&none);
        let objectives = self.question.objectives.iter().enumerate();
        let own = objectives.filter(|(_, objective)| objective.names(contender));
        let reading = |(at, objective): (usize, &Objective)| {
            let values: Vec<f64> = trials.iter().filter_map(|read| read[at]).collect();
            Reading { objective: objective.clone(), median: stats::median(&values) }
        };
        own.map(reading).collect()
    }

    /// How long it takes at most, if no load is tried more often than on a calm machine: each contender
    /// comes to the most load that there is room for, or to more messages than a server process gives.
    #[must_use]
    pub fn estimate(&self) -> Duration {
        let Question { over, least, most, .. } = self.question;
        let halvings = (1.0 / (1.0 + self.question.within).log2()).log2().ceil().max(0.0);
        // Of a calm one six where a load fails, two where it holds, and five to be sure in the end.
        let around = 6.0 + halvings * 4.0 + 5.0;
        let mut whole = Duration::ZERO;
        for (contender, _) in &self.searches {
            let mut load = least;
            let mut last = self.estimate_at(over, load, *contender).unwrap_or_default();
            if self.misses_by_principle(*contender) {
                whole += last * 4;
                continue;
            }
            whole += last;
            while load < most {
                load = (load * 2.0).min(most);
                let Some(each) = self.estimate_at(over, load, *contender) else { break };
                whole += each;
                last = each;
            }
            whole += last.mul_f64(around);
        }
        whole
    }

    fn estimate_at(&self, over: Over, load: f64, contender: Contender) -> Option<Duration> {
        let plan = self.plan_with((load * parts(over)).round() as u64);
        let point = plan.points.last()?;
        let (clients, rate_hz) = (f64::from(point.clients), point.rate_hz);
        let id = TrialId { point: point.id, contender, round: 1 };
        let is_possible = clients * rate_hz <= MOST_MESSAGES && plan.room(id).is_ok();
        is_possible.then(|| plan.estimate(id))
    }

    /// Whether a transport that asks on a period misses an objective by that alone.
    fn misses_by_principle(&self, contender: Contender) -> bool {
        let Some(point) = self.run.plan.points.first() else { return false };
        let mut own = self.question.objectives.iter().filter(|it| it.names(contender));
        let waits = |objective: &Objective| {
            let limit_us = cause::delay_us(objective)?;
            Some(cause::waits(point, limit_us, objective.figure().quantile()))
        };
        contender.shape().asks() && own.any(|objective| waits(objective).unwrap_or(false))
    }
}

/// Why there cannot be such a trial.
fn impossible(plan: &Plan, id: TrialId, speed: Option<&RouterSpeed>) -> Option<Limit> {
    if let Err(error) = plan.room(id) {
        return Some(Limit::new(Place::System, error.to_string()));
    }
    let planned = Plan { trials: vec![id], ..plan.clone() };
    let error = planned.check_packets(speed?).err()?;
    Some(Limit::new(Place::Router, error.to_string()))
}

#[cfg(test)]
mod tests;
