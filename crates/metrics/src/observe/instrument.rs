//! How the instrument itself kept time in a window: what its own processes were late by.
//!
//! A load process that stands still reads its messages late and calls that latency; the run's
//! parent reads costs at the window's edges, and watches over the machine. Neither takes processor
//! time while it is stopped, so that saturation does not tell. What tells is its own plan: an
//! instant at which it meant to look and did not, and in which it neither worked nor waited for a
//! core. Work is load, and waiting is the machine's; the rest is a fault of the instrument.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observe::histogram::LatencyHistogram;
use crate::observe::lateness::Lateness;

/// No stall shorter than this counts: a canary that wakes each millisecond resolves no finer.
pub const SHORTEST_STALL: Duration = Duration::from_millis(1);

/// How the processes of the instrument kept time in a window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Instrument {
    /// Each load process's loop, in the order of their numbers.
    pub loads: Vec<LoopWatch>,
    /// By how much the run's parent stood still over an edge of the window, at which it reads what
    /// the trial costs: the worse of the two.
    pub parent_at_edge: Duration,
}

/// How a load process's loop kept to the instants at which it meant to look at itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoopWatch {
    /// From one of them to the next.
    pub period: Duration,
    /// How often it looked, catching up on what it missed left out.
    pub looks: u64,
    /// The longest time by which it was late, whatever the reason.
    pub worst_lag: Duration,
    /// The longest time that it stood still.
    pub worst_stall: Duration,
    /// Latenesses, those beyond [`SHORTEST_STALL`].
    pub lags: LatencyHistogram,
    /// Times that it stood still, the same.
    pub stalls: LatencyHistogram,
}

impl LoopWatch {
    /// A loop that means to look once each `period`.
    #[must_use]
    pub fn each(period: Duration) -> Self {
        Self { period, ..Self::default() }
    }

    /// Whether nobody looked: records of before, and bare loops.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.looks == 0
    }

    /// Notes a look that was late by `lag`, of which neither work nor waiting for a core explains
    /// `stall`.
    pub fn note(&mut self, lag: Duration, stall: Duration) {
        self.looks += 1;
        self.worst_lag = self.worst_lag.max(lag);
        self.worst_stall = self.worst_stall.max(stall);
        if lag > SHORTEST_STALL {
            self.lags.record(lag);
        }
        if stall > SHORTEST_STALL {
            self.stalls.record(stall);
        }
    }

    /// Delays of what waited for the loop, whatever the reason: of the looks, those that were late
    /// by more than [`SHORTEST_STALL`].
    #[must_use]
    pub const fn delays(&self) -> Lateness<'_> {
        Lateness { period: self.period, samples: &self.lags }
    }

    /// The same because it stood still.
    #[must_use]
    pub const fn standstills(&self) -> Lateness<'_> {
        Lateness { period: self.period, samples: &self.stalls }
    }
}

/// A process of the instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Process {
    /// The one that plans, watches and writes.
    Parent,
    /// One that plays clients.
    Load {
        /// Its number, from 1.
        number: u32,
        /// How many there are.
        of: u32,
    },
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parent => f.write_str("the run's parent process"),
            Self::Load { of: 1, .. } => f.write_str("the load process"),
            Self::Load { number, of } => write!(f, "load process {number} of {of}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_stall_covers_its_share_and_honest_work_none() {
        let mut watch = LoopWatch::each(MS * 10);
        watch.note(MS / 20, Duration::ZERO);
        watch.note(MS * 120, Duration::ZERO);
        assert_eq!((watch.worst_lag, watch.worst_stall), (MS * 120, Duration::ZERO));
        assert_eq!(watch.standstills().share(MS, SECOND), 0.0);
        assert!((watch.delays().share(MS, SECOND) - 0.12).abs() < 1e-9);
        watch.note(MS * 300, MS * 290);
        assert_eq!((watch.worst_stall, watch.looks), (MS * 290, 3));
        let share = watch.standstills().share_at_least(MS * 10, SECOND);
        assert!((share - 0.28).abs() < 1e-3, "{share}");
    }

    #[test]
    fn a_loop_that_keeps_its_pace_leaves_no_samples_in_the_record() {
        let mut watch = LoopWatch::each(MS * 10);
        (0..100).for_each(|_| watch.note(MS / 2, MS / 2));
        assert!(watch.lags.is_empty() && watch.stalls.is_empty() && !watch.is_empty());
        let instrument = Instrument { loads: vec![watch], parent_at_edge: MS };
        let text = serde_json::to_string(&instrument).unwrap();
        assert_eq!(serde_json::from_str::<Instrument>(&text).unwrap(), instrument);
    }

    #[test]
    fn processes_are_named_by_their_number_where_there_are_several() {
        let name = |number, of| Process::Load { number, of }.to_string();
        assert_eq!(
            (name(1, 1).as_str(), name(2, 3).as_str()),
            ("the load process", "load process 2 of 3")
        );
    }
}
