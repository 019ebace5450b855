//! The parts of a run: its plan, who plays it, and which attempt at which trial is made.

use pushbench_metrics::record::TrialId;

use crate::plan::Plan;
use crate::player::{Commands, Players};

/// A run that can be started.
#[derive(Debug, Clone)]
pub struct Run {
    /// The trials and their order.
    pub plan: Plan,
    /// Who plays them.
    pub players: Players,
    /// How child processes are started.
    pub commands: Commands,
}

/// One attempt at a trial.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// The trial; of a floor, the one of its point and round.
    pub id: TrialId,
    /// The trial's place in the run, from 1; 0 of a floor.
    pub order: u32,
    /// 1, or 2 for a repeat.
    pub number: u32,
}
