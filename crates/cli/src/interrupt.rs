//! Ctrl-C and SIGTERM: a flag that loops look at, so that bookkeeping is finished first, and a
//! limit for those that do not come to look.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use crate::exit::{Failure, INTERRUPTED as STATUS};
use crate::{live, tell};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How soon a person who pressed Ctrl-C is told that it was heard, where the program still runs.
const ANSWER: Duration = Duration::from_millis(400);

/// How long what is complete may take to be written after that.
const PATIENCE: Duration = Duration::from_millis(2_300);

/// How long a word to the user is waited for.
const WORD: Duration = Duration::from_millis(50);

/// Begins to listen; from now on a first signal sets the flag, and a second one ends the process at
/// once. So does the first, a little later, where something keeps the process from looking: a pipe
/// that nobody reads, a disk that does not answer. Its children end with their standard input.
///
/// Returns a receiver that gets a message with the first signal.
///
/// # Errors
///
/// Where the system refuses a signal handler.
pub(crate) fn listen() -> Result<Receiver<()>, Failure> {
    hear(|| drop(thread::spawn(give_up)))
}

/// The same without that limit, for who waits for programs of the user's and has limits of its own.
///
/// # Errors
///
/// Where the system refuses a signal handler.
pub(crate) fn listen_without_limit() -> Result<Receiver<()>, Failure> {
    hear(|| ())
}

fn hear(first: impl Fn() + Send + 'static) -> Result<Receiver<()>, Failure> {
    let (sender, receiver) = channel();
    ctrlc::set_handler(move || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            within_a_moment(live::give_back);
            process::exit(STATUS.into());
        }
        first();
        // Nobody may be waiting any more; the flag is set all the same.
        let _ = sender.send(());
    })
    .map_err(|error| Failure::failed(anyhow!("cannot listen for signals: {error}")))?;
    Ok(receiver)
}

/// Ends the process where it does not end by itself.
fn give_up() {
    thread::sleep(ANSWER);
    within_a_moment(live::give_back);
    say("interrupted: writing what is complete; Ctrl-C again ends at once");
    thread::sleep(PATIENCE);
    say(
        "error: interrupted while writing; `pushbench report` makes the rest of the record of each \
         trial that was complete",
    );
    process::exit(STATUS.into());
}

/// Tells the person, if standard error takes it within a moment: it may be the very pipe that
/// nobody reads.
fn say(words: &'static str) {
    within_a_moment(move || tell(words));
}

/// Does what writes to the terminal, and waits for that no longer than [`WORD`].
fn within_a_moment(write: impl FnOnce() + Send + 'static) {
    let writing = thread::spawn(write);
    let deadline = Instant::now() + WORD;
    while !writing.is_finished() && Instant::now() < deadline {
        thread::sleep(WORD / 10);
    }
}

/// Whether the user wants it to end.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
