//! The floor: what a message costs bare loops of writes and of reads.
//!
//! It is the kernel's price for one write and one read of a small message over loopback, at the same
//! pace, to as many sockets and on the same cores as the trials beside it: no stream whose clients
//! keep up can be below it, whatever the program. Polls that bring several messages with one write
//! can, and so can streams that catch up.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::judge::stats;
use crate::record::{CpuTime, RunRecord};

/// A trial of bare loops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FloorTrial {
    /// The point's number, from 1.
    pub point: u32,
    /// The round, from 1.
    pub round: u32,
    /// Why it cannot be used; empty where it can.
    pub invalid: Vec<String>,
    /// Messages that were read in the window.
    pub messages: u64,
    /// CPU time of the loop of writes within the window.
    pub server_cpu: Option<CpuTime>,
    /// The same of the loop of reads, over all its processes.
    pub load_cpu: Option<CpuTime>,
}

impl FloorTrial {
    /// CPU time of writes and of reads for each message, µs; `None` where it cannot be used.
    #[must_use]
    pub fn cost(&self) -> Option<Floor> {
        if !self.invalid.is_empty() || self.messages == 0 {
            return None;
        }
        let (server, load) = (self.server_cpu?.total, self.load_cpu?.total);
        Some(Floor { server_us: self.each(server), load_us: self.each(load), trials: 1 })
    }

    #[expect(clippy::cast_precision_loss, reason = "messages of one trial")]
    fn each(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / self.messages as f64
    }
}

/// CPU time for each message, µs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floor {
    /// Of a loop of writes.
    pub server_us: f64,
    /// Of a loop of reads.
    pub load_us: f64,
    /// Trials that this is the median of.
    pub trials: usize,
}

impl Floor {
    /// The floor at a point: the median of its trials. `None` where none was measured.
    #[must_use]
    pub fn of(record: &RunRecord, point: u32) -> Option<Self> {
        let trials = record.floors.iter().filter(|trial| trial.point == point);
        let costs: Vec<Self> = trials.filter_map(FloorTrial::cost).collect();
        let median =
            |of: fn(&Self) -> f64| stats::median(&costs.iter().map(of).collect::<Vec<_>>());
        Some(Self {
            server_us: median(|cost| cost.server_us)?,
            load_us: median(|cost| cost.load_us)?,
            trials: costs.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_cpu_over_messages_of_trials_that_can_be_used() {
        let cpu =
            |micros| Some(CpuTime { total: Duration::from_micros(micros), ..CpuTime::default() });
        let trial = FloorTrial {
            point: 1,
            round: 1,
            invalid: Vec::new(),
            messages: 200,
            server_cpu: cpu(1_000),
            load_cpu: cpu(600),
        };
        assert_eq!(trial.cost(), Some(Floor { server_us: 5.0, load_us: 3.0, trials: 1 }));
        assert_eq!(FloorTrial { messages: 0, ..trial.clone() }.cost(), None);
        assert_eq!(FloorTrial { load_cpu: None, ..trial.clone() }.cost(), None);
        let died = "a load process ended early".to_owned();
        assert_eq!(FloorTrial { invalid: vec![died], ..trial }.cost(), None);
    }
}
