//! `pushbench load`: the load generator alone, against a server that runs already.

mod consent;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use pushbench_core::contender::Security;
use pushbench_core::feed::{FeedDescription, MAX_FEED_BYTES};
use pushbench_core::figure::{Figure, Need};
use pushbench_core::rules::{HIDDEN, Rules};
use pushbench_core::scenario::{Point, Scenario, Values};
use pushbench_core::units::Rate;
use pushbench_core::{Contender, Delivery};
use pushbench_os::process::cpu::ProcessClock;
use pushbench_protocol::sse::EVENT_LIMIT;
use pushbench_report::bounded;
use pushbench_run::Plan;
use pushbench_run::place::Layout;
use pushbench_run::player::Players;
use pushbench_run::player::target::{Server, Site, Target, read_description};

use crate::args::LoadArgs;
use crate::exit::{Failure, Outcome};
use crate::plan::{self, check_measured};
use crate::run::measure;
use crate::{interrupt, live, price, profile, tell};

/// Measures a running server as `run` measures its own.
pub(crate) fn command(args: &LoadArgs) -> Result<Outcome, Failure> {
    live::prepare(args.live.live)?;
    let mut scenario = Scenario { name: "load".to_owned(), runs: 1, ..Scenario::default() };
    scenario.warmup.0 = Duration::from_secs(1);
    let headers =
        profile::read(args.clients.headers.as_deref().unwrap_or(&scenario.headers), None)?;
    profile::apply(&headers, &mut scenario);
    args.clients.apply(&mut scenario);
    // A percentile needs samples enough, which follow from the target's rate.
    let thresholds = std::mem::take(&mut scenario.thresholds);
    scenario.check().map_err(Failure::usage)?;
    profile::check_cookies(&headers, &scenario)?;
    for &pid in &args.server_pid {
        ProcessClock::of(pid).map_err(|error| {
            Failure::usage(anyhow!("cannot read the cost of --server-pid {pid}: {error}"))
        })?;
    }
    check_foreign(args, &scenario)?;
    check_event(args.event.as_deref(), &scenario.contenders)?;
    let rules = rules(args, &scenario)?;
    if rules.as_ref().is_some_and(|rules| polls_value(rules, &scenario)) {
        scenario.delivery = args.clients.delivery.unwrap_or(Delivery::Latest);
    }
    let price = price::read(args.results.price.as_deref())?;
    let described = args.feed.as_deref().map(read_feed).transpose()?;
    let site = Site::find(&args.target)?;
    check_security(&site, args, &mut scenario)?;
    check_limits(&site, args, &scenario)?;
    let trust = args.trust.trust()?;
    let server = site.connect(trust, args.trust.tls_key_log.clone())?;
    let layout = Layout::against(server.address().ip(), args.processes.spread(None));
    scenario.question = format!("What does {} deliver?", server.name());
    if !args.output.quiet && server.is_worth_naming() {
        tell(format_args!("measuring {}", server.name()));
    }
    if rules.is_some() || described.is_some() {
        consent::ask(&server, &scenario, args.yes_load.as_deref())?;
    }
    let target = target(server, rules, described, args)?;
    let feed = target.feed.as_ref().map(|feed| &feed.description);
    if let Some(rate) = feed.and_then(|feed| feed.schedule.mean_hz()).and_then(Rate::from_hz) {
        scenario.rate = Values::One(rate);
    }
    let seed = feed.map_or(scenario.seed, |feed| feed.seed);
    scenario.seed = args.clients.seed.unwrap_or(seed);
    let mean_bytes = feed.map(|feed| feed.payload.mean_bytes);
    scenario.thresholds = thresholds;
    scenario.check().map_err(Failure::usage)?;
    let mut plan = Plan::of(scenario, None, layout);
    describe(&mut plan.points, mean_bytes);
    plan.headers = headers;
    plan.price = price;
    plan.stamps = !args.clients.no_stamps;
    plan.capture = args.clients.capture && plan::can_capture();
    plan.check_limits().map_err(Failure::usage)?;
    check_thresholds(&plan, &target, !args.server_pid.is_empty())?;
    plan.allow_busy = args.clients.allow_busy;
    interrupt::listen()?;
    let players = Players::against(target, args.server_pid.clone());
    measure(plan, players, (&args.output, &args.results), false)
}

/// Says of points what their server is: of an application nobody knows the rate, nor the mean size of a
/// payload.
fn describe(points: &mut [Point], mean_bytes: Option<f64>) {
    for point in points {
        point.payload_bytes = mean_bytes.unwrap_or(0.0);
        point.rate_hz = if mean_bytes.is_some() { point.rate_hz } else { 0.0 };
        point.server_runs_already = true;
    }
}

/// Refuses what a server of another kind cannot be asked for, before it is touched.
fn check_foreign(args: &LoadArgs, scenario: &Scenario) -> Result<(), Failure> {
    let by_rules = args.rules.is_given();
    if let Some(flag) = args.rules.alone().filter(|_| !by_rules) {
        return Err(Failure::usage(anyhow!(
            "{flag} goes with --seq, which says where an application's messages have their number, \
             or with --no-seq"
        )));
    }
    if by_rules && args.feed.is_some() {
        return Err(Failure::usage(anyhow!(
            "--feed says when messages are due, --seq and --no-seq that nobody does: leave one out"
        )));
    }
    if by_rules {
        return Ok(());
    }
    let Some(path) = &args.path else { return Ok(()) };
    if args.feed.is_none() {
        return Err(Failure::usage(anyhow!("--path goes with --feed, --seq or --no-seq")));
    }
    check_path(path)?;
    match *scenario.contenders.as_slice() {
        [contender] if !contender.shape().asks() => {}
        _ => {
            return Err(Failure::usage(anyhow!(
                "--path is where one transport is offered: name it with `-t`: long-poll, sse or \
                 websocket"
            )));
        }
    }
    if scenario.delivery != Delivery::Every {
        return Err(Failure::usage(anyhow!("--feed goes with `--delivery every` alone")));
    }
    Ok(())
}

/// The target, by what is known of it: rules, the description of a feed, or nothing yet.
fn target(
    server: Server,
    rules: Option<Rules>,
    described: Option<FeedDescription>,
    args: &LoadArgs,
) -> Result<Target, Failure> {
    let mut target = match (rules, described, &args.path) {
        (Some(rules), ..) => Target::told_by_rules(server, rules),
        (None, Some(feed), Some(path)) => {
            Target::foreign(server, feed, path.clone()).map_err(Failure::usage)?
        }
        _ => Target::reach(server)?,
    };
    target.subject.event.clone_from(&args.event);
    Ok(target)
}

/// The rules of an application; `None` where there are none.
fn rules(args: &LoadArgs, scenario: &Scenario) -> Result<Option<Rules>, Failure> {
    if !args.rules.is_given() {
        return Ok(None);
    }
    let &[contender] = scenario.contenders.as_slice() else {
        return Err(Failure::usage(anyhow!(
            "an application offers one transport at a place: name it with `-t`"
        )));
    };
    let (path, event) = (args.path.as_deref(), args.event.as_deref());
    let rules = args.rules.rules(contender.transport, path, event)?;
    if let Some(path) = rules.plain_path() {
        check_path(&path)?;
    }
    Ok(Some(rules))
}

/// Whether polls bring the newest value, and not all since the last.
fn polls_value(rules: &Rules, scenario: &Scenario) -> bool {
    let polls = scenario.contenders.iter().any(|it| it.shape().asks() || it.shape().waits());
    polls && rules.cursor.is_none()
}

/// Refuses what is no path. Its query may be a secret.
fn check_path(path: &str) -> Result<(), Failure> {
    if path.starts_with('/') && !path.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    let shown =
        path.split_once('?').map_or_else(|| path.to_owned(), |(it, _)| format!("{it}?{HIDDEN}"));
    Err(Failure::usage(anyhow!("--path {shown}: it begins with `/` and has no blanks")))
}

/// Has the transports run on what the target's scheme says, and refuses flags that do not go with it.
fn check_security(site: &Site, args: &LoadArgs, scenario: &mut Scenario) -> Result<(), Failure> {
    let target = &args.target;
    if site.is_secure() {
        for contender in &mut scenario.contenders {
            contender.stack = contender.stack.with_security(Security::Tls);
        }
        return Ok(());
    }
    if let Some(flag) = args.trust.given() {
        return Err(Failure::usage(anyhow!("{flag} goes with an https target, not with {target}")));
    }
    match scenario.contenders.iter().find(|it| it.stack.security == Security::Tls) {
        Some(contender) => Err(Failure::usage(anyhow!(
            "-t {contender}: {target} is in clear; write the target with https://"
        ))),
        None => Ok(()),
    }
}

/// Whether there is room for the clients, whichever of the site's addresses it will be.
fn check_limits(site: &Site, args: &LoadArgs, scenario: &Scenario) -> Result<(), Failure> {
    let check = |address: &SocketAddr| {
        let layout = Layout::against(address.ip(), args.processes.spread(None));
        Plan::of(scenario.clone(), None, layout).check_limits().map_err(Failure::usage)
    };
    let mut outcomes = site.addresses.iter().map(check);
    let first = outcomes.next().unwrap_or(Ok(()));
    if outcomes.any(|outcome| outcome.is_ok()) { Ok(()) } else { first }
}

/// Refuses a type that no event has, and one where there are no events.
fn check_event(event: Option<&str>, contenders: &[Contender]) -> Result<(), Failure> {
    let Some(event) = event else { return Ok(()) };
    if !matches!(contenders, [contender] if contender.has_event_types()) {
        return Err(Failure::usage(anyhow!(
            "--event is a type of server-sent events: it goes with `-t sse` alone"
        )));
    }
    let plain = !event.contains(['\r', '\n']);
    if !plain || !(1..=EVENT_LIMIT).contains(&event.len()) {
        return Err(Failure::usage(anyhow!(
            "--event {}: a type is one line of 1 to {EVENT_LIMIT} bytes",
            event.escape_debug()
        )));
    }
    Ok(())
}

/// Refuses thresholds on what is known of a server of one's own only.
fn check_thresholds(plan: &Plan, target: &Target, knows_server: bool) -> Result<(), Failure> {
    let (same_clock, rules) = (target.has_same_clock(), target.subject.rules.as_ref());
    let is_timed = rules.is_none_or(|rules| rules.stamp.is_some());
    let check = |is_measured: &dyn Fn(Figure) -> bool, why| {
        check_measured(&plan.scenario, is_measured, why)
    };
    check(&|figure| !(plan.capture && figure.needs(Need::CpuTime)), plan::CAPTURING)?;
    check(
        &|figure| knows_server || !figure.needs(Need::ServerProcess),
        "--server-pid is not given",
    )?;
    check(&|figure| same_clock || !figure.needs(Need::OneClock), "the server has another clock")?;
    check(&|figure| is_timed || !figure.needs(Need::OneClock), "--stamp is not given")
}

/// Reads the description of a feed that a server of another kind publishes.
///
/// # Errors
///
/// A file that describes no feed whose instants are known.
fn read_feed(file: &Path) -> Result<FeedDescription, Failure> {
    let text = bounded::read_text(file, MAX_FEED_BYTES)
        .with_context(|| format!("cannot read the feed {}", file.display()))
        .map_err(Failure::Usage)?;
    let feed = read_description(&text)
        .with_context(|| format!("{} is no feed, as GET /feed answers one", file.display()))
        .map_err(Failure::Usage)?;
    if feed.origin.is_none() {
        return Err(Failure::usage(anyhow!(
            "{} has no `origin`: when the feed's first instant was, in nanoseconds of the \
             monotonic clock",
            file.display()
        )));
    }
    Ok(feed)
}
