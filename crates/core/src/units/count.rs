//! A count: `5k`.

use std::fmt;
use std::str::FromStr;

use super::{UnitError, scaled_exactly, whole};

/// A count that may end in `k` or `M`: `500`, `5k`, `1.5M`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count(pub u64);

pub(super) const COUNT_UNITS: [(&str, f64); 3] = [("", 1.0), ("k", 1e3), ("M", 1e6)];

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::tests::refused;

    #[test]
    fn counts_read_as_users_write_them() {
        for (text, count) in
            [("5k", 5_000), ("1.001k", 1_001), ("2M", 2_000_000), ("0.5M", 500_000), ("7", 7)]
        {
            assert_eq!(text.parse(), Ok(Count(count)), "{text}");
        }
    }

    #[test]
    fn what_is_no_count_says_why_and_how() {
        refused::<Count>(&[
            ("-5", "start with a number"),
            ("1.5", "whole number"),
            ("1.0005k", "whole number"),
            ("5m", "`5m` is not a count: `m` is not one of k, M"),
        ]);
    }
}
