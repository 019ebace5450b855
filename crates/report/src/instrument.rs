//! How well the instrument itself kept time, over all valid trials of a run.

use std::time::Duration;

use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::record::environment::Environment;
use pushbench_metrics::record::warning::Lag;
use pushbench_metrics::record::{Resources, RunRecord, TrialRecord};

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

/// The abilities that the machine gave the instrument, in one line; `None` where nothing of it is
/// known.
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
        environment
            .physical_cores
            .filter(|&physical| Some(physical) < environment.cores)
            .map(|physical| human::plural(physical as usize, "physical core")),
        environment.cpu_quota_millis.map(|millis| {
            format!("a container's quota of {:.2} processors", f64::from(millis) / 1e3)
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Over how many processes and which cores the trials went; `None` where all had one of each
/// kind and nobody kept them apart.
pub(crate) fn layout(record: &RunRecord) -> Option<String> {
    let trials = record.standing().filter(|trial| trial.is_valid());
    let mut layouts: Vec<String> = Vec::new();
    for layout in trials.map(|trial| laid_out(&trial.resources)) {
        if !layouts.contains(&layout) {
            layouts.push(layout);
        }
    }
    layouts.retain(|layout| !layout.is_empty());
    (!layouts.is_empty()).then(|| format!("Processes: {}.", layouts.join("; ")))
}

/// `1 server process on core 0, 1 load process on core 1`.
fn laid_out(resources: &Resources) -> String {
    let (servers, loads) = (resources.server_processes, resources.load_processes);
    if resources.pinned.is_none() && servers.max(loads) <= 1 {
        return String::new();
    }
    let pinned = resources.pinned.clone().unwrap_or_default();
    let kinds = [(servers, "server", pinned.server), (loads, "load", pinned.load)];
    let kinds = kinds.into_iter().filter(|(count, ..)| *count > 0).map(|(count, kind, cores)| {
        let noun = if count == 1 { "process" } else { "processes" };
        format!("{count} {kind} {noun}{}", on_cores(&cores))
    });
    kinds.collect::<Vec<_>>().join(", ")
}

fn on_cores(cores: &[u32]) -> String {
    let numbers: Vec<String> = cores.iter().map(u32::to_string).collect();
    match numbers.as_slice() {
        [] => String::new(),
        [core] => format!(" on core {core}"),
        cores => format!(" on cores {}", cores.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use pushbench_metrics::record::Pinned;

    use super::*;

    #[test]
    fn processes_and_their_cores_are_told() {
        let mut resources =
            Resources { server_processes: 1, load_processes: 1, ..Default::default() };
        assert_eq!(laid_out(&resources), "");
        resources.pinned = Some(Pinned { server: vec![0], load: vec![1] });
        assert_eq!(laid_out(&resources), "1 server process on core 0, 1 load process on core 1");
        resources.load_processes = 6;
        resources.pinned = Some(Pinned { server: Vec::new(), load: vec![2, 3] });
        resources.server_processes = 0;
        assert_eq!(laid_out(&resources), "6 load processes on cores 2, 3");
    }
}
