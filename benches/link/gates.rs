//! Times that the delay of a link and the protocols have, to the millisecond: both messages of a pair by long
//! poll (RFC 6202 §2.2), and round trips until a client has its first answer.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::Duration;

use anyhow::{bail, ensure};
use pushbench_core::Contender;
use pushbench_core::feed::trace::Trace;
use pushbench_core::link::Ways;
use pushbench_core::scenario::{Scenario, ScheduleKind, Values};
use pushbench_core::units::{Count, Span};
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::observe::measured::Measured;
use pushbench_run::place::{Layout, Spread};
use pushbench_run::player::{Commands, Players};
use pushbench_run::{Attempt, Plan, Run, TrialError, trial};

use crate::Args;
use crate::child::Child;

/// Each way.
const DELAY_MS: f64 = 50.0;
/// From the first of a pair to the second.
const GAP_MS: f64 = 5.0;
/// Pairs of a trial, a second apart.
const PAIRS: u32 = 20;
/// How far from what it should be a median may be, in milliseconds: of a pair, and of the first answer.
const WITHIN_MS: [f64; 2] = [2.0, 3.0];

/// Plays all trials and prints each row of the table as it comes: what came out, and what should have.
pub(crate) fn table(args: &Args) -> anyhow::Result<()> {
    crate::print(&format!(
        "\n## Times over a link of {DELAY_MS} ms each way\n\n\
         | what | clients | samples | least ms | median ms | most ms | expected ms | within ms | |\n\
         |---|---|---|---|---|---|---|---|---|\n"
    ))?;
    for _ in 0..args.repeats {
        for (child, expected) in
            [(Child::Firsts, DELAY_MS), (Child::Seconds, 3.0 * DELAY_MS - GAP_MS)]
        {
            let measured = play(pairs()?, child)?;
            let what = format!("long poll, {child:?} of pairs {GAP_MS} ms apart");
            row(&what, 3, &measured.latency, (expected, WITHIN_MS[0]))?;
        }
        for clients in [1, 5] {
            READY.iter().try_for_each(|ready| ready.rows(clients))?;
        }
    }
    Ok(())
}

/// A client that is ready after some round trips.
struct Ready {
    contender: &'static str,
    versions: &'static str,
    /// Round trips until the first answer; on a connection that takes up a session, where there is one.
    round_trips: f64,
    resumed: Option<f64>,
}

const fn ready(contender: &'static str, versions: &'static str, round_trips: f64) -> Ready {
    Ready { contender, versions, round_trips, resumed: None }
}

const fn again(versions: &'static str, round_trips: f64, resumed: f64) -> Ready {
    Ready { contender: "short-poll-close+tls", versions, round_trips, resumed: Some(resumed) }
}

/// TCP takes a round trip, the request another, and TLS between the two one or two (RFC 8446 §2, RFC 5246
/// §7.3).
const READY: [Ready; 7] = [
    ready("websocket", "1.3", 2.0),
    ready("websocket+tls", "1.3", 3.0),
    ready("sse+tls", "1.3", 3.0),
    ready("websocket+tls", "1.2", 4.0),
    ready("sse+tls", "1.2", 4.0),
    again("1.3", 3.0, 3.0),
    again("1.2", 4.0, 3.0),
];

impl Ready {
    fn rows(&self, clients: u32) -> anyhow::Result<()> {
        let mut scenario = scenario(self.contender.parse()?, clients);
        scenario.tls.versions = Values::One(self.versions.parse().map_err(anyhow::Error::msg)?);
        let measured = play((scenario, None), Child::Firsts)?;
        let what = |what: &str| format!("{} {}, {what}", self.contender, self.versions);
        let expected = |round_trips: f64| (round_trips * 2.0 * DELAY_MS, WITHIN_MS[1]);
        row(&what("ready"), clients, &measured.connect, expected(self.round_trips))?;
        if let Some(round_trips) = self.resumed {
            ensure!(!measured.resumed.is_empty(), "no session was taken up");
            row(&what("resumed"), clients, &measured.resumed, expected(round_trips))?;
        }
        Ok(())
    }
}

fn row(
    what: &str,
    clients: u32,
    sample: &LatencyHistogram,
    (expected, within): (f64, f64),
) -> anyhow::Result<()> {
    let ms = |quantile| sample.percentile_us(quantile).unwrap_or(f64::NAN) / 1e3;
    let verdict = if (ms(0.5) - expected).abs() <= within { "met" } else { "MISSED" };
    eprint!("\r{:<60}\r", "");
    crate::print(&format!(
        "| {what} | {clients} | {} | {:.2} | {:.2} | {:.2} | {expected} | {within} | {verdict} |\n",
        sample.count(),
        ms(0.0),
        ms(0.5),
        ms(1.0),
    ))
}

/// Clients of a link.
fn scenario(contender: Contender, clients: u32) -> Scenario {
    let mut scenario = Scenario {
        name: "gates".to_owned(),
        contenders: vec![contender],
        clients: Values::One(Count(clients.into())),
        poll_interval: Values::One(Span(Duration::from_millis(500))),
        warmup: Span(Duration::from_millis(500)),
        duration: Span(Duration::from_secs(5)),
        runs: 1,
        ..Scenario::default()
    };
    let delay = Span(Duration::from_secs_f64(DELAY_MS / 1e3));
    scenario.link.delay = Some(Values::One(Ways::both(delay)));
    scenario
}

/// Long polls, and messages in pairs.
fn pairs() -> anyhow::Result<(Scenario, Option<Trace>)> {
    let mut rows = "offset_ms,payload\n".to_owned();
    for pair in 0..2 * PAIRS {
        let first = f64::from(pair) * 1e3;
        let _ = writeln!(rows, "{first},first\n{},second", first + GAP_MS);
    }
    let mut scenario = scenario(Contender::LONG_POLL, 3);
    scenario.feed.schedule = ScheduleKind::Replay;
    scenario.duration = Span(Duration::from_secs(PAIRS.into()));
    Ok((scenario, Some(Trace::parse(&rows)?)))
}

fn play((scenario, trace): (Scenario, Option<Trace>), load: Child) -> anyhow::Result<Measured> {
    eprint!("\r{:<60}", scenario.contenders[0].name());
    let layout = Layout::loopback(Spread { servers: Some(1), loads: Some(1), pins: false });
    let commands = Commands {
        server: Child::Server.arguments(),
        load: load.arguments(),
        link: Child::Link.arguments(),
        cross: Vec::new(),
        program: Vec::new(),
        tied: Vec::new(),
    };
    let run = Run { plan: Plan::of(scenario, trace, layout), players: Players::real(), commands };
    let attempt = Attempt { id: run.plan.trials[0], order: 1, number: 1 };
    match trial::play(&run, attempt, &mut |_| ControlFlow::Continue(())) {
        Ok(played) => Ok(played.merged.load.measured),
        Err(TrialError::Invalid(reason)) => bail!("{reason}"),
        Err(TrialError::Found(found)) => bail!("{}", found.finding),
        Err(TrialError::Run(error)) => Err(error.into()),
    }
}
