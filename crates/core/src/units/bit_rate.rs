//! How fast a line is: `10Mbit/s`.

use std::fmt;
use std::str::FromStr;

use super::{UnitError, scaled_exactly, whole};

/// Bits in a second, decimal as lines are sold: `10Mbit/s`, `512kbit/s`, `1Gbit/s`. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BitRate(u64);

const BIT_RATE_UNITS: [(&str, f64); 4] =
    [("bit/s", 1.0), ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9)];

impl BitRate {
    /// `bits` in a second; `None` where that is zero.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        if bits == 0 { None } else { Some(Self(bits)) }
    }

    /// Bits in a second, at least one.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl FromStr for BitRate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = UnitError::of(text, "bit rate", "`10Mbit/s` or `512kbit/s`");
        let bits = scaled_exactly(text, &BIT_RATE_UNITS).and_then(whole).map_err(error)?;
        Self::from_bits(bits).ok_or_else(|| error("it must be above zero".into()))
    }
}

impl fmt::Display for BitRate {
    /// Writes the largest unit that needs no fraction: `1500kbit/s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, size) in [("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1_000)] {
            if self.0.is_multiple_of(size) {
                return write!(f, "{}{unit}", self.0 / size);
            }
        }
        write!(f, "{}bit/s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_read_as_lines_are_sold() {
        for (text, bits, written) in [
            ("10Mbit/s", 10_000_000, "10Mbit/s"),
            ("512 kbit/s", 512_000, "512kbit/s"),
            ("1Gbit/s", 1_000_000_000, "1Gbit/s"),
            ("1.5Mbit/s", 1_500_000, "1500kbit/s"),
            ("0.1Mbit/s", 100_000, "100kbit/s"),
            ("999bit/s", 999, "999bit/s"),
        ] {
            let rate = text.parse::<BitRate>().unwrap();
            assert_eq!((rate.bits(), rate.to_string().as_str()), (bits, written), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_says_why_and_how() {
        for (text, part) in [
            ("0kbit/s", "it must be above zero"),
            ("10", "a unit is missing"),
            ("10Mbps", "`Mbps` is not one of bit/s, kbit/s, Mbit/s, Gbit/s"),
            ("10MB/s", "`MB/s` is not one of"),
            ("9999999999Gbit/s", "too large"),
        ] {
            let error = text.parse::<BitRate>().unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("like `10Mbit/s`"), "{text}: {error}");
        }
    }

    proptest! {
        // Beyond 2⁵³ bit/s not every number has an f64.
        #[test]
        fn a_rate_reads_back_as_written(bits in 1_u64..1 << 53) {
            let rate = BitRate::from_bits(bits).unwrap();
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }
    }
}
