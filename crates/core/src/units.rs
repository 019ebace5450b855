//! Quantities as users write them: `500ms`, `1m30s`, `64B`, `10/s`, `5k`. One parser for each unit.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub use self::bit_rate::BitRate;
use crate::checked::excerpt;

mod bit_rate;

/// A quantity that does not parse, with how it should be written.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{given}` is not a {what}: {problem}; write it like {example}")]
pub struct UnitError {
    given: String,
    what: &'static str,
    problem: Problem,
    example: &'static str,
}

/// What is wrong with a text that is no quantity.
pub(crate) type Problem = Cow<'static, str>;

impl UnitError {
    /// The error of what does not parse as `what`, by its problem.
    pub(crate) fn of(
        given: &str,
        what: &'static str,
        example: &'static str,
    ) -> impl Fn(Problem) -> Self + Copy {
        move |problem| Self { given: excerpt(given, SHOWN), what, problem, example }
    }

    /// The same problem of a text that should have been something else.
    pub(crate) fn meant_as(self, what: &'static str, example: &'static str) -> Self {
        Self { what, example, ..self }
    }
}

/// Characters of what was given that an error repeats.
const SHOWN: usize = 40;

/// A span of time: `250us`, `500ms`, `10s`, `1m30s`, `2h`, or a bare number of seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

/// A number of bytes: `64B`, `1KiB` (1024), `1KB` (1000), or a bare number of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

/// Messages in a unit of time: `10/s`, `0.5/s`, `6/m`, or a bare number each second.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

/// A count that may end in `k` or `M`: `500`, `5k`, `1.5M`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count(pub u64);

/// A share of a whole, 1 being all of it: `99.9%`, or a bare number up to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Share(pub f64);

const SPAN_UNITS: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];
const BYTE_UNITS: [(&str, f64); 9] = [
    ("", 1.0),
    ("B", 1.0),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("KB", 1e3),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
];
const COUNT_UNITS: [(&str, f64); 3] = [("", 1.0), ("k", 1e3), ("M", 1e6)];
/// Seconds of what a rate is in.
const RATE_UNITS: [(&str, f64); 3] = [("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// Splits `12.5ms` into its number and its unit.
fn number_and_unit(text: &str) -> Result<(f64, &str), Problem> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = text[..end].parse::<f64>().map_err(|_| "it does not start with a number")?;
    Ok((number, text[end..].trim_start()))
}

/// The worth of a unit in the smallest one.
fn factor(unit: &str, units: &[(&str, f64)]) -> Result<f64, Problem> {
    if let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) {
        return Ok(*factor);
    }
    if unit.is_empty() {
        return Err("a unit is missing".into());
    }
    let names = units.iter().map(|&(name, _)| name).filter(|name| !name.is_empty());
    let (unit, names) = (excerpt(unit, SHOWN), names.collect::<Vec<_>>().join(", "));
    Err(format!("`{unit}` is not one of {names}").into())
}

/// The quantity in its smallest unit, with its fraction, or what is wrong with it.
fn scaled_exactly(text: &str, units: &[(&str, f64)]) -> Result<f64, Problem> {
    let (number, unit) = number_and_unit(text.trim())?;
    finite(number * factor(unit, units)?)
}

fn finite(value: f64) -> Result<f64, Problem> {
    if value.is_finite() { Ok(value) } else { Err(TOO_LARGE) }
}

const TOO_LARGE: Problem = Cow::Borrowed("it is too large");

/// The nearest whole number, or what is wrong with it.
fn whole(value: f64) -> Result<u64, Problem> {
    let value = value.round();
    if value >= 9e18 {
        return Err(TOO_LARGE);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in [0, 9e18)")]
    Ok(value as u64)
}

/// Nanoseconds of a duration with a unit behind each number, the largest unit first: `1m30s`.
fn nanos(text: &str) -> Result<f64, Problem> {
    let (mut rest, mut sum, mut last) = (text, 0.0, f64::INFINITY);
    while !rest.is_empty() || last == f64::INFINITY {
        let (number, behind) = number_and_unit(rest)?;
        let end = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let unit = behind[..end].trim_end();
        let size = factor(unit, &SPAN_UNITS)?;
        if size >= last {
            return Err(format!("`{unit}` does not stand behind a larger unit").into());
        }
        (rest, sum, last) = (&behind[end..], sum + number * size, size);
    }
    finite(sum)
}

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        match number_and_unit(text.trim()) {
            Ok((seconds, "")) => Self::of_nanos(text, finite(seconds * 1e9)),
            _ => Self::with_unit(text),
        }
    }
}

impl Span {
    /// A duration that says its unit, for where a bare number could be meant in another than
    /// seconds.
    ///
    /// # Errors
    ///
    /// Where it is none, or says none.
    pub fn with_unit(text: &str) -> Result<Self, UnitError> {
        Self::of_nanos(text, nanos(text.trim()))
    }

    fn of_nanos(text: &str, nanos: Result<f64, Problem>) -> Result<Self, UnitError> {
        let error = UnitError::of(text, "duration", "`500ms`, `10s` or `1m30s`");
        nanos.and_then(whole).map(|nanos| Self(Duration::from_nanos(nanos))).map_err(error)
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
        let bytes = scaled_exactly(text, &BYTE_UNITS).and_then(whole);
        bytes.map(Self).map_err(Self::error(text))
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

    fn error(text: &str) -> impl Fn(Problem) -> UnitError {
        UnitError::of(text, "size", "`64B`, `1KiB` or `1KB`")
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

impl FromStr for Count {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = UnitError::of(text, "count", "`500`, `5k` or `2M`");
        let count = scaled_exactly(text, &COUNT_UNITS).map_err(error)?;
        // In `1.001k` the factor rounds.
        if (count - count.round()).abs() > count * 1e-12 {
            return Err(error("it is not a whole number".into()));
        }
        whole(count).map(Self).map_err(error)
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
        let (number, unit) = number_and_unit(text.trim()).map_err(error)?;
        let share = match unit {
            _ if !number.is_finite() => return Err(error(TOO_LARGE)),
            "%" => number / 100.0,
            // Whoever writes a bare 5 means 5 %, not five times the whole.
            "" if number > 1.0 => return Err(error("without `%` it is at most 1".into())),
            "" => number,
            _ => return Err(error("it ends in something other than `%`".into())),
        };
        Ok(Self(share))
    }
}

impl fmt::Display for Share {
    /// Writes per cent where they read back as the same share: `0.1%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not one more digit than anybody writes: a tenth of a per cent is no 0.10000000000000001 %.
        let percent = (self.0 * 1e14).round() / 1e12;
        if percent / 100.0 == self.0 { write!(f, "{percent}%") } else { write!(f, "{}", self.0) }
    }
}

/// Reads a quantity from a string, or from a bare number where its unit goes without saying.
macro_rules! serde_as_text {
    ($($type:ident),*) => {$(
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                let text = reader.deserialize_any($crate::units::TextOrNumber)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }
    )*};
}

pub(crate) use serde_as_text;
serde_as_text!(Span, ByteSize, Rate, Count, Share, BitRate);

/// The text of a string or of a number.
pub(crate) struct TextOrNumber;

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
        for (text, millis) in [
            ("500ms", 500),
            ("1.5 s", 1_500),
            ("2h", 7_200_000),
            ("1m30s", 90_000),
            (" 1h 0.5m 20ms ", 3_630_020),
            ("10", 10_000),
            ("0.25", 250),
            ("0", 0),
        ] {
            assert_eq!(text.parse(), Ok(Span(Duration::from_millis(millis))), "{text}");
        }
        for (text, bytes) in
            [("1KiB", 1024), ("1KB", 1000), ("1kB", 1000), ("2 MB", 2_000_000), ("64", 64)]
        {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for (text, count) in
            [("5k", 5_000), ("1.001k", 1_001), ("2M", 2_000_000), ("0.5M", 500_000), ("7", 7)]
        {
            assert_eq!(text.parse(), Ok(Count(count)), "{text}");
        }
        for (text, hz) in [("0.5/s", 0.5), ("6/m", 0.1), ("2k/s", 2e3), ("3M/s", 3e6), ("9", 9.0)] {
            assert_eq!(text.parse::<Rate>().map(Rate::hz), Ok(hz), "{text}");
        }
    }

    #[test]
    fn shares_are_written_in_per_cent_as_people_do() {
        for (share, written) in
            [(0.001, "0.1%"), (0.07, "7%"), (1.0, "100%"), (0.0, "0%"), (0.000_001, "0.0001%")]
        {
            assert_eq!(Share(share).to_string(), written);
        }
    }

    /// The same in a file: a bare number is of the unit that goes without saying.
    #[test]
    fn bare_numbers_read_as_texts_do() {
        assert_eq!(serde_json::from_str::<Span>("90").unwrap(), "1m30s".parse().unwrap());
        assert_eq!(serde_json::from_str::<Span>("0.5").unwrap(), "500ms".parse().unwrap());
        assert_eq!(serde_json::from_str::<ByteSize>("64").unwrap(), ByteSize(64));
        assert!(serde_json::from_str::<Span>("-1").is_err());
    }

    #[test]
    fn what_does_not_parse_says_why_and_how() {
        fn refused<T: FromStr<Err = UnitError>>(text: &str) -> String {
            text.parse::<T>().map(drop).unwrap_err().to_string()
        }
        for (error, part) in [
            (refused::<Span>("10x"), "`10x` is not a duration: `x` is not one of ns, us,"),
            (refused::<Span>("1m30"), "a unit is missing"),
            (refused::<Span>("30 1m"), "a unit is missing"),
            (refused::<Span>("30s1m"), "`m` does not stand behind a larger unit"),
            (refused::<Span>("1s1s"), "`s` does not stand behind a larger unit"),
            (refused::<Span>("1m-30s"), "`m-` is not one of"),
            (refused::<Span>(""), "start with a number"),
            (refused::<Span>("m"), "start with a number"),
            (refused::<Span>("1M"), "`M` is not one of"),
            (refused::<Span>("9999999999h"), "too large"),
            (refused::<ByteSize>("1kb"), "`kb` is not one of B, KiB, MiB, GiB, KB, kB, MB, GB"),
            (refused::<ByteSize>("1KiB 5B"), "`KiB 5B` is not one of"),
            (refused::<Rate>("fast"), "start with a number"),
            (refused::<Rate>("0/s"), "above zero"),
            (refused::<Rate>("10/fortnight"), "`fortnight` is not one of s, m, h"),
            (refused::<Rate>("10/"), "a unit is missing"),
            (refused::<Rate>("10K/s"), "`K` is not one of k, M"),
            (refused::<Count>("-5"), "start with a number"),
            (refused::<Count>("1.5"), "whole number"),
            (refused::<Count>("1.0005k"), "whole number"),
            (refused::<Count>("5m"), "`5m` is not a count: `m` is not one of k, M"),
            (refused::<Share>("5"), "at most 1"),
            (Span::with_unit("50").unwrap_err().to_string(), "`50` is not a duration: a unit is"),
        ] {
            assert!(error.contains(part) && error.contains("write it like"), "{part}: {error}");
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

        #[test]
        fn a_share_reads_back_as_written(share in 0.0..=1.0, parts in 0_u32..=1_000_000) {
            for share in [Share(share), Share(f64::from(parts) / 1e6)] {
                prop_assert_eq!(share.to_string().parse(), Ok(share));
            }
        }
    }
}
