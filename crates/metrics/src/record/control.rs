//! What the processes of a run say to each other.
//!
//! The parent plans; a server child and load children work. Each child reads one JSON object a
//! line on its standard input and answers on its standard output. Nothing here names a pipe or
//! a process id that only the parent's machine knows the meaning of, so that the same messages
//! can travel over a network.
//!
//! ```text
//! parent -> server   ServerPlan, then ServerOrder …          server -> parent   ServerNews …
//! parent -> load     LoadPlan, then LoadOrder …              load   -> parent   LoadNews …
//! ```

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use pushbench_core::feed::FeedSpec;
use pushbench_core::payload::Payload;
use pushbench_core::sampling::Sampling;
use pushbench_core::schedule::{Checkpoint, Schedule};
use pushbench_core::{Contender, Delivery, MonoInstant};
use pushbench_protocol::headers::HeaderProfile;
use serde::{Deserialize, Serialize};

use crate::observe::attempts::Attempts;
use crate::observe::events::OtherEvents;
use crate::observe::histogram::LatencyHistogram;
use crate::observe::instrument::LoopWatch;
use crate::observe::observer::Window;
use crate::observe::recorder::Measured;
use crate::observe::stamps::{LoadStamps, ServerStamps};

/// What a server child is to serve: the first line it reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerPlan {
    /// The feed.
    pub feed: FeedSpec,
    /// Where to listen; port 0 lets the system pick one.
    pub listen: SocketAddr,
    /// What its responses carry.
    #[serde(default)]
    pub headers: HeaderProfile,
    /// What to stamp along its way; `None` stamps nothing.
    #[serde(default)]
    pub stamps: Option<Sampling>,
    /// How much later than due each message is published, to see whether that is found.
    #[serde(default)]
    pub publish_delay: Duration,
    /// Whether it is to be the least that a server can do, which speaks WebSocket alone, and not
    /// the server under test.
    #[serde(default)]
    pub bare: bool,
}

impl ServerPlan {
    /// A server of `feed` on a free port of 127.0.0.1, which says the least that HTTP allows and
    /// stamps nothing.
    #[must_use]
    pub fn new(feed: FeedSpec) -> Self {
        Self {
            feed,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            headers: HeaderProfile::minimal(),
            stamps: None,
            publish_delay: Duration::ZERO,
            bare: false,
        }
    }
}

/// What the parent tells a server child.
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

/// What a server child tells the parent.
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

/// What only the server knows of a trial.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerMeasured {
    /// Messages published that were due in the window.
    pub published: u64,
    /// How long after its intended instant each of them was handed to the hub.
    pub publish_lag: LatencyHistogram,
    /// Connections accepted since the start.
    pub connections: u64,
    /// Requests answered since the start, those that open a stream included.
    pub requests: u64,
    /// Messages that a slow stream skipped under `latest`.
    pub superseded: u64,
    /// Streams closed because their cursor fell off the ring.
    pub overrun: u64,
    /// What was stamped; a record keeps what comes of it instead.
    #[serde(default, skip_serializing_if = "ServerStamps::is_empty")]
    pub stamps: ServerStamps,
}

impl ServerMeasured {
    /// Adds the figures of another server process of the same trial.
    ///
    /// `published` belongs to the feed, so it is the same for all and is not added; whoever merges
    /// looks whether it was. The lags are those of each process's own publisher. Stamps are not
    /// merged: whoever joins them takes those of each process.
    pub fn merge(&mut self, other: &Self) {
        self.published = self.published.max(other.published);
        self.publish_lag.merge(&other.publish_lag);
        self.connections += other.connections;
        self.requests += other.requests;
        self.superseded += other.superseded;
        self.overrun += other.overrun;
    }
}

/// What a load child is to do: the first line it reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadPlan {
    /// The server.
    pub target: SocketAddr,
    /// How its clients receive the feed.
    pub contender: Contender,
    /// What they are promised.
    pub delivery: Delivery,
    /// What its requests carry, cookies included.
    pub headers: HeaderProfile,
    /// `Host` of its requests, the name by which the user knows the server; the address where
    /// there is none (RFC 9110 §7.2).
    #[serde(default)]
    pub host: Option<String>,
    /// What the path of every request begins with, such as `/base`; empty at a server's root.
    #[serde(default)]
    pub prefix: String,
    /// Where a server that is none of ours offers the transport: path and query. It is asked
    /// without our cursors, and need not know them. `None` means a pushbench server.
    #[serde(default)]
    pub foreign_path: Option<String>,
    /// The type of the feed's server-sent events; `None` where it is the default, `message`.
    #[serde(default)]
    pub event: Option<String>,
    /// How many clients this process plays.
    pub clients: u32,
    /// The number of its first client among all of the trial's.
    pub first_client: u32,
    /// Clients of the trial in all load processes: poll phases are spread over these.
    pub total_clients: u32,
    /// The period of short polls.
    pub poll_interval: Duration,
    /// How long the server is asked to hold a long poll.
    pub long_poll_timeout: Duration,
    /// Seeds poll phases and reconnect jitter.
    pub seed: u64,
    /// How long opening all connections may take.
    pub connect_timeout: Duration,
    /// Connection attempts under way at a time, so that the server's backlog holds them.
    #[serde(default = "default_ramp")]
    pub ramp: u32,
    /// Local addresses that clients connect from in turn, each with ports of its own; the system
    /// picks one where there is none.
    #[serde(default)]
    pub sources: Vec<IpAddr>,
    /// What to stamp along its way; `None` stamps nothing.
    #[serde(default)]
    pub stamps: Option<Sampling>,
    /// What messages carry, where this is to be the least that receivers can do, and not the load
    /// generator.
    #[serde(default)]
    pub bare: Option<Payload>,
}

impl LoadPlan {
    /// All clients of a trial in one process, which are promised every message, ask with the least
    /// that HTTP allows, poll each second, or hold a poll for 30 s, and stamp nothing.
    #[must_use]
    pub fn new(target: SocketAddr, contender: Contender, clients: u32) -> Self {
        Self {
            target,
            contender,
            delivery: Delivery::Every,
            headers: HeaderProfile::minimal(),
            host: None,
            prefix: String::new(),
            foreign_path: None,
            event: None,
            clients,
            first_client: 0,
            total_clients: clients,
            poll_interval: Duration::from_secs(1),
            long_poll_timeout: Duration::from_secs(30),
            seed: 1,
            connect_timeout: Duration::from_secs(10),
            ramp: DEFAULT_RAMP,
            sources: Vec::new(),
            stamps: None,
            bare: None,
        }
    }
}

/// Connection attempts that are under way at a time, unless the plan says otherwise: few enough
/// for any server's backlog.
pub const DEFAULT_RAMP: u32 = 256;

const fn default_ramp() -> u32 {
    DEFAULT_RAMP
}

/// The feed's timing and the trial's phases, known once all clients are connected.
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
}

/// What the parent tells a load child.
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

/// What a load child tells the parent.
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
        /// What came of their attempts so far.
        #[serde(default)]
        attempts: Attempts,
    },
    /// About once a second while the trial runs.
    Progress(Progress),
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
    /// Median latency of the messages that arrived since the last look, µs.
    pub latency_p50_us: Option<f64>,
}

/// What a load process measured in a trial.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadMeasured {
    /// Clients that were connected at t0.
    pub connected_at_start: u32,
    /// When the drain was over and the good-byes began.
    pub closing: MonoInstant,
    /// Everything that its clients saw.
    pub measured: Measured,
    /// How late the process's own loop was for what it had planned: polls, phase changes.
    pub loop_lag: LatencyHistogram,
    /// Whether everything due in the window was accounted for before the drain's deadline.
    pub drained: bool,
    /// The first errors, at most ten, for a person to read.
    pub errors: Vec<String>,
    /// The first error from warm-up on by which the server broke its protocol.
    #[serde(default)]
    pub first_protocol_error: Option<String>,
    /// What was stamped.
    #[serde(default)]
    pub stamps: LoadStamps,
    /// Server-sent events of other types than the feed's, from connecting to the end.
    #[serde(default, skip_serializing_if = "OtherEvents::is_empty")]
    pub other_events: OtherEvents,
    /// The first answer whose body was coded, so that no message in it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coded: Option<String>,
    /// What came of clients' attempts.
    #[serde(default)]
    pub attempts: Attempts,
    /// How its loop kept time from the window's start until nothing of it was missing.
    #[serde(default, skip_serializing_if = "LoopWatch::is_empty")]
    pub watch: LoopWatch,
}

/// Errors that are kept for a person to read.
pub const KEPT_ERRORS: usize = 10;

impl LoadMeasured {
    /// Adds the figures of another load process of the same trial. Nothing is lost but errors
    /// beyond [`KEPT_ERRORS`]; good-byes began when the last process began with them. Stamps and
    /// watches are not merged: whoever judges them takes those of each process.
    pub fn merge(&mut self, other: Self) {
        self.connected_at_start += other.connected_at_start;
        self.closing = self.closing.max(other.closing);
        self.measured.merge(&other.measured);
        self.loop_lag.merge(&other.loop_lag);
        self.drained &= other.drained;
        self.attempts.merge(&other.attempts);
        self.first_protocol_error = self.first_protocol_error.take().or(other.first_protocol_error);
        let room = KEPT_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(other.errors.into_iter().take(room));
        self.other_events.merge(&other.other_events);
        self.coded = self.coded.take().or(other.coded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(us: &[u64]) -> LatencyHistogram {
        let mut lag = LatencyHistogram::default();
        us.iter().for_each(|&us| lag.record(Duration::from_micros(us)));
        lag
    }

    #[test]
    fn load_processes_add_up_and_keep_ten_errors() {
        let process = |connected, closing, errors: u32| LoadMeasured {
            connected_at_start: connected,
            closing: MonoInstant(closing),
            loop_lag: lag(&[u64::from(connected)]),
            drained: connected != 4,
            errors: (0..errors).map(|n| format!("{connected}.{n}")).collect(),
            ..LoadMeasured::default()
        };
        let mut all = process(3, 50, 7);
        all.merge(process(4, 40, 7));
        assert_eq!((all.connected_at_start, all.closing), (7, MonoInstant(50)));
        assert!(!all.drained);
        assert_eq!(all.loop_lag, lag(&[3, 4]));
        assert_eq!(all.errors.len(), KEPT_ERRORS);
        assert_eq!((all.errors[6].as_str(), all.errors[9].as_str()), ("3.6", "4.2"));
    }

    #[test]
    fn server_processes_publish_one_feed() {
        let process = |requests, us: &[u64]| ServerMeasured {
            published: 20,
            publish_lag: lag(us),
            connections: 5,
            requests,
            superseded: 1,
            overrun: 2,
            ..ServerMeasured::default()
        };
        let mut all = process(30, &[7, 8]);
        all.merge(&process(40, &[900]));
        let expected = ServerMeasured {
            published: 20,
            publish_lag: lag(&[7, 8, 900]),
            connections: 10,
            requests: 70,
            superseded: 2,
            overrun: 4,
            ..ServerMeasured::default()
        };
        assert_eq!(all, expected);
    }
}
