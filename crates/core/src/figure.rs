//! Figures: one table of all that a trial is measured by.
//!
//! A figure's row says what thresholds, CSV files and tables call it, in which unit it is, what has
//! to be known to measure it and how runs are compared by it. What a trial has of each is read in
//! one function, where trials are known.
//!
//! ```
//! use pushbench_core::figure::{Figure, Need, Unit};
//!
//! let figure = Figure::named("latency.p99").expect("a threshold may name it");
//! assert_eq!((figure.column(), figure.unit()), ("latency_p99_us", Unit::Micros));
//! assert!(figure.needs(Need::OneClock));
//! ```

mod table;

pub use self::table::Figure;
use self::table::{Row, TABLE};

/// Samples that must lie beyond a percentile, so that it is one and not the luck of a few.
pub const SAMPLES_BEYOND: f64 = 10.0;

/// The unit of a figure's numbers, wherever they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Micros,
    /// Bytes.
    Bytes,
    /// Things.
    Count,
    /// A share from 0 to 1.
    Share,
    /// Bits each second.
    BitsPerSecond,
    /// Things each second.
    PerSecond,
    /// Cores of the machine.
    Cores,
    /// None: a mean number of things.
    Mean,
}

/// A thing without which a figure cannot be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// One clock for server and clients, whose instants are compared.
    OneClock,
    /// The server's processes, to be known by their ids.
    ServerProcess,
    /// CPU time that is not spent on capturing packets.
    CpuTime,
}

/// The way in which the figures of two runs are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judging {
    /// Not at all: they are shown.
    No,
    /// By the ranks of their trials, together with all others that are: p is adjusted for their
    /// number.
    Ranks,
    /// By the ranges of their trials, where a figure has no noise, so that one trial of each run
    /// tells: it changed where the ranges of the two do not meet.
    Ranges,
}

impl Figure {
    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The figure that a threshold knows by `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.name() == name)
    }

    /// The name in a threshold: `latency.p99`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The column of the CSV files, with its unit: `latency_p99_us`; of a share, that of the number
    /// whose share it is.
    #[must_use]
    pub const fn column(self) -> &'static str {
        self.row().column
    }

    /// The words beside a value: `server CPU/msg`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.row().label
    }

    /// The unit of its values.
    #[must_use]
    pub const fn unit(self) -> Unit {
        self.row().kind.unit
    }

    /// Digits behind the point that its column has.
    #[must_use]
    pub const fn decimals(self) -> usize {
        self.row().kind.decimals
    }

    /// Whether it cannot be measured without `need`.
    #[must_use]
    pub fn needs(self, need: Need) -> bool {
        self.row().kind.needs.contains(&need)
    }

    /// Whether it is a delay of messages. Whoever stands still on their way makes it longer.
    #[must_use]
    pub fn is_delay(self) -> bool {
        // No other is between instants of both sides.
        self.needs(Need::OneClock)
    }

    /// The quantile that it is, from 0 to 1; `None` where it is none.
    #[must_use]
    pub const fn quantile(self) -> Option<f64> {
        self.row().quantile
    }

    /// The share of the samples that lie beyond it, where it is a high percentile, which needs
    /// samples there.
    #[must_use]
    pub fn share_beyond(self) -> Option<f64> {
        self.quantile().filter(|quantile| *quantile > 0.5).map(|quantile| 1.0 - quantile)
    }

    /// Whether it is counted: over several trials such a figure is a sum, or the share of one, and
    /// the others are medians.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        matches!(self.unit(), Unit::Count | Unit::Share)
    }

    /// The way in which two runs are judged by it. Of a judged figure less is better.
    #[must_use]
    pub const fn judging(self) -> Judging {
        self.row().judging
    }
}

/// All names, for an error.
pub(crate) fn names() -> [&'static str; TABLE.len()] {
    Figure::ALL.map(Figure::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_figures_share_a_name_or_a_column() {
        for (index, figure) in Figure::ALL.into_iter().enumerate() {
            assert_eq!(Figure::named(figure.name()), Some(figure));
            let others = &Figure::ALL[index + 1..];
            assert!(others.iter().all(|other| other.column() != figure.column()), "{figure:?}");
        }
    }

    #[test]
    fn delays_are_of_messages_and_costs_are_none() {
        let delays = Figure::ALL.into_iter().filter(|figure| figure.is_delay());
        assert!(delays.clone().all(|figure| figure.unit() == Unit::Micros));
        let names: Vec<&str> = delays.map(Figure::name).collect();
        let stems = ["latency", "age", "fresh"];
        assert!(
            names.iter().all(|name| stems.iter().any(|stem| name.starts_with(stem))),
            "{names:?}"
        );
        assert_eq!(names.len(), 10, "{names:?}");
    }

    #[test]
    fn a_column_that_names_a_unit_has_it() {
        for figure in Figure::ALL {
            let column = figure.column();
            assert_eq!(column.contains("_us"), figure.unit() == Unit::Micros, "{column}");
            assert_eq!(column.contains("bytes"), figure.unit() == Unit::Bytes, "{column}");
        }
    }
}
