//! The origin of latency where messages have no schedule, and how well it is known.

use pushbench_core::feed::stamp::{LatencyFrom, StampClock};
use pushbench_metrics::record::{RunRecord, TrialRecord};

use crate::human;

/// The origin of latency, in a line to be read below the figures; `None` where that is the schedule.
pub(crate) fn legend(record: &RunRecord) -> Option<String> {
    let trials: Vec<_> = record.standing().filter(|trial| trial.is_valid()).collect();
    match trials.first()?.latency_from {
        LatencyFrom::Schedule => None,
        LatencyFrom::Nothing => Some(
            "Messages say nothing of when they came to be, so there is no latency and no age; those \
             count that arrived in the window."
                .to_owned(),
        ),
        LatencyFrom::Stamp => Some(format!(
            "Latency (from stamp) is counted from what the sender wrote into each message{}: a stall \
             of the sender before that is not in it. Those count that were stamped in the window.",
            known(&trials)
        )),
    }
}

/// `, in whole ms of the wall clock, known to 30 ns beside that of arrivals`: the worst of the trials.
fn known(trials: &[&TrialRecord]) -> String {
    let offsets = trials.iter().filter_map(|trial| trial.stamp_offset);
    let Some(worst) = offsets.max_by_key(|offset| offset.bound_ns) else { return String::new() };
    let stamps =
        trials.iter().filter_map(|trial| trial.measured.senders.as_ref()).map(|it| it.stamps);
    let unit = match stamps.map(|stamps| stamps.unit_ns).max().unwrap_or(0) {
        1_000_000_000 => "in whole seconds ",
        1_000_000 => "in whole ms ",
        1_000 => "in whole µs ",
        _ => "",
    };
    match worst.clock {
        StampClock::Monotonic => format!(", {unit}of the monotonic clock"),
        StampClock::Wall => {
            let bound = human::count(worst.bound_ns);
            format!(", {unit}of the wall clock, known to {bound} ns beside that of arrivals")
        }
    }
}
