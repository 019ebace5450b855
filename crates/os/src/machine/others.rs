//! Which other process took the processor: a name for what disturbed a run.
//!
//! Two looks at `/proc` and the difference between them. A process that began and ended in
//! between is not seen, so this names a culprit; how much all others took together is better
//! known from the machine's own times ([`crate::machine::load`]).

use std::collections::HashMap;

use pushbench_metrics::observe::disturbance::BusyProcesses;

use crate::process::cpu;
use crate::procfs;

/// The most processes that are looked at: some milliseconds' worth.
const MOST: usize = 4_096;

/// The processor time of each process, at one moment.
#[derive(Debug, Clone, Default)]
pub struct ProcessTimes {
    /// By process id and start, so that a later process with the same id is another one.
    processes: HashMap<(u32, u64), u64>,
    names: HashMap<u32, String>,
}

impl ProcessTimes {
    /// Looks at every process that `/proc` shows: ten microseconds or so for each.
    #[must_use]
    pub fn now() -> Self {
        let mut times = Self::default();
        for pid in procfs::pids().take(MOST) {
            let Some(known) = cpu::describe(pid) else { continue };
            times.processes.insert((pid, known.started), known.ticks);
            times.names.insert(pid, known.name);
        }
        times
    }

    /// The processes of one name that took most since `earlier`, those in `own` left out; `None`
    /// where none took any.
    #[must_use]
    pub fn busiest_since(&self, earlier: &Self, own: &[u32]) -> Option<BusyProcesses> {
        let mut by_name: HashMap<&str, (u64, u32)> = HashMap::new();
        for (key, &ticks) in &self.processes {
            let taken = ticks.saturating_sub(earlier.processes.get(key).copied().unwrap_or(0));
            if taken == 0 || own.contains(&key.0) {
                continue;
            }
            let name = self.names.get(&key.0).map_or("", String::as_str);
            let (all, count) = by_name.entry(name).or_default();
            (*all, *count) = (all.saturating_add(taken), *count + 1);
        }
        let (name, (ticks, count)) = by_name.into_iter().max_by_key(|&(name, all)| (all, name))?;
        let cpu = procfs::ticks(ticks);
        Some(BusyProcesses { name: name.to_owned(), count, cpu })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn times(processes: &[(u32, u64, u64)]) -> ProcessTimes {
        let mut times = ProcessTimes::default();
        for &(pid, started, ticks) in processes {
            times.processes.insert((pid, started), ticks);
            times.names.insert(pid, format!("p{pid}"));
        }
        times
    }

    #[test]
    fn the_busiest_is_the_one_that_took_most_since() {
        let before = times(&[(1, 0, 1_000), (2, 5, 10), (3, 5, 0)]);
        let after = times(&[(1, 0, 1_001), (2, 5, 60), (3, 5, 90)]);
        let name = |own: &[u32]| after.busiest_since(&before, own).map(|busy| busy.name);
        assert_eq!(name(&[]).as_deref(), Some("p3"));
        assert_eq!(name(&[3]).as_deref(), Some("p2"));
        assert_eq!(name(&[1, 2, 3]), None);
        assert_eq!(before.busiest_since(&before, &[]), None, "none took any");
    }

    #[test]
    fn those_of_one_name_count_together() {
        let mut after = times(&[(1, 0, 30), (2, 0, 20), (3, 0, 20)]);
        for pid in [2, 3] {
            after.names.insert(pid, "rustc".to_owned());
        }
        let busiest = after.busiest_since(&ProcessTimes::default(), &[]).unwrap();
        assert_eq!((busiest.name.as_str(), busiest.count), ("rustc", 2));
        assert_eq!(busiest.cpu, procfs::ticks(40));
    }

    #[test]
    fn a_new_process_with_an_old_id_began_at_zero() {
        let busy = times(&[(2, 9, 7)]).busiest_since(&times(&[(2, 5, 50)]), &[]).unwrap();
        assert_eq!(busy.cpu, procfs::ticks(7));
    }

    #[test]
    fn this_process_is_there_under_its_name() {
        let times = ProcessTimes::now();
        let name = times.names.get(&std::process::id()).unwrap();
        let known = fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!(name, known.trim());
    }
}
