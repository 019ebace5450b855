//! Ranges of a schedule's settings, whoever wrote it: a scenario, a server, a file.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Schedule;
use crate::feed::trace::MAX_OFFSET_MS;
use crate::units::{Rate, Span};

/// Messages each second that a feed may have.
pub const RATES: RangeInclusive<f64> = 0.001..=1_000_000.0;

/// How many times faster than recorded a trace may be replayed.
pub const SPEEDS: RangeInclusive<f64> = 1e-3..=1e9;

/// How long a burst may last.
pub const BURSTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3600);

/// How long the silence after a burst may last.
pub const SILENCES: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);

/// The most events of a trace.
pub const MAX_EVENTS: usize = 1_000_000;

/// The last instant of a trace, in nanoseconds: ten years.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "is 3.2e17")]
pub const MAX_OFFSET_NS: u64 = (MAX_OFFSET_MS * 1e6) as u64;

/// A setting of a schedule that cannot be, with what can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct ScheduleError {
    /// The setting, as JSON spells it.
    pub key: &'static str,
    /// The fault, and the range that is allowed.
    pub problem: String,
}

impl Schedule {
    /// Checks what the types of its settings cannot.
    ///
    /// # Errors
    ///
    /// The first setting that is out of range.
    pub fn check(&self) -> Result<(), ScheduleError> {
        match self {
            Self::Constant { rate } | Self::Poisson { rate } => check_rate(*rate),
            Self::Burst { rate, on, off } => {
                check_rate(*rate)?;
                check_burst(*on, *off)
            }
            Self::Replay { speed, offsets_ns } => {
                check_speed(*speed)?;
                check_events(offsets_ns)?;
                self.check_mean(*speed)
            }
            Self::Manual => Ok(()),
        }
    }

    /// A trace that is played too fast has more messages than a feed may have.
    fn check_mean(&self, speed: f64) -> Result<(), ScheduleError> {
        let hz = self.mean_hz().unwrap_or_default();
        if hz <= *RATES.end() {
            return Ok(());
        }
        let problem =
            format!("at {speed} the trace has {hz:.0} messages/s, and a feed has at most 1000k/s");
        Err(ScheduleError { key: "speed", problem })
    }
}

/// Whether a feed may have this rate.
pub(crate) fn check_rate(rate: Rate) -> Result<(), ScheduleError> {
    if RATES.contains(&rate.hz()) {
        return Ok(());
    }
    let problem = format!("{rate} is not within 0.001/s and 1000k/s");
    Err(ScheduleError { key: "rate", problem })
}

/// Whether a trace may be replayed at this speed.
pub(crate) fn check_speed(speed: f64) -> Result<(), ScheduleError> {
    if SPEEDS.contains(&speed) {
        return Ok(());
    }
    Err(ScheduleError { key: "speed", problem: format!("{speed:?} is not within 0.001 and 1e9") })
}

/// Whether a burst and the silence after it may last that long.
pub(crate) fn check_burst(on: Span, off: Span) -> Result<(), ScheduleError> {
    check_span(on, BURSTS).map_err(|problem| ScheduleError { key: "on", problem })?;
    check_span(off, SILENCES).map_err(|problem| ScheduleError { key: "off", problem })
}

/// Whether a span is in a range, or that it is not.
pub(crate) fn check_span(span: Span, range: RangeInclusive<Duration>) -> Result<(), String> {
    if range.contains(&span.0) {
        return Ok(());
    }
    Err(format!("{span} is not within {} and {}", Span(*range.start()), Span(*range.end())))
}

/// Whether the events of a trace are some, not too many, and in their order.
fn check_events(offsets_ns: &[u64]) -> Result<(), ScheduleError> {
    let error = |problem| Err(ScheduleError { key: "offsets_ns", problem });
    let count = offsets_ns.len();
    if count == 0 {
        return error("a replay has at least one event, and here is none".to_owned());
    }
    if count > MAX_EVENTS {
        return error(format!("{count} events are too many; at most {MAX_EVENTS} are replayed"));
    }
    if let Some(at) = offsets_ns.windows(2).position(|pair| pair[1] < pair[0]) {
        return error(format!("event {} is before the one in front of it; sort by time", at + 2));
    }
    match offsets_ns.last() {
        Some(&last) if last > MAX_OFFSET_NS => {
            error(format!("the last event is at {last} ns; a trace lasts at most ten years"))
        }
        _ => Ok(()),
    }
}
