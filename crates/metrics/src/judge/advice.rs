//! Advice: which of several contenders to take, from what each delivered and cost in the same rounds.
//!
//! Who is not fresh enough, loses messages or cannot be judged is out, each with its [`Out`]. Of the
//! others the cheapest is taken, by the first [`Cost`] in which it is shown to be: within rounds, since
//! these share the machine's drift, and by a [`margin`](Wishes::margin) that matters to the user. That
//! none is shown to be cheaper is an answer, too.
//!
//! Nothing here knows how the figures came about: whether they were measured as they are or
//! [composed](compose) of unit costs.

pub mod check;
pub mod compose;
mod fresh;
mod rank;
pub mod said;
pub mod turn;

use std::time::Duration;

use pushbench_core::{Contender, Delivery};
use serde::{Deserialize, Serialize};

use self::check::{Check, Measured};
use self::fresh::freshness;
use self::rank::Ranking;
use self::said::Said;
use crate::judge::stats::{median, median_interval_95, range};
use crate::observe::censored::Bounded;

/// The fewest rounds from which anything is shown: with fewer there is no interval.
pub const FEWEST_ROUNDS: usize = 6;

/// A round in so many may be without a valid trial of a contender that is judged.
const ROUNDS_PER_INVALID: usize = 4;

/// A cost by which contenders are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cost {
    /// Money for a client and month.
    Money,
    /// The server's CPU time for a client and second.
    ServerCpu,
    /// Bytes of all layers, both directions, for a client and second.
    WireBytes,
}

/// Costs of a client in one round; `None` is "not measured".
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// The server's CPU time for each second, in microseconds.
    pub server_cpu_us: Option<f64>,
    /// The part of it that no message and no poll adds to; zero where that was not measured.
    pub server_cpu_held_us: f64,
    /// Bytes of all layers, both directions, for each second.
    pub wire_bytes: Option<f64>,
    /// Those of them that messages are: payload and framing.
    pub message_bytes: Option<f64>,
    /// Growth of the server's memory, in bytes: shown, and no reason.
    pub memory_bytes: Option<f64>,
    /// Money for a month, where prices are given.
    pub money: Option<f64>,
    /// The part of it that no message and no poll adds to: a connection that is held, memory, and CPU.
    pub money_held: Option<f64>,
    /// The part of each that what the client says takes, which is in it already.
    pub said: Said,
}

impl Costs {
    /// The cost of that kind.
    #[must_use]
    pub const fn get(&self, cost: Cost) -> Option<f64> {
        match cost {
            Cost::Money => self.money,
            Cost::ServerCpu => self.server_cpu_us,
            Cost::WireBytes => self.wire_bytes,
        }
    }
}

/// A contender's valid trial in a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// The figure `fresh_p99_us`; `None` where it is not known.
    pub fresh_p99_us: Option<Bounded>,
    /// Messages that clients were promised and did not get.
    pub lost: u64,
    /// The costs of a client.
    pub costs: Costs,
}

/// One of those that may be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The contender.
    pub contender: Contender,
    /// Its rounds in their order, the same ones of all candidates; `None` where the trial stayed
    /// invalid.
    pub rounds: Vec<Option<Round>>,
    /// Whether its figures are [composed](compose) rather than measured as they are.
    pub is_composed: bool,
    /// Trials at the user's own numbers; `None` where there were none, or they stayed invalid.
    pub check: Option<Check>,
}

impl Candidate {
    fn valid(&self) -> impl Iterator<Item = &Round> + Clone {
        self.rounds.iter().flatten()
    }

    /// A cost over the rounds, and by the [check](Check) of a composed one; `None` where a round is without.
    #[must_use]
    pub fn cost(&self, by: Cost) -> Option<Spread> {
        let spread = self.spread(|costs| costs.get(by))?;
        let own = self.is_composed.then(|| self.corrected().spread(|costs| costs.get(by)));
        Some(spread.holding(own.flatten().map(|own| own.middle)))
    }

    /// Something of the costs over the rounds; `None` where a round is without.
    #[must_use]
    pub fn spread(&self, of: impl Fn(&Costs) -> Option<f64>) -> Option<Spread> {
        let values = self.valid().map(|round| of(&round.costs)).collect::<Option<Vec<f64>>>()?;
        Spread::of(&values)
    }

    /// The figure `fresh_p99_us` over the rounds that know it, and by the check of a composed one.
    #[must_use]
    pub fn fresh_us(&self) -> Option<Spread> {
        let known = self.valid().filter_map(|round| round.fresh_p99_us?.exact());
        let spread = Spread::of(&known.collect::<Vec<f64>>())?;
        let own = self.check.as_ref().filter(|_| self.is_composed);
        Some(spread.holding(own.and_then(|check| check.fresh_p99_us?.exact())))
    }

    /// Freshness of each valid round, and of the check of one that is composed.
    pub fn freshnesses(&self) -> impl Iterator<Item = Option<Bounded>> + Clone {
        let own = self.check.iter().filter(|_| self.is_composed).map(|check| check.fresh_p99_us);
        self.valid().map(|round| round.fresh_p99_us).chain(own.filter(Option::is_some))
    }
}

/// A figure over several rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub middle: f64,
    /// The lower end of its 95 % interval; with fewer than six rounds, of the range.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Option<Self> {
        let (low, high) = median_interval_95(values).or_else(|| range(values))?;
        Some(Self { middle: median(values)?, low, high })
    }
}

/// The wishes of a user.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Wishes {
    /// For 99 % of clients and messages the client is to hold the message, or a newer one, so long
    /// after its intended instant.
    pub fresh: Duration,
    /// The promise to clients.
    pub delivery: Delivery,
    /// The part by which a contender must be dearer for it to matter: 0.1 is 10 %.
    pub margin: f64,
}

/// Why a candidate cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "because")]
pub enum Out {
    /// It has not valid trials enough.
    Invalid {
        /// Rounds in which it has one.
        valid: usize,
        /// All rounds.
        rounds: usize,
    },
    /// Clients were without messages that they were promised.
    Lost {
        /// So many, in all rounds and the check of a composed one.
        messages: u64,
    },
    /// It is not fresh enough.
    Stale {
        /// Rounds in which it was.
        fresh: usize,
        /// Its valid rounds.
        rounds: usize,
    },
    /// Neither that it is fresh enough is shown nor that it is not.
    FreshnessNotShown {
        /// Rounds in which it was fresh enough.
        fresh: usize,
        /// Its valid rounds.
        rounds: usize,
    },
}

/// How much a candidate costs more than another, within rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Dearer {
    /// The cost.
    pub by: Cost,
    /// The part, 0.2 being 20 % more: the median over rounds, and the ends of its 95 % interval, which
    /// holds what checks measured.
    pub part: Spread,
    /// Whether a composed cost is in it.
    pub is_composed: bool,
    /// The part by [checks](Check); `None` without.
    pub checked: Option<Measured>,
}

/// The answer. Candidates are named by their place among those given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Answer {
    /// One is to be taken.
    Take {
        /// That one.
        best: usize,
        /// The next cheapest, and what it costs more; `None` where there is no other.
        next: Option<(usize, Dearer)>,
        /// Those that were as cheap by all costs before the one that decided.
        alike: Vec<usize>,
    },
    /// Any of several: no difference between them matters, or none is shown.
    Any {
        /// These.
        among: Vec<usize>,
        /// The part from which on a difference would have been told, by the first cost; `None` where
        /// no cost is known of all.
        shown_from: Option<f64>,
        /// Whether the differences are shown to be smaller than the margin.
        are_alike: bool,
        /// The one that is to be taken by the rounds alone, which a check does not bear out.
        unborne: Option<usize>,
    },
    /// All that can be judged fail.
    NoneMeets,
    /// There is nothing to judge by.
    NotJudged,
}

/// The answer with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// The answer.
    pub answer: Answer,
    /// Why each candidate is out; `None` of those that are not.
    pub out: Vec<Option<Out>>,
    /// The costs that were asked, in their order.
    pub order: Vec<Cost>,
}

/// Judges `candidates` by what is wished.
#[must_use]
pub fn advise(candidates: &[Candidate], wishes: &Wishes) -> Advice {
    let out: Vec<Option<Out>> =
        candidates.iter().map(|candidate| reason(candidate, wishes)).collect();
    let kept: Vec<usize> = (0..candidates.len()).filter(|&at| out[at].is_none()).collect();
    let order = order(candidates, &kept);
    let answer = if kept.is_empty() {
        let judged = out.iter().flatten().any(|out| !matches!(out, Out::Invalid { .. }));
        if judged { Answer::NoneMeets } else { Answer::NotJudged }
    } else {
        ranked(candidates, wishes.margin, kept, &order)
    };
    Advice { answer, out, order }
}

/// The answer among those that are kept, and what the rounds alone would have said where checks leave none.
fn ranked(candidates: &[Candidate], margin: f64, kept: Vec<usize>, order: &[Cost]) -> Answer {
    let answer = Ranking { candidates, margin }.answer(kept.clone(), order);
    let Answer::Any { among, shown_from, are_alike, .. } = answer else { return answer };
    let unchecked = |it: &Candidate| Candidate { check: None, ..it.clone() };
    let alone: Vec<Candidate> = candidates.iter().map(unchecked).collect();
    let unborne = match (Ranking { candidates: &alone, margin }.answer(kept, order)) {
        Answer::Take { best, .. } => Some(best),
        _ => None,
    };
    Answer::Any { among, shown_from, are_alike, unborne }
}

/// The reason for which a candidate is out.
fn reason(candidate: &Candidate, wishes: &Wishes) -> Option<Out> {
    let (rounds, valid) = (candidate.rounds.len(), candidate.valid().count());
    let most_invalid = rounds / ROUNDS_PER_INVALID;
    if valid < FEWEST_ROUNDS || rounds - valid > most_invalid {
        return Some(Out::Invalid { valid, rounds });
    }
    let check = candidate.check.filter(|_| candidate.is_composed);
    let in_check = check.map_or(0, |check| check.lost);
    let messages = candidate.valid().map(|round| round.lost).sum::<u64>() + in_check;
    if messages > 0 {
        return Some(Out::Lost { messages });
    }
    freshness(candidate, wishes.fresh)
}

/// The costs that decide: money alone where all have a price, else those that are measured of all.
fn order(candidates: &[Candidate], kept: &[usize]) -> Vec<Cost> {
    let is_known = |cost: &Cost| {
        kept.iter().all(|&at| candidates[at].spread(|costs| costs.get(*cost)).is_some())
    };
    if !kept.is_empty() && is_known(&Cost::Money) {
        return vec![Cost::Money];
    }
    [Cost::ServerCpu, Cost::WireBytes].into_iter().filter(is_known).collect()
}

#[cfg(test)]
mod tests;
