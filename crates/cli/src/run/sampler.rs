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
    server: Option<Process>,
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
    server: Option<CpuTime>,
    loads: Vec<Option<CpuTime>>,
    machine: Option<MachineTimes>,
    surroundings: Surroundings,
}

/// The costs of a window, and the busiest of the load processes, which the sums hide.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) resources: Resources,
    pub(super) busiest_load: Option<Duration>,
}

impl Sampler {
    /// Takes the memory that the processes have before clients connect.
    pub(super) fn new(server: Option<u32>, loads: &[u32]) -> Self {
        let loads = loads.iter().copied().map(Process::new).collect();
        Self { server: server.map(Process::new), loads }
    }

    /// The processes of the trial, this one among them.
    pub(super) fn pids(&self) -> Vec<u32> {
        let children = self.server.iter().chain(&self.loads).map(|process| process.pid);
        children.chain([std::process::id()]).collect()
    }

    /// Reads the clocks at t0. `surroundings` have been watched since before it.
    pub(super) fn start(&self, mut surroundings: Surroundings) -> Edge {
        surroundings.begin();
        Edge {
            server: self.server.as_ref().and_then(Process::cpu),
            loads: self.loads.iter().map(Process::cpu).collect(),
            machine: MachineTimes::read().ok(),
            surroundings,
        }
    }

    /// Reads them again at t1, and the memory.
    pub(super) fn finish(&self, edge: Edge) -> Sample {
        let disturbance = edge.surroundings.end();
        let server_now = self.server.as_ref().and_then(Process::cpu);
        let loads_now = self.loads.iter().map(Process::cpu);
        let loads: Vec<Option<CpuSpent>> =
            loads_now.zip(edge.loads).map(|(now, before)| spent(now, before)).collect();
        let machine = MachineTimes::read().ok().zip(edge.machine);
        let machine = machine.map(|(now, before)| now.saturating_since(before));
        let nanos = |read: fn(&MachineTimes) -> u64| machine.as_ref().map(read);
        let resources = Resources {
            server_cpu: spent(server_now, edge.server),
            load_cpu: total(&loads),
            server_rss_growth: self.server.as_ref().and_then(Process::rss_growth),
            load_rss_growth: self.loads.iter().map(Process::rss_growth).sum(),
            socket_memory: socket_memory_bytes(),
            softirq: nanos(|times| times.softirq_ns).map(Duration::from_nanos),
            steal: nanos(|times| times.steal_ns).map(Duration::from_nanos),
            canary_worst: disturbance.worst_stall(),
            disturbance: Some(disturbance),
            load_processes: u32::try_from(self.loads.len()).unwrap_or(u32::MAX),
        };
        let busiest_load = loads.iter().flatten().map(|cpu| cpu.total).max();
        Sample { resources, busiest_load }
    }
}

fn spent(now: Option<CpuTime>, before: Option<CpuTime>) -> Option<CpuSpent> {
    let spent = now?.saturating_since(before?);
    Some(CpuSpent {
        total: Duration::from_nanos(spent.total_ns),
        user: Duration::from_nanos(spent.user_ns),
        system: Duration::from_nanos(spent.system_ns),
    })
}

/// The sum of all parts; not known where one of them is not.
fn total(parts: &[Option<CpuSpent>]) -> Option<CpuSpent> {
    parts.iter().try_fold(CpuSpent::default(), |sum, part| {
        let part = (*part)?;
        Some(CpuSpent {
            total: sum.total + part.total,
            user: sum.user + part.user,
            system: sum.system + part.system,
        })
    })
}
