//! The run record: everything a run knows, lossless, so that every other file can be rebuilt.

pub mod advised;
pub mod browser;
pub mod capacity;
pub mod control;
pub mod course;
pub mod environment;
pub mod flags;
pub mod floor;
pub mod headers;
pub mod numbers;
pub mod outcome;
pub mod proxy;
pub mod subject;
pub mod warning;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use pushbench_core::Contender;
use pushbench_core::feed::stamp::{LatencyFrom, StampOffset};
use pushbench_core::price::Price;
use pushbench_core::scenario::{MAX_POINTS, Point, Scenario};
use pushbench_core::security::Secured;
use pushbench_core::subject::Subject;
use pushbench_protocol::headers::HeaderProfile;
use serde::{Deserialize, Serialize};

use crate::judge::breakdown::Breakdown;
use crate::judge::models::Check;
use crate::observe::cross::CrossMeasured;
use crate::observe::device::RouterMeasured;
use crate::observe::disturbance::Disturbance;
use crate::observe::histogram::LatencyHistogram;
use crate::observe::instrument::Instrument;
use crate::observe::measured::Measured;
use crate::observe::observer::Window;
use crate::record::advised::AdviceGiven;
use crate::record::capacity::Capacity;
use crate::record::control::ServerMeasured;
use crate::record::course::ServerCourse;
use crate::record::environment::Environment;
use crate::record::flags::Flags;
use crate::record::floor::FloorTrial;
use crate::record::outcome::ThresholdOutcome;
use crate::record::proxy::ProxyRecord;
use crate::record::subject::SubjectRecord;
use crate::record::warning::{Invalid, Warning};

/// The version of this format that this build writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// A record that says something impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A trial whose point is not in it.
    #[error("trial {0} is of no point")]
    NoPoint(u32),
    /// More points than a scenario may span.
    #[error("it has {0} points, and a scenario spans at most {MAX_POINTS}")]
    Points(usize),
}

/// A run: its plan, where it ran, and each trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The version of the format, [`FORMAT`].
    pub format: u32,
    /// The version of pushbench that wrote it.
    pub version: String,
    /// When the run began, RFC 3339 in UTC.
    pub started: String,
    /// The arguments that it was started with.
    pub command_line: Vec<String>,
    /// Flags beside the scenario.
    #[serde(default, skip_serializing_if = "Flags::is_usual")]
    pub flags: Flags,
    /// The machine.
    pub environment: Environment,
    /// The scenario, its settings after flags.
    pub scenario: Scenario,
    /// The header profile that [`Scenario::headers`] names, without the points' cookies.
    #[serde(default)]
    pub headers: HeaderProfile,
    /// The servers among them that are somebody else's, with their files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<Subject>,
    /// The prices that costs are told at; `None` where none were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The combinations of its settings.
    pub points: Vec<Point>,
    /// The trials in the order in which they ran; a repeat stands behind the one it repeats.
    pub trials: Vec<TrialRecord>,
    /// The trials of bare loops beside them, where the scenario asks for its floor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub floors: Vec<FloorTrial>,
    /// Whether the run was cut short, so that trials are missing.
    pub partial: bool,
    /// The outcome of each threshold of the scenario; empty until the run has ended, and in
    /// records of before it was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<ThresholdOutcome>,
    /// The search for capacity that its trials were of; `None` where they answer another question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// The advice that its trials came to; `None` where they answer another question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<AdviceGiven>,
}

impl RunRecord {
    /// The trials that stand for their round: of a trial and its repeat, the repeat.
    pub fn standing(&self) -> impl Iterator<Item = &TrialRecord> {
        let mut last = HashMap::with_capacity(self.trials.len());
        for trial in &self.trials {
            let attempt = last.entry(trial.id).or_insert(trial.attempt);
            *attempt = trial.attempt.max(*attempt);
        }
        self.trials.iter().filter(move |trial| last.get(&trial.id) == Some(&trial.attempt))
    }

    /// Checks what the types of its parts cannot.
    ///
    /// # Errors
    ///
    /// A trial of no point, or more points than a scenario spans.
    pub fn check(&self) -> Result<(), RecordError> {
        if self.points.len() > MAX_POINTS {
            return Err(RecordError::Points(self.points.len()));
        }
        let known: HashSet<u32> = self.points.iter().map(|point| point.id).collect();
        let unknown = |trial: &&TrialRecord| !known.contains(&trial.id.point);
        match self.trials.iter().find(unknown) {
            Some(trial) => Err(RecordError::NoPoint(trial.order)),
            None => Ok(()),
        }
    }

    /// Whether the server was started by the run, and so is pushbench's own.
    #[must_use]
    pub fn has_own_server(&self) -> bool {
        self.trials.iter().any(|trial| trial.server.is_some())
    }

    /// Whether every trial that stands is valid and there is one.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !self.trials.is_empty() && self.standing().all(TrialRecord::is_valid)
    }
}

/// Which trial of a run: equal for a trial and its repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrialId {
    /// The point's number, from 1.
    pub point: u32,
    /// The contender.
    #[serde(rename = "transport")]
    pub contender: Contender,
    /// The round, from 1.
    pub round: u32,
}

/// One timed run of one transport at one point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// Which trial.
    pub id: TrialId,
    /// Its place in the run's order, from 1.
    pub order: u32,
    /// 1, or 2 for a repeat of an invalid trial.
    pub attempt: u32,
    /// Why it cannot be used; empty where it can.
    pub invalid: Vec<Invalid>,
    /// Warnings to read before believing it.
    pub warnings: Vec<Warning>,
    /// The measured part.
    pub window: Window,
    /// Clients that were connected at its start.
    pub connected: u32,
    /// Measurements of the clients.
    pub measured: Measured,
    /// How late the load processes were for their own plans.
    pub loop_lag: LatencyHistogram,
    /// The security of its connections; `None` in clear, and where none was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secured: Option<Secured>,
    /// Measurements of the server, or of the publisher of one that is somebody else's; `None` where it
    /// was not started by this run.
    pub server: Option<ServerMeasured>,
    /// Counts of a link's router; `None` over loopback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<RouterMeasured>,
    /// The traffic beside the feed; `None` where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross: Option<CrossMeasured>,
    /// The proxy between clients and server; `None` where they reach it themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyRecord>,
    /// The server, where it is somebody else's and the run started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectRecord>,
    /// The browser whose tabs the clients were; `None` where they were the load generator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<browser::BrowserMeasured>,
    /// The server's course through the window, where connections end in it because that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<ServerCourse>,
    /// Where latency was spent; `None` where nothing was stamped.
    #[serde(default)]
    pub breakdown: Option<Breakdown>,
    /// The instants that latencies are counted from.
    #[serde(default, skip_serializing_if = "LatencyFrom::is_schedule")]
    pub latency_from: LatencyFrom,
    /// How senders' stamps were put on the clock of arrivals; `None` where they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp_offset: Option<StampOffset>,
    /// The costs.
    pub resources: Resources,
    /// The first errors, for a person to read.
    pub errors: Vec<String>,
    /// The measurement that a model expects, and how it compares; in records of before there were
    /// models, nothing.
    #[serde(default)]
    pub check: Check,
}

impl TrialRecord {
    /// Whether its figures can be used.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.invalid.is_empty()
    }

    /// Whether it cannot be used for a reason that a repeat at once would not change: the server asked its
    /// clients to come back later, or refused all of them for good, or the rules take nothing of what it
    /// sends, or what most of it shares for a number.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let settled = |reason: &Invalid| match reason {
            Invalid::AttemptsUsed(used) => used.retry_after_s.is_some() || used.is_for_good(),
            Invalid::NothingFound { by_rules, .. } => *by_rules,
            Invalid::SharedNumbers { .. } => true,
            _ => false,
        };
        self.invalid.iter().any(settled)
    }
}

/// Costs of a trial, from outside the processes. `None` is "not measured".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Resources {
    /// CPU time of the server within the window.
    pub server_cpu: Option<CpuTime>,
    /// CPU time of the server while its clients rested before the feed began; `None` where they did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resting: Option<Resting>,
    /// CPU time of all load processes within the window.
    pub load_cpu: Option<CpuTime>,
    /// CPU time of a link's router within the window, which does the kernel's work of receiving in the
    /// place of both ends; `None` over loopback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router_cpu: Option<CpuTime>,
    /// CPU time of the process that gives the feed to a server that is somebody else's, within the
    /// window; it is the instrument's, and in no figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher_cpu: Option<CpuTime>,
    /// CPU time of a proxy's processes within the window; `None` where clients reach the server
    /// themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_cpu: Option<CpuTime>,
    /// Growth of the server's resident memory from before the clients to the window's end, bytes.
    pub server_rss_growth: Option<u64>,
    /// The same of all load processes.
    pub load_rss_growth: Option<u64>,
    /// The same of a proxy's processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_rss_growth: Option<u64>,
    /// Kernel memory of all TCP sockets of the machine at the window's end, bytes.
    pub socket_memory: Option<u64>,
    /// Time that the machine spent in soft interrupts within the window, all cores.
    pub softirq: Option<Duration>,
    /// Time that a hypervisor gave to others within the window, all cores.
    pub steal: Option<Duration>,
    /// The longest stall of the machine: the worst delay of a thread that goes before all normal
    /// ones and should wake each millisecond.
    pub canary_worst: Option<Duration>,
    /// Disturbances of the window from outside; `None` in records that are older than this.
    #[serde(default)]
    pub disturbance: Option<Disturbance>,
    /// How the instrument's own processes kept time; `None` in records that are older than this.
    #[serde(default)]
    pub instrument: Option<Instrument>,
    /// Load processes.
    pub load_processes: u32,
    /// Server processes that this run started; they publish the same feed, each on its own port.
    #[serde(default)]
    pub server_processes: u32,
    /// Local addresses that the clients connected from.
    #[serde(default)]
    pub source_addresses: u32,
    /// The cores that the processes were kept on; `None` where the system moved them about.
    #[serde(default)]
    pub pinned: Option<Pinned>,
}

/// A time in which clients are connected and nothing comes to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resting {
    /// CPU time of the server meanwhile.
    pub server_cpu: CpuTime,
    /// How long it was.
    pub time: Duration,
}

impl Resting {
    /// Seconds of CPU for each second; `None` where it was no time.
    #[must_use]
    pub fn cpu_each_s(&self) -> Option<f64> {
        let each = self.server_cpu.total.as_secs_f64() / self.time.as_secs_f64();
        Some(each).filter(|each| each.is_finite())
    }
}

/// The cores that a trial's processes were kept on, by the kernel's numbers. Each process has one
/// core; several of a kind share theirs where they are more than those.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// The server processes' cores; empty where the server is not this run's.
    pub server: Vec<u32>,
    /// The load processes' cores.
    pub load: Vec<u32>,
    /// That of a link's router; `None` over loopback, and in records that are older than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<RouterCore>,
    /// The cores of a proxy's processes; empty where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proxy: Vec<u32>,
}

/// The core that a link's router was kept on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterCore {
    /// The kernel's number.
    pub core: u32,
    /// Whether server processes are on the same physical core; else the router has it alone.
    pub beside_server: bool,
}

/// CPU time that processes used since their start, or between two readings; the split is the kernel's
/// tick-based estimate and only indicative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuTime {
    /// User and system together, from the process's CPU clock.
    pub total: Duration,
    /// In user space.
    pub user: Duration,
    /// In the kernel.
    pub system: Duration,
}

impl CpuTime {
    /// The sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            total: self.total.saturating_add(other.total),
            user: self.user.saturating_add(other.user),
            system: self.system.saturating_add(other.system),
        }
    }

    /// The rest without `part`, of which each kind has its share.
    #[must_use]
    pub fn less(self, part: Duration) -> Self {
        let left = self.total.saturating_sub(part).as_secs_f64();
        let share = if self.total.is_zero() { 0.0 } else { left / self.total.as_secs_f64() };
        Self {
            total: self.total.saturating_sub(part),
            user: self.user.mul_f64(share),
            system: self.system.mul_f64(share),
        }
    }

    /// CPU time between the reading `earlier` and this one, each part at least 0.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Self {
        Self {
            total: self.total.saturating_sub(earlier.total),
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}
