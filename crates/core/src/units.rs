//! Quantities as users write them: `500ms`, `64B`, `10/s`, `5k`. One parser for each unit.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::checked::excerpt;

/// A quantity that does not parse, with how it should be written.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{given}` is not a {what}: {problem}; write it like {example}")]
pub struct UnitError {
    given: String,
    what: &'static str,
    problem: &'static str,
    example: &'static str,
}

impl UnitError {
    /// The error of what does not parse as `what`, by its problem.
    fn of(
        given: &str,
        what: &'static str,
        example: &'static str,
    ) -> impl Fn(&'static str) -> Self + Copy {
        // As many characters of what was given as an error repeats.
        move |problem| Self { given: excerpt(given, 40), what, problem, example }
    }
}

/// A span of time: `250us`, `500ms`, `10s`, `1m`, `2h`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

/// A number of bytes: `64B`, `1KiB`, `2MB`, or a bare number of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

/// Messages in a unit of time: `10/s`, `0.5/s`, `6/m`, or a bare number each second.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

/// A count that may end in `k`: `500`, `5k`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count(pub u64);

/// A share of a whole, 1 being all of it: `99.9%`, or a bare number up to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Share(pub f64);

const SPAN_UNITS: [(&str, f64); 6] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9)];
const HOUR: (&str, f64) = ("h", 3600e9);
const BYTE_UNITS: [(&str, f64); 7] = [
    ("", 1.0),
    ("B", 1.0),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("kB", 1e3),
    ("MB", 1e6),
];

/// Splits `12.5ms` into its number and its unit.
fn number_and_unit(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = text[..end].parse::<f64>().ok()?;
    Some((number, text[end..].trim_start()))
}

/// The quantity in its smallest unit, with its fraction, or what is wrong with it.
fn scaled_exactly(text: &str, units: &[(&str, f64)]) -> Result<f64, &'static str> {
    let (number, unit) = number_and_unit(text.trim()).ok_or("it does not start with a number")?;
    let factor = units.iter().find(|(name, _)| *name == unit).ok_or("the unit is not known")?.1;
    let value = number * factor;
    if value.is_finite() { Ok(value) } else { Err("it is too large") }
}

/// The quantity in its smallest unit, or what is wrong with it.
fn scaled(text: &str, units: &[(&str, f64)]) -> Result<u64, &'static str> {
    let value = scaled_exactly(text, units)?.round();
    if value >= 9e18 {
        return Err("it is too large");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in [0, 9e18)")]
    Ok(value as u64)
}

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let units: Vec<_> = SPAN_UNITS.into_iter().chain([HOUR]).collect();
        let error = UnitError::of(text, "duration", "`500ms`, `10s` or `1m`");
        scaled(text, &units).map(|nanos| Self(Duration::from_nanos(nanos))).map_err(error)
    }
}

impl fmt::Display for Span {
    /// Writes the largest unit that needs no fraction: `1500ms`, `2s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let units = [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000)];
        let small = [("ms", 1_000_000), ("us", 1_000), ("ns", 1)];
        for (unit, size) in units.into_iter().chain(small) {
            if nanos >= size && nanos.is_multiple_of(size) {
                return write!(f, "{}{unit}", nanos / size);
            }
        }
        f.write_str("0s")
    }
}

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        scaled(text, &BYTE_UNITS).map(Self).map_err(Self::error(text))
    }
}

impl ByteSize {
    /// Bytes that need not be whole, as those of one message on average are not: `99.5B`.
    ///
    /// # Errors
    ///
    /// Where it is no size.
    pub fn average(text: &str) -> Result<f64, UnitError> {
        scaled_exactly(text, &BYTE_UNITS).map_err(Self::error(text))
    }

    fn error(text: &str) -> impl Fn(&'static str) -> UnitError {
        UnitError::of(text, "size", "`64B`, `1KiB` or `1MiB`")
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
            if self.0 >= size && self.0.is_multiple_of(size) {
                return write!(f, "{}{unit}", self.0 / size);
            }
        }
        write!(f, "{}B", self.0)
    }
}

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
        let (count, suffix) =
            number_and_unit(number).ok_or_else(|| error("it does not start with a number"))?;
        let thousands = match suffix {
            "" => 1.0,
            "k" => 1e3,
            _ => return Err(error("the number ends in something other than `k`")),
        };
        let seconds = match per.trim() {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(error("the unit of time is not `s`, `m` or `h`")),
        };
        let hz = count * thousands / seconds;
        let problem = if hz > 1.0 { "it is too large" } else { "it must be above zero" };
        Self::from_hz(hz).ok_or_else(|| error(problem))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl FromStr for Count {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = UnitError::of(text, "count", "`500` or `5k`");
        let count = scaled(text, &[("", 1.0), ("k", 1e3)]).map_err(error)?;
        if text.contains('.') && !text.trim_end().ends_with('k') {
            return Err(error("it is not a whole number"));
        }
        Ok(Self(count))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Share {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = UnitError::of(text, "share", "`5%`, `99.9%` or `0.05`");
        let (number, unit) =
            number_and_unit(text.trim()).ok_or_else(|| error("it does not start with a number"))?;
        let share = match unit {
            _ if !number.is_finite() => return Err(error("it is too large")),
            "%" => number / 100.0,
            // Whoever writes a bare 5 means 5 %, not five times the whole.
            "" if number > 1.0 => return Err(error("without `%` it is at most 1")),
            "" => number,
            _ => return Err(error("it ends in something other than `%`")),
        };
        Ok(Self(share))
    }
}

/// Reads a quantity from a string, or from a bare number where its unit goes without saying.
macro_rules! serde_as_text {
    ($($type:ident),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextOrNumber)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

serde_as_text!(Span, ByteSize, Rate, Count);

/// The text of a string or of a number.
struct TextOrNumber;

impl serde::de::Visitor<'_> for TextOrNumber {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number with its unit, as a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantities_read_as_users_write_them() {
        assert_eq!("500ms".parse(), Ok(Span(Duration::from_millis(500))));
        assert_eq!("1.5 s".parse(), Ok(Span(Duration::from_millis(1500))));
        assert_eq!("2h".parse(), Ok(Span(Duration::from_secs(7200))));
        assert_eq!("1KiB".parse(), Ok(ByteSize(1024)));
        assert_eq!("64".parse(), Ok(ByteSize(64)));
        assert_eq!("5k".parse(), Ok(Count(5000)));
        assert_eq!("0.5/s".parse::<Rate>().map(Rate::hz), Ok(0.5));
        assert_eq!("6/m".parse::<Rate>().map(Rate::hz), Ok(0.1));
        assert_eq!("2k/s".parse::<Rate>().map(Rate::hz), Ok(2000.0));
    }

    #[test]
    fn what_does_not_parse_says_why_and_how() {
        for (error, part) in [
            ("10".parse::<Span>().unwrap_err(), "unit is not known"),
            ("fast".parse::<Rate>().map(|_| Span::default()).unwrap_err(), "start with a number"),
            ("0/s".parse::<Rate>().map(|_| Span::default()).unwrap_err(), "above zero"),
            ("10/fortnight".parse::<Rate>().map(|_| Span::default()).unwrap_err(), "unit of time"),
            ("-5".parse::<Count>().map(|_| Span::default()).unwrap_err(), "start with a number"),
            ("1.5".parse::<Count>().map(|_| Span::default()).unwrap_err(), "whole number"),
            ("9999999999h".parse::<Span>().unwrap_err(), "too large"),
            ("5".parse::<Share>().map(|_| Span::default()).unwrap_err(), "at most 1"),
        ] {
            let text = error.to_string();
            assert!(text.contains(part) && text.contains("write it like"), "{text}");
        }
    }

    proptest! {
        // Beyond 2⁵³ ns (104 days) not every nanosecond has an f64.
        #[test]
        fn display_parses_back(nanos in 0_u64..1 << 53, bytes in 0_u64..1 << 40) {
            let span = Span(Duration::from_nanos(nanos));
            prop_assert_eq!(span.to_string().parse(), Ok(span));
            prop_assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }
    }
}
