//! Processes that end with the one that started them, however that ends, and those that descend from
//! them.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, getppid, kill_process, kill_process_group,
    set_child_subreaper, set_parent_process_death_signal, wait,
};

use super::process_tree::ProcessTree;

/// Has the system send SIGTERM to this process when `parent`, which started it from its first thread,
/// ends; what is executed in its place keeps that (PR_SET_PDEATHSIG(2const)), unless it is set-user-ID.
///
/// # Errors
///
/// Where that process has ended already.
pub fn end_with(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::TERM))?;
    // It may have ended just before.
    let is_there = getppid().is_some_and(|pid| Pid::as_raw(Some(pid)) == parent.cast_signed());
    if is_there { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// Has the system give this process all that descends from it whose own parents end, so that it can
/// [wait](next_end) for them and [end](end_all) them (PR_SET_CHILD_SUBREAPER(2const)).
///
/// # Errors
///
/// The answer of the system.
pub fn adopt_orphans() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Waits for the next end of a child: its process id, and how it ended; `None` where there is no child
/// any more. Whoever calls it leaves waiting for single children alone.
///
/// # Errors
///
/// The answer of the system.
pub fn next_end() -> io::Result<Option<(u32, ExitStatus)>> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) => {
                let status = ExitStatus::from_raw(status.as_raw());
                return Ok(Some((pid.as_raw_nonzero().get().cast_unsigned(), status)));
            }
            Err(Errno::CHILD) => return Ok(None),
            Ok(None) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Asks the process group that `leader` leads to end (SIGTERM). One that is gone needs none of it.
pub fn ask_to_end(leader: u32) {
    let _ = pid(leader).map(|leader| kill_process_group(leader, Signal::TERM));
}

/// Ends whatever descends from this process (SIGKILL), as far as it is there now. Who is left behind by
/// them is this process's only once it [adopts orphans](adopt_orphans).
pub fn end_all() {
    let own = std::process::id();
    let Ok(tree) = ProcessTree::of(&[own]) else { return };
    for descendant in tree.pids().into_iter().filter(|pid| *pid != own).filter_map(pid) {
        let _ = kill_process(descendant, Signal::KILL);
    }
}

fn pid(raw: u32) -> Option<Pid> {
    Pid::from_raw(raw.cast_signed())
}
