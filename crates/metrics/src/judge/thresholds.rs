//! What was measured, held against a scenario's thresholds.

use pushbench_core::Contender;
use pushbench_core::scenario::thresholds::{Quantity, Threshold};
use pushbench_core::scenario::{Point, Scenario};
use serde::{Deserialize, Serialize};

use crate::judge::figures::{Figure, Summary, summarise};
use crate::record::RunRecord;

/// What a threshold came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// What was measured meets the condition.
    Met,
    /// It does not.
    Broken,
    /// Nothing was measured that could meet or break it.
    NotJudged,
}

impl Verdict {
    const fn of(is_met: bool) -> Self {
        if is_met { Self::Met } else { Self::Broken }
    }

    /// That on a value of which only a lower bound is known: judged where every value above the
    /// bound comes to the same.
    fn of_bound(threshold: &Threshold, at_least: f64) -> Self {
        let at_bound = threshold.is_met_by(at_least);
        if at_bound == threshold.is_met_by(f64::INFINITY) {
            Self::of(at_bound)
        } else {
            Self::NotJudged
        }
    }
}

/// What became of a threshold for one transport at one point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The condition.
    pub threshold: Threshold,
    /// The point's number.
    pub point: u32,
    /// What sets the point apart; empty where it is the only one.
    pub label: String,
    /// The transport, where the threshold is for all of them too.
    #[serde(rename = "transport")]
    pub contender: Contender,
    /// What was measured, in the quantity's unit; `None` where it was not.
    pub measured: Option<f64>,
    /// What it is at least, where messages that were still under way keep it from being known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// What that makes of the condition.
    pub verdict: Verdict,
}

impl Outcome {
    fn of(
        threshold: &Threshold,
        point: &Point,
        contender: Contender,
        summary: Option<&Summary>,
    ) -> Self {
        let measured = summary.and_then(|row| measured(row, threshold.target.quantity));
        let bounded = summary.zip(figure(threshold.target.quantity));
        let at_least = bounded.and_then(|(row, figure)| row.figures.at_least(figure));
        let verdict = match (measured, at_least) {
            (Some(measured), _) => Verdict::of(threshold.is_met_by(measured)),
            (None, Some(bound)) => Verdict::of_bound(threshold, bound),
            (None, None) => Verdict::NotJudged,
        };
        Self {
            threshold: threshold.clone(),
            point: point.id,
            label: point.label.clone(),
            contender,
            measured,
            at_least,
            verdict,
        }
    }

    /// Whether the condition is met. What was not measured meets none.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.verdict == Verdict::Met
    }
}

/// Each threshold of the run's scenario at each point, for each transport that it names: as the
/// run judged them, or where its record is older than that, as they are judged now.
#[must_use]
pub fn outcomes(record: &RunRecord) -> Vec<Outcome> {
    if record.thresholds.is_empty() { judge(record) } else { record.thresholds.clone() }
}

/// Holds each threshold of the run's scenario against what was measured; none where nothing was
/// run. One that names what the run did not come to is not judged, and not left out.
#[must_use]
pub fn judge(record: &RunRecord) -> Vec<Outcome> {
    let scenario: &Scenario = &record.scenario;
    if scenario.thresholds.is_empty() || record.trials.is_empty() {
        return Vec::new();
    }
    let summaries = summarise(record);
    let find = |point: &Point, contender: Contender| {
        summaries.iter().find(|row| row.point.id == point.id && row.contender == contender)
    };
    let mut outcomes = Vec::new();
    for threshold in scenario.thresholds.iter() {
        for point in &record.points {
            let run = Contender::all().filter(|it| scenario.contenders.contains(it));
            for contender in run.filter(|&contender| threshold.target.names(contender)) {
                let summary = find(point, contender);
                outcomes.push(Outcome::of(threshold, point, contender, summary));
            }
        }
    }
    outcomes
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
