//! Processes that end with the one that started them, however that ends.

use std::io;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

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
