//! Rules by which the messages of an application are found in what it sends, and what its clients
//! say to it: the vocabulary, read and checked, without any I/O.
//!
//! What arrives is text for one chain of rules, the same on every transport: the message of a
//! WebSocket, the data of an event, the body of an answer.

use serde::{Deserialize, Serialize};

use crate::feed::stamp::StampClock;

/// The rules for one application. Each is a flag of `pushbench load`, and by the same name a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rules {
    /// Messages are counted by their arrival alone: they have no number.
    pub no_seq: bool,
    /// Where a message has its sender's instant; `None` where it has none.
    pub stamp: Option<StampSpec>,
}

/// Where a message has its sender's instant, and how that is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StampSpec {
    /// The clock that it is read from.
    pub clock: StampClock,
}

/// The outcome of a process's rules over all that its clients received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// What came and was taken by no rule, in pieces of what the transport tells apart.
    pub unmatched: u64,
    /// The start of the first of these, without secrets and as a person may read it.
    pub first_unmatched: Option<String>,
    /// What came and was named as to be ignored.
    pub ignored: u64,
    /// Messages in which a rule found no number or no instant where it looked for one.
    pub unreadable: u64,
    /// Of the first of these, which rule, why, and the start of the message, without secrets.
    pub first_unreadable: Option<String>,
    /// The names of the senders' counters, each at the place of its
    /// [`Sender`](crate::Sender). Empty where messages have no key.
    pub counters: Vec<String>,
}
