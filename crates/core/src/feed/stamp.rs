//! Messages of a sender whose schedule is not known here: told apart by the number that the sender
//! gave them, and timed by the instant that it wrote into them.
//!
//! A schedule says when a message was due; a stamp says when its sender came to write it. A stall
//! before the stamp is not in a latency that is counted from it.

use serde::{Deserialize, Serialize};

use super::identity::Sender;
use super::message::Seq;

/// The clock that a sender reads its stamps from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StampClock {
    /// Time of day, from the Unix epoch.
    #[default]
    Wall,
    /// The monotonic clock of the machine that both sides run on.
    Monotonic,
}

/// The instant that a sender wrote into a message: nanoseconds from the zero of its [`StampClock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp(pub i64);

/// A message that rules found in what arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamped {
    /// The counter that numbered it: one for each name, where the sender has several.
    pub sender: Sender,
    /// Its number, where it has one.
    pub seq: Option<Seq>,
    /// The instant of its sender, where it has one.
    pub stamp: Option<Stamp>,
}
