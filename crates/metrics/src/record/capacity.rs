//! Capacity: the most load that still meets an objective, how it was found, and what gave out first.

use std::fmt;

use pushbench_core::Contender;
use pushbench_core::scenario::{Axis, Objective};
use serde::{Deserialize, Serialize};

/// The setting that load is raised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// Subscribers.
    Clients,
    /// Messages each second.
    Rate,
    /// Bytes of a message.
    Payload,
}

impl Over {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Clients, Self::Rate, Self::Payload];

    /// As users write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.axis().key()
    }

    /// The axis of a scenario that it is.
    #[must_use]
    pub const fn axis(self) -> Axis {
        match self {
            Self::Clients => Axis::Clients,
            Self::Rate => Axis::Rate,
            Self::Payload => Axis::Payload,
        }
    }

    /// A load in words: `64 clients`.
    #[must_use]
    pub fn words(self, load: f64) -> String {
        match self {
            Self::Clients if load == 1.0 => "1 client".to_owned(),
            Self::Clients => format!("{load} clients"),
            Self::Rate => format!("{load} messages/s"),
            Self::Payload => format!("{load} B"),
        }
    }

    /// A span of loads in words: `18 to 20 clients`.
    #[must_use]
    pub fn span(self, from: f64, to: f64) -> String {
        format!("{from} to {}", self.words(to))
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a limit lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The server's core was full.
    ServerCpu,
    /// The server was what took the time, and its core was not full.
    Server,
    /// The server ended, refused clients or broke its protocol.
    ServerFailed,
    /// The proxy's core was full.
    Proxy,
    /// Kernel memory for sockets ran short.
    KernelMemory,
    /// The line between server and clients was full.
    Link,
    /// The transport itself, as a poll that has to wait for its period.
    Principle,
    /// Nothing that was measured tells.
    Unknown,
    /// The load generator.
    LoadGenerator,
    /// The router that plays the link.
    Router,
    /// The machine, which others used or which stood still.
    Machine,
    /// A limit of this system: descriptors, ports, memory.
    System,
    /// The user, who asked for no more; or a load that can be planned no higher.
    Asked,
}

impl Place {
    /// As files name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServerCpu => "server-cpu",
            Self::Server => "server",
            Self::ServerFailed => "server-failed",
            Self::Proxy => "proxy",
            Self::KernelMemory => "kernel-memory",
            Self::Link => "link",
            Self::Principle => "principle",
            Self::Unknown => "unknown",
            Self::LoadGenerator => "load-generator",
            Self::Router => "router",
            Self::Machine => "machine",
            Self::System => "system",
            Self::Asked => "asked",
        }
    }

    /// Whether it is not what was measured: then the capacity is at least what held.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        matches!(
            self,
            Self::LoadGenerator | Self::Router | Self::Machine | Self::System | Self::Asked
        )
    }

    /// Words for it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::ServerCpu => "server CPU",
            Self::Server => "the server (its core is not full on the whole)",
            Self::ServerFailed => "the server",
            Self::Proxy => "the proxy's CPU",
            Self::KernelMemory => "kernel memory",
            Self::Link => "the link",
            Self::Principle => "its principle",
            Self::Unknown => "nothing that was measured",
            Self::LoadGenerator => "the load generator",
            Self::Router => "the router that plays the link",
            Self::Machine => "the machine",
            Self::System => "a limit of this system",
            Self::Asked => "the end of the search",
        }
    }
}

/// A limit that was met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Where it lies.
    pub place: Place,
    /// The evidence, as a clause: `it used 97 % of a core`; empty where there is none.
    pub detail: String,
}

impl Limit {
    /// A limit and its evidence.
    #[must_use]
    pub fn new(place: Place, detail: impl Into<String>) -> Self {
        Self { place, detail: detail.into() }
    }
}

/// The value of an objective's figure over the valid trials at a load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The objective.
    pub objective: Objective,
    /// The median, in the figure's unit; `None` where it was not measured.
    pub median: Option<f64>,
}

/// A load that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The load, in the unit of the axis.
    pub load: f64,
    /// The number of its point.
    pub point: u32,
    /// Its trials.
    pub trials: u32,
    /// Those of them that met each objective.
    pub met: u32,
    /// Whether it holds; `None` where the search went on without an answer.
    pub holds: Option<bool>,
    /// The limit that most of the others met, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// The objectives' figures.
    pub readings: Vec<Reading>,
}

/// An answer about a transport's capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Verdict {
    /// It lies between two loads.
    Within {
        /// The most that was seen to hold.
        holds: f64,
        /// The least above it that was seen to fail.
        fails: f64,
        /// The part that gave out first.
        limit: Limit,
    },
    /// It is this or more: what gave out is not what was measured.
    AtLeast {
        /// The most that was seen to hold.
        holds: f64,
        /// The part that gave out first.
        limit: Limit,
    },
    /// The objective is missed at the least load already: that is no capacity.
    Misses {
        /// The least load.
        least: f64,
        /// Why.
        limit: Limit,
    },
    /// The machine did not let it be told.
    Unsettled {
        /// The most that was seen to hold, if any.
        holds: Option<f64>,
        /// The obstacle.
        limit: Limit,
    },
    /// The search was ended before it knew.
    Unfinished {
        /// The most that was seen to hold so far, if any.
        holds: Option<f64>,
    },
}

impl Verdict {
    /// As files name it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Within { .. } => "within",
            Self::AtLeast { .. } => "at-least",
            Self::Misses { .. } => "misses",
            Self::Unsettled { .. } => "unsettled",
            Self::Unfinished { .. } => "unfinished",
        }
    }

    /// The most that was seen to hold.
    #[must_use]
    pub const fn holds(&self) -> Option<f64> {
        match self {
            Self::Within { holds, .. } | Self::AtLeast { holds, .. } => Some(*holds),
            Self::Misses { .. } => None,
            Self::Unsettled { holds, .. } | Self::Unfinished { holds } => *holds,
        }
    }

    /// The least that was seen to fail.
    #[must_use]
    pub const fn fails(&self) -> Option<f64> {
        match self {
            Self::Within { fails, .. } => Some(*fails),
            Self::Misses { least, .. } => Some(*least),
            _ => None,
        }
    }

    /// The part that gave out first.
    #[must_use]
    pub const fn limit(&self) -> Option<&Limit> {
        match self {
            Self::Within { limit, .. }
            | Self::AtLeast { limit, .. }
            | Self::Misses { limit, .. }
            | Self::Unsettled { limit, .. } => Some(limit),
            Self::Unfinished { .. } => None,
        }
    }

    /// Whether it answers the question.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        !matches!(self, Self::Unsettled { .. } | Self::Unfinished { .. })
    }
}

/// The search for a transport's capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// The transport.
    #[serde(rename = "transport")]
    pub contender: Contender,
    /// Its outcome.
    pub verdict: Verdict,
    /// Each load that was tried, rising.
    pub steps: Vec<Step>,
}

/// The search for the capacity of each transport of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// The setting that load was raised by.
    pub over: Over,
    /// The conditions that had to hold.
    pub objectives: Vec<Objective>,
    /// The least load that was tried.
    pub least: f64,
    /// The most that was asked for.
    pub most: f64,
    /// How far apart the ends of an interval are at most, as a share of the lower.
    pub within: f64,
    /// The searches, in the order of transports.
    pub searches: Vec<Search>,
}

impl Capacity {
    /// Whether each search has an answer.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.searches.iter().all(|search| search.verdict.is_settled())
    }
}
