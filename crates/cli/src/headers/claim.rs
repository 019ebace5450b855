//! `--reproduce`: the published use cases, each client with a poll or a message a second.
//!
//! A trial is one of `run`: the same plan, processes, ledger and verdict.

use std::time::Duration;

use pushbench_core::Contender;
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::units::{Count, Rate, Span};
use pushbench_metrics::observe::ledger::{Layer, Ledger, Phase};
use pushbench_metrics::record::TrialRecord;
use pushbench_metrics::record::headers::{Claim, HeaderCase, POLL, PUSH, UseCase, WindowBytes};
use pushbench_run::Plan;
use pushbench_run::place::{Layout, PlaceError, Spread};

use super::case::Case;
use crate::args::OutputArgs;
use crate::exit::Failure;
use crate::{profile, run};

/// The claim's own headers.
pub(super) const PROFILE: &str = "kaazing-2009";

/// The published numbers of clients.
const USE_CASES: [(&str, u32); 3] = [("A", 1_000), ("B", 10_000), ("C", 100_000)];

/// Up to so many clients a trial that fails, fails the claim. Beyond, a machine that is too slow for
/// it says nothing against the claim: what it cannot run at the claim's pace it runs at a slower
/// one, and what it cannot run then either is computed.
const DEMANDED: u32 = 10_000;

/// How many times slower.
const SLOWER: u32 = 10;

/// Each client's poll, and each message.
const PERIOD: Duration = Duration::from_secs(1);

/// The window: whole periods, so that each client polls as often in it as any other.
const WINDOW: Duration = Duration::from_secs(10);

/// The periods of a slower pace that a window has at least.
const PERIODS: u32 = 2;

/// Runs the use cases; `played` is the claim's case, as it was played.
pub(super) fn run(played: HeaderCase, case: &Case, output: &OutputArgs) -> Result<Claim, Failure> {
    let mut claim = Claim { case: played, period: PERIOD, use_cases: Vec::new() };
    for (name, clients) in USE_CASES {
        let polls = moved(case, clients, POLL, 1, output)?;
        let pushes = moved(case, clients, PUSH, 1, output)?;
        let mut use_case = UseCase { name: name.to_owned(), clients, polls, pushes };
        if clients > DEMANDED {
            bring_within_reach(&claim, &mut use_case, case, output)?;
        }
        claim.use_cases.push(use_case);
    }
    Ok(claim)
}

/// Runs what this machine was too slow for at a slower pace, and has it computed where that did not
/// help.
fn bring_within_reach(
    claim: &Claim,
    use_case: &mut UseCase,
    case: &Case,
    output: &OutputArgs,
) -> Result<(), Failure> {
    if !claim.is_borne_out_by_polls(use_case) {
        use_case.polls = moved(case, use_case.clients, POLL, SLOWER, output)?;
    }
    if !claim.is_borne_out_by_polls(use_case) {
        let by = claim.deviation(use_case);
        let by = by.map(|by| format!("the headers differ by {:+.1} %", by * 100.0));
        use_case.polls = computed(use_case.clients, &use_case.polls, by);
    }
    if !use_case.pushes.is_sound() {
        use_case.pushes = moved(case, use_case.clients, PUSH, SLOWER, output)?;
    }
    if !use_case.pushes.is_sound() {
        use_case.pushes = computed(use_case.clients, &use_case.pushes, None);
    }
    Ok(())
}

/// A computed figure for `moved`, which this machine could not run.
fn computed(clients: u32, moved: &WindowBytes, otherwise: Option<String>) -> WindowBytes {
    let note = moved.notes().first().cloned().filter(|_| !moved.is_sound());
    let reason = note.or(otherwise).unwrap_or_else(|| "the trial is not valid".to_owned());
    WindowBytes::Computed {
        why: format!(
            "{clients} clients were run, also {SLOWER} times slower, but not every period of each \
             of them: {reason}"
        ),
    }
}

/// Bytes that so many clients of a transport move, each `slower` times slower than the claim's.
fn moved(
    case: &Case,
    clients: u32,
    contender: Contender,
    slower: u32,
    output: &OutputArgs,
) -> Result<WindowBytes, Failure> {
    let plan = plan(case, clients, contender, slower);
    if let Some(why) = no_room(&plan) {
        return Ok(WindowBytes::Computed { why });
    }
    Ok(of_trial(&run::only_trial(plan, output)?, slower))
}

/// Why this machine has no room for the plan, if it has none. No other number of clients is
/// suggested: it is the claim's.
fn no_room(plan: &Plan) -> Option<String> {
    let limit = plan.trials.iter().find_map(|id| plan.room(*id).err())?;
    Some(match limit {
        PlaceError::Limit(limit) => limit.without_suggestion().to_string(),
        other => other.to_string(),
    })
}

fn plan(case: &Case, clients: u32, contender: Contender, slower: u32) -> Plan {
    let period = PERIOD * slower;
    let mut scenario = Scenario {
        name: "headers".to_owned(),
        contenders: vec![contender],
        clients: Values::One(Count(u64::from(clients))),
        rate: Values::One(Rate::from_hz(1.0 / period.as_secs_f64()).expect("a period has a rate")),
        poll_interval: Values::One(Span(period)),
        duration: Span(WINDOW.max(period * PERIODS)),
        headers: PROFILE.to_owned(),
        runs: 1,
        ..Scenario::default()
    };
    profile::apply(&case.profile, &mut scenario);
    let plan = Plan::of(scenario, None, Layout::loopback(Spread::default()));
    Plan { headers: case.profile.clone(), ..plan }
}

fn of_trial(trial: &TrialRecord, slower: u32) -> WindowBytes {
    let ledger: &Ledger = &trial.measured.ledger;
    let window = ledger.phase(Phase::Window);
    let at_socket: u64 = Layer::AT_SOCKET.iter().map(|&layer| window.layer(layer)).sum();
    let invalid = trial.invalid.iter().map(ToString::to_string);
    WindowBytes::Measured {
        window: trial.window.duration(),
        slower,
        http_bytes: window.layer(Layer::Http),
        framing_bytes: window.layer(Layer::Framing),
        ip_bytes: ledger.tcpip_bytes(Phase::Window).map(|tcpip| at_socket + tcpip),
        notes: invalid.chain(trial.warnings.iter().map(ToString::to_string)).collect(),
        valid: trial.is_valid(),
    }
}
