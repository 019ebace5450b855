//! How well the instrument itself kept time, over all valid trials of a run.

use pushbench_metrics::histogram::LatencyHistogram;
use pushbench_metrics::record::{RunRecord, TrialRecord};

use crate::human;

/// The lags of publisher, load generator and machine in one line; `None` where none is known.
pub(crate) fn lags(record: &RunRecord) -> Option<String> {
    let trials: Vec<&TrialRecord> = record.standing().filter(|trial| trial.is_valid()).collect();
    let (mut publisher, mut load) = (LatencyHistogram::default(), LatencyHistogram::default());
    for trial in &trials {
        trial.server.iter().for_each(|server| publisher.merge(&server.publish_lag));
        load.merge(&trial.loop_lag);
    }
    let stalls = trials.iter().filter_map(|trial| trial.resources.canary_worst);
    let parts: Vec<String> = [
        lag("publisher", &publisher),
        lag("load generator", &load),
        stalls.max().map(|worst| {
            format!("the machine's longest stall {}", human::time(worst.as_secs_f64() * 1e6))
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| format!("Lag of the instrument: {}.", parts.join(", ")))
}

/// The 99th percentile where there are samples enough, else the worst.
fn lag(name: &str, lag: &LatencyHistogram) -> Option<String> {
    match lag.supported_percentile_us(0.99) {
        Some(us) => Some(format!("{name} {} at p99", human::time(us))),
        None => Some(format!("{name} {} at most", human::time(lag.max_us()?))),
    }
}
