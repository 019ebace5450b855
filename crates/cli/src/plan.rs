//! From arguments to a plan: scenarios by name or file, with the flags that override them. Nothing is
//! started before a plan stands.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use pushbench_core::feed::schedule::{MOST_DUE, WalkError};
use pushbench_core::feed::trace::Trace;
use pushbench_core::figure::{Figure, Need};
use pushbench_core::proxy::Via;
use pushbench_core::scenario::{MAX_SCENARIO_BYTES, Scenario};
use pushbench_metrics::record::RunRecord;
use pushbench_protocol::headers::HeaderProfile;
use pushbench_report::bounded;
use pushbench_run::place::Layout;
use pushbench_run::{Plan, trial};

use crate::args::{
    BrowserArgs, ClientArgs, FeedSettings, LifeArgs, LinkArgs, SubjectArgs, TalkArgs,
};
use crate::exit::Failure;
use crate::{profile, proxies, repeat, scenarios, subjects, tell};

/// The reason why a run without CPU columns has none.
pub(crate) const CAPTURING: &str = "packets are captured";

/// Whether this process may capture packets; says on standard error what happens instead where not.
pub(crate) fn can_capture() -> bool {
    let possible = trial::capture_is_possible();
    possible
        .inspect_err(|error| {
            tell(format_args!(
                "{error}; falling back to what the kernel counts for each connection"
            ));
        })
        .is_ok()
}

/// Resolves a scenario file, the name of a built-in one or the folder of a run, with the flags that override
/// it.
pub(crate) fn resolve(
    name: &str,
    (clients, feed, link): (&ClientArgs, &FeedSettings, &LinkArgs),
    (via, subject, talk): (&[Via], &SubjectArgs, &TalkArgs),
    (life, browser): (&LifeArgs, &BrowserArgs),
    layout: Layout,
) -> Result<Plan, Failure> {
    let source = Source::read(name)?;
    let Source { shown, mut scenario, folder, repeated, .. } = source;
    let folder = folder.as_deref();
    let headers = headers(clients, &mut scenario, folder, repeated.as_deref())?;
    clients.apply(&mut scenario);
    feed.apply(&mut scenario);
    link.apply(&mut scenario);
    talk.apply(&mut scenario);
    life.apply(&mut scenario);
    browser.apply(&mut scenario);
    proxies::resolve(&mut scenario, via, source.is_built_in)?;
    if let Some(problem) = feed.idle_flag(&scenario) {
        return Err(refused(&shown, problem));
    }
    let recorded = repeated.as_ref().map_or(&[][..], |record| &record.subjects);
    let subjects = subjects::resolve(&mut scenario, subject, folder, recorded)?;
    scenario.check().map_err(|error| refused(&shown, error))?;
    let flags = repeated.as_ref().map(|record| record.flags.clone()).unwrap_or_default();
    let capture = clients.capture || flags.capture;
    if capture && !scenario.link.is_empty() {
        let problem = "--capture: a link's router sees every packet already; leave it out";
        return Err(refused(&shown, problem));
    }
    let layout = layout.or(&flags);
    if let Some(problem) = browser.problem(&scenario, capture, &layout) {
        return Err(refused(&shown, problem));
    }
    profile::check_cookies(&headers, &scenario)?;
    let trace = trace(&scenario, feed, folder, repeated.as_deref())?;
    check_due(&scenario, trace.as_ref(), &shown)?;
    let price = repeated.and_then(|record| record.price);
    let plan = Plan { price, ..Plan::of(scenario, trace, layout).with_subjects(subjects) };
    let publish_delay = feed.publish_delay.map(|delay| delay.0).or(flags.publish_delay);
    let plan = Plan {
        headers,
        capture: capture && can_capture(),
        allow_busy: clients.allow_busy || flags.allow_busy,
        stamps: !clients.no_stamps && !flags.no_stamps,
        publish_delay: publish_delay.unwrap_or_default(),
        ..plan
    };
    let is_measured = |figure: Figure| !(plan.capture && figure.needs(Need::CpuTime));
    check_measured(&plan.scenario, is_measured, CAPTURING)?;
    Ok(plan)
}

/// The source of a run's settings before its flags.
struct Source {
    /// The name that errors have for it.
    shown: String,
    scenario: Scenario,
    is_built_in: bool,
    /// The folder that its files are in.
    folder: Option<PathBuf>,
    /// The record of the run that is repeated.
    repeated: Option<Box<RunRecord>>,
}

impl Source {
    /// A file, a built-in scenario by its name, or the folder of a run.
    fn read(name: &str) -> Result<Self, Failure> {
        if repeat::is_run(name) {
            let (record, folder) = repeat::open(name)?;
            let scenario = record.scenario.clone();
            let (shown, repeated) = (name.to_owned(), Some(Box::new(record)));
            return Ok(Self {
                shown,
                scenario,
                is_built_in: false,
                folder: Some(folder),
                repeated,
            });
        }
        let (text, file) = read_scenario(name)?;
        let shown = file.as_deref().map_or_else(|| name.to_owned(), |f| f.display().to_string());
        let mut scenario = Scenario::parse(&text).map_err(|error| refused(&shown, error))?;
        if let Some(file) = &file
            && scenario.name == Scenario::default().name
        {
            name_after(&mut scenario, file);
        }
        let folder = file.as_deref().and_then(Path::parent).map(Path::to_owned);
        Ok(Self { shown, scenario, is_built_in: file.is_none(), folder, repeated: None })
    }
}

/// The trace of a scenario: of a run that is repeated its own, where no flag names another.
fn trace(
    scenario: &Scenario,
    feed: &FeedSettings,
    folder: Option<&Path>,
    repeated: Option<&RunRecord>,
) -> Result<Option<Trace>, Failure> {
    match (repeated, folder) {
        (Some(_), _) if feed.trace.is_some() => scenarios::load_trace(scenario, None),
        (Some(record), Some(folder)) if scenario.feed.trace.is_some() => {
            repeat::trace(record, folder)
        }
        _ => scenarios::load_trace(scenario, folder),
    }
}

/// The header profile, and in `scenario` what it implies, which that of a record has already.
fn headers(
    clients: &ClientArgs,
    scenario: &mut Scenario,
    folder: Option<&Path>,
    repeated: Option<&RunRecord>,
) -> Result<HeaderProfile, Failure> {
    let headers = match (&clients.headers, repeated) {
        (Some(name), _) => profile::read(name, None)?,
        (None, Some(record)) => return Ok(record.headers.clone()),
        (None, None) => profile::read(&scenario.headers, folder)?,
    };
    profile::apply(&headers, scenario);
    Ok(headers)
}

/// Refuses a window in which not even one message is due, one with more than a load process keeps
/// the instants of, and a trace that is replayed faster than messages may come.
fn check_due(scenario: &Scenario, trace: Option<&Trace>, shown: &str) -> Result<(), Failure> {
    let seconds = scenario.duration.0.as_secs_f64();
    let points = scenario.points(trace);
    let whole = seconds + scenario.warmup.0.as_secs_f64();
    for point in &points {
        let checked = scenario.feed_spec(point, trace).schedule.check();
        checked.map_err(|error| refused(shown, format_args!("feed.{error}")))?;
        if point.rate_hz * whole > MOST_DUE as f64 {
            return Err(refused(shown, WalkError::TooMany));
        }
    }
    let Some(sparse) = points.iter().find(|point| point.rate_hz * seconds < 1.0) else {
        return Ok(());
    };
    let problem = format_args!(
        "at {:.4} messages/s hardly any is due in a window of {}; lengthen it with `--duration`",
        sparse.rate_hz, scenario.duration
    );
    Err(refused(shown, problem))
}

/// A scenario, as it is `shown`, that cannot be run.
fn refused(shown: &str, problem: impl Display) -> Failure {
    Failure::usage(anyhow!("{shown}: {problem}"))
}

/// Refuses a threshold on a quantity that will not be measured, and says why it will not.
pub(crate) fn check_measured(
    scenario: &Scenario,
    is_measured: impl Fn(Figure) -> bool,
    why: &str,
) -> Result<(), Failure> {
    let mut thresholds = scenario.thresholds.iter();
    let unmeasured = thresholds.find(|threshold| !is_measured(threshold.target.figure));
    unmeasured.map_or(Ok(()), |threshold| {
        let target = threshold.target;
        Err(Failure::usage(anyhow!(
            "threshold `{threshold}`: {target} is not measured where {why}"
        )))
    })
}

/// The text of a scenario, and its file where it is one.
fn read_scenario(name: &str) -> Result<(String, Option<PathBuf>), Failure> {
    let path = Path::new(name);
    let looks_like_a_file = path.extension().is_some() || path.components().count() > 1;
    if !looks_like_a_file && let Some(text) = scenarios::built_in(name) {
        return Ok((text.to_owned(), None));
    }
    if !looks_like_a_file && !path.is_file() {
        return Err(scenarios::unknown(name));
    }
    let text = bounded::read_text(path, MAX_SCENARIO_BYTES)
        .with_context(|| format!("cannot read scenario {name}"));
    Ok((text.map_err(Failure::Usage)?, Some(path.to_owned())))
}

/// A scenario file that gives no name goes by its own.
fn name_after(scenario: &mut Scenario, file: &Path) {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = stem.chars().map(plain).take(64).collect();
    if !name.is_empty() {
        scenario.name = name;
    }
}
