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

/// The same as an objective.
const DELIVERED: &str = "delivered >= 99%";

/// A trial, and what it is held against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) trial: &'a TrialRecord,
    /// The point that it is of.
    pub(super) point: &'a Point,
    /// The objectives, those of other contenders included.
    pub(super) objectives: &'a [Objective],
    /// Bytes that all sockets of the machine may buffer.
    pub(super) tcp_bytes: Option<u64>,
}

impl Judge<'_> {
    /// The objectives that are its contender's.
    fn own(&self) -> impl Iterator<Item = &Objective> {
        let contender = self.trial.id.contender;
        self.objectives.iter().filter(move |objective| objective.names(contender))
    }

    pub(super) fn outcome(&self) -> Outcome {
        let spoiled = self.trial.invalid.iter().map(cause::of_invalid).min_by_key(cause::urgency);
        let missed = self.own().find_map(|objective| self.missed(objective));
        let missed = missed.or_else(|| self.lost());
        let is_met = missed.is_none() && self.tells();
        let figures = Figures::of_trial(self.trial);
        let took = if self.tells() { self.took(&figures) } else { None };
        if let Some(limit) = spoiled.filter(|_| !is_met).or(missed) {
            return Outcome::Missed { limit, took };
        }
        let clearly = self.own().all(|objective| {
            let value = value(self.trial, &figures, objective.figure()).and_then(Bounded::exact);
            value.is_some_and(|value| objective.is_clearly_met_by(value))
        });
        Outcome::Met { clearly, took }
    }

    /// Whether the objectives' figures can be relied on: those of an invalid trial where whatever spoiled
    /// it made them worse, if anything, so that they are met all the more without it.
    pub(super) fn tells(&self) -> bool {
        let suffers = |objective: &Objective| match objective.figure() {
            Figure::Delivered => !objective.is_upper(),
            Figure::Lost => objective.is_upper(),
            figure => figure.is_delay() && objective.is_upper(),
        };
        self.trial.is_valid()
            || self.trial.invalid.iter().all(cause::only_delays) && self.own().all(suffers)
    }

    /// The part of the limit that the trial took, of several objectives the most.
    fn took(&self, figures: &Figures) -> Option<f64> {
        let part = |objective: &Objective| {
            let figure = objective.figure();
            let is_part = objective.is_upper() && !figure.is_counted() && objective.limit() > 0.0;
            let value = value(self.trial, figures, figure).filter(|_| is_part)?;
            Some(value.exact()? / objective.limit())
        };
        self.own().filter_map(part).reduce(f64::max)
    }

    /// The limit behind an objective that the trial does not meet; `None` where it does.
    fn missed(&self, objective: &Objective) -> Option<Limit> {
        let figures = Figures::of_trial(self.trial);
        let Some(value) = value(self.trial, &figures, objective.figure()) else {
            let detail = format!("{} was not measured", objective.figure().name());
            return Some(Limit::new(Place::Unknown, detail));
        };
        let is_met = match value {
            Bounded::Exactly(value) => objective.is_met_by(value),
            // It may be anything above.
            Bounded::AtLeast(bound) => !objective.is_upper() && objective.is_met_by(bound),
        };
        (!is_met).then(|| self.limit(objective))
    }

    /// The limit behind messages that were lost or late, where no objective says how many may be.
    fn lost(&self) -> Option<Limit> {
        let counts = |figure| self.own().any(|objective| objective.figure() == figure);
        let share = lost_share(self.trial);
        if share <= LOST || counts(Figure::Lost) || counts(Figure::Delivered) {
            return None;
        }
        let detail = format!("{:.1} % of the messages did not come in time", share * 100.0);
        let implied = DELIVERED.parse().ok();
        let found = implied.map(|objective| self.limit(&objective));
        found
            .filter(|limit| limit.place != Place::Unknown)
            .or(Some(Limit::new(Place::Server, detail)))
    }

    fn limit(&self, objective: &Objective) -> Limit {
        let Self { trial, point, tcp_bytes, .. } = *self;
        Evidence { trial, point, objective, tcp_bytes }.limit()
    }
}

/// The value of a figure in a trial. A percentile of a trial with too few delays for one is that of
/// those that there are: a load is judged by several trials, and the worst of a few is on the safe side.
pub(super) fn value(trial: &TrialRecord, figures: &Figures, figure: Figure) -> Option<Bounded> {
    if let Some(value) = figures.get(figure) {
        return Some(Bounded::Exactly(value));
    }
    if let Some(bound) = figures.at_least(figure) {
        return Some(Bounded::AtLeast(bound));
    }
    let (measured, quantile) = (&trial.measured, figure.quantile()?);
    let few = match figure {
        Figure::LatencyP50
        | Figure::LatencyP90
        | Figure::LatencyP95
        | Figure::LatencyP99
        | Figure::LatencyP999 => measured.latencies().at_least().percentile_us(quantile),
        Figure::FreshP99 => measured.fresh_of_few_us(quantile),
        Figure::FanOutP50 | Figure::FanOutP99 => {
            measured.heard.as_ref()?.fan_out.percentile_us(quantile)
        }
        _ => None,
    };
    few.map(Bounded::Exactly)
}

/// The share of the expected messages that were lost or late.
fn lost_share(trial: &TrialRecord) -> f64 {
    let audit = &trial.measured.audit;
    if audit.expected == 0 { 0.0 } else { (audit.lost + audit.late) as f64 / audit.expected as f64 }
}

#[cfg(test)]
pub(super) mod tests;
