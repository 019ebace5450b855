//! Clients that a server refuses or cuts off: how often they try again, and how many give up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The most attempts of one client in one trial, the first connection included.
///
/// Back-off doubles from 100 ms, so the tenth comes after a quarter of a minute or so: a server
/// that has restarted is found again, and one that refuses sees ten connections of a client,
/// however long the trial.
pub const MOST_ATTEMPTS: u8 = 10;

/// Clients' attempts in one trial and what came of them, of one load process or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// Attempts after a failure.
    pub repeated: u64,
    /// Long polls that were answered without news sooner than they should be, so that the client
    /// paused before it asked again.
    pub early_answers: u64,
    /// Clients that are out of the trial for good, by the status that they were answered last; 0
    /// stands for a connection that ended, or an answer that breaks the protocol.
    pub out: BTreeMap<u16, u64>,
    /// Of these, those that came to no subscription, by an answer to which no further attempt changes
    /// anything.
    #[serde(default)]
    pub never_in: u64,
    /// The longest that clients were asked to wait, in seconds (`Retry-After`, RFC 9110 §10.2.3); 0
    /// where they were not.
    pub retry_after_s: u64,
    /// Clients that a browser would have given up, by the first such status; 0 stands for an
    /// answer that breaks the protocol.
    pub browser_stops: BTreeMap<u16, u64>,
}

impl Attempts {
    /// A client is out for good, having met `status` last.
    pub fn out(&mut self, status: u16) {
        *self.out.entry(status).or_default() += 1;
    }

    /// Clients that are out for good.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.out.values().sum()
    }

    /// Whether some are out since no connection came about or lasted: where a server answered it is there,
    /// whatever it said.
    #[must_use]
    pub fn lacked_a_server(&self) -> bool {
        self.out.contains_key(&0)
    }

    /// Adds those of another load process of the same trial.
    pub fn merge(&mut self, other: &Self) {
        self.repeated += other.repeated;
        self.never_in += other.never_in;
        self.early_answers += other.early_answers;
        self.retry_after_s = self.retry_after_s.max(other.retry_after_s);
        for (ours, theirs) in
            [(&mut self.out, &other.out), (&mut self.browser_stops, &other.browser_stops)]
        {
            for (status, clients) in theirs {
                *ours.entry(*status).or_default() += clients;
            }
        }
    }
}
