//! `--reproduce`: the published use cases, each client with a poll or a message a second.
//!
//! A trial is one of `run`: the same plan, processes, ledger and verdict.

use std::time::Duration;

use pushbench_core::Transport;
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::units::{Count, Rate, Span};
use pushbench_metrics::headers::{Claim, HeaderCase, UseCase, WindowBytes};
use pushbench_metrics::ledger::{Layer, Ledger, Phase};
use pushbench_metrics::record::TrialRecord;
use pushbench_probe::limits::LimitError;

use super::case::Case;
use crate::args::{OutputArgs, ProcessArgs};
use crate::exit::Failure;
use crate::layout::Layout;
use crate::plan::Plan;
use crate::profile;
use crate::progress::Progress;
use crate::run::{self, subject::Source};

/// The claim's own headers.
pub(super) const PROFILE: &str = "kaazing-2009";

/// What it compares.
pub(super) const POLL: Transport = Transport::ShortPoll;
/// With what.
pub(super) const PUSH: Transport = Transport::Websocket;

/// The published numbers of clients.
const USE_CASES: [(&str, u32); 3] = [("A", 1_000), ("B", 10_000), ("C", 100_000)];

/// Up to so many clients a trial that fails, fails the claim. Beyond, a machine that is too slow for
/// it says nothing against the claim: what it could not run is computed.
const DEMANDED: u32 = 10_000;

/// Each client's poll, and each message.
const PERIOD: Duration = Duration::from_secs(1);

/// The window: whole periods, so that each client polls as often in it as any other.
const WINDOW: Duration = Duration::from_secs(10);

/// Runs the use cases; `played` is the claim's case, as it was played.
pub(super) fn run(played: HeaderCase, case: &Case, output: &OutputArgs) -> Result<Claim, Failure> {
    let mut claim = Claim { case: played, period: PERIOD, use_cases: Vec::new() };
    for (name, clients) in USE_CASES {
        let [polls, pushes] = moved(case, clients, output)?;
        let use_case = UseCase { name: name.to_owned(), clients, polls, pushes };
        let use_case = if clients > DEMANDED { within_reach(&claim, use_case) } else { use_case };
        claim.use_cases.push(use_case);
    }
    Ok(claim)
}

/// The use case, computed where this machine was too slow to run it.
fn within_reach(claim: &Claim, mut use_case: UseCase) -> UseCase {
    if claim.is_borne_out_by(&use_case) {
        return use_case;
    }
    let failed = [&use_case.polls, &use_case.pushes].into_iter().find(|moved| !moved.is_sound());
    let reason = match (failed, claim.deviation(&use_case)) {
        (Some(moved), _) => moved.notes().first().cloned(),
        (None, by) => by.map(|by| format!("the headers differ by {:+.1} %", by * 100.0)),
    };
    let why = format!(
        "{} clients were run, but not every second of each of them: {}",
        use_case.clients,
        reason.as_deref().unwrap_or("the trial is not valid")
    );
    use_case.polls = WindowBytes::Computed { why: why.clone() };
    use_case.pushes = WindowBytes::Computed { why };
    use_case
}

/// What polling and pushing to so many clients moves.
fn moved(case: &Case, clients: u32, output: &OutputArgs) -> Result<[WindowBytes; 2], Failure> {
    let plan = plan(case, clients);
    if let Some(why) = no_room(&plan) {
        return Ok([POLL, PUSH].map(|_| WindowBytes::Computed { why: why.clone() }));
    }
    let progress = Progress::new(&plan, output);
    let moved = [POLL, PUSH].map(|transport| moved_by(&plan, transport, &progress));
    progress.end();
    let [polls, pushes] = moved;
    Ok([polls?, pushes?])
}

/// Why this machine has no room for the plan, if it has none. No other number of clients is
/// suggested: it is the claim's.
fn no_room(plan: &Plan) -> Option<String> {
    let limit = plan.trials.iter().find_map(|id| plan.room(*id).err())?;
    Some(match limit.downcast::<LimitError>() {
        Ok(limit) => limit.without_suggestion().to_string(),
        Err(other) => other.to_string(),
    })
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

/// What the trial of a transport moves.
fn moved_by(
    plan: &Plan,
    transport: Transport,
    progress: &Progress,
) -> Result<WindowBytes, Failure> {
    let trial = (1_u32..).zip(&plan.trials).find(|(_, id)| id.transport == transport);
    let (order, &id) = trial.expect("the plan has a trial of each of its transports");
    let mut last = None;
    run::attempts(plan, &Source::Own, (order, id), progress, |trial, _| {
        last = Some(trial);
        Ok(())
    })?;
    Ok(of_trial(&last.expect("a trial is tried at least once")))
}

fn of_trial(trial: &TrialRecord) -> WindowBytes {
    let ledger: &Ledger = &trial.measured.ledger;
    let window = ledger.phase(Phase::Window);
    let at_socket: u64 = Layer::AT_SOCKET.iter().map(|&layer| window.layer(layer)).sum();
    let invalid = trial.invalid.iter().map(ToString::to_string);
    WindowBytes::Measured {
        window: trial.window.duration(),
        http_bytes: window.layer(Layer::Http),
        framing_bytes: window.layer(Layer::Framing),
        ip_bytes: ledger.tcpip_bytes(Phase::Window).map(|tcpip| at_socket + tcpip),
        notes: invalid.chain(trial.warnings.iter().map(ToString::to_string)).collect(),
        valid: trial.is_valid(),
    }
}
