//! Hearing of clients that talk: the order in which they heard one another, and how long a message took
//! from its first hearer to its last.

use serde::{Deserialize, Serialize};

use crate::observe::histogram::LatencyHistogram;

/// The hearing of all rooms of a load process, or of several.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// One sample for each message of the window that all its hearers got: from the first of them to
    /// the last.
    pub fan_out: LatencyHistogram,
    /// Hearers that got every message of the window, so that the order in which they did can be
    /// compared.
    pub compared: u64,
    /// Those of them that heard their room in another order than its first hearer did.
    pub disordered: u64,
    /// Messages that came from somebody who is not in the room.
    pub strays: u64,
}

impl Heard {
    /// Adds that of another load process of the same trial.
    pub fn merge(&mut self, other: &Self) {
        self.fan_out.merge(&other.fan_out);
        self.compared += other.compared;
        self.disordered += other.disordered;
        self.strays += other.strays;
    }
}
