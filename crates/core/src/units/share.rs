//! A share of a whole: `99.9%`.

use std::fmt;
use std::str::FromStr;

use super::{TOO_LARGE, UnitError, number_and_unit};

/// A share of a whole, 1 being all of it: `99.9%`, or a bare number up to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Share(pub f64);

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::tests::refused;

    #[test]
    fn shares_are_written_in_per_cent_as_people_do() {
        for (share, written) in
            [(0.001, "0.1%"), (0.07, "7%"), (1.0, "100%"), (0.0, "0%"), (0.000_001, "0.0001%")]
        {
            assert_eq!(Share(share).to_string(), written);
        }
    }

    #[test]
    fn what_is_no_share_says_why_and_how() {
        refused::<Share>(&[("5", "at most 1")]);
    }

    proptest! {
        #[test]
        fn a_share_reads_back_as_written(share in 0.0..=1.0, parts in 0_u32..=1_000_000) {
            for share in [Share(share), Share(f64::from(parts) / 1e6)] {
                prop_assert_eq!(share.to_string().parse(), Ok(share));
            }
        }
    }
}
