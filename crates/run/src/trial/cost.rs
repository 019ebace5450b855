//! Costs of a trial, read from outside the processes at the window's edges.

use std::time::Duration;

use pushbench_metrics::record::{CpuSpent, Resources};
use pushbench_os::machine::load::MachineTimes;
use pushbench_os::process::cpu::{CpuTime, ProcessClock};
use pushbench_os::process::memory::{Memory, socket_memory_bytes};
use pushbench_os::process::process_tree::{ProcessTree, TreeMemory, TreeTime};

use super::disturbance::DisturbanceWatch;

/// The processes of a trial, and their memory before there were clients.
#[derive(Debug)]
pub(super) struct CostMeter {
    servers: Servers,
    loads: Vec<Process>,
}

/// The processes of a trial's server.
#[derive(Debug)]
enum Servers {
    /// Those that this run started, which start none themselves.
    Each(Vec<Process>),
    /// Those of a server that runs already, with all that descend from them, and their memory
    /// before there were clients.
    Tree(Box<ProcessTree>, Option<TreeMemory>),
}

impl Servers {
    /// This run's `own`, or those of a server that runs already: nobody, where they are not named,
    /// or gone.
    fn of(pids: &[u32], own: bool) -> Self {
        if own {
            return Self::Each(pids.iter().copied().map(Process::new).collect());
        }
        match ProcessTree::of(pids) {
            Ok(tree) if !pids.is_empty() => {
                let memory = tree.memory();
                Self::Tree(Box::new(tree), memory)
            }
            _ => Self::Each(Vec::new()),
        }
    }

    fn pids(&self) -> Vec<u32> {
        match self {
            Self::Each(processes) => processes.iter().map(|process| process.pid).collect(),
            Self::Tree(tree, _) => tree.pids(),
        }
    }

    fn times(&mut self) -> ServerTimes {
        match self {
            Self::Each(processes) => {
                ServerTimes::Each(processes.iter().map(Process::cpu).collect())
            }
            Self::Tree(tree, _) => ServerTimes::Tree(tree.read()),
        }
    }

    /// Time that they spent since `before`.
    fn spent(&mut self, before: &ServerTimes) -> ServerSpent {
        match (self.times(), before) {
            (ServerTimes::Each(now), ServerTimes::Each(before)) => {
                let each = each_spent(now, before);
                ServerSpent { total: total(&each), busiest: busiest(&each), ended: None }
            }
            (ServerTimes::Tree(now), ServerTimes::Tree(before)) => {
                let spent = now.since(before);
                let lost = spent.total.is_none().then_some(spent.ended);
                let busiest = Some(Duration::from_nanos(spent.busiest.total_ns));
                ServerSpent { total: spent.total.map(cpu_spent), busiest, ended: lost }
            }
            _ => ServerSpent::default(),
        }
    }

    fn rss_growth(&self) -> Option<u64> {
        match self {
            Self::Each(processes) => rss_growth(processes),
            Self::Tree(tree, before) => Some(tree.memory()?.growth_since((*before)?)),
        }
    }
}

/// Clocks of the server's processes at one moment.
#[derive(Debug)]
enum ServerTimes {
    Each(Vec<Option<CpuTime>>),
    Tree(TreeTime),
}

/// Time that the server's processes spent.
#[derive(Debug, Default)]
struct ServerSpent {
    total: Option<CpuSpent>,
    busiest: Option<Duration>,
    /// How many ended, where what they spent is not known.
    ended: Option<u32>,
}

#[derive(Debug)]
struct Process {
    pid: u32,
    clock: Option<ProcessClock>,
    /// Its memory before there were clients.
    before: Option<Memory>,
}

impl Process {
    fn new(pid: u32) -> Self {
        Self { pid, clock: ProcessClock::of(pid).ok(), before: Memory::of(pid).ok() }
    }

    fn cpu(&self) -> Option<CpuTime> {
        self.clock.as_ref()?.read().ok()
    }

    fn rss_growth(&self) -> Option<u64> {
        self.growth(|memory| memory.rss_bytes)
    }

    /// How much larger its memory of a kind is than before there were clients.
    fn growth(&self, kind: fn(Memory) -> u64) -> Option<u64> {
        let now = Memory::of(self.pid).ok()?;
        Some(kind(now).saturating_sub(kind(self.before?)))
    }
}

/// Clocks at the window's first edge.
#[derive(Debug)]
pub(super) struct Edge {
    servers: ServerTimes,
    loads: Vec<Option<CpuTime>>,
    machine: Option<MachineTimes>,
    watch: DisturbanceWatch,
}

/// The costs of a window, and the busiest process of each kind, which the sums hide.
#[derive(Debug)]
pub struct Cost {
    /// CPU time and memory of all processes.
    pub resources: Resources,
    /// CPU time of the busiest server process.
    pub busiest_server: Option<Duration>,
    /// CPU time of the busiest load process.
    pub busiest_load: Option<Duration>,
    /// Memory that clients took as they connected.
    pub connecting: Connecting,
    /// Processes of the server that ended, where what they used is not known.
    pub(crate) servers_ended: Option<u32>,
}

/// Memory that no file backs which all clients of a trial took as they connected, bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Connecting {
    /// Of the server processes; `None` where they are not this run's.
    pub server: Option<u64>,
    /// Of the load processes.
    pub load: Option<u64>,
}

impl CostMeter {
    /// Takes the memory that the processes have before clients connect. The `servers` are this
    /// run's `own`, or run already.
    pub(super) fn new(servers: &[u32], own: bool, loads: &[u32]) -> Self {
        let loads = loads.iter().copied().map(Process::new).collect();
        Self { servers: Servers::of(servers, own), loads }
    }

    /// Reads the memory that all clients took as they connected.
    pub(super) fn connected(&self) -> Connecting {
        let growth = |processes: &[Process]| {
            processes.iter().map(|process| process.growth(|memory| memory.anonymous_bytes)).sum()
        };
        let server = match &self.servers {
            Servers::Each(processes) => growth(processes),
            Servers::Tree(..) => None,
        };
        Connecting { server, load: growth(&self.loads) }
    }

    /// The processes of the trial, this one among them.
    pub(super) fn pids(&self) -> Vec<u32> {
        let loads = self.loads.iter().map(|process| process.pid);
        self.servers.pids().into_iter().chain(loads).chain([std::process::id()]).collect()
    }

    /// Reads the clocks at t0. `watch` has gone on since before it.
    pub(super) fn start(&mut self, mut watch: DisturbanceWatch) -> Edge {
        let servers = self.servers.times();
        let loads = self.loads.iter().map(Process::cpu).collect();
        let machine = MachineTimes::read().ok();
        watch.begin();
        Edge { servers, loads, machine, watch }
    }

    /// Reads them again at t1, and the memory.
    ///
    /// These come first: a window that has nothing outstanding is closed, reported and over within
    /// milliseconds, and to end the watch takes as long.
    pub(super) fn finish(&mut self, edge: Edge) -> Cost {
        let servers = self.servers.spent(&edge.servers);
        let loads = each_spent(self.loads.iter().map(Process::cpu), &edge.loads);
        let (server_rss_growth, load_rss_growth) =
            (self.servers.rss_growth(), rss_growth(&self.loads));
        let machine = MachineTimes::read().ok().zip(edge.machine);
        let machine = machine.map(|(now, before)| now.saturating_since(before));
        let nanos = |read: fn(&MachineTimes) -> u64| machine.as_ref().map(read);
        let disturbance = edge.watch.end();
        let resources = Resources {
            server_cpu: servers.total,
            load_cpu: total(&loads),
            server_rss_growth,
            load_rss_growth,
            socket_memory: socket_memory_bytes(),
            softirq: nanos(|times| times.softirq_ns).map(Duration::from_nanos),
            steal: nanos(|times| times.steal_ns).map(Duration::from_nanos),
            canary_worst: disturbance.worst_stall(),
            disturbance: Some(disturbance),
            load_processes: u32::try_from(self.loads.len()).unwrap_or(u32::MAX),
            // How it was laid out, and how its processes kept time, the trial knows.
            instrument: None,
            server_processes: 0,
            source_addresses: 0,
            pinned: None,
        };
        Cost {
            resources,
            busiest_server: servers.busiest,
            busiest_load: busiest(&loads),
            servers_ended: servers.ended,
            connecting: Connecting::default(),
        }
    }
}

/// Time that each process has spent since `before`.
fn each_spent(
    now: impl IntoIterator<Item = Option<CpuTime>>,
    before: &[Option<CpuTime>],
) -> Vec<Option<CpuSpent>> {
    now.into_iter().zip(before).map(|(now, before)| spent(now, *before)).collect()
}

fn busiest(processes: &[Option<CpuSpent>]) -> Option<Duration> {
    processes.iter().flatten().map(|cpu| cpu.total).max()
}

/// The growth of all processes together; not known where there is none, or one is not known.
fn rss_growth(processes: &[Process]) -> Option<u64> {
    if processes.is_empty() {
        return None;
    }
    processes.iter().map(Process::rss_growth).sum()
}

fn spent(now: Option<CpuTime>, before: Option<CpuTime>) -> Option<CpuSpent> {
    Some(cpu_spent(now?.saturating_since(before?)))
}

fn cpu_spent(spent: CpuTime) -> CpuSpent {
    CpuSpent {
        total: Duration::from_nanos(spent.total_ns),
        user: Duration::from_nanos(spent.user_ns),
        system: Duration::from_nanos(spent.system_ns),
    }
}

/// The sum of all parts; not known where there is none, or one of them is not known.
fn total(parts: &[Option<CpuSpent>]) -> Option<CpuSpent> {
    if parts.is_empty() {
        return None;
    }
    parts.iter().try_fold(CpuSpent::default(), |sum, part| {
        let part = (*part)?;
        Some(CpuSpent {
            total: sum.total + part.total,
            user: sum.user + part.user,
            system: sum.system + part.system,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use pushbench_os::time::clock;

    use super::*;

    /// Work behind the window's end is none of its cost, however long it takes to
    /// end the watch: canaries end with their next wake-up, here a second later.
    #[test]
    fn cost_is_read_before_the_watch_is_ended() {
        const LATER: Duration = Duration::from_secs(1);
        let mut spinner = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let mut meter = CostMeter::new(&[spinner.id()], true, &[]);
        let end = clock::now() + LATER;
        let edge = meter.start(DisturbanceWatch::start(Some(meter.pids()), end));
        let cost = meter.finish(edge);
        assert!(clock::now() >= end, "the watch ended before its canaries woke");
        spinner.kill().unwrap();
        spinner.wait().unwrap();
        let cpu = cost.resources.server_cpu.unwrap().total;
        assert!(cpu < LATER / 2, "{cpu:?} of a window that ended at once");
    }
}
