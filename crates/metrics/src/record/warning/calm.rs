//! When a machine is not calm enough: the limits of what a trial survives, and who disturbed it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::way::micros;
use super::{Warning, router};
use crate::observe::instrument::Process;

/// The remedy of a warning of what a machine does to a trial; empty of another.
pub(super) const fn remedy(warning: &Warning) -> &'static str {
    match warning {
        Warning::OthersBusy(_) => "leave the machine idle but for the run",
        Warning::ShortStalls { .. } => "the highest percentiles are the machine's in part",
        Warning::InstrumentStalls(_) => {
            "the highest percentiles are the instrument's in part; let nothing stop or trace it"
        }
        Warning::Throttled(_) => "raise the container's quota, of which the tail is in part",
        Warning::RouterStalls(stalls) => router::remedy(stalls.precedence),
        Warning::OneCore => "use a machine with two: what one of them does slows the other down",
        Warning::TimeStolen { .. } => "use a machine with processors of its own",
        _ => "",
    }
}

/// Other processes at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Busy {
    /// Their share of the processor time of the cores in use.
    pub share: f64,
    /// How long the run's processes waited behind them, each time that they were ready to run.
    pub wait: Duration,
    /// The name of the busiest of them, where one stands out.
    pub by: Option<String>,
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "other processes took {:.0} % of the processor", self.share * 100.0)?;
        if let Some(name) = &self.by {
            write!(f, " (most of all `{name}`)")?;
        }
        let wait = micros(self.wait.as_secs_f64() * 1e6);
        write!(f, ", and the run's own waited {wait} behind them for each turn")
    }
}

/// A process of the instrument that stood still while the machine went on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Standstill {
    /// Which process.
    pub who: Process,
    /// The longest time that it stood still.
    pub worst: Duration,
    /// The share of the window that it stood still for long enough to matter, 0 to 1.
    pub share: f64,
}

impl fmt::Display for Standstill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (who, worst, share) = (self.who, self.worst.as_secs_f64() * 1e3, self.share * 100.0);
        write!(
            f,
            "{who} stood still for up to {worst:.1} ms, in {share:.1} % of the window altogether"
        )
    }
}

/// Time for which a quota of processor time kept the run's processes from running.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeldBack {
    /// How long, on all processors together.
    pub time: Duration,
    /// The same as a share of the window, 0 to 1.
    pub share: f64,
    /// How many processors' time the quota gives, where that is known.
    pub quota: Option<f64>,
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quota =
            self.quota.map_or_else(String::new, |cores| format!(" of {cores:.2} processors"));
        let (time, share) = (self.time.as_secs_f64() * 1e3, self.share * 100.0);
        write!(
            f,
            "the container's quota{quota} stopped its processes for {time:.1} ms, {share:.1} % of the \
             window"
        )
    }
}

/// A stall longer than this makes a trial invalid, however short a part of the window it is.
pub const STALL: Duration = Duration::from_millis(100);

/// So do shorter ones that together surely cover this share of the window, with a probability of
/// 95 %: then the 99th percentile is the machine's.
pub const STALLED_SHARE: f64 = 0.01;

/// From this share on the 99.9th percentile may be the machine's, which is a warning.
pub const STALLED_A_LITTLE: f64 = 0.001;

/// The share that a delay has to be of the latency that was measured in order to matter.
pub const MATTERS: f64 = 0.1;

/// A trial whose processes stood behind others for more than this share of the time in which they
/// would have run is invalid, however long its latencies are.
pub const MOSTLY_WAITING: f64 = 0.5;

/// Other processes that take less than this share of the cores in use are no disturbance; the
/// kernel tells it in hundredths of a second, so that a window of two seconds has it to one or two
/// hundredths, and its own work for the run is in it.
pub const OTHERS_SHARE: f64 = 0.10;

/// A hypervisor that gives this share of the time to others is worth a warning.
pub const STOLEN_SHARE: f64 = 0.01;

/// Clocks that moved against each other by more were set, or the machine slept; readings of them
/// differ by microseconds.
pub const CLOCK_MOVED: Duration = Duration::from_millis(1);
