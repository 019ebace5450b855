//! Events of a run, for a progress line, a live view, and the bookkeeping of its record.

use std::ops::ControlFlow;

use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::record::control::Progress;
use pushbench_metrics::record::floor::FloorTrial;
use pushbench_metrics::record::{TrialId, TrialRecord};

use crate::error::RunError;

/// Something that happens in a run.
#[derive(Debug)]
pub enum Event {
    /// The processes of a trial are being started.
    Starting {
        /// Which trial; of a floor, the one of its point and round.
        trial: TrialId,
        /// The name of who plays it.
        player: &'static str,
    },
    /// A trial has come to a phase.
    Phase(Phase),
    /// About once a second while clients are connected: all load processes so far, with the
    /// latencies of the slowest of them.
    Progress(Progress),
    /// About once a second where a person watches: what the trial's two sides use.
    Cpu(Cpu),
    /// Nothing but time that goes on; at least each 100 ms.
    Waiting,
    /// A trial, or a floor, has ended.
    Done {
        /// Its record.
        record: AttemptRecord,
        /// Whether it stands, and is not repeated.
        stands: bool,
        /// Whether it was the run's last.
        last: bool,
    },
}

/// CPU time of a trial's two sides in the last second or so, as a share of it: 1 is a core that is busy
/// throughout. `None` where it is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cpu {
    /// Of the server, all its processes together.
    pub server: Option<f64>,
    /// Of the load processes, or of the browser whose tabs the clients are.
    pub load: Option<f64>,
}

/// The record of an attempt at a trial.
#[derive(Debug)]
pub enum AttemptRecord {
    /// Of server and load generator, or of clients alone.
    Trial(Box<TrialRecord>),
    /// Of bare loops.
    Floor(FloorTrial),
}

/// Whoever hears of a run's events, each as it happens, and says whether the run goes on.
pub type Listener<'a> = dyn FnMut(Event) -> ControlFlow<()> + 'a;

/// Tells `listener` of an event.
///
/// # Errors
///
/// [`RunError::Stopped`], where it wants the run to end.
pub(crate) fn tell(listener: &mut Listener<'_>, event: Event) -> Result<(), RunError> {
    match listener(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(RunError::Stopped),
    }
}
