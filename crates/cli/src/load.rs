//! `pushbench load`: the load generator alone, against a server that runs already.

use std::time::Duration;

use anyhow::anyhow;
use pushbench_core::scenario::thresholds::Quantity;
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::units::Rate;
use pushbench_core::{Delivery, Transport};
use pushbench_probe::cpu::ProcessClock;

use crate::args::LoadArgs;
use crate::exit::{Failure, Outcome};
use crate::layout::Layout;
use crate::plan::{self, Plan};
use crate::run::subject::Source;
use crate::run::{capture, measure};
use crate::target::Target;
use crate::{interrupt, profile};

/// Measures a running server as `run` measures its own.
pub(crate) fn command(args: &LoadArgs) -> Result<Outcome, Failure> {
    let mut scenario = Scenario {
        name: "load".to_owned(),
        question: format!("What does {} deliver?", args.target),
        runs: 1,
        ..Scenario::default()
    };
    scenario.warmup.0 = Duration::from_secs(1);
    let headers =
        profile::read(args.clients.headers.as_deref().unwrap_or(&scenario.headers), None)?;
    profile::apply(&headers, &mut scenario);
    args.clients.apply(&mut scenario);
    // A percentile needs samples enough, which follow from the target's rate.
    let thresholds = std::mem::take(&mut scenario.thresholds);
    scenario.check().map_err(Failure::usage)?;
    profile::check_cookies(&headers, &scenario)?;
    for &pid in &args.server_pid {
        ProcessClock::of(pid).map_err(|error| {
            Failure::usage(anyhow!("cannot read the cost of --server-pid {pid}: {error}"))
        })?;
    }
    let address = Target::address_of(&args.target)?.ip();
    let layout = Layout::against(address, &args.processes);
    Plan::of(scenario.clone(), None, layout.clone()).check_limits()?;
    let target = reach(args, &scenario)?;
    if let Some(rate) = target.feed.schedule.mean_hz().and_then(Rate::from_hz) {
        scenario.rate = Values::One(rate);
    }
    scenario.seed = args.clients.seed.unwrap_or(target.feed.seed);
    scenario.thresholds = thresholds;
    scenario.check().map_err(Failure::usage)?;
    let mut plan = Plan::of(scenario, None, layout);
    for point in &mut plan.points {
        point.payload_bytes = target.feed.payload.mean_bytes;
    }
    plan.headers = headers;
    plan.stamps = !args.clients.no_stamps;
    plan.capture = args.clients.capture && capture::is_possible();
    plan.check_limits()?;
    check_thresholds(&plan, target.same_clock, !args.server_pid.is_empty())?;
    plan.allow_busy = args.clients.allow_busy;
    interrupt::listen()?;
    measure(&plan, &Source::Running(Box::new(target), args.server_pid.clone()), &args.output)
}

/// The server that runs: one of ours, or one whose feed a file describes.
fn reach(args: &LoadArgs, scenario: &Scenario) -> Result<Target, Failure> {
    let (Some(feed), Some(path)) = (&args.feed, &args.path) else {
        return Target::reach(&args.target);
    };
    if !path.starts_with('/') || path.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Failure::usage(anyhow!("--path {path}: it begins with `/` and has no blanks")));
    }
    match *scenario.transports.as_slice() {
        [Transport::LongPoll | Transport::Sse | Transport::Websocket] => {}
        _ => {
            return Err(Failure::usage(anyhow!(
                "--path is where one transport is offered: name it with `-t`: long-poll, sse or \
                 websocket"
            )));
        }
    }
    if scenario.delivery != Delivery::Every {
        return Err(Failure::usage(anyhow!("--feed goes with `--delivery every` alone")));
    }
    Target::foreign(&args.target, feed, path.clone())
}

/// Refuses thresholds on what is known of a server of one's own only.
fn check_thresholds(plan: &Plan, same_clock: bool, knows_server: bool) -> Result<(), Failure> {
    let check = |is_measured: &dyn Fn(Quantity) -> bool, why| {
        plan::check_measured(&plan.scenario, is_measured, why)
    };
    check(&|quantity| !(plan.capture && quantity.is_cpu()), plan::CAPTURING)?;
    check(&|quantity| knows_server || !quantity.is_of_the_server(), "--server-pid is not given")?;
    check(&|quantity| same_clock || !quantity.needs_one_clock(), "the server has another clock")
}
