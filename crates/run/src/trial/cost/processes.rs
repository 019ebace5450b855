//! Processes of one side of a trial, and the readings of their clocks and memory.

use std::time::Duration;

use pushbench_metrics::record::CpuTime;
use pushbench_os::process::cpu::ProcessClock;
use pushbench_os::process::memory::Memory;
use pushbench_os::process::process_tree::{ProcessTree, TreeMemory, TreeTime};
use pushbench_os::process::thread_times::ThreadTimes;

/// The processes of one side of a trial.
#[derive(Debug)]
pub(super) enum Processes {
    /// Those that this run started, which start none themselves.
    Each(Vec<Process>),
    /// Those of a server that runs already, with all that descend from them.
    Tree {
        tree: Box<ProcessTree>,
        /// Their memory before there were clients.
        memory: Option<TreeMemory>,
        /// Their clocks at the window's first edge.
        start: TreeTime,
        /// Those of their threads, just behind it.
        threads: ThreadTimes,
    },
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    clock: Option<ProcessClock>,
    /// Its memory before there were clients.
    memory: Option<Memory>,
    /// Its clock at the window's first edge.
    start: Option<CpuTime>,
    /// Spent since then by those in whose place it came.
    before: CpuTime,
    /// Spent since then by all of them when that was last read.
    pub(super) known: Option<CpuTime>,
}

/// Time that processes spent since the window's first edge.
#[derive(Debug)]
pub(super) struct Spent {
    /// That of all; `None` where there is none, or one of them is not known.
    pub(super) total: Option<CpuTime>,
    /// That of the process that spent most.
    busiest: Option<Duration>,
    /// How many ended, where what they spent is not known.
    pub(super) ended: Option<u32>,
}

impl Processes {
    pub(super) fn each(pids: &[u32]) -> Self {
        let process = |&pid: &u32| Process {
            pid,
            clock: ProcessClock::of(pid).ok(),
            memory: Memory::of(pid).ok(),
            start: None,
            before: CpuTime::default(),
            known: None,
        };
        Self::Each(pids.iter().map(process).collect())
    }

    /// Those of a server that runs already: nobody, where they are not named, or gone.
    pub(super) fn tree(pids: &[u32]) -> Self {
        match ProcessTree::of(pids) {
            Ok(tree) if !pids.is_empty() => {
                let (memory, start) = (tree.memory(), TreeTime::default());
                let threads = ThreadTimes::default();
                Self::Tree { tree: Box::new(tree), memory, start, threads }
            }
            _ => Self::Each(Vec::new()),
        }
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        match self {
            Self::Each(processes) => processes.iter().map(|process| process.pid).collect(),
            Self::Tree { tree, .. } => tree.pids(),
        }
    }

    /// Reads the clocks at the window's first edge.
    pub(super) fn start(&mut self) {
        match self {
            Self::Each(processes) => {
                processes.iter_mut().for_each(|process| process.start = process.cpu());
            }
            Self::Tree { tree, start, .. } => *start = tree.read(),
        }
    }

    /// Reads the clocks of threads, of which there may be a thousand; whatever is to be read at the
    /// window's edge itself is read before.
    pub(super) fn start_threads(&mut self) {
        if let Self::Tree { tree, threads, .. } = self {
            *threads = tree.threads();
        }
    }

    /// CPU time for which the busiest of them had a core to itself, of what they have `spent`. Of several
    /// threads each may have one.
    pub(super) fn busiest(&self, spent: &Spent) -> Option<Duration> {
        let Self::Tree { tree, threads, .. } = self else { return spent.busiest };
        tree.threads().busiest_since(threads).or(spent.busiest)
    }

    /// The same, or that of all together for each core that they may use, where that is more: threads that
    /// take turns on the only one have none left.
    pub(super) fn fullest(&self, spent: &Spent) -> Option<Duration> {
        let busiest = self.busiest(spent)?;
        let Self::Tree { tree, .. } = self else { return Some(busiest) };
        let each = spent.total.map(|all| all.total / tree.cores().max(1));
        Some(each.map_or(busiest, |each| each.max(busiest)))
    }

    pub(super) fn spent(&mut self) -> Spent {
        match self {
            Self::Each(processes) => {
                let each: Vec<_> = processes.iter().map(Process::spent).collect();
                let total = each.iter().copied().reduce(|sum, spent| Some(sum?.plus(spent?)));
                let busiest = each.iter().flatten().map(|spent| spent.total).max();
                Spent { total: total.flatten(), busiest, ended: None }
            }
            Self::Tree { tree, start, .. } => {
                let spent = tree.read().since(start);
                let ended = spent.total.is_none().then_some(spent.ended);
                Spent { total: spent.total, busiest: Some(spent.busiest.total), ended }
            }
        }
    }

    /// Growth of the resident memory of all together; not known where there is none, or one is not
    /// known. Nor where a server that runs already did not grow: its clients took what it had kept from
    /// before, which is not nothing.
    pub(super) fn rss_growth(&self) -> Option<u64> {
        match self {
            Self::Each(processes) if processes.is_empty() => None,
            Self::Each(_) => self.growth(|memory| memory.rss_bytes),
            Self::Tree { tree, memory, .. } => {
                Some(tree.memory()?.growth_since((*memory)?)).filter(|&grown| grown > 0)
            }
        }
    }

    /// How much larger their memory of a kind is than before there were clients; of a tree that is
    /// not known.
    pub(super) fn growth(&self, kind: fn(Memory) -> u64) -> Option<u64> {
        let Self::Each(processes) = self else { return None };
        let growth = |process: &Process| {
            let now = Memory::of(process.pid).ok()?;
            Some(kind(now).saturating_sub(kind(process.memory?)))
        };
        processes.iter().map(growth).sum()
    }
}

impl Process {
    fn cpu(&self) -> Option<CpuTime> {
        self.clock.as_ref()?.read().ok()
    }

    pub(super) fn spent(&self) -> Option<CpuTime> {
        Some(self.cpu()?.saturating_since(self.start?).plus(self.before))
    }

    /// Keeps what it has spent, which can no longer be read once it has ended.
    pub(super) fn goes(&mut self) {
        self.known = self.spent().or(self.known);
    }

    /// Another has come in its place, which has the same memory to begin with.
    pub(super) fn comes(&mut self, pid: u32) {
        self.before = self.known.unwrap_or(self.before);
        (self.pid, self.clock) = (pid, ProcessClock::of(pid).ok());
        self.start = self.start.map(|_| CpuTime::default());
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A program that has started, which it shows by what it writes, and does nothing from then on: one
    /// that is just starting still grows.
    fn idle() -> Child {
        let mut cat =
            Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        cat.stdin.as_mut().unwrap().write_all(b"there\n").unwrap();
        let mut echoed = String::new();
        BufReader::new(cat.stdout.as_mut().unwrap()).read_line(&mut echoed).unwrap();
        assert_eq!(echoed, "there\n");
        cat
    }

    /// A server that has room from before takes clients without growing, which is not that they cost none.
    #[test]
    fn a_server_that_did_not_grow_tells_no_memory_of_its_clients() {
        let mut idle = idle();
        let (theirs, own) = (Processes::tree(&[idle.id()]), Processes::each(&[idle.id()]));
        let grown = [theirs.rss_growth(), own.rss_growth()];
        idle.kill().unwrap();
        idle.wait().unwrap();
        assert_eq!(grown, [None, Some(0)]);
    }
}
