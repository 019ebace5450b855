//! How well the instrument itself kept time, over all valid trials of a run.

use std::time::Duration;

use pushbench_metrics::environment::Environment;
use pushbench_metrics::histogram::LatencyHistogram;
use pushbench_metrics::record::{RunRecord, TrialRecord};
use pushbench_metrics::warning::Lag;

use crate::human;

/// The lags of publisher, load generator and machine in one line; `None` where none is known.
pub(crate) fn lags(record: &RunRecord) -> Option<String> {
    let trials: Vec<&TrialRecord> = record.standing().filter(|trial| trial.is_valid()).collect();
    let mut publisher = LatencyHistogram::default();
    for server in trials.iter().filter_map(|trial| trial.server.as_ref()) {
        publisher.merge(&server.publish_lag);
    }
    // Not pooled: the many ticks of polls would hide what a stream's few bursts do.
    let load = trials.iter().filter_map(|trial| Lag::of(&trial.loop_lag));
    let load = load.max_by(|one, other| one.us.total_cmp(&other.us));
    let stalls = trials.iter().filter_map(|trial| trial.resources.canary_worst);
    let parts: Vec<String> = [
        Lag::of(&publisher).map(|lag| format!("publisher {}", words(lag))),
        load.map(|lag| format!("load generator {} in its worst trial", words(lag))),
        stalls.max().map(|worst| {
            format!("the machine's longest stall {}", human::time(worst.as_secs_f64() * 1e6))
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| format!("Lag of the instrument: {}.", parts.join(", ")))
}

fn words(lag: Lag) -> String {
    format!("{} at {}", human::time(lag.us), if lag.at_p99 { "p99" } else { "most" })
}

/// What the machine let the instrument do, in one line; `None` where nothing of it is known.
pub(crate) fn abilities(environment: &Environment) -> Option<String> {
    let nanos = |nanos: u64| human::time(Duration::from_nanos(nanos).as_secs_f64() * 1e6);
    let can = |can: Option<bool>, what: &str, cannot: &str| {
        can.map(|can| if can { what } else { cannot }.to_owned())
    };
    let governor = &environment.governor;
    let parts: Vec<String> = [
        environment.wake_ups.map(|late| {
            format!(
                "wake-ups {} late at p50 and {} at most",
                nanos(late.p50_ns),
                nanos(late.max_ns)
            )
        }),
        can(environment.real_time, "canary at real-time priority", "canary at normal priority"),
        can(environment.receive_stamps, "receive timestamps", "no receive timestamps"),
        can(environment.packet_capture, "packet capture possible", "no packet capture"),
        (!governor.is_empty()).then(|| format!("frequency governor {governor}")),
        can(environment.smt, "SMT on", "SMT off"),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
