//! Progress of a search: a line on a terminal for the trial that runs, and one for each load whose answer
//! is known.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pushbench_metrics::record::capacity::{Limit, Over};
use pushbench_run::Event;
use pushbench_run::capacity::Tried;

use crate::args::OutputArgs;
use crate::progress::phase_name;
use crate::tell;

/// Shows how far a search is.
pub(super) struct Progress {
    bar: ProgressBar,
    over: Over,
    /// Whether answers are told.
    tells: bool,
    /// Whether each trial is.
    verbose: bool,
    /// The trial that runs.
    trial: String,
    trials: u32,
}

impl Progress {
    pub(super) fn new(over: Over, output: &OutputArgs) -> Self {
        let tells = !output.no_progress && !output.quiet;
        let shown = tells && std::io::stderr().is_terminal();
        let target =
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed}  {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, over, tells, verbose: output.verbose, trial: String::new(), trials: 0 }
    }

    /// Shows what happens in a trial.
    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::Starting { player, .. } => {
                self.trials += 1;
                self.trial = format!("trial {}  {player}", self.trials);
                self.bar.set_message(self.trial.clone());
            }
            Event::Phase(phase) => {
                self.bar.set_message(format!("{}  {}", self.trial, phase_name(*phase)));
            }
            Event::Progress(_) | Event::Waiting | Event::Done { .. } => {}
        }
    }

    /// Tells what a trial came to, where that is an answer or each is to be told.
    pub(super) fn tried(&self, tried: &Tried) {
        let Tried { trial, load, holds, limit, is_last } = tried;
        let answer = match holds {
            Some(true) => "holds".to_owned(),
            Some(false) => {
                format!("fails: {}", limit.as_ref().map_or("", |limit| limit.place.words()))
            }
            None => undecided(trial.is_valid(), limit.as_ref()),
        };
        if !self.tells || (holds.is_none() && !self.verbose) {
            return;
        }
        let end = if *is_last { "; its search is over" } else { "" };
        let (contender, load) = (trial.id.contender, self.over.words(*load));
        self.bar.suspend(|| tell(format_args!("{contender:<12} {load}: {answer}{end}")));
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// A trial after which it is not known yet whether its load holds.
fn undecided(is_valid: bool, limit: Option<&Limit>) -> String {
    match limit {
        Some(Limit { place, detail }) if is_valid => {
            format!("not sure, a trial missed: {}: {detail}", place.words())
        }
        Some(Limit { place, detail }) => {
            format!("not sure, a trial was invalid: {}: {detail}", place.words())
        }
        None => "not sure".to_owned(),
    }
}
