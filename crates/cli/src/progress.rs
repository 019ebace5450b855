//! Progress of a run for a person who watches: a bar on a terminal, elsewhere a line now and then, and a line for
//! each trial with `--verbose`.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pushbench_core::{Figure, text};
use pushbench_metrics::judge::figures::Figures;
use pushbench_metrics::record::floor::FloorTrial;
use pushbench_metrics::record::{TrialId, TrialRecord};
use pushbench_run::{AttemptRecord, Event, Plan};

use crate::args::OutputArgs;
use crate::exit::Failure;
use crate::live::View;
use crate::{phase, tell, tell_in_passing};

/// How often a line says how far a run is, where no terminal shows a bar. A run that is over sooner has none.
const A_LINE_EACH: Duration = Duration::from_secs(5);

/// Shows how far a run is.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// The view that is there in the bar's place, until the user leaves it.
    view: Option<View>,
    /// When the last line was, where lines are wanted.
    last_line: Option<Instant>,
    verbose: bool,
    /// Estimated time of the trials that are done, and when the current one began.
    done: Duration,
    trial_began: Instant,
    /// The estimate of each trial and floor, in order.
    estimates: Vec<Duration>,
    finished: usize,
    /// The trial that runs, and where it is.
    trial: String,
    text: String,
    labels: Vec<String>,
    rounds: u32,
}

impl Progress {
    /// For the trials of `plan`; says how long they will take.
    ///
    /// # Errors
    ///
    /// A terminal that cannot be taken for the view that is asked for.
    pub(crate) fn new(plan: &Plan, output: &OutputArgs) -> Result<Self, Failure> {
        let view = View::begin(&plan.scenario.name, output)?;
        let is_wanted = !output.no_progress && !output.quiet;
        let has_bar = std::io::stderr().is_terminal() && is_wanted;
        let total = plan.total_estimate();
        let is_shown = has_bar && view.is_none();
        let target =
            if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let has_lines = is_wanted && !has_bar && total >= A_LINE_EACH;
        if has_lines {
            let (name, trials) = (&plan.scenario.name, plan.trials.len());
            let plural = if trials == 1 { "" } else { "s" };
            tell_in_passing(format_args!("{name}: {trials} trial{plural}, about {}", human(total)));
        }
        let bar = ProgressBar::with_draw_target(Some(millis(total)), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {prefix} left  {msg}") {
            bar.set_style(style);
        }
        Ok(Self {
            bar,
            view,
            last_line: has_lines.then(Instant::now),
            verbose: output.verbose,
            done: Duration::ZERO,
            trial_began: Instant::now(),
            estimates: plan.estimates(),
            finished: 0,
            trial: String::new(),
            text: String::new(),
            labels: plan.points.iter().map(|point| point.label.clone()).collect(),
            rounds: plan.scenario.runs,
        })
    }

    /// Whether a person watches the trials.
    pub(crate) const fn is_watched(&self) -> bool {
        self.view.is_some()
    }

    /// Shows what has happened.
    pub(crate) fn show(&mut self, event: &Event) {
        if self.view.take_if(|view| view.is_left()).is_some() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        if let Some(view) = &self.view {
            view.show(event);
        }
        match event {
            Event::Starting { trial, player } => self.starting(*trial, player),
            Event::Phase(phase) => self.at(phase::name(*phase)),
            Event::Progress(progress) => {
                let latency = progress.latency_p50_us;
                let latency =
                    latency.map_or(String::new(), |us| format!(", p50 {:.1} ms", us / 1e3));
                let messages = progress.messages;
                self.bar.set_message(format!("{}  {messages} messages{latency}", self.text));
            }
            Event::Cpu(_) => {}
            Event::Waiting => self.tick(),
            Event::Done { record, stands, .. } => self.attempt_done(record, *stands),
        }
    }

    fn starting(&mut self, id: TrialId, player: &str) {
        self.trial_began = Instant::now();
        let label = self.labels.get(id.point as usize - 1).map_or("", String::as_str);
        let trial = format!("round {}/{}  {player} {label}", id.round, self.rounds);
        self.trial = text::line(trial.trim_end()).into_owned();
        if let Some(view) = &self.view {
            view.trial(&self.trial);
        }
        self.at("starting");
    }

    /// The trial that runs has come to a part of it.
    fn at(&mut self, part: &str) {
        self.text = format!("{}  {part}", self.trial);
        self.bar.set_message(self.text.clone());
        self.tick();
    }

    /// Time goes on.
    fn tick(&mut self) {
        let current = self.estimates.get(self.finished).copied().unwrap_or_default();
        let at = self.done + self.trial_began.elapsed().min(current);
        self.bar.set_position(millis(at));
        let total: Duration = self.estimates.iter().sum();
        let left = human(total.saturating_sub(at));
        if let Some(view) = &mut self.view {
            view.left(at.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE), &left);
        }
        if self.last_line.is_some_and(|last| last.elapsed() >= A_LINE_EACH) {
            self.last_line = Some(Instant::now());
            let percent = at.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE) * 100.0;
            tell_in_passing(format_args!("{percent:3.0} %, about {left} left  {}", self.text));
        }
        self.bar.set_prefix(left);
    }

    fn attempt_done(&mut self, record: &AttemptRecord, stands: bool) {
        if self.verbose {
            self.bar.suspend(|| match record {
                AttemptRecord::Trial(trial) => tell(line(trial)),
                AttemptRecord::Floor(floor) => tell(floor_line(floor)),
            });
        }
        if stands {
            self.done += self.estimates.get(self.finished).copied().unwrap_or_default();
            self.finished += 1;
        }
        self.trial_began = Instant::now();
    }

    /// Takes the bar away, or the view.
    pub(crate) fn end(self) {
        drop(self.view);
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
        let words = reason.to_string();
        text.push_str(&format!("\n     invalid: {}; {}", text::line(&words), reason.remedy()));
    }
    for warning in &trial.warnings {
        let words = warning.to_string();
        text.push_str(&format!("\n     warning: {}; {}", text::line(&words), warning.remedy()));
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
