use std::time::Duration;

use pushbench_core::link::Cause;
use pushbench_core::scenario::Scenario;
use pushbench_core::{MonoInstant, Seq};
use pushbench_metrics::judge::breakdown::Breakdown;
use pushbench_metrics::observe::attendance::Attendance;
use pushbench_metrics::observe::device::{Backend, RouterMeasured, SideCounts};
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::instrument::Process;
use pushbench_metrics::observe::ledger::{Direction, Phase};
use pushbench_metrics::observe::link::{LinkCounts, LinkRow, LinkTally};
use pushbench_metrics::observe::stamps::{LoadStamps, Received, ServerStamps, Written};
use pushbench_metrics::record::warning::{Busy, Invalid, Lag, Standstill, Warning};
use pushbench_metrics::record::{CpuTime, TrialId};

use super::*;
use crate::place::{Layout, Spread};
use crate::plan::Plan;
use crate::setup::Attempt;
use crate::validity::record;

const MS: Duration = Duration::from_millis(1);

/// A trial of a second of one transport, in which each of so many latencies was `latency`.
fn trial(transport: &str, latencies: u64, latency: Duration) -> (TrialRecord, Point) {
    trial_with("", transport, latencies, latency)
}

/// The same with more of its scenario.
fn trial_with(
    more: &str,
    transport: &str,
    latencies: u64,
    latency: Duration,
) -> (TrialRecord, Point) {
    let text = format!("transports = [\"{transport}\"]\nduration = \"1s\"\nruns = 1\n{more}");
    let layout = Layout::loopback(Spread::default());
    let plan = Plan::of(Scenario::parse(&text).unwrap(), None, layout);
    let id: TrialId = plan.trials[0];
    let mut trial = record::without_figures(&plan, Attempt { id, order: 1, number: 1 });
    trial.measured.latency.record_many_ns(latency.as_nanos() as u64, latencies);
    (trial.measured.audit.expected, trial.measured.audit.delivered) = (latencies, latencies);
    trial.measured.counters.messages_in_window = latencies;
    (trial, plan.points[0].clone())
}

fn of(trial: &TrialRecord, point: &Point, objective: &str) -> Outcome {
    let objectives = &[objective.parse().unwrap()];
    Judge { trial, point, objectives, tcp_bytes: Some(1 << 30) }.outcome()
}

/// Where the limit lies that the trial met.
fn place(trial: &TrialRecord, point: &Point, objective: &str) -> Place {
    match of(trial, point, objective) {
        Outcome::Missed { limit, .. } => limit.place,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_trial_meets_an_objective_clearly_by_half_of_it() {
    let (trial, point) = trial("sse", 2_000, MS * 10);
    for (objective, expected) in [
        ("latency.p99 < 25ms", Some(true)),
        ("latency.p99 < 15ms", Some(false)),
        ("latency.p99 < 5ms", None),
        ("websocket.latency.p99 < 5ms", Some(true)),
        ("delivered >= 99%", Some(true)),
    ] {
        let found = match of(&trial, &point, objective) {
            Outcome::Met { clearly, .. } => Some(clearly),
            _ => None,
        };
        assert_eq!(found, expected, "{objective}");
    }
}

#[test]
fn a_percentile_of_few_latencies_is_that_of_those_few() {
    let (mut trial, point) = trial("sse", 20, MS);
    let met = of(&trial, &point, "latency.p99 < 20ms");
    assert!(matches!(met, Outcome::Met { clearly: true, .. }), "{met:?}");
    assert!(matches!(of(&trial, &point, "fresh.p99 < 20ms"), Outcome::Met { .. }));
    trial.measured.latency.record(MS * 50);
    assert!(matches!(of(&trial, &point, "latency.p99 < 20ms"), Outcome::Missed { .. }));
    assert!(matches!(of(&trial, &point, "fresh.p99 < 20ms"), Outcome::Missed { .. }));
}

#[test]
fn messages_that_are_lost_are_no_low_latency() {
    let (mut trial, point) = trial("sse", 2_000, MS);
    trial.measured.audit.expected += 100;
    trial.measured.audit.lost += 100;
    assert_eq!(place(&trial, &point, "latency.p99 < 20ms"), Place::Server);
    // The evidence says where they were lost.
    trial.resources.server_cpu = cpu(930);
    assert_eq!(place(&trial, &point, "latency.p99 < 20ms"), Place::ServerCpu);
    trial.resources.load_cpu = cpu(930);
    assert_eq!(place(&trial, &point, "latency.p99 < 20ms"), Place::LoadGenerator);
    // Whoever asks for a share says how many may be.
    assert!(matches!(of(&trial, &point, "delivered >= 90%"), Outcome::Met { .. }));
}

#[test]
fn polls_that_wait_for_their_period_have_no_capacity() {
    let (trial, point) = trial("short-poll", 2_000, MS * 500);
    assert_eq!(place(&trial, &point, "latency.p99 < 20ms"), Place::Principle);
    assert_eq!(place(&trial, &point, "latency.mean < 20ms"), Place::Principle);
    // A cost is no delay.
    let mut costly = trial.clone();
    costly.resources.server_cpu = cpu(930);
    assert_eq!(place(&costly, &point, "server_cpu_per_msg < 20us"), Place::ServerCpu);
}

#[test]
fn what_spoils_a_trial_is_a_limit_of_whoever_did_it() {
    let (mut spoiled, point) = trial("sse", 2_000, MS * 25);
    let saturated = Invalid::LoadSaturated { share: 0.99 };
    let stalled = Invalid::MachineStalled { worst: MS * 120, share: 0.1 };
    let died = Invalid::ServerDied { error: "no memory".to_owned() };
    let stood = |who| Invalid::InstrumentStalled(Standstill { who, worst: MS * 200, share: 0.2 });
    for (invalid, expected) in [
        (vec![stalled.clone()], Place::Machine),
        (vec![stalled.clone(), saturated.clone()], Place::LoadGenerator),
        (vec![stalled, saturated, died], Place::ServerFailed),
        (vec![stood(Process::Parent)], Place::Machine),
        (vec![stood(Process::Load { number: 1, of: 1 })], Place::LoadGenerator),
    ] {
        spoiled.invalid = invalid;
        assert_eq!(
            place(&spoiled, &point, "latency.p99 < 20ms"),
            expected,
            "{:?}",
            spoiled.invalid
        );
    }
}

#[test]
fn delays_that_are_short_enough_although_somebody_stood_still_meet_the_objective() {
    let who = Process::Load { number: 1, of: 1 };
    let stalled = Invalid::InstrumentStalled(Standstill { who, worst: MS * 8, share: 0.03 });
    let saturated = Invalid::LoadSaturated { share: 0.97 };
    let stepped = Invalid::ClockStepped { by: MS * 500 };
    let (mut spoiled, point) = trial("sse", 2_000, MS * 8);
    for (invalid, objective, is_met) in [
        (vec![stalled.clone()], "latency.p99 < 20ms", true),
        (vec![stalled.clone(), saturated.clone()], "delivered >= 99%", true),
        (vec![stalled.clone()], "latency.p99 < 5ms", false),
        // Of a clock that was set no instant can be believed.
        (vec![stalled.clone(), stepped], "latency.p99 < 20ms", false),
        // Whoever stands still takes many messages at once, which is cheaper.
        (vec![stalled.clone()], "server_cpu_per_msg < 1s", false),
        (vec![stalled.clone()], "fan_out.p99 < 1s", false),
        (vec![saturated], "latency.p99 > 1ms", false),
    ] {
        spoiled.invalid = invalid;
        spoiled.resources.server_cpu = cpu(10);
        let found = of(&spoiled, &point, objective);
        let met = matches!(found, Outcome::Met { .. });
        assert_eq!(met, is_met, "{objective}, {:?}: {found:?}", spoiled.invalid);
    }
    // Those that were lost are in no latency.
    spoiled.invalid = vec![stalled];
    (spoiled.measured.audit.expected, spoiled.measured.audit.lost) = (2_100, 100);
    assert_eq!(place(&spoiled, &point, "latency.p99 < 20ms"), Place::LoadGenerator);
}

#[test]
fn the_part_of_the_limit_that_a_trial_took_is_told_where_there_is_one() {
    let (mut trial, point) = trial("sse", 2_000, MS * 10);
    let took = |trial: &TrialRecord, objectives: &[&str]| {
        let objectives: Vec<_> = objectives.iter().map(|it| it.parse().unwrap()).collect();
        match (Judge { trial, point: &point, objectives: &objectives, tcp_bytes: None }).outcome() {
            Outcome::Met { took, .. } | Outcome::Missed { took, .. } => took,
            Outcome::Impossible(_) => None,
        }
    };
    let near =
        |took: Option<f64>, part: f64| took.is_some_and(|took| (took / part - 1.0).abs() < 0.02);
    assert!(near(took(&trial, &["latency.p99 < 40ms"]), 0.25));
    assert!(near(took(&trial, &["latency.p99 < 40ms", "latency.p50 < 5ms"]), 2.0));
    assert!(near(took(&trial, &["latency.p99 < 40ms", "websocket.latency.p50 < 5ms"]), 0.25));
    assert_eq!(took(&trial, &["delivered >= 99%"]), None);
    assert_eq!(took(&trial, &["lost < 5"]), None);
    trial.invalid = vec![Invalid::ClockStepped { by: MS * 500 }];
    assert_eq!(took(&trial, &["latency.p99 < 40ms"]), None);
}

/// Where latency was spent of a thousand messages, the kernel of the clients having each after
/// `kernel` and its client after `latency`.
fn breakdown(kernel: Duration, latency: Duration) -> Breakdown {
    let address = "127.0.0.1:40000".parse().unwrap();
    let (mut server, mut load) = (ServerStamps::default(), LoadStamps::default());
    server.peers.push(address);
    load.connections.push((0, address));
    for n in 1..=1_000 {
        let (due, seq) = (MonoInstant(n * 1_000_000), Seq(n));
        server.published.push((seq, due));
        server.written.push(Written { peer: 0, first: seq, more: 0, at: due, requested: None });
        let (kernel, at) = (Some(due + kernel), due + latency);
        load.received.push(Received { seq, last: seq, due, kernel, at, ..Received::default() });
    }
    Breakdown::join(&[server], &[load], true)
}

fn cpu(ms: u32) -> Option<CpuTime> {
    Some(CpuTime { total: MS * ms, ..CpuTime::default() })
}

#[test]
fn a_load_generator_without_which_the_objective_were_met_is_the_limit() {
    let (mut trial, point) = trial("sse", 2_000, MS * 25);
    trial.resources.server_cpu = cpu(990);
    trial.breakdown = Some(breakdown(MS * 15, MS * 25));
    assert_eq!(place(&trial, &point, "latency.p99 < 20ms"), Place::LoadGenerator);
    trial.breakdown = Some(breakdown(MS * 24, MS * 25));
    assert_eq!(place(&trial, &point, "latency.p99 < 20ms"), Place::ServerCpu);
    // Without stamps its own lateness tells.
    trial.breakdown = None;
    trial.warnings = vec![Warning::LoadLate(Lag { us: 12_000.0, at_p99: true })];
    assert_eq!(place(&trial, &point, "latency.p99 < 20ms"), Place::LoadGenerator);
    trial.warnings = vec![Warning::LoadLate(Lag { us: 6_000.0, at_p99: true })];
    assert_eq!(place(&trial, &point, "latency.p99 < 20ms"), Place::ServerCpu);
}

#[test]
fn a_server_with_a_full_core_is_told_from_one_that_waits() {
    let (mut trial, point) = trial("sse", 2_000, MS * 25);
    assert_eq!(place(&trial, &point, "latency.p99 < 20ms"), Place::Unknown);
    trial.resources.server_cpu = cpu(120);
    let Outcome::Missed { limit, .. } = of(&trial, &point, "latency.p99 < 20ms") else { panic!() };
    assert_eq!(limit, Limit::new(Place::Server, "it used 12 % of a core"));
    trial.resources.server_cpu = cpu(930);
    let Outcome::Missed { limit, .. } = of(&trial, &point, "latency.p99 < 20ms") else { panic!() };
    assert_eq!(limit, Limit::new(Place::ServerCpu, "it used 93 % of a core"));
    trial.resources.proxy_cpu = cpu(930);
    assert_eq!(place(&trial, &point, "latency.p99 < 20ms"), Place::Proxy);
    trial.resources.socket_memory = Some(900 << 20);
    assert_eq!(place(&trial, &point, "latency.p99 < 20ms"), Place::KernelMemory);
}

/// A router at whose queue so many packets of the window were dropped, and the others waited for `queued`.
fn router(dropped: u64, queued: Duration) -> RouterMeasured {
    let mut tally = LinkTally::default();
    (0..dropped).for_each(|_| tally.dropped[Cause::Queue as usize].add(1_500));
    let mut waited = LatencyHistogram::default();
    waited.record(queued);
    let (phase, direction, late) = (Phase::Window, Direction::Down, LatencyHistogram::default());
    let row = LinkRow { phase, direction, tally, queued: waited, late };
    router_with(LinkCounts { rows: vec![row], ..LinkCounts::default() })
}

/// One that counted that.
pub(in crate::capacity) fn router_with(link: LinkCounts) -> RouterMeasured {
    let side = SideCounts::default();
    RouterMeasured {
        backend: Backend::Tun,
        link,
        waiting: 0,
        forwarded: 1,
        server: side,
        clients: side,
        elapsed: MS,
        cpu: MS,
        longest_wait: MS,
        attendance: Attendance::default(),
    }
}

#[test]
fn a_link_that_is_full_or_too_long_is_the_limit() {
    let (mut trial, point) = trial_with("[link]\ndelay = \"40ms\"", "sse", 2_000, MS * 60);
    trial.resources.server_cpu = cpu(930);
    let Outcome::Missed { limit, .. } = of(&trial, &point, "latency.p99 < 20ms") else { panic!() };
    assert_eq!(limit, Limit::new(Place::Link, "a message is under way for 40ms"));
    for (dropped, queued, expected) in
        [(0, MS, Place::ServerCpu), (0, MS * 30, Place::Link), (3, MS, Place::Link)]
    {
        trial.router = Some(router(dropped, queued));
        assert_eq!(place(&trial, &point, "latency.p99 < 50ms"), expected, "{dropped} {queued:?}");
    }
}

#[test]
fn a_machine_that_others_use_is_the_limit_also_where_the_user_allows_it() {
    let (mut trial, point) = trial("sse", 2_000, MS * 25);
    trial.resources.server_cpu = cpu(40);
    let busy = |wait| Busy { share: 0.5, wait, by: Some("cc".to_owned()) };
    let stalls = |share| Warning::ShortStalls { worst: MS * 20, share };
    for (warning, expected) in [
        (Warning::OthersBusy(busy(MS * 3)), Place::Machine),
        // Not a tenth of the median.
        (Warning::OthersBusy(busy(MS)), Place::Server),
        (stalls(0.02), Place::Machine),
        (stalls(0.002), Place::Server),
    ] {
        trial.warnings = vec![warning];
        assert_eq!(place(&trial, &point, "latency.p99 < 20ms"), expected, "{:?}", trial.warnings);
    }
}

#[test]
fn what_is_not_measured_is_met_by_nobody() {
    let (trial, point) = trial("sse", 2_000, MS);
    let Outcome::Missed { limit, .. } = of(&trial, &point, "fan_out.p99 < 20ms") else { panic!() };
    assert_eq!(limit.detail, "fan_out.p99 was not measured");
}
