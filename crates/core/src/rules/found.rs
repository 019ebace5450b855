//! The outcome of rules, as a process reports it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The outcome of a process's rules over all that its clients received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// Texts that no rule took: pieces without a message between them.
    pub unmatched: u64,
    /// The start of the first of these, without secrets and as a person may read it.
    pub first_unmatched: Option<String>,
    /// The same of the last that is another than the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_unmatched: Option<String>,
    /// Texts that were named as to be ignored.
    pub ignored: u64,
    /// Messages in which a rule found no number or no instant where it looked for one.
    pub unreadable: u64,
    /// Of the first of these, which rule, why, and the start of the message, without secrets.
    pub first_unreadable: Option<String>,
    /// The same of the last that is another than the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_unreadable: Option<String>,
    /// How often each expression was answered that an answer is for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub replied: BTreeMap<String, u64>,
    /// The names of the senders' counters, each at the place of its
    /// [`Sender`](crate::Sender). Empty where messages have no key.
    pub counters: Vec<String>,
}

impl Found {
    /// The start of the first text that came and was no message, be it that no rule took it or that one
    /// found nothing in it.
    #[must_use]
    pub fn first_of_none(&self) -> Option<&str> {
        self.first_unreadable.as_deref().or(self.first_unmatched.as_deref())
    }
}
