//! Programs of the user's at the sides of a link.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use rustix::process::{
    Pid, Signal, getpgrp, kill_process, kill_process_group, test_kill_process_group,
};

use crate::exit::{Failure, Outcome};

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
        let mut server = inside(network, true, OsStr::new("sh"), shell)?;
        server.stdin(Stdio::null()).stdout(io::stderr()).process_group(0);
        Ok(Self { child: start(server)?, leads: true })
    }

    /// Starts a program of the clients' with the terminal's input and output.
    pub(super) fn load(
        network: &Path,
        program: &OsStr,
        arguments: &[OsString],
    ) -> Result<Self, Failure> {
        let load = inside(network, false, program, arguments)?;
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

    /// Whether it has ended, and with it all that it started in its group.
    fn is_gone(&mut self) -> bool {
        let has_ended = matches!(self.ended(), Ok(Some(_)));
        has_ended && !(self.leads && test_kill_process_group(id(&self.child)).is_ok())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let pid = id(&self.child);
        if matches!(self.ended(), Ok(None)) {
            // A leader tells its group.
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + ASKED;
        while !self.is_gone() && Instant::now() < deadline {
            thread::sleep(LOOK);
        }
        if self.is_gone() {
            return;
        }
        // What ends meanwhile needs none of this.
        let _ = if self.leads {
            kill_process_group(pid, Signal::KILL)
        } else {
            kill_process(pid, Signal::KILL)
        };
        let _ = self.child.wait();
    }
}

fn id(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Set once a leader has told its group to end.
static TOLD: AtomicBool = AtomicBool::new(false);

/// Runs `command` in the group that this process leads, all of which is told when this one is to end:
/// a shell would leave what it started behind.
pub(super) fn lead(mut command: Command) -> Result<Outcome, Failure> {
    let own = getpgrp();
    let tell_all = move || {
        // Itself included, which then has nothing more to do.
        if !TOLD.swap(true, Ordering::Relaxed) {
            let _ = kill_process_group(own, Signal::TERM);
        }
    };
    ctrlc::set_handler(tell_all)
        .map_err(|error| Failure::failed(anyhow!("cannot listen for signals: {error}")))?;
    command.status().map(outcome).map_err(Failure::failed)
}

/// A program in a network, which ends with this one, and with it its group where it leads one.
fn inside<A: AsRef<OsStr>>(
    network: &Path,
    leads: bool,
    program: &OsStr,
    arguments: impl IntoIterator<Item = A>,
) -> Result<Command, Failure> {
    let own = std::env::current_exe()
        .map_err(|error| Failure::failed(anyhow!("cannot find this binary: {error}")))?;
    let mut command = Command::new(own);
    command.args(["enter", "--end-with", &std::process::id().to_string()]);
    if leads {
        command.arg("--lead");
    }
    command.arg(network).arg(program).args(arguments);
    Ok(command)
}

fn start(mut command: Command) -> Result<Child, Failure> {
    command.spawn().map_err(|error| {
        Failure::failed(anyhow!("cannot start a program at a side of the link: {error}"))
    })
}

/// A program's end as our own, as shells have it: of one that a signal ended, 128 and its number.
pub(super) fn outcome(status: ExitStatus) -> Outcome {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    match code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1) {
        0 => Outcome::Done,
        status => Outcome::Command(status),
    }
}
