//! `pushbench run`: rounds of trials, and what is written and said about them.

mod breakdown;
mod calm;
pub(crate) mod capture;
mod check;
mod crew;
mod ear;
mod floor;
mod judge;
mod sampler;
mod seen;
mod standstill;
pub(crate) mod subject;
pub(crate) mod surroundings;
mod told;
pub(crate) mod trial;

use anyhow::anyhow;
use pushbench_core::scenario::Point;
use pushbench_metrics::judge::thresholds::{self, Verdict};
use pushbench_metrics::record::{FORMAT, RunRecord, TrialId, TrialRecord};
use pushbench_report::RunFolder;

use self::subject::Source;
use self::trial::{Trouble, Turn};
use crate::args::{OutputArgs, RunArgs};
use crate::exit::{Failure, Outcome};
use crate::layout::Layout;
use crate::plan::Plan;
use crate::progress::{Progress, human};
use crate::{builtin, interrupt, print, results, tell};

/// Runs each scenario in turn.
pub(crate) fn command(args: &RunArgs) -> Result<Outcome, Failure> {
    let default = [builtin::DEFAULT.to_owned()];
    let names = if args.scenarios.is_empty() { &default[..] } else { &args.scenarios };
    let layout = Layout::own(&args.processes, args.server_processes);
    let plans =
        names.iter().map(|name| Plan::resolve(name, &args.clients, &args.feed, layout.clone()));
    let plans = plans.collect::<Result<Vec<Plan>, Failure>>()?;
    if args.output.json && plans.len() > 1 {
        return Err(Failure::usage(anyhow!("--json prints one run record; name one scenario")));
    }
    if args.dry_run {
        plans.iter().try_for_each(|plan| print(&describe(plan)))?;
        return Ok(Outcome::Done);
    }
    plans.iter().try_for_each(Plan::check_limits)?;
    interrupt::listen()?;
    let mut outcome = Outcome::Done;
    for plan in &plans {
        outcome = outcome.max(measure(plan, &Source::Own, &args.output)?);
    }
    Ok(outcome)
}

/// The plan in words.
fn describe(plan: &Plan) -> String {
    let scenario = &plan.scenario;
    let names: Vec<&str> = scenario.contenders.iter().map(|contender| contender.name()).collect();
    let question = scenario.question.as_str();
    let colon = if question.is_empty() { "" } else { ": " };
    let mut text = format!("{}{colon}{question}\n", scenario.name);
    text.push_str(&format!("  transports  {}\n", names.join(", ")));
    let schedule = plan.trials.first().map(|id| plan.feed(*id).schedule.name()).unwrap_or_default();
    text.push_str(&format!(
        "  feed        {schedule} schedule, delivery {}, seed {}\n",
        scenario.delivery, scenario.seed
    ));
    text.push_str(&format!("  headers     {}: {}\n", plan.headers.name, plan.headers.about));
    for point in &plan.points {
        text.push_str(&describe_point(plan, point));
    }
    let count = |number: usize, noun: &str| {
        format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
    };
    text.push_str(&format!(
        "  trials      {} = {} × {} × {}, each with a window of {} after {} of warm-up\n",
        plan.trials.len(),
        count(plan.points.len(), "point"),
        count(scenario.contenders.len(), "transport"),
        count(scenario.runs as usize, "run"),
        scenario.duration,
        scenario.warmup
    ));
    let floors = plan.trials.iter().filter(|id| plan.has_floor_behind(**id)).count();
    if floors > 0 {
        text.push_str(&format!("  floor       {} of bare loops\n", count(floors, "trial")));
    }
    for threshold in scenario.thresholds.iter() {
        text.push_str(&format!("  threshold   {threshold}\n"));
    }
    text.push_str(&format!("  time        about {}\n", human(plan.total_estimate())));
    text
}

/// A line for a point.
fn describe_point(plan: &Plan, point: &Point) -> String {
    let clients = if point.clients == 1 { "client" } else { "clients" };
    // To four places, without zeros at the end.
    let rate = (point.rate_hz * 1e4).round() / 1e4;
    let cookies = match point.cookie_bytes {
        0 => String::new(),
        bytes => format!(", {bytes} B of cookies"),
    };
    format!(
        "  point {:<5} {} {clients}, {rate} messages/s of {:.0} B, poll every {}, hold {}{cookies}{}\n",
        point.id,
        point.clients,
        point.payload_bytes,
        point.poll_interval,
        point.long_poll_timeout,
        processes(plan, point)
    )
}

/// Over how many processes the trials at `point` go, or why they cannot; nothing where there is one
/// of each.
fn processes(plan: &Plan, point: &Point) -> String {
    let rooms = plan.scenario.contenders.iter().map(|name| plan.layout.room(point, *name));
    match rooms.reduce(|one, other| one.and(other)) {
        Some(Err(limit)) => format!("; {limit}"),
        Some(Ok(room)) if room.server_processes.max(room.load_processes) > 1 => format!(
            "; over {} server and {} load processes",
            room.server_processes, room.load_processes
        ),
        _ => String::new(),
    }
}

/// Runs a plan's trials, saving after each; then writes and prints the results.
pub(crate) fn measure(
    plan: &Plan,
    source: &Source,
    output: &OutputArgs,
) -> Result<Outcome, Failure> {
    let started = jiff::Timestamp::now();
    let compact = started.strftime("%Y%m%dT%H%M%SZ").to_string();
    let folder =
        RunFolder::create(&output.out, &compact, &plan.scenario.name).map_err(Failure::usage)?;
    let mut record = RunRecord {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        command_line: command_line(),
        environment: pushbench_os::machine::environment::read(),
        scenario: plan.scenario.clone(),
        headers: plan.headers.clone(),
        points: plan.points.clone(),
        trials: Vec::new(),
        floors: Vec::new(),
        partial: true,
        thresholds: Vec::new(),
    };
    let progress = Progress::new(plan, output);
    let played = play(plan, source, &folder, &mut record, &progress);
    progress.end();
    record.thresholds = thresholds::judge(&record);
    let finished = finish(&folder, &record, output);
    told::repeated(&record).iter().for_each(tell);
    told::protocol_errors(&record).iter().for_each(tell);
    played?;
    let outcome = outcome(&record);
    if outcome != Outcome::Done {
        pushbench_report::failures(&record).iter().for_each(tell);
    }
    finished.map(|()| outcome)
}

/// What a run that went through came to. A threshold on what was not measured is neither met nor
/// broken, so that it makes the measurement one that does not answer what was asked.
fn outcome(record: &RunRecord) -> Outcome {
    let any = |verdict| record.thresholds.iter().any(|outcome| outcome.verdict == verdict);
    match () {
        () if !record.is_valid() => Outcome::Invalid,
        () if any(Verdict::Broken) => Outcome::Broken,
        () if any(Verdict::NotJudged) => Outcome::Invalid,
        () => Outcome::Done,
    }
}

/// The arguments as given, behind the program's name without its folder.
pub(crate) fn command_line() -> Vec<String> {
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("pushbench".to_owned()).chain(arguments).collect()
}

/// Goes through the trials.
fn play(
    plan: &Plan,
    source: &Source,
    folder: &RunFolder,
    record: &mut RunRecord,
    progress: &Progress,
) -> Result<(), Failure> {
    (1_u32..).zip(&plan.trials).try_for_each(|(order, &id)| {
        let (last, floor) = (order as usize == plan.trials.len(), plan.has_floor_behind(id));
        attempts(plan, source, (order, id), progress, |trial, stands| {
            record.trials.push(trial);
            keep(folder, record, stands && last && !floor)
        })?;
        if !floor {
            return Ok(());
        }
        floor::attempts(plan, id, progress, |floor, stands| {
            record.floors.push(floor);
            keep(folder, record, stands && last)
        })
    })
}

/// How often a trial is run at most: one that is invalid is repeated once.
const ATTEMPTS: u32 = 2;

/// Runs the trial that is `order`th, and again, at once, where it is invalid, unless the server
/// asked to be left alone. `keep` is given what came of each attempt, and whether that stands.
pub(crate) fn attempts(
    plan: &Plan,
    source: &Source,
    (order, id): (u32, TrialId),
    progress: &Progress,
    mut keep: impl FnMut(TrialRecord, bool) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for attempt in 1..=ATTEMPTS {
        let trial = trial::run(plan, source, Turn { id, order, attempt }, progress)?;
        progress.trial_done(&trial);
        let stands = trial.is_valid() || attempt == ATTEMPTS || trial.was_told_to_wait();
        keep(trial, stands)?;
        if stands {
            break;
        }
    }
    Ok(())
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Interrupted => Self::Interrupted,
            Trouble::Invalid(reason) => Self::failed(anyhow!("{reason}")),
            Trouble::Fatal(error) => Self::Failed(error),
        }
    }
}

/// Saves the record with a trial that was added, so that a killed run leaves it readable. A run
/// whose last trial is still to be repeated is as partial as one whose last trial is missing.
fn keep(folder: &RunFolder, record: &mut RunRecord, last: bool) -> Result<(), Failure> {
    record.partial = !last;
    folder.save_record(record).map_err(Failure::failed)
}

/// Writes all files and prints what the user asked to see, also where they cannot be written:
/// nothing that was measured is lost to a full disk. Without a single trial there is nothing to
/// show.
fn finish(folder: &RunFolder, record: &RunRecord, output: &OutputArgs) -> Result<(), Failure> {
    let saved = folder.save_record(record);
    if record.trials.is_empty() {
        return saved.map_err(Failure::failed);
    }
    let written = saved.and_then(|()| folder.write_all(record));
    show(folder, record, output)?;
    results::written(written)
}

fn show(folder: &RunFolder, record: &RunRecord, output: &OutputArgs) -> Result<(), Failure> {
    if output.json {
        return print(&pushbench_report::json(record).map_err(Failure::failed)?);
    }
    let mut text = String::new();
    if !output.quiet {
        text.push_str(&pushbench_report::terminal_table(record));
        text.push('\n');
    }
    text.push_str(&pushbench_report::sentence(record));
    for line in pushbench_report::threshold_lines(record) {
        text.push_str(&format!("\n{line}"));
    }
    text.push_str(&format!("\n\nResults: {}\n", folder.path().display()));
    print(&text)
}
