//! Cases: a part with a ceiling, the setting that load is raised by, and what is known.

use std::env;
use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::Context as _;
use pushbench_core::Contender;
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::subject::Subject;
use pushbench_core::units::{Count, Rate, Span};
use pushbench_metrics::record::capacity::{Capacity, Over, Place, Verdict};
use pushbench_metrics::record::control::{LoadPlayer, ServerPlayer};
use pushbench_run::capacity::{CapacityRun, Question, Tried};
use pushbench_run::place::{Layout, Spread};
use pushbench_run::player::{Commands, Players, Server};
use pushbench_run::{Plan, Run};

use crate::grid::STEP;
use crate::{Args, Role};

/// How far from what is known a capacity may be found.
const GATE: f64 = 0.1;

/// How far apart the ends of the interval are.
const WITHIN: f64 = 0.05;

/// The rate of the feed, and how many clients there are, where load is not raised by that.
const RATE: f64 = 10.0;
const CLIENTS: u64 = 10;

/// A part with a ceiling, and the setting that load is raised by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    slow: Role,
    over: Over,
}

/// The outcome of a case.
pub(crate) struct Found {
    pub(crate) line: String,
    pub(crate) is_right: bool,
}

impl Case {
    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let slow = [Role::PacedServer, Role::BusyServer, Role::PacedLoad, Role::BusyLoad];
        slow.into_iter()
            .flat_map(|slow| [Over::Clients, Over::Rate].map(|over| Self { slow, over }))
    }

    /// As tables and arguments name it.
    pub(crate) fn name(self) -> String {
        let slow = self.slow.arguments().swap_remove(1);
        format!("{slow} over {}", self.over)
    }

    /// The ceiling: of the server, or of the load generator, which is the same.
    fn known(self, args: &Args) -> f64 {
        let (limit, step) = (args.limit.0.as_secs_f64(), STEP.as_secs_f64());
        match self.over {
            Over::Clients => (limit / step).min(1.0 / step / RATE),
            _ => 1.0 / step / CLIENTS as f64,
        }
    }

    /// Looks for its capacity.
    pub(crate) fn play(self, args: &Args) -> anyhow::Result<Found> {
        let (begun, mut trials) = (Instant::now(), 0);
        let mut search = self.search(args)?;
        while let Some(tried) = search.next(&mut |_| ControlFlow::Continue(()))? {
            trials += 1;
            if args.verbose {
                eprintln!("{}", line(self.over, &tried));
            }
        }
        let known = self.known(args);
        let capacity = search.capacity();
        let verdict = &capacity.searches.first().context("one transport is measured")?.verdict;
        let ratio = verdict.holds().map(|holds| holds / known);
        let near = ratio.is_some_and(|ratio| (ratio - 1.0).abs() <= GATE);
        let is_right = near && self.is_named_by(verdict);
        let shown = |number: Option<f64>| number.map_or("–".to_owned(), |n| format!("{n:.2}"));
        let line = format!(
            "{:<26} {known:>10} {:>10} {:>8} {trials:>6} {:>6}  {}{}\n",
            self.name(),
            shown(verdict.holds()),
            shown(ratio),
            begun.elapsed().as_secs(),
            words(&capacity),
            if is_right { "" } else { "  NOT AS KNOWN" }
        );
        Ok(Found { line, is_right })
    }

    /// Whether it says what is slow, and that of the load generator's ceiling the server's is no less.
    fn is_named_by(self, verdict: &Verdict) -> bool {
        let place = match (self.slow, self.over) {
            // With a rate so high that it has no pause.
            (Role::BusyServer, Over::Rate) => Place::ServerCpu,
            (Role::PacedServer | Role::BusyServer, _) => Place::Server,
            _ => Place::LoadGenerator,
        };
        let is_there = verdict.limit().is_some_and(|limit| limit.place == place);
        is_there
            && match place {
                Place::LoadGenerator => matches!(verdict, Verdict::AtLeast { .. }),
                _ => matches!(verdict, Verdict::Within { .. }),
            }
    }

    /// Whether the server is what is slow.
    fn slows_server(self) -> bool {
        matches!(self.slow, Role::PacedServer | Role::BusyServer)
    }

    fn search(self, args: &Args) -> anyhow::Result<CapacityRun> {
        let subject = if self.slows_server() { Some(subject(self.slow)?) } else { None };
        let scenario = Scenario {
            contenders: vec![Contender::SSE],
            clients: Values::One(Count(CLIENTS)),
            rate: Values::One(Rate::from_hz(RATE).context("a rate")?),
            warmup: Span(args.seconds.0 / 4),
            duration: args.seconds,
            subject: Values::One(subject.as_ref().map(|it| it.name.clone()).unwrap_or_default()),
            ..Scenario::default()
        };
        let layout = Layout::loopback(Spread::default());
        let plan = Plan::of(scenario, None, layout).with_subjects(subject.into_iter().collect());
        let allow_busy = env::var_os("PUSHBENCH_ALLOW_BUSY").is_some();
        let load = if self.slows_server() { Role::Load } else { self.slow };
        let run = Run {
            plan: Plan { allow_busy, ..plan },
            players: Players {
                server: Server::Children(ServerPlayer::Real),
                load: LoadPlayer::Real,
                chromium: None,
            },
            commands: commands(load),
        };
        let objective = format!("latency.p99 < {}", args.limit);
        let least = if self.over == Over::Clients { 1.0 } else { 5.0 };
        let question = Question {
            over: self.over,
            objectives: vec![objective.parse()?],
            least,
            most: 1_000.0,
            within: WITHIN,
        };
        Ok(CapacityRun::new(run, question, None))
    }
}

/// How this program plays the parts of a run, with that load generator.
fn commands(load: Role) -> Commands {
    Commands {
        server: Role::Server.arguments(),
        load: load.arguments(),
        link: Vec::new(),
        cross: Vec::new(),
        program: Role::Program.arguments(),
        tied: Role::Tied.arguments(),
    }
}

/// The subject that this program plays as `role`.
fn subject(role: Role) -> anyhow::Result<Subject> {
    let program = env::current_exe()?;
    let program = program.to_str().context("the program's path is text")?;
    let arguments = role.arguments().join("', '");
    let text = format!(
        "name = 'paced'\nabout = 'one write each millisecond'\npublish = 'stdin'\n\
         [transports.sse]\npath = '/feed'\n[program]\n\
         command = ['{program}', '{arguments}', '{{host}}', '{{port}}']\n\
         ready = {{ line = '^listening' }}\n"
    );
    Subject::parse(&text).map_err(anyhow::Error::msg)
}

fn words(capacity: &Capacity) -> String {
    let search = &capacity.searches[0];
    let of = |load: f64| capacity.over.words(load);
    let limit =
        search.verdict.limit().map(|limit| format!("{}: {}", limit.place.name(), limit.detail));
    let limit = limit.unwrap_or_default();
    match (&search.verdict, search.verdict.holds()) {
        (Verdict::Within { holds, fails, .. }, _) => {
            format!("{}; {limit}", capacity.over.span(*holds, *fails))
        }
        (verdict, Some(holds)) => format!("{} {}; {limit}", verdict.name(), of(holds)),
        (verdict, None) => format!("{}; {limit}", verdict.name()),
    }
}

fn line(over: Over, tried: &Tried) -> String {
    let measured = &tried.trial.measured.latency;
    let p99 =
        measured.percentile_us(0.99).map_or("–".to_owned(), |us| format!("{:.1} ms", us / 1e3));
    let invalid = tried.trial.invalid.iter().map(|reason| format!("; {reason}"));
    let limit =
        tried.limit.as_ref().map(|limit| format!(" [{}: {}]", limit.place.name(), limit.detail));
    format!(
        "{:>18}: p99 {p99}, holds {:?}{}{}",
        over.words(tried.load),
        tried.holds,
        invalid.collect::<String>(),
        limit.unwrap_or_default()
    )
}
