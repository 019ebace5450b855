//! Programs of somebody else's that a run starts and ends: a proxy, or a server to be measured.
//!
//! Between the run and such a program stands a guardian, a child like any other of the run's: it
//! starts the program in the place of a trial, keeps what that prints, and ends it with all that
//! descends from it, once it is told to or the run is gone, however that went. Where the guardian itself
//! is ended first, the system asks the program to end.

pub(crate) mod guardian;
mod readiness;
mod words;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use pushbench_core::program::{MAIN_PORT, Need, Program, Values, variables};
use pushbench_core::rules::Outside;
use pushbench_core::security::Credentials;
use pushbench_core::subject::Variables;
use pushbench_metrics::record::control::Place;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::player::process::{Output, Process, ProcessError};

/// How much longer than the program may take its guardian may.
const MARGIN: Duration = Duration::from_secs(5);

/// Folders that hold programs of administrators, which are not in everybody's path.
const BESIDE_PATH: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// The environment, as far as a subject's rules name its variables.
#[must_use]
pub fn environment() -> impl Outside {
    Variables(|name: &str| std::env::var(name).ok())
}

/// A program that cannot be had, or does not do its part.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProgramError {
    /// A guardian that cannot be started, or takes no orders.
    #[error("cannot start the guardian of a program: {0}")]
    Guardian(String),
    /// A program that is not installed: what is missing, and what to type.
    #[error("{0}")]
    Missing(String),
    /// A program that could not be started or ended by itself, with its last words.
    #[error("{0}")]
    Failed(String),
    /// A guardian that says nothing.
    #[error("the guardian of `{0}` says nothing")]
    Silent(String),
}

/// A program, and all that a trial has for it. It travels on a pipe alone, since it holds a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProgramPlan {
    /// The program.
    pub program: Program,
    /// Values of the variables that the guardian does not know itself.
    pub values: Values,
    /// The certificate and key behind `{cert}` and `{key}`.
    pub credentials: Option<Credentials>,
    /// Where it runs and listens.
    pub place: Place,
    /// Whether its standard input is a pipe that others may write to.
    #[serde(default)]
    pub is_written_to: bool,
    /// The arguments with which the running program becomes another that ends with its parent.
    pub tied: Vec<String>,
}

/// News of a guardian.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProgramNews {
    /// The program takes connections.
    Ready(ReadyProgram),
    /// It could not be started, or ended by itself.
    Failed(String),
    /// It has ended as it was told to, and all that descended from it.
    Ended,
}

/// A program that takes connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyProgram {
    /// Its process id.
    pub pid: u32,
    /// The ports that it listens on, by their names.
    pub ports: BTreeMap<String, u16>,
    /// Its version, where it says one.
    pub version: Option<String>,
    /// The pipe to its standard input, by its path.
    #[serde(default)]
    pub stdin: Option<PathBuf>,
}

/// The order that ends a program.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stop;

/// A running program. Dropping it ends it, and all that descends from it.
#[derive(Debug)]
pub struct Running {
    guardian: Process,
    news: Receiver<Output<ProgramNews>>,
    ready: ReadyProgram,
    host: IpAddr,
    patience: Duration,
}

impl Running {
    /// Starts the program of `plan` by a guardian, which this program plays with the arguments
    /// `command`, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// A program that is missing, or that does not start, with its last words.
    pub fn start(command: &[String], plan: &ProgramPlan) -> Result<Self, ProgramError> {
        if let Some(need) = missing(&plan.program) {
            return Err(ProgramError::Missing(lacks(need)));
        }
        let (sender, news) = channel();
        let guardian = Process::start(command, &plan.place, plan, move |output| {
            // The trial may be over: then nobody listens.
            let _ = sender.send(output);
        });
        let guardian = guardian.map_err(ProgramError::guardian)?;
        let name = plan.program.command[0].as_str();
        let patience = plan.program.stop_within.0 + MARGIN;
        match next(&news, plan.program.ready_within.0 + patience, name)? {
            ProgramNews::Ready(ready) => {
                let host = plan.place.listen.ip();
                Ok(Self { guardian, news, ready, host, patience })
            }
            ProgramNews::Failed(why) => Err(ProgramError::Failed(why)),
            ProgramNews::Ended => Err(ProgramError::Silent(name.to_owned())),
        }
    }

    /// The process id of the program, from which its others descend.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.ready.pid
    }

    /// Its main port's address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.ready.ports.get(MAIN_PORT).copied().unwrap_or_default())
    }

    /// Its ports, by their names.
    #[must_use]
    pub const fn ports(&self) -> &BTreeMap<String, u16> {
        &self.ready.ports
    }

    /// Its version, where it says one.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.ready.version.as_deref()
    }

    /// The pipe to its standard input, where its plan has one.
    #[must_use]
    pub fn stdin(&self) -> Option<&Path> {
        self.ready.stdin.as_deref()
    }

    /// Why it came to an end that nobody asked for, if it has.
    #[must_use]
    pub fn failure(&self) -> Option<ProgramError> {
        self.failure_within(Duration::ZERO)
    }

    /// The same, if it has by then.
    #[must_use]
    pub fn failure_within(&self, limit: Duration) -> Option<ProgramError> {
        match self.news.recv_timeout(limit).ok()? {
            Output::News(ProgramNews::Failed(why)) | Output::Ended(why) => {
                Some(ProgramError::Failed(why))
            }
            Output::News(ProgramNews::Ready(_) | ProgramNews::Ended) => None,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended before takes no orders, and is waited for no longer than it says so.
        if self.guardian.order(&Stop).is_err() {
            return;
        }
        while let Ok(Output::News(news)) = self.news.recv_timeout(self.patience) {
            if news == ProgramNews::Ended {
                return;
            }
        }
    }
}

impl ProgramError {
    #[expect(clippy::needless_pass_by_value, reason = "as map_err calls it")]
    fn guardian(error: ProcessError) -> Self {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        Self::Guardian(format!("{error}{}", source.unwrap_or_default()))
    }
}

fn next(
    news: &Receiver<Output<ProgramNews>>,
    limit: Duration,
    name: &str,
) -> Result<ProgramNews, ProgramError> {
    match news.recv_timeout(limit) {
        Ok(Output::News(news)) => Ok(news),
        Ok(Output::Ended(why)) => {
            Err(ProgramError::Failed(format!("the guardian of `{name}`: {why}")))
        }
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            Err(ProgramError::Silent(name.to_owned()))
        }
    }
}

/// The first of its needs that is not installed.
#[must_use]
pub fn missing(program: &Program) -> Option<&Need> {
    let fails = |need: &&Need| find(&need.command).is_none() || !passes(&need.probe, program);
    program.needs.iter().find(fails)
}

/// The words for a need that is not installed: what is missing, and what to type.
#[must_use]
pub fn lacks(need: &Need) -> String {
    let Need { command, package, hint, .. } = need;
    match find(command) {
        None => format!("`{command}` is not installed; {hint}"),
        Some(_) => format!("`{command}` lacks what {package} brings; {hint}"),
    }
}

/// Whether a probe succeeds, in the environment of `program` as far as that is known before it has a place.
fn passes(probe: &[String], program: &Program) -> bool {
    let Some((command, arguments)) = probe.split_first() else { return true };
    let Some(file) = find(command) else { return false };
    let environment = program.environment.iter().filter(|(_, value)| variables(value).is_empty());
    let mut probe = Command::new(file);
    probe.args(arguments).envs(environment);
    probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

/// The file of a command: a path as it is, a name as the shell finds it or where administrators'
/// programs are.
#[must_use]
pub fn find(command: &str) -> Option<PathBuf> {
    if command.contains('/') {
        return is_program(Path::new(command)).then(|| command.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(BESIDE_PATH.map(PathBuf::from));
    folders.map(|folder| folder.join(command)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
