//! The measure that transports are compared by, and when they may be called different.

use crate::rows::{Block, Row, Spread};
use pushbench_core::Figure;

/// Several figures within this factor are told as one.
pub(crate) const NEAR: f64 = 1.05;

/// The factor within which what trials do not tell apart is called about the same.
pub(crate) const SAME: f64 = 1.1;

/// The measure that a block's transports are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// The median latency.
    Latency,
    /// The mean age, where latencies speak only of what was not superseded.
    Age,
    /// Bytes alone, where the clocks do not allow more.
    Bytes,
}

impl Measure {
    pub(super) fn of(block: &Block<'_>) -> Self {
        let knows = |row: &Row<'_>, figure| row.get(figure).or(row.at_least(figure)).is_some();
        let has = |figure| block.rows.iter().any(|row| knows(row, figure));
        match () {
            () if block.compares_ages() && has(Figure::AgeMean) => Self::Age,
            () if has(Figure::LatencyP50) => Self::Latency,
            () => Self::Bytes,
        }
    }

    pub(super) fn spread(self, row: &Row<'_>) -> Option<Spread> {
        match self.figure() {
            Some(figure) => row.spread(figure),
            None => row.bytes(),
        }
    }

    /// The figure of a time; `None` where bytes are compared.
    pub(super) const fn figure(self) -> Option<Figure> {
        match self {
            Self::Latency => Some(Figure::LatencyP50),
            Self::Age => Some(Figure::AgeMean),
            Self::Bytes => None,
        }
    }

    /// Whether `one` and `other` may be called different.
    pub(super) fn is_apart(self, one: &Contender<'_>, other: &Contender<'_>) -> bool {
        match self.figure() {
            Some(figure) => one.row.is_apart_from(other.row, figure),
            None => !are_within(NEAR, [one.spread.middle, other.spread.middle]),
        }
    }
}

/// Whether the largest of `values` is at most `factor` times the smallest.
pub(crate) fn are_within(factor: f64, values: impl IntoIterator<Item = f64>) -> bool {
    let ends = values
        .into_iter()
        .fold((f64::INFINITY, 0.0_f64), |(least, most), each| (least.min(each), most.max(each)));
    ends.1 <= ends.0 * factor
}

/// A transport with what it is compared by.
pub(super) struct Contender<'a> {
    pub(super) row: &'a Row<'a>,
    pub(super) name: &'a str,
    pub(super) spread: Spread,
    pub(super) bytes: Option<Spread>,
    /// Where messages were superseded, the share that arrived. Bytes for each of these cannot be
    /// compared then: who skips many divides by few.
    pub(super) arrived: Option<String>,
}
