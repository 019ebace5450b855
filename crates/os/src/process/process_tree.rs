//! Processes with all that descend from them: a server that is a master with workers, or a cluster.
//!
//! The processor time of a process is lost with it, unless somebody waits for it: then the kernel
//! adds it to the parent's (`cutime` and `cstime` in proc_pid_stat(5)). So what a tree used between
//! two readings is the difference of the sums of both, over those that live, and those that began
//! and ended meanwhile are in it. Only where nobody waits for them is it not known.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use pushbench_metrics::record::CpuTime;

use crate::process::cpu::{self, ProcessClock};
use crate::process::memory::{self, Memory};
use crate::process::scheduling;
use crate::process::thread_times::ThreadTimes;
use crate::procfs;

/// The most processes that are looked at, more than any system has by default.
const MOST: usize = 1 << 16;

/// A process: its number may be another's one day, which began at another tick.
type Identity = (u32, u64);

/// Some processes and their descendants, as far as they were seen.
#[derive(Debug)]
pub struct ProcessTree {
    roots: Vec<Identity>,
    members: BTreeMap<Identity, ProcessClock>,
}

/// Processor time of each process of a tree until a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeTime {
    roots: Vec<Identity>,
    members: BTreeMap<Identity, MemberTime>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct MemberTime {
    own: CpuTime,
    /// Of children that it has waited for, in whole ticks.
    reaped: CpuTime,
}

/// Processor time of a tree between two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeSpent {
    /// All its processes together; `None` where some ended, and what they used is told nowhere.
    pub total: Option<CpuTime>,
    /// The one that used most.
    pub busiest: CpuTime,
    /// Processes that ended.
    pub ended: u32,
}

/// Memory of a tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TreeMemory {
    /// Living processes.
    pub processes: u32,
    /// Bytes resident, those that several processes share counted for each.
    pub rss_bytes: u64,
    /// Those that no file backs, with what is shared divided among those who share it
    /// ([`memory::pss_bytes`]); `None` where the system does not let this process read it.
    pub pss_bytes: Option<u64>,
}

impl TreeMemory {
    /// By how much the tree grew since `earlier`, in the way in which both can be told.
    #[must_use]
    pub fn growth_since(self, earlier: Self) -> u64 {
        let alone = self.processes.max(earlier.processes) < 2;
        match self.pss_bytes.zip(earlier.pss_bytes).filter(|_| !alone) {
            Some((now, before)) => now.saturating_sub(before),
            None => self.rss_bytes.saturating_sub(earlier.rss_bytes),
        }
    }
}

impl ProcessTree {
    /// The processes `pids` and their descendants.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] where one of them is no process, else what the system answers.
    pub fn of(pids: &[u32]) -> io::Result<Self> {
        let clocks = pids.iter().map(|&pid| ProcessClock::of(pid));
        let clocks = clocks.collect::<io::Result<Vec<_>>>()?;
        let members: BTreeMap<_, _> =
            clocks.into_iter().map(|clock| (clock.identity(), clock)).collect();
        let mut tree = Self { roots: members.keys().copied().collect(), members };
        tree.find_new();
        Ok(tree)
    }

    /// The processes that were seen, also those that have ended.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.members.keys().map(|&(pid, _)| pid).collect()
    }

    /// Looks for descendants that are new; some ten microseconds for each process of the system.
    /// One whose parents have ended stays in the tree if it was seen before.
    fn find_new(&mut self) -> Vec<Identity> {
        let parents = parents();
        let mut found = Vec::new();
        let mut known: BTreeSet<u32> = self.members.keys().map(|&(pid, _)| pid).collect();
        loop {
            let is_new =
                |&(pid, parent): &(u32, u32)| known.contains(&parent) && !known.contains(&pid);
            let new: Vec<u32> =
                parents.iter().copied().filter(is_new).map(|(pid, _)| pid).collect();
            if new.is_empty() {
                return found;
            }
            for pid in new {
                known.insert(pid);
                // One that has ended meanwhile is in its parent's figures.
                let Ok(clock) = ProcessClock::of(pid) else { continue };
                found.push(clock.identity());
                self.members.insert(clock.identity(), clock);
            }
        }
    }

    /// Processor time of each process until now. Those that are known are read first, as a window's
    /// edge is to be hit, then those that are new.
    pub fn read(&mut self) -> TreeTime {
        let read = |(identity, clock): (&Identity, &ProcessClock)| {
            let (own, reaped) = clock.read_with_reaped().ok()?;
            Some((*identity, MemberTime { own, reaped }))
        };
        let mut members: BTreeMap<_, _> = self.members.iter().filter_map(read).collect();
        let new = self.find_new();
        let new = new.iter().filter_map(|identity| self.members.get_key_value(identity));
        members.extend(new.filter_map(read));
        TreeTime { roots: self.roots.clone(), members }
    }

    /// How many cores they may use together; 0 where that is not known.
    #[must_use]
    pub fn cores(&self) -> u32 {
        let all: BTreeSet<u32> =
            self.members.keys().flat_map(|&(pid, _)| scheduling::cores_of(pid)).collect();
        u32::try_from(all.len()).unwrap_or(u32::MAX)
    }

    /// Processor time of each of their living threads.
    #[must_use]
    pub fn threads(&self) -> ThreadTimes {
        ThreadTimes::of(&self.pids())
    }

    /// Memory of the living ones; `None` where a root is gone.
    #[must_use]
    pub fn memory(&self) -> Option<TreeMemory> {
        let mut all = TreeMemory { pss_bytes: Some(0), ..TreeMemory::default() };
        for identity in self.members.keys() {
            let alive = cpu::describe(identity.0).is_some_and(|known| known.started == identity.1);
            let memory = Memory::of(identity.0).ok().filter(|_| alive);
            let Some(memory) = memory else {
                if self.roots.contains(identity) {
                    return None;
                }
                continue;
            };
            all.processes += 1;
            all.rss_bytes += memory.rss_bytes;
            let pss = memory::pss_bytes(identity.0);
            all.pss_bytes = all.pss_bytes.zip(pss).map(|(sum, pss)| sum + pss);
        }
        Some(all)
    }
}

impl TreeTime {
    /// Processor time of the tree since the reading `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> TreeSpent {
        let zero = MemberTime::default();
        let (mut before, mut now, mut gone) = (CpuTime::default(), CpuTime::default(), zero.own);
        let mut ended = 0;
        for (identity, member) in &earlier.members {
            before = before.plus(member.own).plus(member.reaped);
            if !self.members.contains_key(identity) {
                gone = gone.plus(member.own).plus(member.reaped);
                ended += 1;
            }
        }
        let (mut reaped, mut busiest) = (zero.reaped, CpuTime::default());
        for (identity, member) in &self.members {
            let then = earlier.members.get(identity).copied().unwrap_or_default();
            now = now.plus(member.own).plus(member.reaped);
            reaped = reaped.plus(member.reaped.saturating_since(then.reaped));
            let own = member.own.saturating_since(then.own);
            busiest = if own.total > busiest.total { own } else { busiest };
        }
        // What a process used is told in whole ticks once it is its parent's.
        let ticks = procfs::ticks(2 * u64::from(ended));
        let is_told = gone.total <= reaped.total.saturating_add(ticks);
        let all_roots = self.roots.iter().all(|root| self.members.contains_key(root));
        let total = (is_told && all_roots).then(|| now.saturating_since(before));
        TreeSpent { total, busiest, ended }
    }
}

/// Each process that `/proc` shows, and its parent.
fn parents() -> Vec<(u32, u32)> {
    let parent = |pid| Some((pid, cpu::describe(pid)?.parent));
    procfs::pids().take(MOST).filter_map(parent).collect()
}

#[cfg(test)]
mod tests;
