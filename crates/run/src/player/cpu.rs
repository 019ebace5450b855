//! CPU of a trial's two sides while it runs, for a person who watches: read from outside the processes,
//! as their cost is.

use std::time::{Duration, Instant};

use pushbench_os::process::cpu::ProcessClock;
use pushbench_os::process::process_tree::{ProcessTree, TreeTime};

use crate::event::Cpu;

/// How often it is read.
const EACH: Duration = Duration::from_secs(1);

/// The least time that is left before an instant which is to be hit: to look for the descendants of a
/// process takes milliseconds.
const AHEAD: Duration = Duration::from_millis(100);

/// The processes of both sides, with their clocks when these were last read.
#[derive(Debug)]
pub(crate) struct CpuWatch {
    server: Side,
    load: Side,
    read: Instant,
}

/// The processes of one side.
#[derive(Debug)]
pub(crate) enum Side {
    /// Those that this run started, which start none themselves.
    Each { clocks: Vec<ProcessClock>, before: Option<Duration> },
    /// Those of somebody else's, with all that descend from them.
    Tree { tree: Box<ProcessTree>, before: TreeTime },
}

impl CpuWatch {
    /// From now on.
    pub(crate) fn new(server: Side, load: Side) -> Self {
        Self { server, load, read: Instant::now() }
    }

    /// Others have come in the servers' places, with these ids.
    pub(crate) fn server_comes(&mut self, pids: &[u32]) {
        self.server = Side::each(pids);
    }

    /// The shares of a core since they were last told, where that is a while ago, and `left` before the
    /// next instant that is to be hit leaves the time.
    pub(crate) fn due(&mut self, left: Duration) -> Option<Cpu> {
        let elapsed = self.read.elapsed();
        if elapsed < EACH || left < AHEAD {
            return None;
        }
        self.read = Instant::now();
        let share = |spent: Duration| spent.as_secs_f64() / elapsed.as_secs_f64();
        Some(Cpu { server: self.server.spent().map(share), load: self.load.spent().map(share) })
    }
}

impl Side {
    /// Processes of this run.
    pub(crate) fn each(pids: &[u32]) -> Self {
        let clocks: Vec<_> = pids.iter().filter_map(|&pid| ProcessClock::of(pid).ok()).collect();
        let before = total(&clocks);
        Self::Each { clocks, before }
    }

    /// Processes of somebody else's; nobody, where they are not named, or gone.
    pub(crate) fn tree(pids: &[u32]) -> Self {
        match ProcessTree::of(pids) {
            Ok(mut tree) if !pids.is_empty() => {
                let before = tree.read();
                Self::Tree { tree: Box::new(tree), before }
            }
            _ => Self::each(&[]),
        }
    }

    /// Processor time since it was last asked; `None` where that is not known.
    fn spent(&mut self) -> Option<Duration> {
        match self {
            Self::Each { clocks, before } => {
                let now = total(clocks);
                let before = std::mem::replace(before, now);
                Some(now?.saturating_sub(before?))
            }
            Self::Tree { tree, before } => {
                let now = tree.read();
                let spent = now.since(before).total;
                *before = now;
                spent.map(|spent| spent.total)
            }
        }
    }
}

/// Processor time of all of them; `None` where there is none, or one has ended.
fn total(clocks: &[ProcessClock]) -> Option<Duration> {
    let times = clocks.iter().map(|clock| clock.read().ok().map(|time| time.total));
    times.sum::<Option<Duration>>().filter(|_| !clocks.is_empty())
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::thread;

    use super::*;

    /// As long as its thread sleeps; no bound of it decides but that it is over.
    const SECOND: Duration = Duration::from_millis(1_010);

    #[test]
    fn who_spins_is_told_apart_from_who_waits_and_from_who_is_gone() {
        let shell = |command| Command::new("sh").args(["-c", command]).spawn().unwrap();
        let (mut spinner, mut sleeper) = (shell("while :; do :; done"), shell("exec sleep 60"));
        let (spins, sleeps) = (Side::each(&[spinner.id()]), Side::tree(&[sleeper.id()]));
        let mut watch = CpuWatch::new(spins, sleeps);
        let long = Duration::from_secs(60);
        assert_eq!(watch.due(long), None, "a second is not over");
        thread::sleep(SECOND);
        assert_eq!(watch.due(Duration::from_millis(50)), None, "an instant is to be hit");
        let cpu = watch.due(long).unwrap();
        let (server, load) = (cpu.server.unwrap(), cpu.load.unwrap());
        assert!(server > 0.0 && server < 1.1 && load < server, "{cpu:?}");
        spinner.kill().unwrap();
        spinner.wait().unwrap();
        thread::sleep(SECOND);
        assert_eq!(watch.due(long).unwrap().server, None);
        watch.server_comes(&[sleeper.id()]);
        thread::sleep(SECOND);
        assert!(watch.due(long).unwrap().server.is_some());
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }
}
