//! News of a trial's child processes, with a deadline for everything.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::attempts::Attempts;
use pushbench_metrics::observe::ledger::Phase;
use pushbench_metrics::record::control::{
    LoadMeasured, LoadNews, Progress, ServerMeasured, ServerNews,
};
use pushbench_metrics::record::warning::Invalid;
use pushbench_os::process::thread_time::ThreadTime;
use pushbench_os::time::clock;

use super::cpu::CpuWatch;
use super::process::Output;
use crate::error::{RunError, TrialError};
use crate::event::{self, Event, Listener};

/// How long a child may take to say that it is there.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How often whoever hears the run's events is asked whether it goes on.
const ASK_EACH: Duration = Duration::from_millis(100);

/// Output of a child of a trial, and which of its kind it is.
#[derive(Debug)]
pub(crate) enum Message {
    /// A server process.
    Server(usize, Output<ServerNews>),
    /// A load process.
    Load(usize, Output<LoadNews>),
}

/// The end of connecting.
#[derive(Debug, Default)]
pub(crate) struct Connected {
    /// Clients that are connected.
    pub(crate) clients: u32,
    /// The first error of the others.
    pub(crate) error: Option<String>,
    /// The outcomes of all attempts.
    pub(crate) attempts: Attempts,
}

impl Connected {
    /// Both together.
    fn with(mut self, other: Self) -> Self {
        self.attempts.merge(&other.attempts);
        Self { clients: self.clients + other.clients, error: self.error.or(other.error), ..self }
    }
}

/// The kind of process that is waited for.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Server,
    Load,
}

/// The number of a process among `count` of its kind, to stand before its words; nothing
/// where there is only one.
pub(crate) fn name(index: usize, count: usize) -> String {
    if count == 1 { String::new() } else { format!("process {} of {count}: ", index + 1) }
}

/// The receiving end of the children's news. It tells of the run's events, too, since whoever hears
/// them is asked all the while whether the run goes on.
pub(crate) struct Inbox<'a> {
    messages: Receiver<Message>,
    listener: &'a mut Listener<'a>,
    /// How many server processes there are.
    servers: usize,
    /// The name of the server, where it is somebody else's and these publish to it.
    subject: Option<String>,
    /// How many load processes there are.
    loads: usize,
    /// Measurements of the load processes that have finished; whoever is slow to read hears of it
    /// while still waiting for the window's end.
    finished: BTreeMap<usize, LoadMeasured>,
    /// Load processes that ended before, and how.
    ended_early: BTreeMap<usize, Invalid>,
    /// Whether the load processes have reported, so that they may go.
    reported: bool,
    /// The newest progress of each load process.
    progress: BTreeMap<usize, Progress>,
    /// The clocks of the trial's processes, where a person watches them.
    cpu: Option<CpuWatch>,
}

impl<'a> Inbox<'a> {
    /// Reads the news of `servers` server processes, and of as many load processes as
    /// [`expect_loads`](Self::expect_loads) says.
    pub(crate) fn new(
        messages: Receiver<Message>,
        listener: &'a mut Listener<'a>,
        servers: usize,
    ) -> Self {
        Self {
            messages,
            listener,
            servers,
            subject: None,
            loads: 0,
            finished: BTreeMap::new(),
            ended_early: BTreeMap::new(),
            reported: false,
            progress: BTreeMap::new(),
            cpu: None,
        }
    }

    /// The same where the server is somebody else's.
    pub(crate) fn of_subject(self, subject: Option<String>) -> Self {
        Self { subject, ..self }
    }

    /// The end of a server, or of who publishes to it.
    fn server_died(&self, error: String) -> Invalid {
        match &self.subject {
            Some(program) => Invalid::ProgramFailed { program: program.clone(), error },
            None => Invalid::ServerDied { error },
        }
    }

    /// Says how many load processes there are.
    pub(crate) fn expect_loads(&mut self, loads: usize) -> &mut Self {
        self.loads = loads;
        self
    }

    /// Tells that the trial has come to a phase.
    pub(crate) fn enter(&mut self, phase: Phase) -> Result<(), RunError> {
        event::tell(self.listener, Event::Phase(phase))
    }

    /// Whoever hears of the run's events.
    pub(crate) fn listener(&mut self) -> &mut Listener<'a> {
        self.listener
    }

    /// Tells about once a second from now on what CPU the trial's two sides use.
    pub(crate) fn watch_cpu(&mut self, watch: CpuWatch) {
        self.cpu = Some(watch);
    }

    /// Others have come in the servers' places, with these ids.
    pub(crate) fn server_comes(&mut self, pids: &[u32]) {
        if let Some(cpu) = &mut self.cpu {
            cpu.server_comes(pids);
        }
    }

    /// The addresses that the server children listen on.
    pub(crate) fn server_addresses(&mut self) -> Result<Vec<SocketAddr>, TrialError> {
        self.gather(Kind::Server, START_LIMIT, "does not start", |message| match message {
            Message::Server(index, Output::News(ServerNews::Listening { address })) => {
                Ok((index, address))
            }
            message => Err(message),
        })
    }

    /// Waits until the load children have read their plans.
    pub(crate) fn loads_ready(&mut self) -> Result<(), TrialError> {
        let ready =
            self.gather(Kind::Load, START_LIMIT, "does not start", |message| match message {
                Message::Load(index, Output::News(LoadNews::Ready)) => Ok((index, ())),
                message => Err(message),
            });
        ready.map(drop)
    }

    /// Waits for the end of connecting, in all load processes.
    pub(crate) fn connected(&mut self, limit: Duration) -> Result<Connected, TrialError> {
        let problem = "does not finish connecting";
        let each = self.gather(Kind::Load, limit, problem, |message| match message {
            Message::Load(
                index,
                Output::News(LoadNews::Connected { clients, error, attempts }),
            ) => Ok((index, Connected { clients, error, attempts })),
            message => Err(message),
        })?;
        Ok(each.into_iter().fold(Connected::default(), Connected::with))
    }

    /// Listens until `instant`, and hits it closely. Returns for how long this process stood still
    /// over it: what it is late by, less what work and waiting for a core explain.
    pub(crate) fn wait_until(&mut self, instant: MonoInstant) -> Result<Duration, TrialError> {
        let margin = Duration::from_millis(2);
        let left = instant.saturating_since(clock::now()).saturating_sub(margin);
        let deadline = Instant::now() + left;
        let mut own = ThreadTime::here();
        while let Some(message) = self.next(deadline)? {
            self.receive_in_mid_run(message)?;
            own.lap();
        }
        clock::sleep_until(instant);
        let late = clock::now().saturating_since(instant);
        Ok(own.lap().unexplained(late))
    }

    /// Measurements of the load children; those that ended early left nothing. At least one did not.
    pub(crate) fn finished(&mut self, limit: Duration) -> Result<Vec<LoadMeasured>, TrialError> {
        let deadline = Instant::now() + limit;
        while let Some(missing) = self.missing() {
            match self.next(deadline)? {
                Some(message) => self.receive_in_mid_run(message)?,
                None => self.ends_early(missing, "it does not finish in time"),
            }
        }
        self.reported = true;
        let finished = std::mem::take(&mut self.finished);
        match self.ended_early.values().next() {
            Some(reason) if finished.is_empty() => Err(TrialError::Invalid(reason.clone())),
            _ => Ok(finished.into_values().collect()),
        }
    }

    /// The first load process that has neither finished nor ended early.
    fn missing(&self) -> Option<usize> {
        (0..self.loads).find(|index| {
            !self.finished.contains_key(index) && !self.ended_early.contains_key(index)
        })
    }

    /// The load processes that ended in mid-run.
    pub(crate) fn ended_early(&self) -> Vec<Invalid> {
        self.ended_early.values().cloned().collect()
    }

    /// Measurements of the server children; the load children may have ended before them.
    pub(crate) fn stopped(&mut self, limit: Duration) -> Result<Vec<ServerMeasured>, TrialError> {
        self.gather(Kind::Server, limit, "does not stop", |message| match message {
            Message::Server(index, Output::News(ServerNews::Stopped(measured))) => {
                Ok((index, *measured))
            }
            message => Err(message),
        })
    }

    /// The finds of `pick` in the messages of each process of a kind; the first that does not say it
    /// before `limit` makes the trial invalid.
    fn gather<T>(
        &mut self,
        kind: Kind,
        limit: Duration,
        problem: &str,
        pick: impl Fn(Message) -> Result<(usize, T), Message>,
    ) -> Result<Vec<T>, TrialError> {
        let deadline = Instant::now() + limit;
        let count = match kind {
            Kind::Server => self.servers,
            Kind::Load => self.loads,
        };
        let mut found = BTreeMap::new();
        while let Some(missing) = (0..count).find(|index| !found.contains_key(index)) {
            let Some(message) = self.next(deadline)? else {
                let error = format!("{}it {problem} in time", name(missing, count));
                return Err(TrialError::Invalid(match kind {
                    Kind::Server => self.server_died(error),
                    Kind::Load => Invalid::LoadDied { error },
                }));
            };
            match (kind, pick(message)) {
                (_, Ok((index, news))) => drop(found.insert(index, news)),
                // One that has said what it was asked for may go.
                (Kind::Server, Err(Message::Server(index, Output::Ended(_))))
                    if found.contains_key(&index) => {}
                (_, Err(message)) => self.receive(message)?,
            }
        }
        Ok(found.into_values().collect())
    }

    /// The next message, or `None` at `deadline`; asks all the while whether the run goes on.
    fn next(&mut self, deadline: Instant) -> Result<Option<Message>, RunError> {
        loop {
            event::tell(self.listener, Event::Waiting)?;
            let left = deadline.saturating_duration_since(Instant::now());
            if let Some(cpu) = self.cpu.as_mut().and_then(|cpu| cpu.due(left)) {
                event::tell(self.listener, Event::Cpu(cpu))?;
            }
            match self.messages.recv_timeout(left.min(ASK_EACH)) {
                Ok(message) => return Ok(Some(message)),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    /// A message that is not the one waited for: harmless, or the end of the trial.
    fn receive(&mut self, message: Message) -> Result<(), TrialError> {
        Err(TrialError::Invalid(match message {
            Message::Load(..) if self.reported => return Ok(()),
            Message::Load(index, Output::News(LoadNews::Progress(progress))) => {
                return Ok(self.show(index, *progress)?);
            }
            Message::Server(
                index,
                Output::News(ServerNews::Failed { error }) | Output::Ended(error),
            ) => self.server_died(format!("{}{error}", name(index, self.servers))),
            Message::Load(
                index,
                Output::News(LoadNews::Failed { error }) | Output::Ended(error),
            ) => Invalid::LoadDied { error: format!("{}{error}", name(index, self.loads)) },
            Message::Server(..) | Message::Load(..) => return Ok(()),
        }))
    }

    /// The same in mid-run, where the end of one load process leaves the others' figures: only
    /// that of the last ends the trial.
    fn receive_in_mid_run(&mut self, message: Message) -> Result<(), TrialError> {
        let (index, error) = match message {
            Message::Load(index, Output::News(LoadNews::Finished(load))) => {
                self.finished.insert(index, *load);
                return Ok(());
            }
            // One that has reported may go.
            Message::Load(index, _) if self.finished.contains_key(&index) => return Ok(()),
            Message::Load(
                index,
                Output::News(LoadNews::Failed { error }) | Output::Ended(error),
            ) => (index, error),
            message => return self.receive(message),
        };
        self.ends_early(index, &error);
        match self.ended_early.values().next() {
            Some(reason) if self.ended_early.len() == self.loads => {
                Err(TrialError::Invalid(reason.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Keeps why a load process ended early; what it said last before it ended is of no more use.
    fn ends_early(&mut self, index: usize, error: &str) {
        let loads = self.loads;
        let error = || format!("{}{error}", name(index, loads));
        self.ended_early.entry(index).or_insert_with(|| Invalid::LoadDied { error: error() });
    }

    /// Tells the progress of all load processes so far, with the latencies of the slowest of them.
    fn show(&mut self, index: usize, progress: Progress) -> Result<(), RunError> {
        self.progress.insert(index, progress);
        let all = self.progress.values().copied().reduce(|all, one| all.with(&one));
        event::tell(self.listener, Event::Progress(all.unwrap_or(progress)))
    }
}

#[cfg(test)]
mod tests;
