//! Listening to a trial's children, with a deadline for everything.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::attempts::Attempts;
use pushbench_metrics::record::control::{
    LoadMeasured, LoadNews, Progress as Look, ServerMeasured, ServerNews,
};
use pushbench_metrics::record::warning::Invalid;
use pushbench_os::process::thread_time::ThreadTime;
use pushbench_os::time::clock;

use super::trial::Trouble;
use crate::child::Said;
use crate::interrupt;
use crate::progress::Progress;

/// How long a child may take to say that it is there.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How often to look whether the user wants an end.
const LOOK_AROUND: Duration = Duration::from_millis(100);

/// Something that a child of a trial said, and which of its kind it is.
#[derive(Debug)]
pub(super) enum Note {
    /// A server process.
    Server(usize, Said<ServerNews>),
    /// A load process.
    Load(usize, Said<LoadNews>),
}

/// What load processes say of connecting.
#[derive(Debug, Default)]
pub(super) struct Connected {
    /// How many clients are connected.
    pub(super) clients: u32,
    /// The first error of the others.
    pub(super) error: Option<String>,
    /// What came of their attempts.
    pub(super) attempts: Attempts,
}

/// Who is waited for.
#[derive(Debug, Clone, Copy)]
enum Whom {
    Server,
    Load,
}

/// Which of `count` processes of a kind is meant, to stand before what is said of it; nothing
/// where there is only one.
pub(super) fn name(index: usize, count: usize) -> String {
    if count == 1 { String::new() } else { format!("process {} of {count}: ", index + 1) }
}

/// The receiving end of what a trial's children say.
pub(super) struct Ear<'a> {
    notes: Receiver<Note>,
    progress: &'a Progress,
    /// How many server processes there are.
    servers: usize,
    /// How many load processes there are.
    loads: Cell<usize>,
    /// What the load processes measured that have finished; whoever is slow to listen hears of it
    /// while still waiting for the window's end.
    finished: RefCell<BTreeMap<usize, LoadMeasured>>,
    /// Load processes that ended before, and how.
    fallen: RefCell<BTreeMap<usize, String>>,
    /// Whether the load processes have reported, so that they may go.
    reported: Cell<bool>,
    /// The last look at each load process.
    looks: RefCell<BTreeMap<usize, Look>>,
}

impl<'a> Ear<'a> {
    /// Listens to `servers` server processes, and to as many load processes as
    /// [`expect_loads`](Self::expect_loads) says.
    pub(super) fn new(notes: Receiver<Note>, progress: &'a Progress, servers: usize) -> Self {
        Self {
            notes,
            progress,
            servers,
            loads: Cell::default(),
            finished: RefCell::default(),
            fallen: RefCell::default(),
            reported: Cell::default(),
            looks: RefCell::default(),
        }
    }

    /// Says how many load processes there are.
    pub(super) fn expect_loads(&self, loads: usize) {
        self.loads.set(loads);
    }

    /// Where the server children listen.
    pub(super) fn server_addresses(&self) -> Result<Vec<SocketAddr>, Trouble> {
        self.gather(Whom::Server, START_LIMIT, "does not start", |note| match note {
            Note::Server(index, Said::News(ServerNews::Listening { address })) => {
                Ok((index, address))
            }
            note => Err(note),
        })
    }

    /// That the load children have read their plans.
    pub(super) fn loads_ready(&self) -> Result<(), Trouble> {
        let ready = self.gather(Whom::Load, START_LIMIT, "does not start", |note| match note {
            Note::Load(index, Said::News(LoadNews::Ready)) => Ok((index, ())),
            note => Err(note),
        });
        ready.map(drop)
    }

    /// What all load processes say of connecting.
    pub(super) fn connected(&self, limit: Duration) -> Result<Connected, Trouble> {
        let problem = "does not finish connecting";
        let connected = self.gather(Whom::Load, limit, problem, |note| match note {
            Note::Load(index, Said::News(LoadNews::Connected { clients, error, attempts })) => {
                Ok((index, Connected { clients, error, attempts }))
            }
            note => Err(note),
        })?;
        Ok(connected.into_iter().fold(Connected::default(), |mut all, one| {
            all.clients += one.clients;
            all.error = all.error.or(one.error);
            all.attempts.merge(&one.attempts);
            all
        }))
    }

    /// Listens until `instant`, and hits it closely. Returns for how long this process stood still
    /// over it: what it is late by, less what work and waiting for a core explain.
    pub(super) fn wait_until(&self, instant: MonoInstant) -> Result<Duration, Trouble> {
        let margin = Duration::from_millis(2);
        let left = instant.saturating_since(clock::now()).saturating_sub(margin);
        let deadline = Instant::now() + left;
        let mut own = ThreadTime::here();
        while let Some(note) = self.hear(deadline)? {
            self.bear(note)?;
            own.lap();
        }
        clock::sleep_until(instant);
        let late = clock::now().saturating_since(instant);
        Ok(own.lap().unexplained(late))
    }

    /// What the load children measured; those that fell left nothing. At least one did not.
    pub(super) fn finished(&self, limit: Duration) -> Result<Vec<LoadMeasured>, Trouble> {
        let deadline = Instant::now() + limit;
        let missing = || {
            let (finished, fallen) = (self.finished.borrow(), self.fallen.borrow());
            (0..self.loads.get())
                .filter(|index| !finished.contains_key(index) && !fallen.contains_key(index))
                .collect::<Vec<usize>>()
        };
        while !missing().is_empty() {
            match self.hear(deadline)? {
                Some(note) => self.bear(note)?,
                None => {
                    let late = missing().into_iter();
                    late.for_each(|index| self.fell(index, "it does not finish in time"));
                }
            }
        }
        self.reported.set(true);
        let finished = self.finished.take();
        match self.first_fallen() {
            Some(error) if finished.is_empty() => {
                Err(Trouble::Invalid(Invalid::LoadDied { error }))
            }
            _ => Ok(finished.into_values().collect()),
        }
    }

    /// The load processes that ended in mid-run.
    pub(super) fn fallen(&self) -> Vec<Invalid> {
        let fallen = self.fallen.borrow();
        fallen.values().map(|error| Invalid::LoadDied { error: error.clone() }).collect()
    }

    /// What the server children measured; the load children may have ended before them.
    pub(super) fn stopped(&self, limit: Duration) -> Result<Vec<ServerMeasured>, Trouble> {
        self.gather(Whom::Server, limit, "does not stop", |note| match note {
            Note::Server(index, Said::News(ServerNews::Stopped(measured))) => {
                Ok((index, *measured))
            }
            note => Err(note),
        })
    }

    /// What `pick` finds in the notes of each process of a kind; the first that does not say it
    /// before `limit` makes the trial invalid.
    fn gather<T>(
        &self,
        whom: Whom,
        limit: Duration,
        problem: &str,
        pick: impl Fn(Note) -> Result<(usize, T), Note>,
    ) -> Result<Vec<T>, Trouble> {
        let deadline = Instant::now() + limit;
        let count = match whom {
            Whom::Server => self.servers,
            Whom::Load => self.loads.get(),
        };
        let mut found = BTreeMap::new();
        while let Some(missing) = (0..count).find(|index| !found.contains_key(index)) {
            let Some(note) = self.hear(deadline)? else {
                let error = format!("{}it {problem} in time", name(missing, count));
                return Err(Trouble::Invalid(match whom {
                    Whom::Server => Invalid::ServerDied { error },
                    Whom::Load => Invalid::LoadDied { error },
                }));
            };
            match (whom, pick(note)) {
                (_, Ok((index, news))) => drop(found.insert(index, news)),
                // One that has said what it was asked for may go.
                (Whom::Server, Err(Note::Server(index, Said::Ended(_))))
                    if found.contains_key(&index) => {}
                (_, Err(note)) => self.watch(note)?,
            }
        }
        Ok(found.into_values().collect())
    }

    /// The next note, or `None` at `deadline`; looks for Ctrl-C all the while.
    fn hear(&self, deadline: Instant) -> Result<Option<Note>, Trouble> {
        loop {
            if interrupt::interrupted() {
                return Err(Trouble::Interrupted);
            }
            self.progress.tick();
            let left = deadline.saturating_duration_since(Instant::now());
            match self.notes.recv_timeout(left.min(LOOK_AROUND)) {
                Ok(note) => return Ok(Some(note)),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    /// A note that is not the one waited for: harmless, or the end of the trial.
    fn watch(&self, note: Note) -> Result<(), Trouble> {
        Err(Trouble::Invalid(match note {
            Note::Load(..) if self.reported.get() => return Ok(()),
            Note::Load(index, Said::News(LoadNews::Progress(look))) => {
                self.show(index, look);
                return Ok(());
            }
            Note::Server(index, Said::News(ServerNews::Failed { error }) | Said::Ended(error)) => {
                Invalid::ServerDied { error: format!("{}{error}", name(index, self.servers)) }
            }
            Note::Load(index, Said::News(LoadNews::Failed { error }) | Said::Ended(error)) => {
                Invalid::LoadDied { error: format!("{}{error}", name(index, self.loads.get())) }
            }
            Note::Server(..) | Note::Load(..) => return Ok(()),
        }))
    }

    /// The same in mid-run, where the end of one load process leaves the others' figures: only
    /// that of the last ends the trial.
    fn bear(&self, note: Note) -> Result<(), Trouble> {
        let (index, error) = match note {
            Note::Load(index, Said::News(LoadNews::Finished(load))) => {
                self.finished.borrow_mut().insert(index, *load);
                return Ok(());
            }
            // One that has reported may go.
            Note::Load(index, _) if self.finished.borrow().contains_key(&index) => return Ok(()),
            Note::Load(index, Said::News(LoadNews::Failed { error }) | Said::Ended(error)) => {
                (index, error)
            }
            note => return self.watch(note),
        };
        self.fell(index, &error);
        match self.first_fallen() {
            Some(error) if self.fallen.borrow().len() == self.loads.get() => {
                Err(Trouble::Invalid(Invalid::LoadDied { error }))
            }
            _ => Ok(()),
        }
    }

    /// Keeps why a load process fell; what it said last before it ended is of no more use.
    fn fell(&self, index: usize, error: &str) {
        let error = || format!("{}{error}", name(index, self.loads.get()));
        self.fallen.borrow_mut().entry(index).or_insert_with(error);
    }

    fn first_fallen(&self) -> Option<String> {
        self.fallen.borrow().values().next().cloned()
    }

    /// Shows what all load processes have seen so far, and the median of the slowest of them.
    fn show(&self, index: usize, look: Look) {
        let mut looks = self.looks.borrow_mut();
        looks.insert(index, look);
        let all = looks.values().fold(Look::default(), |sum, look| Look {
            messages: sum.messages + look.messages,
            bytes: sum.bytes + look.bytes,
            latency_p50_us: match (sum.latency_p50_us, look.latency_p50_us) {
                (Some(one), Some(other)) => Some(one.max(other)),
                (one, other) => one.or(other),
            },
        });
        self.progress.look(&all);
    }
}

#[cfg(test)]
mod tests;
