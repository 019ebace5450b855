//! The server that a trial measures: a child of this run, or one that runs already.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::Context as _;
use pushbench_core::MonoInstant;
use pushbench_core::feed::FeedSpec;
use pushbench_core::headers::HeaderProfile;
use pushbench_core::sampling::Sampling;
use pushbench_core::schedule::Schedule;
use pushbench_metrics::control::{ServerOrder, ServerPlan};
use pushbench_metrics::observer::Window;
use pushbench_probe::clock;

use super::ear::Note;
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
    /// A server that runs already; its process id, where its cost can be read.
    Running(Box<Target>, Option<u32>),
}

impl Source {
    /// The path that a server is asked for which is none of ours.
    pub(super) fn foreign_path(&self) -> Option<String> {
        match self {
            Self::Own => None,
            Self::Running(target, _) => target.foreign_path.clone(),
        }
    }
}

/// The server of one trial.
#[derive(Debug)]
pub(crate) enum Subject<'a> {
    /// A child, with the feed it was given.
    Own(Worker<ServerOrder>, Box<FeedSpec>),
    /// A server that runs already.
    Running(&'a Target, Option<u32>),
}

impl<'a> Subject<'a> {
    /// Starts the child, which will say where it listens, or takes the server that runs.
    pub(super) fn start(
        source: &'a Source,
        feed: FeedSpec,
        headers: &HeaderProfile,
        (stamps, publish_delay): (Option<Sampling>, Duration),
        notes: Sender<Note>,
    ) -> anyhow::Result<Self> {
        match source {
            Source::Own => {
                let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let headers = headers.clone();
                let plan = ServerPlan { feed, listen, headers, stamps, publish_delay };
                let worker = Worker::spawn("worker-server", &plan, move |said| {
                    // The trial may be over: then nobody listens.
                    let _ = notes.send(Note::Server(said));
                })
                .context("cannot start the server")?;
                Ok(Self::Own(worker, Box::new(plan.feed)))
            }
            Source::Running(target, pid) => Ok(Self::Running(target, *pid)),
        }
    }

    /// The process whose cost is the server's; `None` where it is not known.
    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Self::Own(worker, _) => Some(worker.pid()),
            Self::Running(_, pid) => *pid,
        }
    }

    /// The feed's law, its seed and its zero, and when warm-up begins; a child's feed starts then.
    pub(super) fn begin(&mut self) -> anyhow::Result<FeedTiming> {
        let warmup = clock::now() + LEAD;
        match self {
            Self::Own(worker, feed) => {
                let origin = warmup + quiet_edge(&feed.schedule);
                worker.order(&ServerOrder::Start { origin })?;
                let (schedule, seed) = (feed.schedule.clone(), feed.seed);
                Ok(FeedTiming { schedule, seed, origin, warmup })
            }
            Self::Running(target, _) => Ok(FeedTiming {
                schedule: target.feed.schedule.clone(),
                seed: target.feed.seed,
                origin: target.origin,
                warmup,
            }),
        }
    }

    /// Whether a server that ran already is gone, or publishes another feed than at the start.
    pub(super) fn has_changed(&self) -> bool {
        match self {
            Self::Own(..) => false,
            Self::Running(target, _) => !target.is_the_same(),
        }
    }

    /// Tells a child what the window is, for its publisher's lag.
    pub(super) fn measure(&mut self, window: Window) -> anyhow::Result<()> {
        match self {
            Self::Own(worker, _) => worker.order(&ServerOrder::Measure { window }),
            Self::Running(..) => Ok(()),
        }
    }

    /// Tells a child to stop. Returns whether it will say what it measured.
    pub(super) fn stop(&mut self) -> bool {
        match self {
            Self::Own(worker, _) => worker.order(&ServerOrder::Stop).is_ok(),
            Self::Running(..) => false,
        }
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
    /// When warm-up begins.
    pub(super) warmup: MonoInstant,
}
