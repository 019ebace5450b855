//! The origin of latency where messages have no schedule, and how well it is known.

use pushbench_core::feed::stamp::{LatencyFrom, StampClock};
use pushbench_metrics::record::{RunRecord, TrialRecord};

use crate::human;
use crate::rows::Row;

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

/// A unit that stamps are in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    /// Its length.
    pub(crate) us: f64,
    /// The words for it.
    pub(crate) name: &'static str,
}

const UNITS: [Unit; 3] =
    [Unit { us: 1e6, name: "1 s" }, Unit { us: 1e3, name: "1 ms" }, Unit { us: 1.0, name: "1 µs" }];

/// The share of a latency from which on the unit of its stamps is told with it.
const MATTERS: f64 = 0.01;

/// The unit of the stamps that a latency of so many µs is counted from, where it is a part of that which
/// matters.
pub(crate) fn resolution(row: &Row<'_>, us: f64) -> Option<Unit> {
    let of_stamps = |trial: &&TrialRecord| trial.latency_from == LatencyFrom::Stamp;
    let trials = row.trials.iter().copied().filter(of_stamps);
    let senders = trials.filter_map(|trial| trial.measured.senders.as_ref());
    let coarsest = senders.map(|senders| senders.stamps.unit_ns).max()? as f64 / 1e3;
    let unit = UNITS.into_iter().find(|unit| unit.us == coarsest)?;
    (unit.us >= us * MATTERS).then_some(unit)
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
