//! The settings of a point in words, and which of them a run varies.

use pushbench_core::scenario::{Point, Scenario};
use pushbench_core::units::Span;

use crate::human;

/// A setting that a scenario may list several values of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    Clients,
    Rate,
    Payload,
    PollInterval,
    LongPollTimeout,
    CookieBytes,
    Speed,
}

impl Setting {
    const ALL: [Self; 7] = [
        Self::Clients,
        Self::Rate,
        Self::Payload,
        Self::PollInterval,
        Self::LongPollTimeout,
        Self::CookieBytes,
        Self::Speed,
    ];

    /// The settings that differ between the points, in the order of [`Self::ALL`].
    pub(crate) fn varying(points: &[Point]) -> Vec<Self> {
        let varies = |setting: &Self| {
            let mut values = points.iter().map(|point| setting.value(point));
            let first = values.next();
            values.any(|value| Some(value) != first)
        };
        Self::ALL.into_iter().filter(varies).collect()
    }

    /// Its value at `point`: clients, messages each second, bytes, µs, µs, times.
    pub(crate) fn value(self, point: &Point) -> f64 {
        match self {
            Self::Clients => f64::from(point.clients),
            Self::Rate => point.rate.hz(),
            Self::Payload => point.payload_bytes,
            Self::PollInterval => point.poll_interval.0.as_secs_f64() * 1e6,
            Self::LongPollTimeout => point.long_poll_timeout.0.as_secs_f64() * 1e6,
            Self::CookieBytes => f64::from(point.cookie_bytes),
            Self::Speed => point.speed,
        }
    }

    /// The column that it has in every CSV file whose lines are of a point.
    pub(crate) const fn column(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Rate => "rate_hz",
            Self::Payload => "payload_bytes",
            Self::PollInterval => "poll_interval_ms",
            Self::LongPollTimeout => "long_poll_timeout_ms",
            Self::CookieBytes => "cookie_bytes",
            Self::Speed => "speed",
        }
    }

    /// Its value at `point` in the unit of that column; a rate is that of the long run.
    fn field(self, point: &Point) -> String {
        match self {
            Self::Clients => point.clients.to_string(),
            Self::Rate => point.rate_hz.to_string(),
            Self::Payload => point.payload_bytes.to_string(),
            Self::PollInterval => millis(point.poll_interval),
            Self::LongPollTimeout => millis(point.long_poll_timeout),
            Self::CookieBytes => point.cookie_bytes.to_string(),
            Self::Speed => point.speed.to_string(),
        }
    }

    /// What an axis of it is called.
    pub(crate) const fn axis(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Rate => "messages per second",
            Self::Payload => "payload size",
            Self::PollInterval => "poll interval",
            Self::LongPollTimeout => "long-poll timeout",
            Self::CookieBytes => "bytes of cookies",
            Self::Speed => "speed of the replay",
        }
    }

    /// A value of it beside an axis.
    pub(crate) fn tick(self, value: f64) -> String {
        match self {
            Self::Clients => human::short_number(value, 6),
            Self::Rate => format!("{}/s", human::short_number(value, 3)),
            Self::Payload | Self::CookieBytes => size(value),
            Self::PollInterval | Self::LongPollTimeout => human::short_time(value),
            Self::Speed => format!("{}×", human::short_number(value, 3)),
        }
    }

    /// Its value at `point`, in words.
    pub(crate) fn words(self, point: &Point) -> String {
        let tick = self.tick(self.value(point));
        match self {
            Self::Clients if point.clients == 1 => "1 client".to_owned(),
            Self::Clients => format!("{tick} clients"),
            Self::Rate => rate(point.rate.hz()),
            Self::Payload => format!("{tick} payload"),
            Self::PollInterval => format!("polls every {tick}"),
            Self::LongPollTimeout => format!("long polls held {tick}"),
            Self::CookieBytes => format!("{tick} of cookies"),
            Self::Speed => format!("at {tick} speed"),
        }
    }
}

fn millis(span: Span) -> String {
    (span.0.as_secs_f64() * 1e3).to_string()
}

/// The columns of the settings behind the `first` ones, in the order of [`Setting::ALL`]: CSV files
/// whose lines are of a point end with those that they do not begin with.
pub(crate) fn columns(first: usize) -> String {
    Setting::ALL[first..].iter().map(|setting| setting.column()).collect::<Vec<_>>().join(",")
}

/// The fields of all settings at a point; empty where it is not known.
pub(crate) fn fields(point: Option<&Point>) -> [String; Setting::ALL.len()] {
    Setting::ALL.map(|setting| point.map_or_else(String::new, |point| setting.field(point)))
}

fn rate(hz: f64) -> String {
    let noun = if (hz - 1.0).abs() < 1e-9 { "message/s" } else { "messages/s" };
    format!("{} {noun}", human::short_number(hz, 3))
}

/// Powers of 1024 read best as such, so from a whole KiB on it is one.
pub(crate) fn size(bytes: f64) -> String {
    if bytes >= 1_024.0 && bytes % 1_024.0 == 0.0 && bytes < 1_048_576.0 {
        return format!("{} KiB", human::short_number(bytes / 1_024.0, 4));
    }
    human::size(bytes)
}

/// What sets `point` apart from the other points, in words; empty where there is no other.
pub(crate) fn heading(points: &[Point], point: &Point) -> String {
    let settings = Setting::varying(points);
    settings.iter().map(|setting| setting.words(point)).collect::<Vec<_>>().join(", ")
}

/// All that a figure at `point` depends on, in one line.
pub(crate) fn conditions(scenario: &Scenario, point: &Point) -> String {
    let mut words =
        vec![Setting::Clients.words(point), rate(point.rate_hz), Setting::Payload.words(point)];
    if scenario.contenders.iter().any(|contender| contender.shape().asks()) {
        words.push(Setting::PollInterval.words(point));
    }
    words.push(format!("{} headers", scenario.headers));
    if point.cookie_bytes > 0 {
        words.push(Setting::CookieBytes.words(point));
    }
    words.join(", ")
}
