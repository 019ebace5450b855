//! Axes: the settings that a scenario may list several values of, and so the ways in which its
//! points differ. One table of all of them.

mod further;
mod shown;
mod table;

use self::shown::Shown;
pub use self::table::Axis;
use self::table::{Row, TABLE};
use super::{Point, Scenario};
use crate::contender::Contender;

/// The unit of [`Axis::value`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AxisUnit {
    /// Things.
    Count,
    /// A rate, each second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// Microseconds.
    Micros,
    /// A factor.
    Factor,
    /// Percent.
    Percent,
    /// Bits each second.
    BitsPerSecond,
    /// None: its values are names, and have no order.
    Name,
}

impl Axis {
    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The key in a scenario: `feed.speed`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        self.row().key
    }

    /// The column that it has in every CSV file whose lines are of a point, with its unit.
    #[must_use]
    pub const fn column(self) -> &'static str {
        self.row().column
    }

    /// The title of an axis of a chart.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// The words for a value, with `{}` for its number and `{s}` for the ending of a plural.
    #[must_use]
    pub const fn words(self) -> &'static str {
        self.row().words
    }

    /// The unit of its [value](Self::value).
    #[must_use]
    pub const fn unit(self) -> AxisUnit {
        self.row().unit
    }

    /// Whether `contender` has the setting; to others it means nothing.
    #[must_use]
    pub fn is_read_by(self, contender: Contender) -> bool {
        (self.row().is_read_by)(contender)
    }

    /// Whether its value at `point` is what was measured: a server that runs already has a
    /// certificate and a level of compression of its own, and an application a rate and sizes that
    /// nobody says.
    #[must_use]
    pub const fn is_known_at(self, point: &Point) -> bool {
        match self {
            Self::TlsCertificate | Self::CompressionLevel => !point.server_runs_already,
            Self::Rate => point.rate_hz > 0.0,
            Self::Payload => point.payload_bytes > 0.0,
            _ => true,
        }
    }

    /// Its value at `point`, in its unit; no number where it is a name, or there is none.
    #[must_use]
    pub fn value(self, point: &Point) -> f64 {
        let second = if self.unit() == AxisUnit::Micros { 1e6 } else { 1.0 };
        self.row().number(point) * second
    }

    /// Its value at `point`, in the unit of its column.
    #[must_use]
    pub fn field(self, point: &Point) -> String {
        let number = match (self, self.unit()) {
            (_, AxisUnit::Name) => return self.text(point),
            // That of the long run, bursts and silences together.
            (Self::Rate, _) => point.rate_hz,
            // Without one there is no value.
            (Self::Heartbeat, _) if point.heartbeat.0.is_zero() => f64::NAN,
            (_, AxisUnit::Micros) => self.row().number(point) * 1e3,
            _ => self.row().number(point),
        };
        if number.is_nan() { String::new() } else { number.to_string() }
    }

    /// Its value at `point`, as a scenario may spell it; empty where there is none.
    #[must_use]
    pub fn text(self, point: &Point) -> String {
        match (self.row().setting.shown)(point) {
            Some(bytes) if self.unit() == AxisUnit::Bytes => format!("{}B", bytes.number()),
            shown => shown.map_or_else(String::new, Shown::text),
        }
    }

    /// The first value that `scenario` lists, as a scenario may spell it.
    pub(super) fn first(self, scenario: &Scenario) -> String {
        let mut point = Point::numbered(1);
        self.choose(scenario, 0, &mut point);
        self.text(&point)
    }

    /// How many values `scenario` lists.
    pub(super) fn len(self, scenario: &Scenario) -> usize {
        (self.row().setting.len)(scenario)
    }

    /// Gives `point` the value at place `at` of the list of `scenario`.
    pub(super) fn choose(self, scenario: &Scenario, at: usize, point: &mut Point) {
        (self.row().setting.choose)(scenario, at, point);
    }

    /// `poll=1s`.
    pub(super) fn label(self, point: &Point) -> String {
        format!("{}={}", self.row().label, self.text(point))
    }
}
