//! Programs of the user's at the sides of a link.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::exit::Failure;

/// How long a program has between being asked to end and being ended.
const ASKED: Duration = Duration::from_secs(2);

/// How often one that is to end is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A program at one side. Dropping it ends it.
pub(super) struct Program {
    child: Child,
    /// Whether it leads a group of its own, which ends with it.
    leads: bool,
}

impl Program {
    /// Starts a server by the shell, in a group of its own: Ctrl-C is its clients' first. What it
    /// prints is not the clients' output.
    pub(super) fn server(network: &Path, command: &str) -> Result<Self, Failure> {
        let shell = [OsStr::new("-c"), OsStr::new(command)];
        let mut server = inside(network, OsStr::new("sh"), shell)?;
        server.stdin(Stdio::null()).stdout(io::stderr()).process_group(0);
        Ok(Self { child: start(server)?, leads: true })
    }

    /// Starts a program of the clients' with the terminal's input and output.
    pub(super) fn load(
        network: &Path,
        program: &OsStr,
        arguments: &[OsString],
    ) -> Result<Self, Failure> {
        let load = inside(network, program, arguments)?;
        Ok(Self { child: start(load)?, leads: false })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>, Failure> {
        self.child.try_wait().map_err(Failure::failed)
    }

    /// How it ends, where it does so within `limit`.
    pub(super) fn leave(&mut self, limit: Duration) -> Result<Option<ExitStatus>, Failure> {
        let deadline = Instant::now() + limit;
        loop {
            let ended = self.ended()?;
            if ended.is_some() || Instant::now() > deadline {
                return Ok(ended);
            }
            thread::sleep(LOOK);
        }
    }

    fn signal(&self, signal: Signal) {
        let Some(pid) = Pid::from_raw(self.child.id().cast_signed()) else { return };
        // It may have ended just now, and then there is nothing to do.
        let _ = match self.leads {
            true => kill_process_group(pid, signal),
            false => kill_process(pid, signal),
        };
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let has_ended = |program: &mut Self| matches!(program.ended(), Ok(Some(_)));
        if !has_ended(self) {
            self.signal(Signal::TERM);
            let _ = self.leave(ASKED);
        }
        // Of a group, those that it left behind too, as long as its number is still theirs.
        if self.leads || !has_ended(self) {
            self.signal(Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// A program in a network, which ends with this one.
fn inside<A: AsRef<OsStr>>(
    network: &Path,
    program: &OsStr,
    arguments: impl IntoIterator<Item = A>,
) -> Result<Command, Failure> {
    let own = std::env::current_exe()
        .map_err(|error| Failure::failed(anyhow!("cannot find this binary: {error}")))?;
    let mut command = Command::new(own);
    command.args(["enter", "--end-with", &std::process::id().to_string()]);
    command.arg(network).arg(program).args(arguments);
    Ok(command)
}

fn start(mut command: Command) -> Result<Child, Failure> {
    command.spawn().map_err(|error| {
        Failure::failed(anyhow!("cannot start a program at a side of the link: {error}"))
    })
}

/// A status as shells have it: of one that a signal ended, 128 and the signal's number.
pub(super) fn status(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
