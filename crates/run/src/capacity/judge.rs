//! A trial held against the objectives.

use pushbench_core::figure::Figure;
use pushbench_core::scenario::{Objective, Point};
use pushbench_metrics::judge::figures::Figures;
use pushbench_metrics::observe::censored::Bounded;
use pushbench_metrics::record::TrialRecord;
use pushbench_metrics::record::capacity::{Limit, Place};

use super::cause::{self, Evidence};
use super::search::Outcome;

/// The share of messages that may be lost or late where no objective says: figures of latency are of
/// those that came.
const LOST: f64 = 0.01;

/// Holds a trial at `point` against those of `objectives` that are its contender's. `tcp_bytes` is what
/// all sockets of the machine may buffer.
pub(super) fn outcome(
    trial: &TrialRecord,
    point: &Point,
    objectives: &[Objective],
    tcp_bytes: Option<u64>,
) -> Outcome {
    if let Some(limit) = trial.invalid.iter().map(cause::of_invalid).min_by_key(cause::urgency) {
        return Outcome::Missed(limit);
    }
    let own = || objectives.iter().filter(|objective| objective.names(trial.id.contender));
    if let Some(limit) = own().find_map(|objective| missed(trial, point, objective, tcp_bytes)) {
        return Outcome::Missed(limit);
    }
    let counts = |figure| own().any(|objective| objective.figure() == figure);
    if !counts(Figure::Lost) && !counts(Figure::Delivered) && lost_share(trial) > LOST {
        let detail =
            format!("{:.1} % of the messages did not come in time", lost_share(trial) * 100.0);
        return Outcome::Missed(Limit::new(Place::Server, detail));
    }
    let figures = Figures::of_trial(trial);
    let clearly = own().all(|objective| {
        let value = value(trial, &figures, objective.figure()).and_then(Bounded::exact);
        value.is_some_and(|value| objective.is_clearly_met_by(value))
    });
    Outcome::Met { clearly }
}

/// The limit behind an objective that a valid trial does not meet; `None` where it does.
fn missed(
    trial: &TrialRecord,
    point: &Point,
    objective: &Objective,
    tcp_bytes: Option<u64>,
) -> Option<Limit> {
    let figures = Figures::of_trial(trial);
    let Some(value) = value(trial, &figures, objective.figure()) else {
        let detail = format!("{} was not measured", objective.figure().name());
        return Some(Limit::new(Place::Unknown, detail));
    };
    let is_met = match value {
        Bounded::Exactly(value) => objective.is_met_by(value),
        // It may be anything above.
        Bounded::AtLeast(bound) => !objective.is_upper() && objective.is_met_by(bound),
    };
    (!is_met).then(|| Evidence { trial, point, objective, tcp_bytes }.limit())
}

/// The value of a figure in a trial. A percentile of a trial with too few latencies for one is that of
/// those that there are: a load is judged by several trials, and the worst of a few is on the safe side.
pub(super) fn value(trial: &TrialRecord, figures: &Figures, figure: Figure) -> Option<Bounded> {
    if let Some(value) = figures.get(figure) {
        return Some(Bounded::Exactly(value));
    }
    if let Some(bound) = figures.at_least(figure) {
        return Some(Bounded::AtLeast(bound));
    }
    let is_latency = matches!(
        figure,
        Figure::LatencyP50
            | Figure::LatencyP90
            | Figure::LatencyP95
            | Figure::LatencyP99
            | Figure::LatencyP999
    );
    let quantile = figure.quantile().filter(|_| is_latency)?;
    trial.measured.latencies().at_least().percentile_us(quantile).map(Bounded::Exactly)
}

/// The share of the expected messages that were lost or late.
fn lost_share(trial: &TrialRecord) -> f64 {
    let audit = &trial.measured.audit;
    if audit.expected == 0 { 0.0 } else { (audit.lost + audit.late) as f64 / audit.expected as f64 }
}

#[cfg(test)]
mod tests;
