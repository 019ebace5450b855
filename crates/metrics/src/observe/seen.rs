//! Observations of one load process that say what was expected only beside those of all others.
//!
//! A client is to have what any client got, so what is lost is known once the processes of a trial
//! are put together: each hands over which numbers came to how many of its clients, in runs of
//! numbers that are alike, and how far its clients came.

mod stillness;

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::feed::stamp::Stamp;
use serde::{Deserialize, Serialize};

pub use self::stillness::Stillness;
use crate::observe::observer::Finding;

/// Everything that the clients of one load process saw of senders whose schedule is not known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Clients that were connected at t0.
    pub clients: u64,
    /// The senders' counters.
    pub counters: Vec<CounterSeen>,
    /// How far its clients came in counters that are not among these: nowhere.
    pub without: Vec<End>,
    /// Messages of the window that had no number, each time that one came.
    pub unnumbered: u64,
    /// Those of them that were a sample of latency.
    pub unnumbered_sampled: u64,
    /// The different instants in the window of messages without a number, rising, nanoseconds.
    pub instants: Vec<u64>,
    /// The stamps themselves.
    pub stamps: StampsSeen,
}

/// A sender's counter, by its name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CounterSeen {
    /// The name; empty where there is only one counter.
    pub name: String,
    /// The numbers that came, rising.
    pub runs: Vec<Run>,
    /// How far the clients came, those that came as far together.
    pub ends: Vec<End>,
    /// Where its numbers stepped back although time went on.
    pub restarts: Option<Restarts>,
}

/// How often clients saw something of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Whether any client got it with a stamp in the window; where it has no stamp, in the window.
    pub inside: bool,
    /// Clients that got it.
    pub got: u32,
    /// Clients for which it is a sample of latency.
    pub sampled: u32,
    /// Times that a client got it again.
    pub repeats: u32,
    /// Clients that got it behind a greater number.
    pub behind: u32,
}

impl Tally {
    /// Nobody has seen anything of it.
    pub const NONE: Self = Self { inside: false, got: 0, sampled: 0, repeats: 0, behind: 0 };

    /// Adds what other clients saw of the same number.
    pub(in crate::observe) const fn merge(&mut self, other: &Self) {
        self.inside |= other.inside;
        self.got += other.got;
        self.sampled += other.sampled;
        self.repeats += other.repeats;
        self.behind += other.behind;
    }
}

/// Numbers that follow each other and are alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The first of them.
    pub first: u64,
    /// How many they are.
    pub len: u64,
    /// How often each was seen.
    pub tally: Tally,
    /// Where they are of the window, the instant of each, ns: the first, then what each differs by
    /// from the one before.
    pub dues: Vec<i64>,
    /// The instant of the last.
    #[serde(skip)]
    last_due: i64,
}

impl Run {
    pub(in crate::observe) fn new(seq: u64, tally: Tally, due: u64) -> Self {
        let mut run = Self { first: seq, len: 0, tally, dues: Vec::new(), last_due: 0 };
        run.push(due);
        run
    }

    /// Whether `seq` is its next number, and alike.
    pub(in crate::observe) fn takes(&self, seq: u64, tally: &Tally) -> bool {
        self.first.checked_add(self.len) == Some(seq) && self.tally == *tally
    }

    /// Adds its next number.
    pub(in crate::observe) fn push(&mut self, due: u64) {
        self.len += 1;
        if self.tally.inside {
            let due = i64::try_from(due).unwrap_or(i64::MAX);
            self.dues.push(due - self.last_due);
            self.last_due = due;
        }
    }

    /// Its numbers, each with its instant where that is in the window.
    pub(in crate::observe) fn numbers(&self) -> impl Iterator<Item = (u64, Option<u64>)> + '_ {
        let mut due = 0_i64;
        let mut dues = self.dues.iter().map(move |step| {
            due = due.saturating_add(*step);
            u64::try_from(due).unwrap_or(0)
        });
        (0..self.len).map(move |index| (self.first.saturating_add(index), dues.next()))
    }
}

/// Clients that came equally far in a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The greatest number that they hold; `None` where they hold none.
    pub newest: Option<u64>,
    /// Whether more was under way to them when the drain ended.
    pub under_way: bool,
    /// How many they are.
    pub clients: u64,
    /// When the drain ended.
    pub drained: MonoInstant,
    /// How far into the window the last of what was sent came to any of them.
    pub fed: Duration,
}

/// Numbers of a counter that stepped back although time went on: it began again, or several
/// counters go by one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarts {
    /// How often a client saw that.
    pub times: u64,
    /// The first time: the number before it,
    pub from: u64,
    /// and the one that followed.
    pub to: u64,
}

impl Restarts {
    /// Adds those of other clients.
    pub(in crate::observe) fn merge(ours: &mut Option<Self>, theirs: Option<Self>) {
        match (ours.as_mut(), theirs) {
            (Some(ours), Some(theirs)) => ours.times += theirs.times,
            _ => *ours = ours.or(theirs),
        }
    }
}

/// The stamps of messages, whenever they came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampsSeen {
    /// Arrivals that had one.
    pub stamped: u64,
    /// Of these, those that lay further in the future than their clock is in doubt.
    pub ahead: u64,
    /// The furthest of them.
    pub worst: Option<Ahead>,
    /// How long after the instant of its stamp the one came that did so soonest.
    #[serde(default)]
    pub soonest: Option<Duration>,
    /// The unit that all of them are whole multiples of, ns: a second, a millisecond, a microsecond
    /// or one; 0 where there is none.
    pub unit_ns: u64,
}

/// The units that stamps are told in, ns.
const UNITS: [u64; 3] = [1_000_000_000, 1_000_000, 1_000];

impl StampsSeen {
    /// Takes the stamp of an arrival into account. Its clock may be off by `bound`, and it may be rounded
    /// up to its unit.
    pub(in crate::observe) fn take(&mut self, finding: &Finding, bound: Duration) {
        let Some((stamp, due)) = finding.stamp.zip(finding.due) else { return };
        self.stamped += 1;
        let whole = |unit: &u64| stamp.0.unsigned_abs().is_multiple_of(*unit);
        let finer = |unit: &u64| self.unit_ns == 0 || *unit <= self.unit_ns;
        self.unit_ns = UNITS.into_iter().filter(finer).find(whole).unwrap_or(1);
        let after = finding.at.saturating_since(due);
        self.soonest = Some(self.soonest.map_or(after, |soonest| soonest.min(after)));
        let by = due.saturating_since(finding.at);
        if by > bound + Duration::from_nanos(self.unit_ns / 2) {
            self.ahead += 1;
            let ahead = Ahead { seq: finding.seq.map(|seq| seq.0), stamp, by };
            if self.worst.is_none_or(|worst| worst.by < by) {
                self.worst = Some(ahead);
            }
        }
    }

    /// Adds those of other clients.
    pub fn merge(&mut self, other: &Self) {
        self.stamped += other.stamped;
        self.ahead += other.ahead;
        self.soonest = self.soonest.into_iter().chain(other.soonest).min();
        let further = |one: &Ahead, other: &Ahead| one.by.cmp(&other.by);
        self.worst = self.worst.into_iter().chain(other.worst).max_by(further);
        let units = [self.unit_ns, other.unit_ns];
        self.unit_ns = units.into_iter().filter(|&unit| unit > 0).min().unwrap_or(0);
    }
}

/// A message that came before the instant that was written into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    /// Its number, where it has one.
    pub seq: Option<u64>,
    /// Its stamp.
    pub stamp: Stamp,
    /// How long before that it arrived.
    pub by: Duration,
}

/// Numbers and stamps of a trial's senders, as far as they are to be known beside the audit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Senders {
    /// Counters that messages came from.
    pub counters: u64,
    /// Where numbers stepped back: in all counters, and the name of the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<(String, Restarts)>,
    /// Numbers between the first and the last of the window that came to nobody, of several clients.
    #[serde(default)]
    pub missing: u64,
    /// The stamps.
    pub stamps: StampsSeen,
    /// The longest time in which nothing was stamped, where that was unusual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stillness: Option<Stillness>,
}
