//! Progress of a search: a line on a terminal for the trial that runs, and one for each load whose answer
//! is known.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pushbench_core::Contender;
use pushbench_metrics::record::capacity::{Limit, Over};
use pushbench_run::Event;
use pushbench_run::capacity::{CapacityRun, Tried};

use crate::args::OutputArgs;
use crate::exit::Failure;
use crate::live::View;
use crate::{phase, tell_in_passing};

/// Shows how far a search is.
pub(super) struct Progress {
    bar: ProgressBar,
    /// The view that is there in the line's place, until the user leaves it.
    view: Option<View>,
    /// Whether the line is there otherwise.
    is_shown: bool,
    over: Over,
    /// Whether answers are told.
    tells: bool,
    /// Whether each trial is.
    verbose: bool,
    /// The trial that runs.
    trial: String,
    trials: u32,
    /// The answers that were told, so that each is told once.
    told: HashMap<(Contender, u64), bool>,
}

impl Progress {
    /// For a search that is about to begin.
    ///
    /// # Errors
    ///
    /// A terminal that cannot be taken for the view that is asked for.
    pub(super) fn new(search: &CapacityRun, output: &OutputArgs) -> Result<Self, Failure> {
        let view = View::begin(&search.plan().scenario.name, output)?;
        let over = search.capacity().over;
        let tells = !output.no_progress && !output.quiet;
        let is_shown = tells && std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, target(is_shown && view.is_none()));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed}  {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        let (verbose, trial, told) = (output.verbose, String::new(), HashMap::new());
        Ok(Self { bar, view, is_shown, over, tells, verbose, trial, trials: 0, told })
    }

    /// Shows what happens in a trial.
    pub(super) fn show(&mut self, event: &Event) {
        if self.view.take_if(|view| view.is_left()).is_some() {
            self.bar.set_draw_target(target(self.is_shown));
        }
        if let Some(view) = &self.view {
            view.show(event);
        }
        match event {
            Event::Starting { player, .. } => {
                self.trials += 1;
                self.trial = format!("trial {}  {player}", self.trials);
                self.bar.set_message(self.trial.clone());
                if let Some(view) = &self.view {
                    view.trial(&self.trial);
                }
            }
            Event::Phase(phase) => {
                self.bar.set_message(format!("{}  {}", self.trial, phase::name(*phase)));
            }
            Event::Progress(_) | Event::Cpu(_) | Event::Waiting | Event::Done { .. } => {}
        }
    }

    /// Tells what a trial came to, where that is a new answer or each is to be told.
    pub(super) fn tried(&mut self, tried: &Tried) {
        let Tried { trial, load, holds, limit, is_last } = tried;
        let contender = trial.id.contender;
        let is_new = holds.is_some_and(|holds| {
            self.told.insert((contender, load.to_bits()), holds) != Some(holds)
        });
        if !self.tells || !(is_new || *is_last || self.verbose) {
            return;
        }
        let answer = match holds {
            Some(true) => "holds".to_owned(),
            Some(false) => {
                format!("fails: {}", limit.as_ref().map_or("", |limit| limit.place.words()))
            }
            None => undecided(trial.is_valid(), limit.as_ref()),
        };
        let end = if *is_last { "; its search is over" } else { "" };
        let load = self.over.words(*load);
        self.bar.suspend(|| tell_in_passing(format_args!("{contender:<12} {load}: {answer}{end}")));
    }

    /// Takes the line away, or the view.
    pub(super) fn end(self) {
        drop(self.view);
        self.bar.finish_and_clear();
    }
}

fn target(is_shown: bool) -> ProgressDrawTarget {
    if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
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
        None => "met, and is tried again".to_owned(),
    }
}
