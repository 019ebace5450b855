//! The server that a trial measures: a child of this run, or one that runs already.

use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::Context as _;
use pushbench_core::MonoInstant;
use pushbench_core::feed::FeedSpec;
use pushbench_core::schedule::{Checkpoint, Schedule};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::{ServerOrder, ServerPlan};
use pushbench_os::time::clock;

use super::crew::core;
use super::ear::Note;
use super::sampler::Servers;
use super::trial::Trouble;
use crate::child::Worker;
use crate::target::Target;

/// From the order to start until the feed's zero: time for the order to arrive.
const LEAD: Duration = Duration::from_millis(30);

/// The most that a feed is shifted against the window.
const LONGEST_SHIFT: Duration = Duration::from_millis(50);

/// Where a run's servers come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A fresh child for each trial.
    Own,
    /// A server that runs already; its process ids, where its cost can be read.
    Running(Box<Target>, Vec<u32>),
}

/// The server of one trial.
#[derive(Debug)]
pub(crate) enum Subject<'a> {
    /// Children, all with the same feed.
    Own(Vec<Worker<ServerOrder>>, Box<FeedSpec>),
    /// A server that runs already.
    Running(&'a Target, &'a [u32]),
}

impl<'a> Subject<'a> {
    /// Starts `count` children with the same plan, on `cores` in turn, each of which will say where
    /// it listens; or takes the server that runs.
    pub(super) fn start(
        source: &'a Source,
        plan: ServerPlan,
        count: u32,
        cores: &[u32],
        notes: &Sender<Note>,
    ) -> anyhow::Result<Self> {
        if let Source::Running(target, pids) = source {
            return Ok(Self::Running(target, pids));
        }
        let workers = (0..count as usize).map(|index| {
            let notes = notes.clone();
            Worker::spawn("worker-server", core(cores, index), &plan, move |said| {
                // The trial may be over: then nobody listens.
                let _ = notes.send(Note::Server(index, said));
            })
        });
        let workers: anyhow::Result<Vec<_>> = workers.collect();
        Ok(Self::Own(workers.context("cannot start the server")?, Box::new(plan.feed)))
    }

    /// The processes whose cost is the server's, with those that descend from them where it is
    /// none of ours; nobody where it is not known.
    pub(super) fn processes(&self) -> Servers {
        match self {
            Self::Own(workers, _) => Servers::each(workers.iter().map(Worker::pid)),
            Self::Running(_, pids) => Servers::tree(pids),
        }
    }

    /// Whether the processes whose cost is the server's are known.
    pub(super) fn knows_processes(&self) -> bool {
        match self {
            Self::Own(..) => true,
            Self::Running(_, pids) => !pids.is_empty(),
        }
    }

    /// How many server processes are this run's.
    pub(super) fn own_processes(&self) -> usize {
        match self {
            Self::Own(workers, _) => workers.len(),
            Self::Running(..) => 0,
        }
    }

    /// Gives all children the same order; a server that runs already takes none.
    fn order(&mut self, order: &ServerOrder) -> anyhow::Result<()> {
        match self {
            Self::Own(workers, _) => workers.iter_mut().try_for_each(|worker| worker.order(order)),
            Self::Running(..) => Ok(()),
        }
    }

    /// The feed's law, its seed and its zero, and when warm-up begins; a child's feed starts then.
    pub(super) fn begin(&mut self) -> anyhow::Result<FeedTiming> {
        let warmup = clock::now() + LEAD;
        let timing = match self {
            Self::Own(_, feed) => FeedTiming {
                schedule: feed.schedule.clone(),
                seed: feed.seed,
                origin: warmup + quiet_edge(&feed.schedule),
                checkpoint: Checkpoint::START,
                warmup,
            },
            Self::Running(target, _) => FeedTiming {
                schedule: target.feed.schedule.clone(),
                seed: target.feed.seed,
                origin: target.origin,
                checkpoint: target.checkpoint_before(warmup)?,
                warmup,
            },
        };
        self.order(&ServerOrder::Start { origin: timing.origin })?;
        Ok(timing)
    }

    /// Whether a server that ran already is gone, or publishes another feed than at the start.
    pub(super) fn has_changed(&self) -> Result<bool, Trouble> {
        match self {
            Self::Own(..) => Ok(false),
            Self::Running(target, _) => match target.is_the_same() {
                Some(same) => Ok(!same),
                None => Err(Trouble::Interrupted),
            },
        }
    }

    /// Tells the children what the window is, for their publishers' lag.
    pub(super) fn measure(&mut self, window: Window) -> anyhow::Result<()> {
        self.order(&ServerOrder::Measure { window })
    }

    /// Tells the children to stop. Returns whether they will say what they measured.
    pub(super) fn stop(&mut self) -> bool {
        self.own_processes() > 0 && self.order(&ServerOrder::Stop).is_ok()
    }
}

/// How far a constant feed is shifted against the window's edges, so that they fall between two
/// messages: what is read of thousands of connections there then has no message under way.
fn quiet_edge(schedule: &Schedule) -> Duration {
    match schedule {
        Schedule::Constant { rate } => Duration::from_secs_f64(0.5 / rate.hz()).min(LONGEST_SHIFT),
        _ => Duration::ZERO,
    }
}

/// When a feed's messages are due.
#[derive(Debug, Clone)]
pub(super) struct FeedTiming {
    pub(super) schedule: Schedule,
    pub(super) seed: u64,
    pub(super) origin: MonoInstant,
    /// The place in the schedule to walk on from.
    pub(super) checkpoint: Checkpoint,
    /// When warm-up begins.
    pub(super) warmup: MonoInstant,
}
