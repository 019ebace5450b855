//! `pushbench capacity`: the most load that still meets an objective, for each transport.

mod planned;
mod progress;
mod question;

use std::ops::ControlFlow;

use anyhow::anyhow;
use pushbench_core::IpVersion;
use pushbench_metrics::record::{FORMAT, RunRecord};
use pushbench_report::RunFolder;
use pushbench_run::capacity::{CapacityRun, Tried};
use pushbench_run::packets::RouterSpeed;
use pushbench_run::place::Layout;
use pushbench_run::player::{Players, link};
use pushbench_run::{Event, Plan, Run, RunError};

use self::progress::Progress;
use crate::args::{CapacityArgs, OutputArgs, ResultArgs, RunArgs};
use crate::exit::{Failure, Outcome};
use crate::progress::human;
use crate::run::{command_line, commands, written};
use crate::{export, interrupt, live, plan, print, scenarios, subjects, tell_in_passing};

/// Looks for the capacity of each transport.
pub(crate) fn command(args: &CapacityArgs) -> Result<Outcome, Failure> {
    live::prepare(args.run.live.live)?;
    let plan = resolve(&args.run)?;
    let (mut plan, question) = question::of(plan, args)?;
    plan.is_watched = args.run.live.live;
    subjects::check(&plan, args.run.server_processes)?;
    let dry_run = args.run.dry_run;
    let speed =
        if dry_run { None } else { router_speed(&plan, args.run.router_packets.map(|it| it.0))? };
    let players = Players::real().with_browser(args.run.browser.chromium.clone());
    let run = Run { plan, players, commands: commands() };
    let search = CapacityRun::new(run, question, speed);
    if dry_run {
        let described = match args.run.output.json {
            true => planned::json(&search).map_err(Failure::failed)?,
            false => describe(&search),
        };
        print(&described)?;
        return Ok(Outcome::Done);
    }
    interrupt::listen()?;
    measure(search, &args.run.output, &args.run.results)
}

fn resolve(args: &RunArgs) -> Result<Plan, Failure> {
    let name = match args.scenarios.as_slice() {
        [] => scenarios::DEFAULT,
        [only] => only,
        _ => return Err(Failure::usage(anyhow!("capacity looks at one scenario; name one"))),
    };
    let layout = Layout::loopback(args.processes.spread(args.server_processes));
    let settings = (&args.clients, &args.feed, &args.link);
    let sides = (&args.via[..], &args.subject, &args.talk);
    plan::resolve(name, settings, sides, (&args.life, &args.browser), layout)
}

/// The speed of a router here, tried where there is one and none is given; an error where this system
/// does not let this user have the link.
fn router_speed(plan: &Plan, given: Option<u64>) -> Result<Option<RouterSpeed>, Failure> {
    let given = given.map(|packets| RouterSpeed::given(packets as f64));
    let Some((link, clients)) =
        plan.points.first().and_then(|point| Some((point.link.as_ref()?, point.clients)))
    else {
        return Ok(None);
    };
    let version: IpVersion = link.ip_version;
    let tried = link::try_out(&commands(), version, clients)?;
    Ok(given.or(tried.speed))
}

/// The search in words.
fn describe(search: &CapacityRun) -> String {
    let (plan, capacity) = (search.plan(), search.capacity());
    let scenario = &plan.scenario;
    let names: Vec<&str> = capacity.searches.iter().map(|search| search.contender.name()).collect();
    let mut text = format!("{}: capacity over {}\n", scenario.name, capacity.over);
    text.push_str(&format!("  transports  {}\n", names.join(", ")));
    for objective in &capacity.objectives {
        text.push_str(&format!("  objective   {objective}\n"));
    }
    let words = |load| capacity.over.words(load);
    text.push_str(&format!(
        "  load        doubled from {} on, to {} at most; told within {} %\n",
        words(capacity.least),
        words(capacity.most),
        (capacity.within * 1e3).round() / 10.0
    ));
    text.push_str(&format!(
        "  trials      each with a window of {} after {} of warm-up\n",
        scenario.duration, scenario.warmup
    ));
    text.push_str(&format!("  time        {}\n", time(search)));
    text
}

fn time(search: &CapacityRun) -> String {
    format!(
        "up to about {}, less for each transport that gives out early",
        human(search.estimate())
    )
}

/// Plays the search, saving after each trial; then writes and prints the results.
fn measure(
    mut search: CapacityRun,
    output: &OutputArgs,
    results: &ResultArgs,
) -> Result<Outcome, Failure> {
    export::check(results)?;
    let mut record = record_of(search.plan());
    let compact: String = record.started.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let name = format!("{}-capacity", search.plan().scenario.name);
    let folder = RunFolder::create(&output.out, &compact, &name).map_err(Failure::usage)?;
    if !output.quiet && !output.json {
        tell_in_passing(time(&search));
    }
    let played =
        play(&mut search, output, |search, tried| keep(search, tried, &folder, &mut record));
    record.partial = played.is_err();
    update(&search, &mut record);
    let finished = finish(&folder, &record, output);
    let exported = export::write(&record, results);
    played?;
    let is_settled = record.capacity.as_ref().is_some_and(|found| found.is_settled());
    finished.and(exported).map(|()| if is_settled { Outcome::Done } else { Outcome::Invalid })
}

fn record_of(plan: &Plan) -> RunRecord {
    RunRecord {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        command_line: command_line(),
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
    }
}

/// Goes through the trials, and gives each to `keep`.
fn play(
    search: &mut CapacityRun,
    output: &OutputArgs,
    mut keep: impl FnMut(&CapacityRun, Tried) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut progress = Progress::new(search, output)?;
    loop {
        let tried = search.next(&mut |event| {
            if matches!(event, Event::Waiting) && interrupt::interrupted() {
                return ControlFlow::Break(());
            }
            progress.show(&event);
            ControlFlow::Continue(())
        });
        match tried {
            Ok(Some(tried)) => {
                progress.tried(&tried);
                keep(search, tried)?;
            }
            Ok(None) => break,
            Err(RunError::Stopped) => {
                progress.end();
                return Err(Failure::Interrupted);
            }
            Err(error) => return Err(error.into()),
        }
    }
    progress.end();
    Ok(())
}

/// Adds a trial to the record, and saves that: a killed search leaves it readable.
fn keep(
    search: &CapacityRun,
    tried: Tried,
    folder: &RunFolder,
    record: &mut RunRecord,
) -> Result<(), Failure> {
    record.trials.push(tried.trial);
    update(search, record);
    folder.save_record(record).map_err(Failure::failed)
}

/// Puts what is known by now into the record.
fn update(search: &CapacityRun, record: &mut RunRecord) {
    record.scenario.clone_from(&search.plan().scenario);
    record.points.clone_from(&search.plan().points);
    record.capacity = Some(search.capacity());
}

/// Prints what the user asked to see, and then writes all files: those of a long search take a while, and
/// whoever interrupted it waits for its answer.
fn finish(folder: &RunFolder, record: &RunRecord, output: &OutputArgs) -> Result<(), Failure> {
    let saved = folder.save_record(record);
    if record.trials.is_empty() {
        return saved.map_err(Failure::failed);
    }
    show(folder, record, output)?;
    written(saved.and_then(|()| folder.write_all(record)))
}

fn show(folder: &RunFolder, record: &RunRecord, output: &OutputArgs) -> Result<(), Failure> {
    if output.json {
        return print(&pushbench_report::json(record).map_err(Failure::failed)?);
    }
    let mut text = pushbench_report::sentence(record);
    if let Some(capacity) = record.capacity.as_ref().filter(|_| !output.quiet) {
        text.push_str("\n\n");
        text.push_str(pushbench_report::capacity_tables(capacity).trim_end());
    }
    text.push_str(&format!("\n\nResults: {}\n", folder.path().display()));
    print(&text)
}
