//! How often something happens: `10/s`.

use std::fmt;
use std::str::FromStr;

use super::count::COUNT_UNITS;
use super::{UnitError, factor, scaled_exactly};

/// Messages in a unit of time: `10/s`, `0.5/s`, `6/m`, or a bare number each second.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

/// Seconds of what a rate is in.
const RATE_UNITS: [(&str, f64); 3] = [("s", 1.0), ("m", 60.0), ("h", 3600.0)];

impl Rate {
    /// One message a second.
    pub const ONE: Self = Self(1.0);

    /// `hz` messages a second; `None` unless that is a number above zero, and one that can be told
    /// from zero and counted: from a billionth to a million million.
    #[must_use]
    pub fn from_hz(hz: f64) -> Option<Self> {
        (1e-9..=1e12).contains(&hz).then_some(Self(hz))
    }

    /// Messages each second.
    #[must_use]
    pub const fn hz(self) -> f64 {
        self.0
    }

    /// Nanoseconds from one message to the next, on average.
    #[must_use]
    pub const fn period_nanos(self) -> f64 {
        1e9 / self.0
    }
}

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = UnitError::of(text, "rate", "`10/s`, `0.5/s` or `6/m`");
        let (number, per) = text.trim().split_once('/').unwrap_or((text.trim(), "s"));
        let count = scaled_exactly(number, &COUNT_UNITS).map_err(error)?;
        let hz = count / factor(per.trim(), &RATE_UNITS).map_err(error)?;
        let problem = if hz > 1.0 { "it is too large" } else { "it must be above zero" };
        Self::from_hz(hz).ok_or_else(|| error(problem.into()))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::tests::refused;

    #[test]
    fn rates_read_as_users_write_them() {
        for (text, hz) in [("0.5/s", 0.5), ("6/m", 0.1), ("2k/s", 2e3), ("3M/s", 3e6), ("9", 9.0)] {
            assert_eq!(text.parse::<Rate>().map(Rate::hz), Ok(hz), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_says_why_and_how() {
        refused::<Rate>(&[
            ("fast", "start with a number"),
            ("0/s", "above zero"),
            ("10/fortnight", "`fortnight` is not one of s, m, h"),
            ("10/", "a unit is missing"),
            ("10K/s", "`K` is not one of k, M"),
        ]);
    }
}
