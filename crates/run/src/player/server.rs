//! The server of a trial: children of this run, or one that runs already.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::schedule::{Checkpoint, Schedule, Timetable};
use pushbench_core::feed::stamp::{LatencyFrom, StampOffset};
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::{Place, ServerOrder, ServerPlan, Subject, TrialTiming};
use pushbench_os::time::clock;

use super::inbox::Message;
use super::link::LinkNetwork;
use super::own::OwnServers;
use super::process::ProcessError;
use super::subject::{SubjectDemand, SubjectSide};
use super::target::Target;
use super::{Commands, Server};
use crate::error::{RunError, TrialError};
use crate::event::{self, Event, Listener};
use crate::offset;

/// From the order to start until the feed's zero: time for the order to arrive.
const LEAD: Duration = Duration::from_millis(30);

/// The most that a feed is shifted against the window.
const LONGEST_SHIFT: Duration = Duration::from_millis(50);

/// How often whoever hears the run's events is asked whether it goes on.
const ASK_EACH: Duration = Duration::from_millis(50);

/// The server of one trial.
#[derive(Debug)]
pub(crate) enum ServerSide<'a> {
    /// Children, all with the same feed.
    Children(Box<OwnServers>),
    /// A server that runs already.
    Running(&'a Target, &'a [u32]),
    /// A server that is somebody else's, started for the trial.
    Subject(Box<SubjectSide>),
}

impl<'a> ServerSide<'a> {
    /// Starts a child with `plan` at each of `places`, each of which will say where it listens; or
    /// takes the server that runs, or starts somebody else's where the trial's is that.
    pub(crate) fn start(
        server: &'a Server,
        commands: &Commands,
        (plan, demand): (ServerPlan, Option<SubjectDemand>),
        places: &[Place],
        network: Option<&LinkNetwork>,
        messages: &Sender<Message>,
    ) -> Result<Self, TrialError> {
        let player = match (server, demand) {
            (Server::Running(target, pids), _) => return Ok(Self::Running(target, pids)),
            (Server::Children(_), Some(demand)) => {
                let side = SubjectSide::start(commands, demand, plan, messages)?;
                return Ok(Self::Subject(Box::new(side)));
            }
            (Server::Children(player), None) => player.clone(),
        };
        let plan = ServerPlan { player, ..plan };
        let own = OwnServers::start(&commands.server, &plan, places, network, messages);
        Ok(Self::Children(Box::new(own.map_err(RunError::Server)?)))
    }

    /// The processes whose cost is the server's; nobody where they are not known.
    pub(crate) fn pids(&self) -> Vec<u32> {
        match self {
            Self::Children(own) => own.pids(),
            Self::Running(_, pids) => pids.to_vec(),
            Self::Subject(side) => vec![side.pid()],
        }
    }

    /// Whether it is this run's own, whose processes start no others.
    pub(crate) const fn is_own(&self) -> bool {
        matches!(self, Self::Children(..))
    }

    /// How many processes that publish are this run's.
    pub(crate) fn own_processes(&self) -> usize {
        match self {
            Self::Children(own) => own.len(),
            Self::Running(..) => 0,
            Self::Subject(_) => 1,
        }
    }

    /// How it is asked.
    pub(crate) fn subject(&self) -> Subject {
        match self {
            Self::Children(..) => Subject::default(),
            Self::Running(target, _) => target.subject.clone(),
            Self::Subject(side) => side.asked.clone(),
        }
    }

    /// Whether its instants are on this machine's clock.
    pub(crate) fn has_same_clock(&self) -> bool {
        match self {
            Self::Children(..) | Self::Subject(_) => true,
            Self::Running(target, _) => target.has_same_clock(),
        }
    }

    /// Gives all children the same order; a server that runs already takes none.
    fn order(&mut self, order: &ServerOrder) -> Result<(), ProcessError> {
        match self {
            Self::Children(own) => own.order(order),
            Self::Running(..) => Ok(()),
            Self::Subject(side) => side.order(order),
        }
    }

    /// Its processes, where they are this run's own.
    pub(crate) fn own_mut(&mut self) -> Option<&mut OwnServers> {
        match self {
            Self::Children(own) => Some(own),
            Self::Running(..) | Self::Subject(_) => None,
        }
    }

    /// The server that is somebody else's, where the run started it.
    pub(crate) fn foreign(&self) -> Option<&SubjectSide> {
        match self {
            Self::Subject(side) => Some(side),
            Self::Children(..) | Self::Running(..) => None,
        }
    }

    /// The instants of a trial whose warm-up begins now, and whose phases take so long; a child's
    /// feed starts then. The children are told of the window, for their publishers' lag.
    pub(crate) fn begin(
        &mut self,
        warmup_for: Duration,
        window_for: Duration,
        drain_for: Duration,
    ) -> Result<TrialTiming, RunError> {
        let warmup = clock::now() + LEAD;
        let begun = |feed: &FeedSpec| {
            let origin = warmup + quiet_edge(&feed.schedule);
            (feed.schedule.clone(), feed.seed, origin, Checkpoint::START)
        };
        let (schedule, seed, origin, checkpoint) = match self {
            Self::Children(own) => begun(&own.feed),
            Self::Subject(side) => begun(&side.feed),
            Self::Running(target, _) => match &target.feed {
                Some(feed) => {
                    let (known, checkpoint) = (&feed.description, feed.checkpoint_before(warmup)?);
                    (known.schedule.clone(), known.seed, feed.origin, checkpoint)
                }
                // Messages come when they come.
                None => (Schedule::Manual, 0, warmup, Checkpoint::START),
            },
        };
        self.order(&ServerOrder::Start { origin })?;
        let start = warmup + warmup_for;
        let end = start + window_for;
        let due = Timetable::starting_at(schedule.clone(), seed, origin, checkpoint, start)
            .and_then(|mut table| table.between(start, end));
        let (first, last) = due.map_err(RunError::Due)?;
        let window = Window { start, end, first, last };
        self.order(&ServerOrder::Measure { window })?;
        Ok(TrialTiming {
            schedule,
            seed,
            origin,
            checkpoint,
            warmup,
            window,
            drain_deadline: end + drain_for,
            stamps: self.stamp_offset(),
            halt: None,
        })
    }

    /// How senders' stamps are put on the monotonic clock, where there are any and the two are of one
    /// machine.
    fn stamp_offset(&self) -> Option<StampOffset> {
        let clock = self.subject().rules?.stamp?.clock;
        self.has_same_clock().then(|| offset::now(clock))
    }

    /// The instants that latencies are counted from.
    pub(crate) fn latency_from(&self) -> LatencyFrom {
        let subject = self.subject();
        match subject.rules.filter(|_| !subject.has_schedule) {
            None => LatencyFrom::Schedule,
            Some(rules) if rules.stamp.is_some() => LatencyFrom::Stamp,
            Some(_) => LatencyFrom::Nothing,
        }
    }

    /// Whether a server that ran already is gone, or publishes another feed than at the start.
    pub(crate) fn has_changed(&self, listener: &mut Listener<'_>) -> Result<bool, RunError> {
        let Self::Running(target, _) = self else { return Ok(false) };
        if target.subject.is_foreign() {
            return Ok(false);
        }
        let (target, (sender, answer)) = (Target::clone(target), channel());
        // A server that stands still answers late or never; whoever wants an end leaves it to that.
        thread::spawn(move || sender.send(!target.is_the_same()));
        loop {
            match answer.recv_timeout(ASK_EACH) {
                Ok(changed) => return Ok(changed),
                Err(RecvTimeoutError::Timeout) => event::tell(listener, Event::Waiting)?,
                Err(RecvTimeoutError::Disconnected) => return Err(RunError::Stopped),
            }
        }
    }

    /// Whether a server that ran already takes no connection any more.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::Running(target, _) if target.is_gone())
    }

    /// Tells the children to stop. Returns whether they will say what they measured.
    pub(crate) fn stop(&mut self) -> bool {
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
