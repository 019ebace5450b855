//! One trial: two children, whose CPU clocks are read at the window's edges.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use pushbench_core::Contender;
use pushbench_core::schedule::{Checkpoint, Timetable};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::{
    LoadMeasured, LoadNews, LoadOrder, ServerNews, ServerOrder, ServerPlan, TrialTiming,
};
use pushbench_os::process::cpu::ProcessClock;
use pushbench_os::process::memory::Memory;
use pushbench_os::time::clock;

use crate::child::Child;
use crate::role::Role;
use crate::setting::Args;

/// How long a child may take over anything.
const LIMIT: Duration = Duration::from_secs(30);

/// From the orders until the feed's zero: time for them to arrive.
const LEAD: Duration = Duration::from_millis(50);

/// How long the feed runs before the window.
const WARMUP: Duration = Duration::from_millis(500);

/// The share of messages that must not be late for a trial to be in step, and how late they may
/// be, in gaps between messages.
const ON_TIME: f64 = 0.9;
const LATEST: f64 = 0.5;

/// Who plays whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contest {
    pub(crate) contender: Contender,
    pub(crate) server: Role,
    pub(crate) load: Role,
}

/// What a trial cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Messages that arrived in the window; of long polls, requests.
    pub(crate) units: u64,
    /// The server kept the feed's pace: each message was on its way before the next was due. Where
    /// it was not, several go with one write and one read, which is cheaper.
    pub(crate) in_step: bool,
    pub(crate) server_us: f64,
    pub(crate) load_us: f64,
    /// Memory that each client took on connecting.
    pub(crate) server_bytes: f64,
    pub(crate) load_bytes: f64,
}

/// Plays a trial.
pub(crate) fn play(args: &Args, contest: Contest) -> anyhow::Result<Cost> {
    let stamps = args.sampling(contest.contender);
    let plan = ServerPlan { stamps, ..ServerPlan::new(args.feed(contest.contender)) };
    let mut server = Child::start(contest.server, &plan)?;
    let ServerNews::Listening { address } = server.hear(LIMIT)? else {
        bail!("the server does not listen")
    };
    let plan = args.load_plan(contest.contender, address);
    let mut load = Child::start(contest.load, &plan)?;
    ensure!(load.hear::<LoadNews>(LIMIT)? == LoadNews::Ready, "the load process is not ready");
    let before = memory(&server, &load)?;
    load.order(&LoadOrder::Connect)?;
    let LoadNews::Connected { clients, error, .. } = load.hear(LIMIT)? else {
        bail!("the load process does not connect")
    };
    ensure!(clients == plan.clients, "{clients} of {} connected: {error:?}", plan.clients);
    let after = memory(&server, &load)?;
    let timing = timing(args, contest.contender);
    server.order(&ServerOrder::Measure { window: timing.window })?;
    server.order(&ServerOrder::Start { origin: timing.origin })?;
    let window = timing.window;
    load.order(&LoadOrder::Run(Box::new(timing)))?;
    let (server_ns, load_ns) = cpu(&server, &load, &window)?;
    let measured = finished(&load)?.measured;
    server.order(&ServerOrder::Stop)?;
    let ServerNews::Stopped(served) = server.hear(LIMIT)? else { bail!("the server fails") };
    let is_poll = contest.contender == Contender::LONG_POLL;
    let counters = measured.counters;
    let units = if is_poll { counters.requests } else { counters.messages_in_window };
    ensure!(units > 0, "nothing arrived");
    let gap_us = window.duration().as_secs_f64() * 1e6 / window.len() as f64;
    let enough = gap_us * LATEST;
    let each = |bytes: u64| bytes as f64 / f64::from(clients);
    Ok(Cost {
        units,
        in_step: served.publish_lag.percentile_us(ON_TIME).is_some_and(|late| late < enough),
        server_us: server_ns as f64 / 1e3 / units as f64,
        load_us: load_ns as f64 / 1e3 / units as f64,
        server_bytes: each(after.0.saturating_sub(before.0)),
        load_bytes: each(after.1.saturating_sub(before.1)),
    })
}

/// The trial's instants. The window's edges fall between two messages.
fn timing(args: &Args, contender: Contender) -> TrialTiming {
    let (schedule, seed) = (args.feed(contender).schedule, 1);
    let gap = Duration::from_secs_f64(1.0 / schedule.mean_hz().unwrap_or(1.0));
    let warmup = clock::now() + LEAD;
    let origin = warmup + gap / 2;
    // Whole gaps, so that each edge is half a gap away from a message.
    let gaps = |time: Duration| gap.mul_f64((time.as_secs_f64() / gap.as_secs_f64()).ceil());
    let start = warmup + gaps(WARMUP);
    let end = start + gaps(args.seconds.0);
    let mut table = Timetable::new(schedule.clone(), seed, origin);
    let (first, last) = table.between(start, end).expect("few messages are due in seconds");
    let window = Window { start, end, first, last };
    let drain_deadline = end + Duration::from_secs(3);
    let checkpoint = Checkpoint::START;
    TrialTiming { schedule, seed, origin, checkpoint, warmup, window, drain_deadline }
}

fn memory(server: &Child, load: &Child) -> anyhow::Result<(u64, u64)> {
    let of = |child: &Child| Memory::of(child.pid()).map(|memory| memory.anonymous_bytes);
    Ok((of(server)?, of(load)?))
}

/// Nanoseconds of CPU of server and load process in the window.
fn cpu(server: &Child, load: &Child, window: &Window) -> anyhow::Result<(u64, u64)> {
    let clocks = [ProcessClock::of(server.pid())?, ProcessClock::of(load.pid())?];
    let read = || -> anyhow::Result<[u64; 2]> {
        Ok([clocks[0].read()?.total_ns, clocks[1].read()?.total_ns])
    };
    clock::sleep_until(window.start);
    let before = read()?;
    clock::sleep_until(window.end);
    let after = read().context("a child died in the window")?;
    Ok((after[0] - before[0], after[1] - before[1]))
}

fn finished(load: &Child) -> anyhow::Result<LoadMeasured> {
    loop {
        match load.hear(LIMIT)? {
            LoadNews::Progress(_) => {}
            LoadNews::Finished(measured) => return Ok(*measured),
            other => bail!("the load process says {other:?}"),
        }
    }
}
