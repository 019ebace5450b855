//! What makes a figure doubtful, as types: each with what was seen and what to do about it.
//!
//! An [`Invalid`] means that the instrument failed, so the trial says nothing: it is repeated
//! once and then left out, named and shown. A [`Warning`] leaves the figures standing: either it
//! is a finding about the server, or it bounds what the figures can support.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a trial cannot be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Invalid {
    /// Delivered, lost and superseded do not add up to what was expected.
    AuditUnbalanced,
    /// The layers do not add up to the bytes that the sockets moved.
    LedgerUnbalanced,
    /// Not all clients were connected when the window began.
    ClientsMissing {
        /// Clients that were.
        connected: u32,
        /// Clients that the plan asked for.
        wanted: u32,
        /// The first error of the others, where there was one.
        error: Option<String>,
    },
    /// A load process ended before it reported.
    LoadDied {
        /// What it said or how it ended.
        error: String,
    },
    /// The server ended before it was told to.
    ServerDied {
        /// What it said or how it ended.
        error: String,
    },
    /// The load generator used a whole core, so it may have measured itself.
    LoadSaturated {
        /// The busiest load process's CPU time over the window's length.
        share: f64,
    },
    /// A thread that should have woken each millisecond did not: the machine itself stood still.
    MachineStalled {
        /// The worst delay of a wake-up.
        worst: Duration,
    },
}

/// Above this share of one core a process counts as saturated.
pub const SATURATED_SHARE: f64 = 0.95;

/// A wake-up later than this, on an otherwise idle thread, is a stall of the machine.
pub const STALL: Duration = Duration::from_millis(100);

impl Invalid {
    /// What to do about it.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::AuditUnbalanced | Self::LedgerUnbalanced => {
                "this is a fault of pushbench; please report it with run.json"
            }
            Self::ClientsMissing { .. } => "use fewer clients, or look at the server's limits",
            Self::LoadDied { .. } | Self::ServerDied { .. } => "see its last words above",
            Self::LoadSaturated { .. } => "lower the rate or the number of clients",
            Self::MachineStalled { .. } => "leave the machine idle but for the run, and repeat",
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AuditUnbalanced => f.write_str("the delivery audit does not balance"),
            Self::LedgerUnbalanced => f.write_str("the byte ledger does not balance"),
            Self::ClientsMissing { connected, wanted, error } => {
                write!(f, "only {connected} of {wanted} clients were connected")?;
                error.iter().try_for_each(|error| write!(f, " ({error})"))
            }
            Self::LoadDied { error } => write!(f, "a load process ended early: {error}"),
            Self::ServerDied { error } => write!(f, "the server ended early: {error}"),
            Self::LoadSaturated { share } => {
                write!(f, "a load process used {:.0} % of a core", share * 100.0)
            }
            Self::MachineStalled { worst } => {
                write!(f, "the machine stalled for {:.0} ms", worst.as_secs_f64() * 1e3)
            }
        }
    }
}

/// What a reader should know before believing a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Warning {
    /// The server used a whole core: a finding about the server.
    ServerSaturated {
        /// Its CPU time over the window's length.
        share: f64,
    },
    /// The server published late.
    PublisherLate {
        /// The 99th percentile of its lag, µs.
        p99_us: f64,
    },
    /// The load generator was late for its own plans.
    LoadLate {
        /// The 99th percentile of its lag, µs.
        p99_us: f64,
    },
    /// Messages never came.
    Lost {
        /// How many.
        messages: u64,
    },
    /// Messages came more than once.
    Duplicated {
        /// How many arrivals too many.
        messages: u64,
    },
    /// Clients lost their connection and came back.
    Reconnects {
        /// How often.
        count: u64,
    },
    /// Something failed on the way.
    Errors {
        /// How often.
        count: u64,
        /// The first of them.
        first: Option<String>,
    },
    /// Polls were due while one was outstanding.
    PollsSkipped {
        /// How many.
        count: u64,
    },
    /// Hardly anything was due in the window.
    FewMessages {
        /// How many messages were.
        messages: u64,
    },
    /// Latency cannot be told, since the server's clock is not this machine's.
    ForeignClock,
    /// What only the server knows is missing, since it was not started by this run.
    ServerUnknown,
}

/// A publisher this late at the 99th percentile shifts every latency visibly, µs.
pub const PUBLISHER_LATE_US: f64 = 1_000.0;

/// A load generator this late at the 99th percentile does the same, µs.
pub const LOAD_LATE_US: f64 = 5_000.0;

/// Below this many messages in a window, percentiles mean little.
pub const FEW_MESSAGES: u64 = 10;

impl Warning {
    /// What to do about it.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::ServerSaturated { .. } => "its latencies are those of an overloaded server",
            Self::PublisherLate { .. } => "the delay is part of each latency; lower the rate",
            Self::LoadLate { .. } => {
                "leave the load generator a core of its own, or lower the rate"
            }
            Self::Lost { .. } | Self::Duplicated { .. } => "see trials.csv for where",
            Self::Reconnects { .. } => "look at the server's log; the gaps are in the latency",
            Self::Errors { .. } => "all of them are counted in trials.csv",
            Self::PollsSkipped { .. } => "responses take longer than the poll interval; raise it",
            Self::FewMessages { .. } => "lengthen the window with --duration",
            Self::ForeignClock => "run the load generator on the server's machine for latency",
            Self::ServerUnknown => "pass --server-pid on the server's machine",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerSaturated { share } => {
                write!(f, "the server used {:.0} % of a core", share * 100.0)
            }
            Self::PublisherLate { p99_us } => {
                write!(f, "the publisher was {p99_us:.0} µs late at p99")
            }
            Self::LoadLate { p99_us } => {
                write!(f, "the load generator was {p99_us:.0} µs late at p99")
            }
            Self::Lost { messages } => write!(f, "{messages} messages were lost"),
            Self::Duplicated { messages } => write!(f, "{messages} messages came twice"),
            Self::Reconnects { count } => write!(f, "{count} reconnects"),
            Self::Errors { count, first } => {
                write!(f, "{count} errors")?;
                first.iter().try_for_each(|first| write!(f, ", the first: {first}"))
            }
            Self::PollsSkipped { count } => {
                write!(f, "{count} polls were skipped, the one before being outstanding")
            }
            Self::FewMessages { messages } => {
                write!(f, "only {messages} messages were due in the window")
            }
            Self::ForeignClock => f.write_str("no latency: the server has another clock"),
            Self::ServerUnknown => f.write_str("the server's CPU and memory are not known"),
        }
    }
}
