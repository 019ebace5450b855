//! What was measured, held against a scenario's thresholds.

use pushbench_core::Transport;
use pushbench_core::scenario::thresholds::{Quantity, Threshold};

use crate::figures::{Figure, Summary, summarise};
use crate::record::RunRecord;

/// What became of a threshold for one transport at one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The condition.
    pub threshold: Threshold,
    /// The point's number.
    pub point: u32,
    /// What sets the point apart; empty where it is the only one.
    pub label: String,
    /// The transport, where the threshold is for all of them too.
    pub transport: Transport,
    /// What was measured, in the quantity's unit; `None` where it was not.
    pub measured: Option<f64>,
    /// What it is at least, where messages that were still under way keep it from being known.
    pub at_least: Option<f64>,
}

impl Outcome {
    /// Whether the condition is met. What was not measured meets none.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.measured.is_some_and(|measured| self.threshold.is_met_by(measured))
    }
}

/// Each threshold of the run's scenario at each point, for each transport that it names.
#[must_use]
pub fn outcomes(record: &RunRecord) -> Vec<Outcome> {
    if record.scenario.thresholds.is_empty() {
        return Vec::new();
    }
    let summaries = summarise(record);
    let thresholds = record.scenario.thresholds.iter();
    let each = thresholds.flat_map(|threshold| {
        let named = summaries.iter().filter(|row| threshold.target.names(row.transport));
        named.map(|row| Outcome {
            threshold: threshold.clone(),
            point: row.point.id,
            label: row.point.label.clone(),
            transport: row.transport,
            measured: measured(row, threshold.target.quantity),
            at_least: figure(threshold.target.quantity)
                .and_then(|figure| row.figures.at_least(figure)),
        })
    });
    each.collect()
}

/// The quantity as `summary.csv` has it: a median over the valid trials, a count their sum.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
fn measured(row: &Summary, quantity: Quantity) -> Option<f64> {
    let counts = &row.counts;
    // Without a valid trial every count is zero and none was measured.
    let counted = counts.expected > 0 || counts.errors > 0;
    let count = |count: u64| counted.then_some(count as f64);
    match quantity {
        Quantity::Lost => count(counts.lost),
        Quantity::Errors => count(counts.errors),
        Quantity::Delivered => {
            (counts.expected > 0).then(|| counts.delivered as f64 / counts.expected as f64)
        }
        _ => row.figures.get(figure(quantity)?),
    }
}

const fn figure(quantity: Quantity) -> Option<Figure> {
    Some(match quantity {
        Quantity::LatencyMean => Figure::LatencyMean,
        Quantity::LatencyP50 => Figure::LatencyP50,
        Quantity::LatencyP90 => Figure::LatencyP90,
        Quantity::LatencyP99 => Figure::LatencyP99,
        Quantity::LatencyP999 => Figure::LatencyP999,
        Quantity::LatencyMax => Figure::LatencyMax,
        Quantity::AgeMean => Figure::AgeMean,
        Quantity::ConnectP50 => Figure::ConnectP50,
        Quantity::PayloadBytes => Figure::PayloadBytes,
        Quantity::FramingBytes => Figure::FramingBytes,
        Quantity::HttpBytes => Figure::HttpBytes,
        Quantity::TlsBytes => Figure::TlsBytes,
        Quantity::TcpipBytes => Figure::TcpipBytes,
        Quantity::WireBytes => Figure::WireBytes,
        Quantity::ServerCpu => Figure::ServerCpu,
        Quantity::LoadCpu => Figure::LoadCpu,
        Quantity::ServerRss => Figure::ServerRss,
        Quantity::LoadRss => Figure::LoadRss,
        Quantity::Lost | Quantity::Delivered | Quantity::Errors => return None,
    })
}
