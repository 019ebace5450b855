//! Ctrl-C and SIGTERM: a flag that loops look at, so that bookkeeping is finished first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};

use crate::exit::Failure;
use anyhow::anyhow;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Begins to listen; from now on a first signal only sets the flag, and a second one ends the
/// process at once.
///
/// Returns a receiver that gets a message with the first signal.
///
/// # Errors
///
/// Where the system refuses a signal handler.
pub(crate) fn listen() -> Result<Receiver<()>, Failure> {
    let (sender, receiver) = channel();
    ctrlc::set_handler(move || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        // Nobody may be waiting any more; the flag is set all the same.
        let _ = sender.send(());
    })
    .map_err(|error| Failure::failed(anyhow!("cannot listen for signals: {error}")))?;
    Ok(receiver)
}

/// Whether the user wants it to end.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
