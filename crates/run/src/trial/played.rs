//! The outcome of a trial's phases, in which the measurements of its processes read the same over
//! however many they were split.

use pushbench_core::feed::stamp::LatencyFrom;
use pushbench_core::security::Secured;
use pushbench_metrics::observe::cross::CrossMeasured;
use pushbench_metrics::observe::device::RouterMeasured;
use pushbench_metrics::observe::instrument::LoopWatch;
use pushbench_metrics::observe::stamps::{LoadStamps, ServerStamps};
use pushbench_metrics::record::control::{LoadMeasured, ServerMeasured, TrialTiming};
use pushbench_metrics::record::course::ServerCourse;
use pushbench_metrics::record::proxy::ProxyRecord;
use pushbench_metrics::record::subject::SubjectRecord;
use pushbench_metrics::record::warning::{Invalid, Lag};

use super::cost::Cost;

/// The share of messages that must not be late for writes to be in step with the feed, and how late
/// they may be, in gaps between messages. Where they are not, several messages go with one read,
/// which is cheaper.
const ON_TIME: f64 = 0.9;
const LATEST: f64 = 0.5;

/// The outcome of a trial's phases.
#[derive(Debug)]
pub struct Played {
    /// Its instants.
    pub timing: TrialTiming,
    /// The measurements of its processes.
    pub merged: Merged,
    /// The cost of its window.
    pub cost: Cost,
    /// The security of its connections; `None` in clear.
    pub(crate) secured: Option<Secured>,
    /// Packets that a capture did not see.
    pub(crate) uncaptured: u64,
    /// Counts of a link's router; `None` over loopback.
    pub(crate) router: Option<RouterMeasured>,
    /// The traffic beside the feed; `None` where there was none.
    pub(crate) cross: Option<CrossMeasured>,
    /// The server's course, where connections end because that was asked for.
    pub(crate) course: Option<ServerCourse>,
    /// The proxy between clients and server; `None` where they reach it themselves.
    pub(crate) proxy: Option<ProxyRecord>,
    /// The server, where it is somebody else's and the run started it.
    pub(crate) subject: Option<SubjectRecord>,
    /// Load processes and proxies that ended early.
    pub(crate) ended_early: Vec<Invalid>,
    /// Whether the server is a child of this run.
    pub(crate) own_server: bool,
    /// Whether the server's instants are on this machine's clock.
    pub(crate) same_clock: bool,
    /// Whether a server that ran already is gone, or publishes another feed than before.
    pub(crate) feed_changed: bool,
    /// Whether a server that ran already has clients without an attempt left, and takes no connection any
    /// more.
    pub(crate) server_gone: bool,
    /// The instants that its latencies are counted from.
    pub(crate) latency_from: LatencyFrom,
    /// By how much the clock of stamps was set while the trial ran, ns.
    pub(crate) clock_step_ns: u64,
}

impl Played {
    /// Whether the feed is this run's own, by whichever server it comes: nobody described it.
    pub(crate) const fn is_published_here(&self) -> bool {
        self.own_server || self.subject.is_some()
    }

    /// Whether the server kept the feed's pace: each message was on its way before the next was
    /// due.
    #[must_use]
    pub fn kept_pace(&self) -> bool {
        let window = self.timing.window;
        let gap_us = window.duration().as_secs_f64() * 1e6 / window.len() as f64;
        let server = self.merged.server.as_ref();
        let lag = server.and_then(|server| server.publish_lag.percentile_us(ON_TIME));
        lag.is_some_and(|late| late < gap_us * LATEST)
    }
}

/// Measurements of all processes of a trial, put together.
#[derive(Debug)]
pub struct Merged {
    /// Of the load processes.
    pub load: LoadMeasured,
    /// The lag of the load process that was latest: pooled, the others would hide it.
    pub(crate) load_lag: Option<Lag>,
    /// How each load process's loop kept time.
    pub(super) watches: Vec<LoopWatch>,
    /// Of the server processes; `None` where the server is not this run's.
    pub server: Option<ServerMeasured>,
    /// The fewest and the most messages that a server process published.
    pub(crate) published: Option<(u64, u64)>,
    /// Stamps of each load process; merged they would no longer be told apart.
    pub(crate) load_stamps: Vec<LoadStamps>,
    /// Stamps of each server process.
    pub(crate) server_stamps: Vec<ServerStamps>,
}

impl Merged {
    pub(super) fn of(mut loads: Vec<LoadMeasured>, mut servers: Vec<ServerMeasured>) -> Self {
        let load_stamps = loads.iter_mut().map(|load| std::mem::take(&mut load.stamps)).collect();
        let stamps = servers.iter_mut().map(|server| std::mem::take(&mut server.stamps));
        let server_stamps = stamps.collect();
        let watches = loads.iter_mut().map(|load| std::mem::take(&mut load.watch)).collect();
        let lags = loads.iter().filter_map(|load| Lag::of(&load.loop_lag));
        let load_lag = lags.max_by(|one, other| one.us.total_cmp(&other.us));
        let load = loads.into_iter().reduce(|mut all, load| {
            all.merge(load);
            all
        });
        let published = || servers.iter().map(|server| server.published);
        let published = published().min().zip(published().max());
        let mut server = servers.into_iter().reduce(|mut all, server| {
            all.merge(&server);
            all
        });
        let mut load = load.unwrap_or_default();
        if let Some(heard) = server.as_mut().and_then(|server| server.heard.take()) {
            load.measured.hear_at_servers(&heard);
        }
        Self { load, load_lag, watches, server, published, load_stamps, server_stamps }
    }
}
