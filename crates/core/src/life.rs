//! The life of connections while a feed runs: clients that come and go, and a server that goes and
//! comes back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::named::by_name;
use crate::random;
use crate::units::{Rate, Span};

/// The stream of random numbers that the order of clients that leave is drawn from.
const LEAVE_STREAM: u64 = 501;

/// How a server goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Halt {
    /// It is killed, and says nothing: the kernel closes its connections.
    Kill,
    /// It is told to go (`SIGTERM`), says good-bye to its clients, and ends.
    Term,
}

/// A restart of the server within the window: it goes, nobody listens, and another of the same feed
/// comes in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// How it goes.
    pub how: Halt,
    /// When, from the window's start.
    pub at: Span,
    /// How long nobody listens at least: from its end until its successor is started.
    pub down: Span,
}

/// Clients that come and go: at each instant so many leave at once, and others come in their place,
/// which go on from the same message.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Churn {
    /// How often clients leave.
    pub rate: Rate,
    /// How many leave at once.
    pub burst: u32,
}

/// How long clients wait before they connect again after a failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reconnect {
    /// A random time of at most 100 ms, then of at most twice as long each time, up to 10 s
    /// (exponential with full jitter: Brooker, "Exponential Backoff and Jitter", 2015).
    #[default]
    Jitter,
    /// Three seconds each time, as Chromium's `EventSource` does where the server says nothing else
    /// (the HTML standard, § 9.2.3, has it "in the region of a few seconds").
    Browser,
}

by_name!(Halt, Reconnect);

/// The life of connections at a point of a scenario: by default nobody goes while the feed runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Life {
    /// A restart of the server; `None` where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    /// Clients that come and go; `None` where they stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub churn: Option<Churn>,
    /// How long clients wait before they connect again after a failure.
    pub reconnect: Reconnect,
}

impl Reconnect {
    /// Whether it is what clients do unless they are told otherwise.
    #[must_use]
    pub fn is_usual(self) -> bool {
        self == Self::default()
    }
}

impl Life {
    /// Whether it is that of a point without any of it.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Whether connections end in mid-run because it was asked for.
    #[must_use]
    pub const fn is_eventful(&self) -> bool {
        self.restart.is_some() || self.churn.is_some()
    }
}

impl Churn {
    /// The time from one instant at which clients leave to the next.
    #[must_use]
    pub fn period(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate.hz())
    }

    /// The clients of so many in all, in the order in which they leave, and then again.
    #[must_use]
    pub fn order(seed: u64, clients: u32) -> Vec<usize> {
        random::permutation(seed, LEAVE_STREAM, clients as usize)
    }

    /// The places in that order of those who leave at the instant with this number, from 0.
    pub fn leaving(&self, instant: u64, clients: u32) -> impl Iterator<Item = usize> + use<> {
        let (burst, clients) = (u64::from(self.burst.min(clients)), u64::from(clients.max(1)));
        let first = instant.wrapping_mul(burst);
        (0..burst).map(move |place| (first.wrapping_add(place) % clients) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_leave_in_turn_before_anybody_leaves_again() {
        let churn = Churn { rate: Rate::from_hz(5.0).unwrap(), burst: 3 };
        let order = Churn::order(7, 6);
        let mut left: Vec<usize> = (0..2)
            .flat_map(|instant| churn.leaving(instant, 6))
            .map(|place| order[place])
            .collect();
        left.sort_unstable();
        assert_eq!(left, [0, 1, 2, 3, 4, 5]);
        let again: Vec<usize> = churn.leaving(2, 6).collect();
        assert_eq!(again, churn.leaving(0, 6).collect::<Vec<_>>());
        assert_eq!(churn.period(), Duration::from_millis(200));
    }

    #[test]
    fn no_more_leave_at_once_than_there_are() {
        let churn = Churn { rate: Rate::ONE, burst: 50 };
        assert_eq!(churn.leaving(3, 4).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }
}
