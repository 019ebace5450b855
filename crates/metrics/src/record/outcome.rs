//! The outcome of a run's thresholds, as the run judged them.

use pushbench_core::Contender;
use pushbench_core::scenario::Threshold;
use serde::{Deserialize, Serialize};

/// Whether a threshold holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThresholdStatus {
    /// The measured value meets the condition.
    Met,
    /// It does not.
    Broken,
    /// Nothing was measured that could meet or break it.
    NotJudged,
}

impl ThresholdStatus {
    pub(crate) const fn of(is_met: bool) -> Self {
        if is_met { Self::Met } else { Self::Broken }
    }

    /// That on a value of which only a lower bound is known: judged where every value above the
    /// bound comes to the same.
    pub(crate) fn of_bound(threshold: &Threshold, at_least: f64) -> Self {
        let at_bound = threshold.is_met_by(at_least);
        if at_bound == threshold.is_met_by(f64::INFINITY) {
            Self::of(at_bound)
        } else {
            Self::NotJudged
        }
    }
}

/// The outcome of a threshold for one transport at one point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdOutcome {
    /// The condition.
    pub threshold: Threshold,
    /// The point's number.
    pub point: u32,
    /// The settings that set the point apart; empty where it is the only one.
    pub label: String,
    /// The transport, where the threshold is for all of them too.
    #[serde(rename = "transport")]
    pub contender: Contender,
    /// The value that was measured, in the figure's unit; `None` where it was not.
    pub measured: Option<f64>,
    /// Its lower bound, where messages that were still under way keep it from being known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// Whether that meets the condition.
    #[serde(rename = "verdict")]
    pub status: ThresholdStatus,
}

impl ThresholdOutcome {
    /// Whether the condition is met. What was not measured meets none.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.status == ThresholdStatus::Met
    }
}
