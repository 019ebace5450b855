//! Axes: the settings that a scenario may list several values of, and so the ways in which its
//! points differ. One table of all of them.

use super::{Point, Scenario};
use crate::units::{Count, Span};

/// A setting that may have a list of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Subscribers.
    Clients,
    /// Messages in a unit of time.
    Rate,
    /// Size of a payload.
    Payload,
    /// The period of short polls.
    PollInterval,
    /// How long the server is asked to hold a long poll.
    LongPollTimeout,
    /// Bytes of cookies beside the header profile's.
    CookieBytes,
    /// How many times faster than recorded.
    Speed,
}

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
}

/// An axis' row: all that is said of it in one place.
#[derive(Clone, Copy)]
struct Row {
    axis: Axis,
    /// The key in a scenario.
    key: &'static str,
    /// The name in a point's label: `poll=1s`.
    label: &'static str,
    column: &'static str,
    title: &'static str,
    words: &'static str,
    unit: AxisUnit,
    /// How many values a scenario lists.
    len: fn(&Scenario) -> usize,
    /// Gives a point the value at that place of the list.
    choose: fn(&Scenario, usize, &mut Point),
    value: fn(&Point) -> f64,
    field: fn(&Point) -> f64,
    text: fn(&Point) -> String,
}

/// The axes. The last one turns fastest from point to point.
const TABLE: [Row; 7] = [
    Row {
        axis: Axis::Clients,
        key: "clients",
        label: "clients",
        column: "clients",
        title: "clients",
        words: "{} client{s}",
        unit: AxisUnit::Count,
        len: |scenario| scenario.clients.as_slice().len(),
        choose: |from, at, point| point.clients = whole(from.clients.as_slice()[at]),
        value: |point| f64::from(point.clients),
        field: |point| f64::from(point.clients),
        text: |point| point.clients.to_string(),
    },
    Row {
        axis: Axis::Rate,
        key: "rate",
        label: "rate",
        column: "rate_hz",
        title: "messages per second",
        words: "{} message{s}/s",
        unit: AxisUnit::PerSecond,
        len: |scenario| scenario.rates().as_slice().len(),
        choose: |from, at, point| point.rate = from.rates().as_slice()[at],
        value: |point| point.rate.hz(),
        // That of the long run, bursts and silences together.
        field: |point| point.rate_hz,
        text: |point| point.rate.to_string(),
    },
    Row {
        axis: Axis::Payload,
        key: "payload",
        label: "payload",
        column: "payload_bytes",
        title: "payload size",
        words: "{} payload",
        unit: AxisUnit::Bytes,
        len: |scenario| scenario.payload.as_slice().len(),
        choose: |from, at, point| {
            #[expect(clippy::cast_precision_loss, reason = "at most 1 MiB")]
            let bytes = from.payload.as_slice()[at].0 as f64;
            point.payload_bytes = bytes;
        },
        value: |point| point.payload_bytes,
        field: |point| point.payload_bytes,
        text: |point| format!("{}B", point.payload_bytes),
    },
    Row {
        axis: Axis::PollInterval,
        key: "poll_interval",
        label: "poll",
        column: "poll_interval_ms",
        title: "poll interval",
        words: "polls every {}",
        unit: AxisUnit::Micros,
        len: |scenario| scenario.poll_interval.as_slice().len(),
        choose: |from, at, point| point.poll_interval = from.poll_interval.as_slice()[at],
        value: |point| seconds(point.poll_interval) * 1e6,
        field: |point| seconds(point.poll_interval) * 1e3,
        text: |point| point.poll_interval.to_string(),
    },
    Row {
        axis: Axis::LongPollTimeout,
        key: "long_poll_timeout",
        label: "hold",
        column: "long_poll_timeout_ms",
        title: "long-poll timeout",
        words: "long polls held {}",
        unit: AxisUnit::Micros,
        len: |scenario| scenario.long_poll_timeout.as_slice().len(),
        choose: |from, at, point| point.long_poll_timeout = from.long_poll_timeout.as_slice()[at],
        value: |point| seconds(point.long_poll_timeout) * 1e6,
        field: |point| seconds(point.long_poll_timeout) * 1e3,
        text: |point| point.long_poll_timeout.to_string(),
    },
    Row {
        axis: Axis::CookieBytes,
        key: "cookie_bytes",
        label: "cookie",
        column: "cookie_bytes",
        title: "bytes of cookies",
        words: "{} of cookies",
        unit: AxisUnit::Bytes,
        len: |scenario| scenario.cookie_bytes.as_slice().len(),
        choose: |from, at, point| point.cookie_bytes = whole(from.cookie_bytes.as_slice()[at]),
        value: |point| f64::from(point.cookie_bytes),
        field: |point| f64::from(point.cookie_bytes),
        text: |point| format!("{}B", point.cookie_bytes),
    },
    Row {
        axis: Axis::Speed,
        key: "feed.speed",
        label: "speed",
        column: "speed",
        title: "speed of the replay",
        words: "at {}× speed",
        unit: AxisUnit::Factor,
        len: |scenario| scenario.feed.speed.as_slice().len(),
        choose: |from, at, point| point.speed = from.feed.speed.as_slice()[at],
        value: |point| point.speed,
        field: |point| point.speed,
        text: |point| point.speed.to_string(),
    },
];

fn whole(count: Count) -> u32 {
    u32::try_from(count.0).unwrap_or(u32::MAX)
}

fn seconds(span: Span) -> f64 {
    span.0.as_secs_f64()
}

impl Axis {
    /// All, in the order of columns and labels; the last one turns fastest from point to point.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::Clients; TABLE.len()];
        let mut place = 0;
        while place < TABLE.len() {
            assert!(TABLE[place].axis as usize == place, "the table is in the order of the type");
            all[place] = TABLE[place].axis;
            place += 1;
        }
        all
    };

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

    /// Its value at `point`, in its unit.
    #[must_use]
    pub fn value(self, point: &Point) -> f64 {
        (self.row().value)(point)
    }

    /// Its value at `point`, in the unit of its column.
    #[must_use]
    pub fn field(self, point: &Point) -> String {
        (self.row().field)(point).to_string()
    }

    /// How many values `scenario` lists.
    pub(super) fn len(self, scenario: &Scenario) -> usize {
        (self.row().len)(scenario)
    }

    /// Gives `point` the value at place `at` of the list of `scenario`.
    pub(super) fn choose(self, scenario: &Scenario, at: usize, point: &mut Point) {
        (self.row().choose)(scenario, at, point);
    }

    /// `poll=1s`.
    pub(super) fn label(self, point: &Point) -> String {
        format!("{}={}", self.row().label, (self.row().text)(point))
    }
}
