//! Findings about a sender whose schedule is not known: from what rules took, from its numbers and its
//! stamps.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::the_first;
use super::way::micros;
use crate::observe::seen::{Restarts, Stillness};

/// A thing to know of messages that rules found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Finding {
    /// Something came that no rule took.
    #[error("what came was taken by no rule {count} times{}", shown(.first.as_ref(), .other.as_ref()))]
    Unmatched {
        /// How often.
        count: u64,
        /// The start of the first.
        first: Option<String>,
        /// The same of the last that is another.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other: Option<String>,
    },
    /// Messages came without a number or an instant where a rule looks for one, or answers without the
    /// place that the next poll goes on from.
    #[error("{count} times a rule found nothing where it looks{}", shown(.first.as_ref(), .other.as_ref()))]
    Unreadable {
        /// How many.
        count: u64,
        /// The first of them, and why.
        first: Option<String>,
        /// The same of the last that is another.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other: Option<String>,
    },
    /// An answer was never given, and the server let clients go.
    #[error("`{expression}` of --reply was no text that came, and the server let clients go")]
    NeverReplied {
        /// The expression that it is for.
        expression: String,
    },
    /// Numbers stepped back although time went on.
    #[error(
        "numbers{}{counter} stepped back though time went on, {} times, the first \
         from {} to {}: they began again, or several counters go by one name",
        if .counter.is_empty() { "" } else { " of " }, .restarts.times, .restarts.from, .restarts.to
    )]
    Restarted {
        /// The counter; empty where there is only one.
        counter: String,
        /// How often, and the first time.
        restarts: Restarts,
    },
    /// Numbers between others came to nobody.
    #[error(
        "{numbers} numbers between the window's first and last came to no client at all, and \
         are in no share of what was delivered"
    )]
    NobodyGot {
        /// How many.
        numbers: u64,
    },
    /// Nothing was stamped for a long time.
    #[error(
        "nothing {} for {}, from {:.3} s into the window on, where {} is usual",
        if .0.between_arrivals { "came" } else { "was stamped" },
        time(.0.longest),
        .0.at.as_secs_f64(),
        time(.0.usual)
    )]
    StoodStill(Stillness),
    /// The clock that stamps are compared by was set while the trial ran.
    #[error("the clock of stamps was set by {} while the trial ran", time(*.by))]
    ClockSet {
        /// By how much.
        by: Duration,
    },
    /// Stamps are in whole units of time that are longer than the latency counted from them.
    #[error(
        "stamps are whole multiples of {}, and the median latency from them, {}, is no longer than that",
        time(*.unit), time(*.median)
    )]
    CoarseStamps {
        /// The unit.
        unit: Duration,
        /// The median latency.
        median: Duration,
    },
}

impl Finding {
    pub(super) const fn remedy(&self) -> &'static str {
        match self {
            Self::Unmatched { .. } => {
                "if there are messages in it, widen --message; if not, name it with --ignore"
            }
            Self::Unreadable { .. } => {
                "see where --seq, --stamp and --cursor look, and what is there; what is no message, such as a \
                 greeting, takes --ignore"
            }
            Self::NeverReplied { .. } => {
                "it is to match a whole text, from its first sign to its last (with --joined, what stands \
                 between messages): see what the server sends when it waits for an answer"
            }
            Self::Restarted { .. } => {
                "where there are several counters, name what tells them apart with --key; a counter that \
                 began again within the trial leaves its audit in doubt"
            }
            Self::NobodyGot { .. } => {
                "either they are sent to others, or nobody got them: only the sender knows"
            }
            Self::StoodStill(Stillness { between_arrivals: true, .. }) => {
                "see the sender's log for what happened then: it is in no figure but series.csv"
            }
            Self::StoodStill(_) => {
                "what a sender does not stamp has no latency: a stall before the stamp is in no figure"
            }
            Self::ClockSet { .. } => {
                "latency from stamps is wrong by as much behind that: let the clock be set before the \
                 run, not during it"
            }
            Self::CoarseStamps { .. } => {
                "each latency is off by up to that unit: stamp messages in a finer one, such as \
                 milliseconds or microseconds"
            }
        }
    }

    /// How bad it is beside others of its kind.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "only their order counts")]
    pub fn weight(&self) -> f64 {
        match self {
            Self::Unmatched { count, .. } | Self::Unreadable { count, .. } => *count as f64,
            Self::NeverReplied { .. } => 1.0,
            Self::Restarted { restarts, .. } => restarts.times as f64,
            Self::NobodyGot { numbers } => *numbers as f64,
            Self::StoodStill(still) => still.longest.as_secs_f64(),
            Self::ClockSet { by } => by.as_secs_f64(),
            Self::CoarseStamps { unit, .. } => unit.as_secs_f64(),
        }
    }
}

/// The first of several texts, and the last that is another.
fn shown(first: Option<&String>, other: Option<&String>) -> String {
    let later = other.map(|other| format!(", and later: {other}"));
    the_first(first) + &later.unwrap_or_default()
}

fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 1.0 => micros(seconds * 1e6),
        seconds => format!("{seconds:.1} s"),
    }
}
