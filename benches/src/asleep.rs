//! Whether another process has done all that it had to do: it sleeps.
//!
//! This is what keeps a peer in step with a process whose instructions are counted. A peer that
//! sends one thing and waits for the process to fall asleep again finds it handling one thing at a
//! wake-up, however slow or busy the machine is, and needs no answer for it, which would be counted.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::callgrind::LIMIT;

/// From one look at the process to the next.
const PAUSE: Duration = Duration::from_micros(20);

/// The main thread of another process.
#[derive(Debug)]
pub struct Watch {
    status: File,
}

/// What the kernel tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    /// It waits for something to happen, or has ended.
    rests: bool,
    /// It has ended.
    ended: bool,
    /// How often it has gone to sleep.
    sleeps: u64,
}

impl Watch {
    /// Watches the process `pid`, of this machine.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let path = format!("/proc/{pid}/status");
        Ok(Self { status: File::open(&path).with_context(|| format!("cannot open {path}"))? })
    }

    /// Waits until the process sleeps.
    ///
    /// # Errors
    ///
    /// Where it does not within [`LIMIT`].
    pub fn rest(&self) -> anyhow::Result<()> {
        self.until(|look| look.rests).map(|_| ())
    }

    /// Does something to the process that wakes it, once it sleeps, and waits until it has dealt with
    /// that and sleeps again.
    ///
    /// # Errors
    ///
    /// Those of `act`, and a process that does not fall asleep within [`LIMIT`].
    pub fn after<T>(&self, act: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let before = self.until(|look| look.rests)?;
        let done = act()?;
        self.until(|look| look.ended || (look.rests && look.sleeps > before.sleeps))?;
        Ok(done)
    }

    fn until(&self, holds: impl Fn(&Look) -> bool) -> anyhow::Result<Look> {
        let begun = Instant::now();
        loop {
            let look = self.look()?;
            if holds(&look) {
                return Ok(look);
            }
            if begun.elapsed() > LIMIT {
                bail!("a process that is counted does not fall asleep: {look:?}");
            }
            thread::sleep(PAUSE);
        }
    }

    fn look(&self) -> anyhow::Result<Look> {
        let mut text = [0; 4096];
        let read = self.status.read_at(&mut text, 0);
        let length = read.context("a process that is counted is gone")?;
        let text = String::from_utf8_lossy(&text[..length]);
        look(&text).with_context(|| format!("the kernel tells too little of a process: {text}"))
    }
}

fn look(text: &str) -> Option<Look> {
    let field = |name| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let state = field("State:")?.chars().next()?;
    let ended = matches!(state, 'Z' | 'X');
    let rests = ended || state == 'S';
    Some(Look { rests, ended, sleeps: field("voluntary_ctxt_switches:")?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn what_was_given_to_a_process_is_dealt_with_once_it_sleeps_again() {
        let mut cat = Command::new("cat");
        let mut cat = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut input, mut output) = (cat.stdin.take().unwrap(), cat.stdout.take().unwrap());
        let watch = Watch::of(cat.id()).unwrap();
        for _ in 0..20 {
            watch.after(|| Ok(input.write_all(b"x")?)).unwrap();
            // It is there: a pipe's read does not have to wait.
            let mut fds = [rustix::event::PollFd::new(&output, rustix::event::PollFlags::IN)];
            let now = rustix::time::Timespec::default();
            assert_eq!(rustix::event::poll(&mut fds, Some(&now)).unwrap(), 1);
            output.read_exact(&mut [0]).unwrap();
        }
        // One that ends is waited for no longer.
        let end = || {
            drop(input);
            Ok(())
        };
        watch.after(end).unwrap();
        assert!(watch.look().unwrap().ended);
        cat.wait().unwrap();
    }

    #[test]
    fn the_kernels_words_are_understood() {
        let text = "Name:\tx\nState:\tR (running)\nvoluntary_ctxt_switches:\t12\n\
                    nonvoluntary_ctxt_switches:\t99\n";
        assert_eq!(look(text), Some(Look { rests: false, ended: false, sleeps: 12 }));
        let asleep = text.replace("R (running)", "S (sleeping)");
        assert_eq!(look(&asleep), Some(Look { rests: true, ended: false, sleeps: 12 }));
        let zombie = text.replace("R (running)", "Z (zombie)");
        assert_eq!(look(&zombie), Some(Look { rests: true, ended: true, sleeps: 12 }));
        assert_eq!(look("State:\tS\n"), None);
    }
}
