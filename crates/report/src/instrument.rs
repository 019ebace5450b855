//! How well the instrument itself kept time, over all valid trials of a run.

use std::time::Duration;

use pushbench_metrics::observe::attendance::Attendance;
use pushbench_metrics::observe::device::RouterMeasured;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::record::environment::Environment;
use pushbench_metrics::record::warning::Lag;
use pushbench_metrics::record::{Resources, RouterCore, RunRecord, TrialRecord};

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
    for layout in trials.map(|trial| laid_out(&trial.resources, trial.router.as_ref())) {
        if !layouts.contains(&layout) {
            layouts.push(layout);
        }
    }
    layouts.retain(|layout| !layout.is_empty());
    (!layouts.is_empty()).then(|| format!("Processes: {}.", layouts.join("; ")))
}

/// `1 server process on core 0, 1 load process on core 1`.
fn laid_out(resources: &Resources, router: Option<&RouterMeasured>) -> String {
    let (servers, loads) = (resources.server_processes, resources.load_processes);
    let pinned = resources.pinned.clone().unwrap_or_default();
    let router = placed(pinned.router, router.map(|router| &router.attendance));
    if resources.pinned.is_none() && servers.max(loads) <= 1 {
        return router.unwrap_or_default();
    }
    let kinds = [(servers, "server", pinned.server), (loads, "load", pinned.load)];
    let kinds = kinds.into_iter().filter(|(count, ..)| *count > 0).map(|(count, kind, cores)| {
        let noun = if count == 1 { "process" } else { "processes" };
        format!("{count} {kind} {noun}{}", on_cores(&cores))
    });
    let proxy = (!pinned.proxy.is_empty()).then(|| format!("a proxy{}", on_cores(&pinned.proxy)));
    kinds.chain(proxy).chain(router).collect::<Vec<_>>().join(", ")
}

/// `the link's router on core 0 beside the server, at real-time priority`; `None` over loopback, and
/// where nothing of that is known.
fn placed(place: Option<RouterCore>, attendance: Option<&Attendance>) -> Option<String> {
    let precedence = attendance?.precedence?;
    let place = place.map_or_else(String::new, |RouterCore { core, beside_server }| {
        let beside = if beside_server { " beside the server" } else { " alone" };
        format!(" on core {core}{beside},")
    });
    Some(format!("the link's router{place} {precedence}"))
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
    use pushbench_metrics::observe::attendance::Precedence;
    use pushbench_metrics::record::Pinned;

    use super::*;

    #[test]
    fn processes_and_their_cores_are_told() {
        let mut resources =
            Resources { server_processes: 1, load_processes: 1, ..Default::default() };
        assert_eq!(laid_out(&resources, None), "");
        resources.pinned =
            Some(Pinned { server: vec![0], load: vec![1], proxy: vec![0], router: None });
        assert_eq!(
            laid_out(&resources, None),
            "1 server process on core 0, 1 load process on core 1, a proxy on core 0"
        );
        resources.load_processes = 6;
        resources.pinned = Some(Pinned { load: vec![2, 3], ..Pinned::default() });
        resources.server_processes = 0;
        assert_eq!(laid_out(&resources, None), "6 load processes on cores 2, 3");
    }
    #[test]
    fn the_router_of_a_link_is_told_with_whom_it_shares_and_how_it_goes_first() {
        let told = |place, precedence| {
            let attendance = Attendance { precedence, ..Attendance::default() };
            placed(place, Some(&attendance))
        };
        let place = |beside_server| Some(RouterCore { core: 2, beside_server });
        let shared = "the link's router on core 2 beside the server, at real-time priority";
        assert_eq!(told(place(true), Some(Precedence::RealTime)).as_deref(), Some(shared));
        let alone = "the link's router on core 2 alone, at a raised priority";
        assert_eq!(told(place(false), Some(Precedence::Nice)).as_deref(), Some(alone));
        let floats = "the link's router at normal priority";
        assert_eq!(told(None, Some(Precedence::Normal)).as_deref(), Some(floats));
        assert_eq!(told(place(true), None), None, "records of before");
        assert_eq!(placed(place(true), None), None, "over loopback");
    }
}
