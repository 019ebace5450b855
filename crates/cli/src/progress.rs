//! What a person sees while a run goes on: a bar on a terminal, lines with `--verbose`.

use std::cell::{Cell, RefCell};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pushbench_core::{Figure, text};
use pushbench_metrics::judge::figures::Figures;
use pushbench_metrics::record::control;
use pushbench_metrics::record::floor::FloorTrial;
use pushbench_metrics::record::{TrialId, TrialRecord};

use crate::args::OutputArgs;
use crate::plan::Plan;
use crate::tell;

/// The part of a trial that runs now.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    /// Processes are being started.
    Start,
    /// Clients connect.
    Connect,
    /// The feed runs, nothing is measured yet.
    Warmup,
    /// The measured part.
    Window,
    /// Waiting for what was due in the window, and closing.
    Drain,
}

impl Stage {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "starting",
            Self::Connect => "connecting",
            Self::Warmup => "warm-up",
            Self::Window => "measuring",
            Self::Drain => "draining",
        }
    }
}

/// Shows how far a run is.
pub(crate) struct Progress {
    bar: ProgressBar,
    verbose: bool,
    /// Estimated time of the trials that are done, and when the current one began.
    done: Cell<Duration>,
    trial_began: Cell<Instant>,
    /// The estimate of each trial and floor, in order.
    estimates: Vec<Duration>,
    finished: Cell<usize>,
    text: RefCell<String>,
    labels: Vec<String>,
    rounds: u32,
}

impl Progress {
    /// For the trials of `plan`; silent where standard error is no terminal.
    pub(crate) fn new(plan: &Plan, output: &OutputArgs) -> Self {
        let shown = std::io::stderr().is_terminal() && !output.no_progress && !output.quiet;
        let total = millis(plan.total_estimate());
        let target =
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {prefix} left  {msg}") {
            bar.set_style(style);
        }
        Self {
            bar,
            verbose: output.verbose,
            done: Cell::default(),
            trial_began: Cell::new(Instant::now()),
            estimates: plan.estimates(),
            finished: Cell::default(),
            text: RefCell::default(),
            labels: plan.points.iter().map(|point| point.label.clone()).collect(),
            rounds: plan.scenario.runs,
        }
    }

    /// A trial that `player` plays has come to a stage.
    pub(crate) fn stage(&self, id: TrialId, player: &str, stage: Stage) {
        if matches!(stage, Stage::Start) {
            self.trial_began.set(Instant::now());
        }
        let label = self.labels.get(id.point as usize - 1).map_or("", String::as_str);
        let text =
            format!("round {}/{}  {player} {label}  {}", id.round, self.rounds, stage.name());
        let text = text::line(&text).into_owned();
        self.bar.set_message(text.clone());
        self.text.replace(text);
        self.tick();
    }

    /// A look at the running trial.
    pub(crate) fn look(&self, look: &control::Progress) {
        let latency =
            look.latency_p50_us.map_or(String::new(), |us| format!(", p50 {:.1} ms", us / 1e3));
        let text = self.text.borrow();
        self.bar.set_message(format!("{text}  {} messages{latency}", look.messages));
    }

    /// Time goes on.
    pub(crate) fn tick(&self) {
        let now = self.finished.get();
        let current = self.estimates.get(now).copied().unwrap_or_default();
        let spent = self.trial_began.get().elapsed().min(current);
        let at = self.done.get() + spent;
        self.bar.set_position(millis(at));
        let total: Duration = self.estimates.iter().sum();
        self.bar.set_prefix(human(total.saturating_sub(at)));
    }

    /// A trial has ended.
    pub(crate) fn trial_done(&self, trial: &TrialRecord) {
        self.attempt_done(|| line(trial), trial.is_valid() || trial.attempt > 1);
    }

    /// A trial of bare loops has ended, the `last` of this floor.
    pub(crate) fn floor_done(&self, floor: &FloorTrial, last: bool) {
        self.attempt_done(|| floor_line(floor), last);
    }

    fn attempt_done(&self, line: impl FnOnce() -> String, last: bool) {
        if self.verbose {
            let line = line();
            self.bar.suspend(|| tell(line));
        }
        if last {
            let now = self.finished.get();
            let estimate = self.estimates.get(now).copied().unwrap_or_default();
            self.done.set(self.done.get() + estimate);
            self.finished.set(now + 1);
        }
        self.trial_began.set(Instant::now());
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn floor_line(floor: &FloorTrial) -> String {
    let cost = floor.cost();
    let shown = |us: Option<f64>| us.map_or("–".to_owned(), |us| format!("{us:.1} µs"));
    let mut text = format!(
        "     point {} round {} {:<22} {} messages, writes {}/msg, reads {}/msg",
        floor.point,
        floor.round,
        "floor",
        floor.messages,
        shown(cost.map(|cost| cost.server_us)),
        shown(cost.map(|cost| cost.load_us)),
    );
    for reason in &floor.invalid {
        text.push_str(&format!("\n     invalid: {}", text::line(reason)));
    }
    text
}

fn line(trial: &TrialRecord) -> String {
    let audit = &trial.measured.audit;
    let figures = Figures::of_trial(trial);
    let shown = |figure| match (figures.get(figure), figures.at_least(figure)) {
        (Some(us), _) => format!("{us:.1} µs"),
        (None, Some(us)) => format!("> {us:.1} µs"),
        (None, None) => "–".to_owned(),
    };
    let mut text = format!(
        "{:>4} point {} round {} {:<22} {}/{} delivered, p50 {}, p99 {}, server {}/msg, load {}/msg",
        trial.order,
        trial.id.point,
        trial.id.round,
        trial.id.contender,
        audit.delivered,
        audit.expected,
        shown(Figure::LatencyP50),
        shown(Figure::LatencyP99),
        shown(Figure::ServerCpu),
        shown(Figure::LoadCpu),
    );
    for reason in &trial.invalid {
        let told = reason.to_string();
        text.push_str(&format!("\n     invalid: {}; {}", text::line(&told), reason.remedy()));
    }
    for warning in &trial.warnings {
        let told = warning.to_string();
        text.push_str(&format!("\n     warning: {}; {}", text::line(&told), warning.remedy()));
    }
    text
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A duration as people say it: `45 s`, `3 min 20 s`, `1 h 5 min`.
pub(crate) fn human(duration: Duration) -> String {
    let seconds = (duration.as_millis() + 500) / 1000;
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
