//! Listening to a trial's children, with a deadline for everything.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use pushbench_core::MonoInstant;
use pushbench_metrics::control::{LoadMeasured, LoadNews, ServerMeasured, ServerNews};
use pushbench_metrics::warning::Invalid;
use pushbench_probe::clock;

use super::trial::Trouble;
use crate::child::Said;
use crate::interrupt;
use crate::progress::Progress;

/// How long a child may take to say that it is there.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How often to look whether the user wants an end.
const LOOK_AROUND: Duration = Duration::from_millis(100);

/// Something that a child of a trial said.
#[derive(Debug)]
pub(super) enum Note {
    /// The server.
    Server(Said<ServerNews>),
    /// The load process.
    Load(Said<LoadNews>),
}

/// Who is waited for.
#[derive(Debug, Clone, Copy)]
enum Whom {
    Server,
    Load,
}

/// The receiving end of what a trial's children say.
pub(super) struct Ear<'a> {
    pub(super) notes: Receiver<Note>,
    pub(super) progress: &'a Progress,
}

impl Ear<'_> {
    /// Where the server child listens.
    pub(super) fn server_address(&self) -> Result<SocketAddr, Trouble> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            match self.next(deadline, Whom::Server, "does not start")? {
                Note::Server(Said::News(ServerNews::Listening { address })) => return Ok(address),
                note => self.watch(note)?,
            }
        }
    }

    /// That the load child has read its plan.
    pub(super) fn load_ready(&self) -> Result<(), Trouble> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            match self.next(deadline, Whom::Load, "does not start")? {
                Note::Load(Said::News(LoadNews::Ready)) => return Ok(()),
                note => self.watch(note)?,
            }
        }
    }

    /// How many clients are connected, and the first error of the others.
    pub(super) fn connected(&self, limit: Duration) -> Result<(u32, Option<String>), Trouble> {
        let deadline = Instant::now() + limit;
        loop {
            match self.next(deadline, Whom::Load, "does not finish connecting")? {
                Note::Load(Said::News(LoadNews::Connected { clients, error })) => {
                    return Ok((clients, error));
                }
                note => self.watch(note)?,
            }
        }
    }

    /// Listens until `instant`, and hits it closely.
    pub(super) fn wait_until(&self, instant: MonoInstant) -> Result<(), Trouble> {
        let margin = Duration::from_millis(2);
        let left = instant.saturating_since(clock::now()).saturating_sub(margin);
        let deadline = Instant::now() + left;
        while let Some(note) = self.hear(deadline)? {
            self.watch(note)?;
        }
        clock::sleep_until(instant);
        Ok(())
    }

    /// What the load child measured.
    pub(super) fn finished(&self, limit: Duration) -> Result<LoadMeasured, Trouble> {
        let deadline = Instant::now() + limit;
        loop {
            match self.next(deadline, Whom::Load, "does not finish")? {
                Note::Load(Said::News(LoadNews::Finished(load))) => return Ok(*load),
                note => self.watch(note)?,
            }
        }
    }

    /// What the server child measured; the load child may have ended before it.
    pub(super) fn stopped(&self, limit: Duration) -> Result<ServerMeasured, Trouble> {
        let deadline = Instant::now() + limit;
        loop {
            match self.next(deadline, Whom::Server, "does not stop")? {
                Note::Server(Said::News(ServerNews::Stopped(measured))) => return Ok(*measured),
                Note::Load(_) => {}
                note => self.watch(note)?,
            }
        }
    }

    /// The next note before `deadline`; none makes the trial invalid.
    fn next(&self, deadline: Instant, whom: Whom, problem: &str) -> Result<Note, Trouble> {
        let note = self.hear(deadline)?;
        note.ok_or_else(|| {
            let error = format!("it {problem} in time");
            Trouble::Invalid(match whom {
                Whom::Server => Invalid::ServerDied { error },
                Whom::Load => Invalid::LoadDied { error },
            })
        })
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
            Note::Load(Said::News(LoadNews::Progress(look))) => {
                self.progress.look(&look);
                return Ok(());
            }
            Note::Server(Said::News(ServerNews::Failed { error }) | Said::Ended(error)) => {
                Invalid::ServerDied { error }
            }
            Note::Load(Said::News(LoadNews::Failed { error }) | Said::Ended(error)) => {
                Invalid::LoadDied { error }
            }
            Note::Server(Said::News(_)) | Note::Load(Said::News(_)) => return Ok(()),
        }))
    }
}
