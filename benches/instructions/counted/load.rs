//! The load generator of a run, in a trial whose time goes by what arrives.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;
use pushbench_benches::callgrind::{obey, say};
use pushbench_core::feed::schedule::{Checkpoint, Schedule, Timetable};
use pushbench_core::security::Trust;
use pushbench_core::units::Rate;
use pushbench_core::{Contender, MonoInstant};
use pushbench_load::Load;
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::observe::polls::Polls;
use pushbench_metrics::observe::recorder::Recorder;
use pushbench_metrics::record::control::{LoadNews, LoadOrder, LoadPlan, TrialTiming};
use pushbench_os::time::clock::Clock as _;

use super::pace::{PERIOD, Pace, Paced, SLOT};
use super::{CLIENTS, ROUNDS_PER_SECOND};
use crate::security;

/// How long the drain may last. It does not.
const DRAIN: Duration = Duration::from_secs(10);

/// Rounds of a trial in which there are as many stretches of a second: one second comes before, and
/// the last round ends it.
pub(super) const fn rounds(stretches: u32) -> u64 {
    ROUNDS_PER_SECOND * (stretches as u64 + 1) + 1
}

/// Loads `target`, says `done` when each client has had all messages, and goes on until the parent
/// ends it.
pub(super) fn play(
    contender: Contender,
    stretches: u32,
    target: SocketAddr,
    trust: Trust,
) -> anyhow::Result<()> {
    let plan = LoadPlan {
        security: security::client(contender, trust),
        poll_interval: PERIOD,
        // One after another, so that each wake-up has one cause.
        ramp: 1,
        ..LoadPlan::new(target, contender, CLIENTS)
    };
    let (clock, rounds) = (Pace::new(), rounds(stretches));
    let arrivals = rounds * u64::from(CLIENTS);
    let measure = Paced::new(recorder(&plan), clock.clone(), arrivals, tell);
    let load = Load::with(plan, measure, clock.clone())?;
    let orders = load.orders();
    obey();
    orders.send(LoadOrder::Connect);
    load.run(|news| {
        if let LoadNews::Connected { clients: CLIENTS, .. } = news {
            orders.send(LoadOrder::Run(Box::new(timing(clock.now(), rounds))));
        }
    })?;
    bail!("the load generator ended by itself")
}

/// The recorder of a run.
fn recorder(plan: &LoadPlan) -> Recorder {
    let recorder = Recorder::new(plan.clients, plan.delivery);
    if !plan.contender.shape().asks() {
        return recorder;
    }
    let places: Vec<u32> = (0..plan.clients).collect();
    let period = plan.poll_interval.as_nanos() as u64;
    recorder.with_polls(Polls::new(period, &places, plan.clients))
}

/// A window of `rounds` messages, the first of them due at its start.
fn timing(now: MonoInstant, rounds: u64) -> TrialTiming {
    let rate = Rate::from_hz(1.0 / PERIOD.as_secs_f64()).expect("it is finite and positive");
    let (schedule, seed) = (Schedule::Constant { rate }, 1);
    let start = now + SLOT;
    let end = start.plus_nanos(PERIOD.as_nanos() as u64 * rounds);
    let checkpoint = Checkpoint::START;
    let table = Timetable::starting_at(schedule.clone(), seed, start, checkpoint, start);
    let edges = table.and_then(|mut table| table.between(start, end));
    let (first, last) = edges.expect("a steady schedule needs no walk");
    let window = Window { start, end, first, last };
    TrialTiming {
        schedule,
        seed,
        checkpoint,
        origin: start,
        warmup: start,
        window,
        drain_deadline: end + DRAIN,
        stamps: None,
        halt: None,
    }
}

/// Tells the parent that all went as in a run, or what did not: the counts would be of something
/// else.
fn tell(measured: &Measured) {
    let (audit, counters) = (&measured.audit, &measured.counters);
    let (lost, faults) = (audit.expected - audit.delivered, counters.errors);
    let samples = measured.latency.count();
    if (lost, faults, samples) == (0, 0, audit.expected) && counters.reconnects == 0 {
        return say("done");
    }
    say(&format!("{lost} of {} lost, {samples} latencies, {counters:?}", audit.expected));
}
