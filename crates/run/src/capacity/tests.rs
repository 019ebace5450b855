//! Searches whose trials are arithmetic: load in, a trial's record out.

use std::time::Duration;

use pushbench_core::link::Cause;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::instrument::Process;
use pushbench_metrics::observe::ledger::{Direction, Phase};
use pushbench_metrics::observe::link::{LinkCounts, LinkRow, LinkTally};
use pushbench_metrics::record::CpuTime;
use pushbench_metrics::record::warning::{Invalid, Lag, Standstill, Warning};

use super::*;
use crate::place::{Layout, Spread};
use crate::player::{Commands, Players};
use crate::validity::record;

const MS: Duration = Duration::from_millis(1);

/// A limit of p99.
const LIMIT: Duration = Duration::from_millis(50);

/// A load's trials: what it makes of the record of one without any figures.
type World<'a> = &'a dyn Fn(f64, &Plan, &mut TrialRecord);

/// The end of a search over `over` by p99, in a scenario of event streams with `more`.
fn searched(over: Over, more: &str, world: World<'_>) -> capacity::Search {
    let text = format!("transports = [\"sse\"]\nduration = \"1s\"\nruns = 1\n{more}");
    let layout = Layout::loopback(Spread::default());
    let plan = Plan::of(Scenario::parse(&text).unwrap(), None, layout);
    let none = Vec::new;
    let commands = Commands {
        server: none(),
        load: none(),
        link: none(),
        cross: none(),
        program: none(),
        tied: none(),
    };
    let run = Run { plan, players: Players::real(), commands };
    let objectives = vec!["latency.p99 < 50ms".parse().unwrap()];
    let question = Question { over, objectives, least: 5.0, most: 1_000.0, within: 0.05 };
    let mut search = CapacityRun::new(run, question, None);
    while let Some((at, load, attempt)) = search.prepare() {
        let mut trial = record::without_figures(search.plan(), attempt);
        (trial.measured.audit.expected, trial.measured.audit.delivered) = (2_000, 2_000);
        world(value(over, load), search.plan(), &mut trial);
        search.take(at, load, trial);
    }
    search.capacity().searches.remove(0)
}

fn latency(trial: &mut TrialRecord, of_limit: f64) {
    let latency = LIMIT.mul_f64(of_limit).as_nanos() as u64;
    trial.measured.latency.record_many_ns(latency, 2_000);
}

fn cpu(share: f64) -> Option<CpuTime> {
    Some(CpuTime { total: Duration::from_secs(1).mul_f64(share), ..CpuTime::default() })
}

/// A load generator of ten clients that takes in one message each millisecond, and stands still until
/// then: it is late by ten milliseconds at any rate, and falls behind from 100 messages a second on.
fn paced_load(rate: f64, trial: &mut TrialRecord) {
    let share = rate / 100.0;
    let (who, worst) = (Process::Load { number: 1, of: 1 }, MS * 9);
    trial.invalid.push(Invalid::InstrumentStalled(Standstill {
        who,
        worst,
        share: share.min(1.0),
    }));
    latency(trial, 0.2 + (share - 1.0).max(0.0) * 100.0);
}

#[test]
fn a_load_generator_that_stands_still_at_every_rate_is_the_limit_where_it_falls_behind() {
    let search = searched(Over::Rate, "clients = 10", &|rate, _, trial| paced_load(rate, trial));
    let Verdict::AtLeast { holds, limit } = &search.verdict else { panic!("{search:?}") };
    assert_eq!(limit.place, Place::LoadGenerator);
    assert!((95.0..=100.0).contains(holds), "{holds}");
    // What was measured meanwhile is told.
    let least = &search.steps[0].readings[0];
    assert!(least.median.is_some_and(|us| (us - 10_000.0).abs() < 100.0), "{least:?}");
}

#[test]
fn a_load_generator_that_is_too_late_at_the_least_rate_settles_nothing() {
    let search = searched(Over::Rate, "clients = 10", &|_, _, trial| paced_load(200.0, trial));
    let Verdict::Unsettled { holds: None, limit } = &search.verdict else { panic!("{search:?}") };
    assert_eq!(limit.place, Place::LoadGenerator);
}

/// A queue whose packets were dropped.
fn full_queue(trial: &mut TrialRecord) {
    let mut tally = LinkTally::default();
    tally.dropped[Cause::Queue as usize].add(1_500);
    let (queued, late) = (LatencyHistogram::default(), LatencyHistogram::default());
    let (phase, direction) = (Phase::Window, Direction::Down);
    let rows = vec![LinkRow { phase, direction, tally, queued, late }];
    trial.router = Some(judge::tests::router_with(LinkCounts { rows, ..LinkCounts::default() }));
}

#[test]
fn whatever_gives_out_first_is_named() {
    // Beside each, the server is busy as well, but not full.
    let worlds: [(Place, World<'_>); 6] = [
        (Place::ServerCpu, &|part, _, trial| trial.resources.server_cpu = cpu(part)),
        (Place::Server, &|part, _, trial| trial.resources.server_cpu = cpu(part * 0.3)),
        (Place::KernelMemory, &|part, plan, trial| {
            let most = plan.layout.tcp_bytes().expect("Linux tells") as f64;
            trial.resources.socket_memory = Some((most * part) as u64);
            trial.resources.server_cpu = cpu(0.9 * part);
        }),
        (Place::LoadGenerator, &|part, _, trial| {
            trial.resources.server_cpu = cpu(0.9 * part);
            trial.resources.load_cpu = cpu(0.9 * part);
        }),
        (Place::LoadGenerator, &|part, _, trial| {
            let us = 50_000.0 * part * 0.8;
            trial.warnings.push(Warning::LoadLate(Lag { us, at_p99: true }));
        }),
        (Place::Link, &|part, _, trial| {
            trial.resources.server_cpu = cpu(0.9 * part);
            if part > 1.0 {
                full_queue(trial);
            }
        }),
    ];
    for (place, world) in worlds {
        let link = if place == Place::Link { "[link]\ndown = \"10Mbit/s\"" } else { "" };
        let search = searched(Over::Clients, link, &|clients, plan, trial| {
            let part = clients / 100.0;
            latency(trial, part);
            world(part, plan, trial);
        });
        let limit = search.verdict.limit().unwrap_or_else(|| panic!("{place:?}: {search:?}"));
        assert_eq!(limit.place, place, "{search:?}");
        let holds = search.verdict.holds().unwrap_or_default();
        assert!((95.0..=100.0).contains(&holds), "{place:?}: {search:?}");
        let at_least = matches!(search.verdict, Verdict::AtLeast { .. });
        assert_eq!(at_least, place == Place::LoadGenerator, "{search:?}");
    }
}

#[test]
fn a_machine_that_stalls_whenever_a_load_misses_settles_nothing() {
    let search = searched(Over::Clients, "", &|clients, _, trial| {
        latency(trial, clients / 100.0);
        if clients > 100.0 {
            trial.invalid.push(Invalid::MachineStalled { worst: MS * 120, share: 0.1 });
        }
    });
    let Verdict::Unsettled { holds: Some(_), limit } = &search.verdict else {
        panic!("{search:?}")
    };
    assert_eq!(limit.place, Place::Machine);
}

#[test]
fn an_objective_whose_figure_is_not_measured_settles_nothing() {
    let search = searched(Over::Clients, "", &|_, _, _| ());
    let Verdict::Unsettled { holds: None, limit } = &search.verdict else { panic!("{search:?}") };
    assert_eq!(limit, &Limit::new(Place::Unknown, "latency.p99 was not measured"));
    // One that is measured, and missed, is no capacity, whoever took the time.
    let search = searched(Over::Clients, "", &|_, _, trial| latency(trial, 2.0));
    assert!(matches!(search.verdict, Verdict::Misses { .. }), "{search:?}");
}
