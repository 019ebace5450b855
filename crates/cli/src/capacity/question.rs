//! The question of a search, from arguments and scenario: what has to hold, and between which loads.

use std::str::FromStr;

use anyhow::anyhow;
use pushbench_core::feed::payload::MAX_PAYLOAD;
use pushbench_core::feed::schedule::MOST_DUE;
use pushbench_core::figure::{Figure, Need};
use pushbench_core::link::Link;
use pushbench_core::scenario::{Objective, Point, Scenario, ScheduleKind, Thresholds};
use pushbench_core::units::{ByteSize, Count, Rate};
use pushbench_metrics::record::capacity::Over;
use pushbench_metrics::record::warning::FEW_MESSAGES;
use pushbench_run::Plan;
use pushbench_run::capacity::{Question, with_loads};

use crate::args::CapacityArgs;
use crate::exit::Failure;
use crate::plan::CAPTURING;

/// The most clients and messages each second that can be planned.
const MOST_CLIENTS: f64 = 1e6;
const MOST_RATE: f64 = 1e6;

/// The question that `args` ask of a plan, and the plan for it: one point, at the least load.
pub(super) fn of(plan: Plan, args: &CapacityArgs) -> Result<(Plan, Question), Failure> {
    if !args.run.clients.thresholds.is_empty() {
        return Err(wrong("--threshold is of one load; write --objective here"));
    }
    if args.run.clients.runs.is_some() {
        return Err(wrong("--runs is of one load; a search takes as many trials as it needs"));
    }
    if args.run.refine {
        return Err(wrong("--refine is of a sweep; a search comes to its own loads, see --within"));
    }
    let over = args.over;
    let objectives = objectives(&plan, args)?;
    check_setting(&plan.scenario, over)?;
    let (least, most) = bounds(&plan.scenario, args)?;
    let mut scenario = with_loads(plan.scenario.clone(), over, &[least]);
    scenario.contenders.retain(|contender| objectives.iter().any(|it| it.names(*contender)));
    (scenario.thresholds, scenario.floor) = (Thresholds::default(), false);
    for load in [most, least] {
        let checked = with_loads(scenario.clone(), over, &[load]).check();
        checked.map_err(|error| Failure::usage(anyhow!("{}: {error}", plan.scenario.name)))?;
    }
    let points = scenario.points(plan.trace.as_ref());
    if points.len() > 1 {
        return Err(wrong(
            "capacity takes one value of each setting beside the one that it raises",
        ));
    }
    let within = args.within.0;
    if !(0.01..1.0).contains(&within) {
        return Err(wrong("--within: between 1% and 99%"));
    }
    let plan = Plan { scenario, points, trials: Vec::new(), ..plan };
    Ok((plan, Question { over, objectives, least, most, within }))
}

fn wrong(problem: &str) -> Failure {
    Failure::usage(anyhow!("{problem}"))
}

/// The objectives that are given, or else the scenario's thresholds.
fn objectives(plan: &Plan, args: &CapacityArgs) -> Result<Vec<Objective>, Failure> {
    let mut objectives = args.objectives.clone();
    if objectives.is_empty() {
        objectives.extend(plan.scenario.thresholds.iter().cloned().map(Objective::from));
    }
    if objectives.is_empty() {
        return Err(wrong("say what has to hold, such as --objective 'latency.p99 < 50ms'"));
    }
    let contenders = &plan.scenario.contenders;
    for objective in &objectives {
        if !contenders.iter().any(|contender| objective.names(*contender)) {
            let names: Vec<&str> = contenders.iter().map(|each| each.name()).collect();
            let names = names.join(", ");
            return Err(wrong(&format!(
                "--objective '{objective}': its transport is not among those run: {names}"
            )));
        }
        if let Some(met) = objective.foregone() {
            let value = if met { "every value meets it" } else { "no value meets it" };
            return Err(wrong(&format!(
                "--objective '{objective}': {value}, whatever is measured"
            )));
        }
        let point = plan.points.first();
        if let Some(lacks) = point.and_then(|point| lacks(point, objective.figure())) {
            return Err(wrong(&format!("--objective '{objective}': it is measured {lacks}")));
        }
        if plan.capture && objective.figure().needs(Need::CpuTime) {
            return Err(wrong(&format!(
                "--objective '{objective}': it is not measured where {CAPTURING}"
            )));
        }
    }
    Ok(objectives)
}

/// Where a figure is measured, which is not at `point`; `None` where it is, as far as is known.
fn lacks(point: &Point, figure: Figure) -> Option<&'static str> {
    use Figure as F;
    let (is_there, needs) = match figure {
        F::FanOutP50 | F::FanOutP99 | F::Said | F::Disordered => {
            (point.talk.is_some(), "where clients talk; see --talk")
        }
        F::ProxyCpu | F::ProxyRss | F::BackendWire => {
            (!point.via.is_direct(), "behind a proxy; see --via")
        }
        F::RouterCpu => (point.link.is_some(), "on a link; see --link"),
        F::CrossDown | F::CrossUp => {
            let has_load = point.link.as_ref().is_some_and(Link::has_load);
            (has_load, "with traffic beside the feed; see --load-down and --load-up")
        }
        F::CutOff | F::NotBack | F::BackP50 | F::BackP99 | F::BackMax | F::OpenedPeak => {
            let leaves = point.life.restart.is_some() || point.life.churn.is_some();
            (leaves, "where clients come and go; see --restart and --churn")
        }
        _ => return None,
    };
    (!is_there).then_some(needs)
}

/// Refuses to raise what is not the scenario's to set.
fn check_setting(scenario: &Scenario, over: Over) -> Result<(), Failure> {
    let replays = scenario.feed.schedule == ScheduleKind::Replay;
    match over {
        Over::Rate | Over::Payload if replays => {
            Err(wrong("a replay brings its own rate and payloads; raise --over clients"))
        }
        Over::Rate if scenario.total_rate.is_some() => Err(wrong(
            "total_rate sets the rate by the clients; leave it out, or raise --over clients",
        )),
        Over::Rate if !scenario.talk.is_empty() => {
            Err(wrong("clients that talk have no feed, and no rate; raise --over clients"))
        }
        _ => Ok(()),
    }
}

/// The least and the most load.
fn bounds(scenario: &Scenario, args: &CapacityArgs) -> Result<(f64, f64), Failure> {
    let window = scenario.duration.0.as_secs_f64();
    let whole = window + scenario.warmup.0.as_secs_f64();
    let (least, most) = match args.over {
        Over::Clients => (1.0, MOST_CLIENTS),
        Over::Rate => {
            (FEW_MESSAGES as f64 / window, (MOST_DUE as f64 / whole).floor().min(MOST_RATE))
        }
        Over::Payload => (scenario.feed.payload.min_bytes() as f64, MAX_PAYLOAD as f64),
    };
    let given = |flag, text: &Option<String>, default: f64| {
        text.as_deref().map_or(Ok(default), |text| load(flag, args.over, text))
    };
    let (least, most) = (given("--from", &args.from, least)?, given("--to", &args.to, most)?);
    if least > most {
        return Err(wrong("--from is more than --to"));
    }
    if args.over == Over::Rate && least * window < 1.0 {
        return Err(wrong(
            "--from: hardly a message is due in the window; lengthen it with --duration",
        ));
    }
    Ok((least, most))
}

/// A load as a user writes it.
fn load(flag: &str, over: Over, text: &str) -> Result<f64, Failure> {
    fn read<T: FromStr<Err: std::fmt::Display>>(flag: &str, text: &str) -> Result<T, Failure> {
        text.parse().map_err(|error| wrong(&format!("{flag}: {error}")))
    }
    Ok(match over {
        Over::Clients => read::<Count>(flag, text)?.0.max(1) as f64,
        Over::Rate => read::<Rate>(flag, text)?.hz(),
        Over::Payload => read::<ByteSize>(flag, text)?.0 as f64,
    })
}
