//! What a trial costs, read from outside the processes at the window's edges.

use std::time::Duration;

use pushbench_metrics::record::{CpuSpent, Resources};
use pushbench_probe::cpu::{CpuTime, ProcessClock};
use pushbench_probe::machine::MachineTimes;
use pushbench_probe::memory::{Memory, socket_memory_bytes};

use super::surroundings::Surroundings;

/// The processes of a trial, and their memory before there were clients.
#[derive(Debug)]
pub(super) struct Sampler {
    servers: Vec<Process>,
    loads: Vec<Process>,
}

#[derive(Debug)]
struct Process {
    pid: u32,
    clock: Option<ProcessClock>,
    rss_before: Option<u64>,
}

impl Process {
    fn new(pid: u32) -> Self {
        Self { pid, clock: ProcessClock::of(pid).ok(), rss_before: rss(pid) }
    }

    fn cpu(&self) -> Option<CpuTime> {
        self.clock.as_ref()?.read().ok()
    }

    fn rss_growth(&self) -> Option<u64> {
        Some(rss(self.pid)?.saturating_sub(self.rss_before?))
    }
}

fn rss(pid: u32) -> Option<u64> {
    Memory::of(pid).ok().map(|memory| memory.rss_bytes)
}

/// Clocks at the window's first edge.
#[derive(Debug)]
pub(super) struct Edge {
    servers: Vec<Option<CpuTime>>,
    loads: Vec<Option<CpuTime>>,
    machine: Option<MachineTimes>,
    surroundings: Surroundings,
}

/// The costs of a window, and the busiest process of each kind, which the sums hide.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) resources: Resources,
    pub(super) busiest_server: Option<Duration>,
    pub(super) busiest_load: Option<Duration>,
}

impl Sampler {
    /// Takes the memory that the processes have before clients connect.
    pub(super) fn new(servers: &[u32], loads: &[u32]) -> Self {
        let processes = |pids: &[u32]| pids.iter().copied().map(Process::new).collect();
        Self { servers: processes(servers), loads: processes(loads) }
    }

    /// The processes of the trial, this one among them.
    pub(super) fn pids(&self) -> Vec<u32> {
        let children = self.servers.iter().chain(&self.loads).map(|process| process.pid);
        children.chain([std::process::id()]).collect()
    }

    /// Reads the clocks at t0. `surroundings` have been watched since before it.
    pub(super) fn start(&self, mut surroundings: Surroundings) -> Edge {
        let servers = self.servers.iter().map(Process::cpu).collect();
        let loads = self.loads.iter().map(Process::cpu).collect();
        let machine = MachineTimes::read().ok();
        surroundings.begin();
        Edge { servers, loads, machine, surroundings }
    }

    /// Reads them again at t1, and the memory.
    ///
    /// These come first: a window that has nothing outstanding is closed, reported and over within
    /// milliseconds, and to end the watch over the surroundings takes as long.
    pub(super) fn finish(&self, edge: Edge) -> Sample {
        let servers = each_spent(&self.servers, &edge.servers);
        let loads = each_spent(&self.loads, &edge.loads);
        let (server_rss_growth, load_rss_growth) =
            (rss_growth(&self.servers), rss_growth(&self.loads));
        let machine = MachineTimes::read().ok().zip(edge.machine);
        let machine = machine.map(|(now, before)| now.saturating_since(before));
        let nanos = |read: fn(&MachineTimes) -> u64| machine.as_ref().map(read);
        let disturbance = edge.surroundings.end();
        let resources = Resources {
            server_cpu: total(&servers),
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
        Sample { resources, busiest_server: busiest(&servers), busiest_load: busiest(&loads) }
    }
}

/// What each process has spent since `before`.
fn each_spent(processes: &[Process], before: &[Option<CpuTime>]) -> Vec<Option<CpuSpent>> {
    let now = processes.iter().map(Process::cpu);
    now.zip(before).map(|(now, before)| spent(now, *before)).collect()
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
    let spent = now?.saturating_since(before?);
    Some(CpuSpent {
        total: Duration::from_nanos(spent.total_ns),
        user: Duration::from_nanos(spent.user_ns),
        system: Duration::from_nanos(spent.system_ns),
    })
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

    use pushbench_probe::clock;

    use super::*;

    /// What a process does behind the window's end is none of its cost, however long it takes to
    /// end the watch: canaries end with their next wake-up, here a second later.
    #[test]
    fn cost_is_read_before_the_watch_is_ended() {
        const LATER: Duration = Duration::from_secs(1);
        let mut spinner = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let sampler = Sampler::new(&[spinner.id()], &[]);
        let end = clock::now() + LATER;
        let edge = sampler.start(Surroundings::watch(Some(sampler.pids()), end));
        let sample = sampler.finish(edge);
        assert!(clock::now() >= end, "the watch ended before its canaries woke");
        spinner.kill().unwrap();
        spinner.wait().unwrap();
        let cpu = sample.resources.server_cpu.unwrap().total;
        assert!(cpu < LATER / 2, "{cpu:?} of a window that ended at once");
    }
}
