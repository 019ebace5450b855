//! Measurements of a trial's processes put together, so that they read the same over however many
//! they were split.

use pushbench_metrics::observe::instrument::LoopWatch;
use pushbench_metrics::observe::stamps::{LoadStamps, ServerStamps};
use pushbench_metrics::record::control::{LoadMeasured, ServerMeasured};
use pushbench_metrics::record::warning::Lag;

/// Measurements of all processes of a trial, put together.
#[derive(Debug)]
pub struct Merged {
    /// Of the load processes.
    pub load: LoadMeasured,
    /// The lag of the load process that was latest: pooled, the others would hide it.
    pub(super) load_lag: Option<Lag>,
    /// How each load process's loop kept time.
    pub(super) watches: Vec<LoopWatch>,
    /// Of the server processes; `None` where the server is not this run's.
    pub server: Option<ServerMeasured>,
    /// The fewest and the most messages that a server process published.
    pub(super) published: Option<(u64, u64)>,
    /// Stamps of each load process; merged they would no longer be told apart.
    pub(super) load_stamps: Vec<LoadStamps>,
    /// Stamps of each server process.
    pub(super) server_stamps: Vec<ServerStamps>,
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
        let server = servers.into_iter().reduce(|mut all, server| {
            all.merge(&server);
            all
        });
        let load = load.unwrap_or_default();
        Self { load, load_lag, watches, server, published, load_stamps, server_stamps }
    }
}
