//! Objectives: conditions that the most load is looked for under, `latency.p99 < 50ms`.

use std::fmt;
use std::str::FromStr;

use super::{Comparison, Target, Threshold, ThresholdError};
use crate::contender::Contender;
use crate::figure::{Figure, Unit};
use crate::named::as_text;

/// How many times better than its limit a figure is where one trial is enough to see that it meets it.
const CLEAR: f64 = 2.0;

/// A condition on a figure of each transport, or of one: a [`Threshold`] that need not name any.
///
/// ```
/// use pushbench_core::scenario::Objective;
///
/// let objective: Objective = "latency.p99 < 50ms".parse()?;
/// assert!(objective.is_met_by(40_000.0) && !objective.is_clearly_met_by(40_000.0));
/// assert_eq!(objective.to_string(), "latency.p99 < 50ms");
/// # Ok::<(), pushbench_core::scenario::thresholds::ThresholdError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Objective(Threshold);

impl Objective {
    /// The figure that is held against the limit.
    #[must_use]
    pub const fn figure(&self) -> Figure {
        self.0.target.figure
    }

    /// Whether it is one of `contender`'s.
    #[must_use]
    pub fn names(&self, contender: Contender) -> bool {
        self.0.target.names(contender)
    }

    /// The transport that it is for; `None` where it is for all.
    #[must_use]
    pub const fn contender(&self) -> Option<Contender> {
        self.0.target.contender
    }

    /// The limit, in the figure's [`Unit`].
    #[must_use]
    pub const fn limit(&self) -> f64 {
        self.0.limit
    }

    /// Whether `measured`, in the figure's [`Unit`], meets it.
    #[must_use]
    pub fn is_met_by(&self, measured: f64) -> bool {
        self.0.is_met_by(measured)
    }

    /// Whether it meets it by so much that no noise is behind it: by half of the limit, or because no
    /// value is better.
    #[must_use]
    pub fn is_clearly_met_by(&self, measured: f64) -> bool {
        let limit = self.0.limit;
        let is_best = self.figure().unit() == Unit::Share && measured >= 1.0;
        self.is_met_by(measured)
            && match self.0.comparison {
                Comparison::Below | Comparison::AtMost => measured * CLEAR <= limit,
                Comparison::Above | Comparison::AtLeast => measured >= limit * CLEAR || is_best,
            }
    }

    /// Whether a larger figure meets it less.
    #[must_use]
    pub const fn is_upper(&self) -> bool {
        matches!(self.0.comparison, Comparison::Below | Comparison::AtMost)
    }

    /// Whether each value that the figure can have meets it, or none does.
    #[must_use]
    pub fn foregone(&self) -> Option<bool> {
        self.0.foregone()
    }
}

impl From<Threshold> for Objective {
    fn from(threshold: Threshold) -> Self {
        Self(threshold)
    }
}

impl FromStr for Objective {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let sign = text.find(['<', '>']);
        let sign = sign.ok_or_else(|| ThresholdError::Objective(text.to_owned()))?;
        let (name, condition) = text.split_at(sign);
        let Some(figure) = Figure::named(name.trim()) else {
            return text.parse().map(Self).map_err(|error| match error {
                // What stands before the first dot is a figure's more often than a transport's.
                ThresholdError::Target(_) | ThresholdError::Contender(_) => {
                    ThresholdError::Figure(name.trim().to_owned())
                }
                error => error,
            });
        };
        Threshold::of(Target { contender: None, figure }, condition).map(Self)
    }
}

as_text!(Objective);

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Target { contender, figure } = self.0.target;
        contender.iter().try_for_each(|contender| write!(f, "{contender}."))?;
        write!(f, "{} {}", figure.name(), self.0.condition())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Objective {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn an_objective_is_for_all_transports_or_for_the_one_that_it_names() {
        let all = parsed("latency.p99<50ms");
        assert!(all.names(Contender::SSE) && all.names(Contender::WEBSOCKET));
        let one = parsed("websocket.latency.p99 < 50ms");
        assert!(one.names(Contender::WEBSOCKET) && !one.names(Contender::SSE));
        assert_eq!(one.figure(), all.figure());
        for text in ["latency.p99 < 50ms", "websocket.delivered >= 99.9%", "lost < 1"] {
            assert_eq!(parsed(text).to_string(), text);
            let json = serde_json::to_string(&parsed(text)).unwrap();
            assert_eq!(serde_json::from_str::<Objective>(&json).unwrap(), parsed(text));
        }
        assert_eq!(parsed("*.lost < 1").to_string(), "lost < 1");
    }

    #[test]
    fn it_is_met_clearly_by_half_of_the_limit_and_by_the_best_value() {
        let latency = parsed("latency.p99 < 20ms");
        assert!(latency.is_clearly_met_by(10_000.0) && !latency.is_clearly_met_by(10_001.0));
        let delivered = parsed("delivered >= 99%");
        assert!(delivered.is_clearly_met_by(1.0) && !delivered.is_clearly_met_by(0.995));
        assert!(parsed("lost < 1").is_clearly_met_by(0.0));
    }

    #[test]
    fn what_is_none_says_so() {
        for (text, part) in [
            ("latency.p99", "is no condition"),
            ("latency < 5ms", "unknown figure `latency`; the figures are latency.mean"),
            ("websocket.speed < 1", "unknown figure `speed`"),
            ("latency.p99 < 5", "`500ms`"),
        ] {
            let error = text.parse::<Objective>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
