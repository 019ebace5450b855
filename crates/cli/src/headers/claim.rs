//! `--reproduce`: the published use cases, each client with a poll or a message a second.
//!
//! A trial is one of `run`: the same plan, processes, ledger and verdict.

use std::time::Duration;

use pushbench_core::Transport;
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::units::{Count, Rate, Span};
use pushbench_metrics::headers::{Claim, HeaderCase, Stream, UseCase};
use pushbench_metrics::ledger::{Layer, Ledger, Phase};
use pushbench_metrics::record::TrialRecord;

use super::case::Case;
use crate::args::{OutputArgs, ProcessArgs};
use crate::exit::Failure;
use crate::layout::Layout;
use crate::plan::Plan;
use crate::profile;
use crate::progress::Progress;
use crate::run::subject::Source;
use crate::run::trial::{self, Turn};

/// The claim's own headers.
pub(super) const PROFILE: &str = "kaazing-2009";

/// What it compares.
pub(super) const POLL: Transport = Transport::ShortPoll;
/// With what.
pub(super) const PUSH: Transport = Transport::Websocket;

/// The published numbers of clients.
const USE_CASES: [(&str, u32); 3] = [("A", 1_000), ("B", 10_000), ("C", 100_000)];

/// The most clients that are run. One load process and one server hold no more than 28,000
/// connections between them, since each takes a port.
const MOST_CLIENTS: u32 = 10_000;

/// Each client's poll, and each message.
const PERIOD: Duration = Duration::from_secs(1);

/// The window: whole periods, so that each client polls as often in it as any other.
const WINDOW: Duration = Duration::from_secs(10);

/// Runs the use cases; `played` is the claim's case, as it was played.
pub(super) fn run(played: HeaderCase, case: &Case, output: &OutputArgs) -> Result<Claim, Failure> {
    let use_cases = USE_CASES.iter().map(|&(name, clients)| {
        let [polls, pushes] = streams(case, clients, output)?;
        Ok(UseCase { name: name.to_owned(), clients, polls, pushes })
    });
    Ok(Claim {
        case: played,
        period: PERIOD,
        use_cases: use_cases.collect::<Result<_, Failure>>()?,
    })
}

/// What polling and pushing to so many clients moves.
fn streams(case: &Case, clients: u32, output: &OutputArgs) -> Result<[Stream; 2], Failure> {
    let not_run = |why: String| Ok([POLL, PUSH].map(|_| Stream::Computed { why: why.clone() }));
    if clients > MOST_CLIENTS {
        return not_run(format!("no more than {MOST_CLIENTS} clients are run here"));
    }
    let plan = plan(case, clients);
    if let Err(limit) = plan.check_limits() {
        // The number of clients is the claim's; that flag is `run`'s.
        let limit = limit.to_string();
        let why = limit.split(" or pass `--clients").next().unwrap_or(&limit);
        return not_run(why.trim_end_matches([';', ',', ' ']).to_owned());
    }
    let progress = Progress::new(&plan, output);
    let streams = [POLL, PUSH].map(|transport| stream(&plan, transport, &progress));
    progress.end();
    let [polls, pushes] = streams;
    Ok([polls?, pushes?])
}

fn plan(case: &Case, clients: u32) -> Plan {
    let mut scenario = Scenario {
        name: "headers".to_owned(),
        transports: vec![POLL, PUSH],
        clients: Values::One(Count(u64::from(clients))),
        rate: Values::One(Rate::from_hz(1.0 / PERIOD.as_secs_f64()).expect("a period has a rate")),
        poll_interval: Values::One(Span(PERIOD)),
        duration: Span(WINDOW),
        headers: PROFILE.to_owned(),
        runs: 1,
        ..Scenario::default()
    };
    profile::apply(&case.profile, &mut scenario);
    let plan = Plan::of(scenario, None, Layout::own(&ProcessArgs::default(), None));
    Plan { headers: case.profile.clone(), ..plan }
}

/// Runs the trial of a transport, and once more where it is not valid.
fn stream(plan: &Plan, transport: Transport, progress: &Progress) -> Result<Stream, Failure> {
    let (order, &id) = (1_u32..)
        .zip(&plan.trials)
        .find(|(_, id)| id.transport == transport)
        .expect("the plan has a trial of each of its transports");
    let mut last = None;
    for attempt in 1..=2 {
        let trial = trial::run(plan, &Source::Own, Turn { id, order, attempt }, progress)?;
        progress.trial_done(&trial);
        let valid = trial.is_valid();
        last = Some(trial);
        if valid {
            break;
        }
    }
    let trial = last.expect("a trial is tried at least once");
    Ok(of_trial(&trial))
}

fn of_trial(trial: &TrialRecord) -> Stream {
    let ledger: &Ledger = &trial.measured.ledger;
    let window = ledger.phase(Phase::Window);
    let at_socket: u64 = Layer::AT_SOCKET.iter().map(|&layer| window.layer(layer)).sum();
    let invalid = trial.invalid.iter().map(ToString::to_string);
    Stream::Measured {
        window: trial.window.duration(),
        http_bytes: window.layer(Layer::Http),
        framing_bytes: window.layer(Layer::Framing),
        ip_bytes: ledger.tcpip_bytes(Phase::Window).map(|tcpip| at_socket + tcpip),
        notes: invalid.chain(trial.warnings.iter().map(ToString::to_string)).collect(),
        valid: trial.is_valid(),
    }
}
