//! `pushbench run`: scenarios, measured one after the other, and their results.

mod described;
mod planned;
mod refine;
mod remarks;

use std::ops::ControlFlow;

use anyhow::anyhow;
use pushbench_core::units::Count;
use pushbench_core::{IpVersion, text};
use pushbench_metrics::judge::thresholds::{self, ThresholdStatus};
use pushbench_metrics::record::{FORMAT, RunRecord, TrialRecord};
use pushbench_report::{ReportError, RunFolder};
use pushbench_run::packets::RouterSpeed;
use pushbench_run::place::Layout;
use pushbench_run::player::link;
use pushbench_run::player::{Commands, Players};
use pushbench_run::{AttemptRecord, Event, Plan, Run};

use self::described::describe;
use crate::args::{OutputArgs, ResultArgs, RunArgs};
use crate::exit::{Failure, Outcome};
use crate::progress::Progress;
use crate::screen::screen;
use crate::{
    export, interrupt, live, plan, price, print, print_painted, repeat, scenarios, subjects, tell,
};

/// Runs each scenario in turn.
pub(crate) fn command(args: &RunArgs) -> Result<Outcome, Failure> {
    let default = [scenarios::DEFAULT.to_owned()];
    let names = if args.scenarios.is_empty() { &default[..] } else { &args.scenarios };
    if let [name] = names
        && let Some(outcome) = repeat::elsewhere(name, args.subject.trust)
    {
        return outcome;
    }
    live::prepare(args.live.live)?;
    let layout = Layout::loopback(args.processes.spread(args.server_processes));
    let settings = (&args.clients, &args.feed, &args.link);
    let sides = (&args.via[..], &args.subject, &args.talk);
    let lives = (&args.life, &args.browser);
    let plans =
        names.iter().map(|name| plan::resolve(name, settings, sides, lives, layout.clone()));
    let mut plans = plans.collect::<Result<Vec<Plan>, Failure>>()?;
    if let Some(price) = price::read(args.results.price.as_deref())? {
        plans.iter_mut().for_each(|plan| plan.price = Some(price.clone()));
    }
    if args.output.json && plans.len() > 1 {
        return Err(Failure::usage(anyhow!("--json prints one run record; name one scenario")));
    }
    if args.results.exports() && plans.len() > 1 {
        return Err(Failure::usage(anyhow!("an export is of one run; name one scenario")));
    }
    plans.iter().try_for_each(|plan| subjects::check(plan, args.server_processes))?;
    if args.refine {
        plans.iter().try_for_each(refine::check)?;
    }
    if args.dry_run {
        let described = |plan: &Plan| match args.output.json {
            true => planned::json(plan).map_err(Failure::failed),
            false => Ok(describe(plan, args.refine)),
        };
        plans.iter().try_for_each(|plan| print(&described(plan)?))?;
        return Ok(Outcome::Done);
    }
    plans.iter().try_for_each(Plan::check_limits).map_err(Failure::usage)?;
    plans.iter().try_for_each(|plan| check_link(plan, args.router_packets))?;
    interrupt::listen()?;
    let mut outcome = Outcome::Done;
    for plan in plans {
        let players = Players::real().with_browser(args.browser.chromium.clone());
        let output = (&args.output, &args.results);
        outcome = outcome.max(measure(plan, players, output, args.refine)?);
    }
    Ok(outcome)
}

/// Refuses links that this system does not let this user have, and those with more packets than a
/// router moves here or, where it is given, in the user's opinion; before anything is measured.
pub(crate) fn check_link(plan: &Plan, router_packets: Option<Count>) -> Result<(), Failure> {
    let given = router_packets.map(|packets| RouterSpeed::given(packets.0 as f64));
    let linked = plan.points.iter().filter_map(|point| Some((point.link.as_ref()?, point.clients)));
    for version in [IpVersion::V4, IpVersion::V6] {
        // Those of a version differ in what they do to packets, not in what they need of the system.
        let of_version = linked.clone().filter(|(link, _)| link.ip_version == version);
        let Some(clients) = of_version.map(|(_, clients)| clients).max() else { continue };
        let tried = link::try_out(&commands(), version, clients)?;
        if let Some(speed) = given.or(tried.speed) {
            plan.check_packets(&speed).map_err(Failure::usage)?;
        }
    }
    Ok(())
}

/// How this program is started as a child of its own.
pub(crate) fn commands() -> Commands {
    let of = |command: &str| vec![command.to_owned()];
    Commands {
        server: of("worker-server"),
        load: of("worker-load"),
        link: of("worker-link"),
        cross: of("worker-cross"),
        program: of("worker-program"),
        tied: of("worker-tied"),
    }
}

/// The trials of a plan that have been run, with the folder that keeps them.
pub(crate) struct Measured {
    pub(crate) folder: RunFolder,
    pub(crate) record: RunRecord,
    /// Whether all of them have.
    pub(crate) played: Result<(), Failure>,
}

/// Runs a plan's trials, and where it is `refined` those of further points, saving after each; then
/// writes and prints the results.
pub(crate) fn measure(
    plan: Plan,
    players: Players,
    (output, results): (&OutputArgs, &ResultArgs),
    refined: bool,
) -> Result<Outcome, Failure> {
    export::check(results)?;
    let steps = if refined { refine::STEPS } else { 0 };
    let Measured { folder, mut record, played } = measured(plan, players, output, steps)?;
    record.thresholds = thresholds::judge(&record);
    let finished = finish(&folder, &record, output);
    let exported = export::write(&record, results);
    remarks::repeated(&record).iter().for_each(tell);
    remarks::protocol_errors(&record).iter().for_each(tell);
    played?;
    let outcome = outcome(&record);
    if outcome != Outcome::Done {
        pushbench_report::failures(&record).iter().for_each(tell);
    }
    finished.and(exported).map(|()| outcome)
}

/// Runs a plan's trials, and those of further points in so many `steps`, saving after each.
pub(crate) fn measured(
    plan: Plan,
    players: Players,
    output: &OutputArgs,
    steps: u32,
) -> Result<Measured, Failure> {
    let started = jiff::Timestamp::now();
    let compact = started.strftime("%Y%m%dT%H%M%SZ").to_string();
    let folder =
        RunFolder::create(&output.out, &compact, &plan.scenario.name).map_err(Failure::usage)?;
    let mut record = RunRecord {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        command_line: command_line().into_iter().map(|it| players.hide(it)).collect(),
        flags: plan.flags(),
        environment: pushbench_os::machine::environment::read(),
        scenario: plan.scenario.clone(),
        headers: plan.headers.clone(),
        subjects: plan.subjects.clone(),
        price: plan.price.clone(),
        points: plan.points.clone(),
        trials: Vec::new(),
        floors: Vec::new(),
        partial: true,
        thresholds: Vec::new(),
        capacity: None,
        advice: None,
    };
    if let Some(trace) = plan.trace.as_ref().filter(|_| has_own_trace(&plan)) {
        folder.save_trace(trace).map_err(Failure::failed)?;
    }
    let played = play_all(plan, steps, players, output, (&folder, &mut record));
    Ok(Measured { folder, record, played })
}

/// Whether it replays a trace that is not built in.
fn has_own_trace(plan: &Plan) -> bool {
    plan.scenario.feed.trace.as_deref().is_some_and(|name| scenarios::trace(name).is_none())
}

/// Outcome of a run that went through. A threshold on what was not measured is neither met nor
/// broken, so that it makes the measurement one that does not answer what was asked.
fn outcome(record: &RunRecord) -> Outcome {
    let any = |status| record.thresholds.iter().any(|outcome| outcome.status == status);
    match () {
        () if !record.is_valid() => Outcome::Invalid,
        () if any(ThresholdStatus::Broken) => Outcome::Broken,
        () if any(ThresholdStatus::NotJudged) => Outcome::Invalid,
        () => Outcome::Done,
    }
}

/// The arguments as given, behind the program's name without its folder.
pub(crate) fn command_line() -> Vec<String> {
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("pushbench".to_owned()).chain(arguments).collect()
}

/// Goes through the trials of `plan`, and up to so many steps of further points, and keeps them.
fn play_all(
    mut plan: Plan,
    steps: u32,
    players: Players,
    output: &OutputArgs,
    (folder, record): (&RunFolder, &mut RunRecord),
) -> Result<(), Failure> {
    let listed = plan.points.len();
    play(plan.clone(), players.clone(), output, |event| keep(event, folder, record))?;
    for _ in 0..steps {
        let Some((next, line)) = refine::next(&plan, record, listed) else { break };
        if !output.quiet {
            tell(line);
        }
        plan = next;
        record.points.clone_from(&plan.points);
        play(plan.clone(), players.clone(), output, |event| keep(event, folder, record))?;
    }
    Ok(())
}

/// Goes through the trials, and gives each event to `keep`.
fn play(
    mut plan: Plan,
    players: Players,
    output: &OutputArgs,
    mut keep: impl FnMut(Event) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut progress = Progress::new(&plan, output)?;
    plan.is_watched = progress.is_watched();
    let commands = commands();
    let mut kept = Ok(());
    let played = Run { plan, players, commands }.play(&mut |event| {
        if matches!(event, Event::Waiting) && interrupt::interrupted() {
            return ControlFlow::Break(());
        }
        progress.show(&event);
        kept = keep(event);
        if kept.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    progress.end();
    kept?;
    Ok(played?)
}

/// Runs the only trial of a plan, again where it is invalid: the attempt that stands.
pub(crate) fn only_trial(plan: Plan, output: &OutputArgs) -> Result<TrialRecord, Failure> {
    let mut last = None;
    play(plan, Players::real(), output, |event| {
        if let Event::Done { record: AttemptRecord::Trial(trial), .. } = event {
            last = Some(trial);
        }
        Ok(())
    })?;
    Ok(*last.expect("a trial is tried at least once"))
}

/// Adds what has ended to the record and saves that, so that a killed run leaves it readable. A run
/// whose last trial is still to be repeated is as partial as one whose last trial is missing.
fn keep(event: Event, folder: &RunFolder, record: &mut RunRecord) -> Result<(), Failure> {
    let Event::Done { record: ended, last, .. } = event else { return Ok(()) };
    match ended {
        AttemptRecord::Trial(trial) => record.trials.push(*trial),
        AttemptRecord::Floor(floor) => record.floors.push(floor),
    }
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
    self::written(written)
}

/// Last words on the files of a run whose table has been printed. A missing link `latest`, as on
/// file systems that have no links, is a warning: every file is there.
///
/// # Errors
///
/// A file that could not be written.
pub(crate) fn written(outcome: Result<(), ReportError>) -> Result<(), Failure> {
    match outcome {
        Err(error @ ReportError::Latest(..)) => {
            tell(format_args!("warning: {error}"));
            Ok(())
        }
        outcome => outcome.map_err(Failure::failed),
    }
}

fn show(folder: &RunFolder, record: &RunRecord, output: &OutputArgs) -> Result<(), Failure> {
    if output.json {
        return print(&pushbench_report::json(record).map_err(Failure::failed)?);
    }
    let screen = screen(output.color);
    let sentence = pushbench_report::answer(record);
    let thresholds = pushbench_report::threshold_lines(record);
    let answer = sentence.lines().chain(thresholds.iter().map(String::as_str));
    let mut printed: String = answer.map(|line| screen.wrapped(line)).collect();
    if !output.quiet && !pushbench_report::is_void(record) {
        printed.push('\n');
        printed.push_str(&pushbench_report::terminal_table(record, screen));
    }
    let path = folder.path().display().to_string();
    printed.push_str(&format!("\nResults: {}\n", text::line(&path)));
    print_painted(&printed)
}
