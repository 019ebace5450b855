//! A span of time: `1m30s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Problem, UnitError, factor, finite, number_and_unit, whole};

/// A span of time: `250us`, `500ms`, `10s`, `1m30s`, `2h`, or a bare number of seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

const SPAN_UNITS: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::tests::refused;

    #[test]
    fn spans_read_as_users_write_them() {
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
    }

    /// The same in a file: a bare number is of the unit that goes without saying.
    #[test]
    fn bare_numbers_read_as_texts_do() {
        assert_eq!(serde_json::from_str::<Span>("90").unwrap(), "1m30s".parse().unwrap());
        assert_eq!(serde_json::from_str::<Span>("0.5").unwrap(), "500ms".parse().unwrap());
        assert!(serde_json::from_str::<Span>("-1").is_err());
    }

    #[test]
    fn what_is_no_span_says_why_and_how() {
        refused::<Span>(&[
            ("10x", "`10x` is not a duration: `x` is not one of ns, us,"),
            ("1m30", "a unit is missing"),
            ("30 1m", "a unit is missing"),
            ("30s1m", "`m` does not stand behind a larger unit"),
            ("1s1s", "`s` does not stand behind a larger unit"),
            ("1m-30s", "`m-` is not one of"),
            ("", "start with a number"),
            ("m", "start with a number"),
            ("1M", "`M` is not one of"),
            ("9999999999h", "too large"),
        ]);
        let error = Span::with_unit("50").unwrap_err().to_string();
        assert!(error.contains("`50` is not a duration: a unit is"), "{error}");
    }

    proptest! {
        // Beyond 2⁵³ ns (104 days) not every nanosecond has an f64.
        #[test]
        fn a_span_reads_back_as_written(nanos in 0_u64..1 << 53) {
            let span = Span(Duration::from_nanos(nanos));
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
