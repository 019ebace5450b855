//! Orders of the parent, and news of its children.

use std::net::SocketAddr;

use pushbench_core::MonoInstant;
use pushbench_core::feed::schedule::{Checkpoint, Schedule};
use pushbench_core::feed::stamp::StampOffset;
use serde::{Deserialize, Serialize};

use super::measured::{LoadMeasured, ServerMeasured};
use crate::observe::attempts::Attempts;
use crate::observe::observer::Window;
use crate::observe::so_far::{SoFar, slower};

/// Order to a server child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerOrder {
    /// Publish by the schedule, counted from this instant.
    Start {
        /// The schedule's zero.
        origin: MonoInstant,
    },
    /// Measure the publisher over the messages of this window.
    Measure {
        /// The window.
        window: Window,
    },
    /// Close every connection properly and say what was measured.
    Stop,
}

/// News of a server child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerNews {
    /// It listens and can be connected to.
    Listening {
        /// Where.
        address: SocketAddr,
    },
    /// It has stopped.
    Stopped(Box<ServerMeasured>),
    /// It cannot go on.
    Failed {
        /// The operation, its subject and the cause.
        error: String,
    },
}

/// The feed's timing and the trial's phases, known once all clients are connected. Where messages have
/// no schedule that is known, it is [`Schedule::Manual`], and none of them is due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialTiming {
    /// The feed's schedule.
    pub schedule: Schedule,
    /// Its seed.
    pub seed: u64,
    /// Its zero.
    pub origin: MonoInstant,
    /// The place in the schedule to walk on from.
    #[serde(default, skip_serializing_if = "Checkpoint::is_start")]
    pub checkpoint: Checkpoint,
    /// When warm-up begins, and with it polling.
    pub warmup: MonoInstant,
    /// The window.
    pub window: Window,
    /// When to stop waiting for what was due in the window.
    pub drain_deadline: MonoInstant,
    /// When the server goes and another is to come in its place; `None` where it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halt: Option<MonoInstant>,
    /// How senders' stamps are put on the monotonic clock, the same in all processes; `None` where they
    /// are not: there are none, or their clock is another machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamps: Option<StampOffset>,
}

/// Order to a load child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadOrder {
    /// Open the connections.
    Connect,
    /// Go through warm-up, window and drain, then close and report.
    Run(Box<TrialTiming>),
    /// Give up at once.
    Stop,
}

/// News of a load child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadNews {
    /// It has read its plan and has opened no connection yet.
    Ready,
    /// Connecting is over.
    Connected {
        /// Clients that are subscribed.
        clients: u32,
        /// Why the others are not: the first error of them, where there is one.
        error: Option<String>,
        /// The outcomes of their attempts so far.
        #[serde(default)]
        attempts: Attempts,
    },
    /// About once a second while the trial runs.
    Progress(Box<Progress>),
    /// The trial is over and the connections are closed.
    Finished(Box<LoadMeasured>),
    /// It cannot go on.
    Failed {
        /// The operation, its subject and the cause.
        error: String,
    },
}

/// A look at a trial that runs, for a person who watches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Messages received since the clients connected.
    pub messages: u64,
    /// Bytes read and written since then.
    pub bytes: u64,
    /// Median latency of the messages that arrived since the last look, µs: of a sample of them.
    pub latency_p50_us: Option<f64>,
    /// More of the trial so far; `None` where nobody watches it live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub so_far: Option<SoFar>,
}

impl Progress {
    /// That of two load processes: counts together, and the latencies of the slower.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            bytes: self.bytes + other.bytes,
            latency_p50_us: slower(self.latency_p50_us, other.latency_p50_us),
            so_far: match (self.so_far, &other.so_far) {
                (Some(one), Some(other)) => Some(one.with(other)),
                (one, other) => one.or(*other),
            },
        }
    }
}
