//! Where a message has its sender's instant, and how that is written: `SPEC:UNIT[@CLOCK]`.

use std::fmt;
use std::str::FromStr;

use super::RuleError;
use super::locator::Locator;
use crate::feed::stamp::StampClock;
use crate::named::as_text;

/// Where a message has its sender's instant, in which unit, and by which clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampSpec {
    /// Its place.
    pub place: Locator,
    /// How it is written.
    pub unit: StampUnit,
    /// The clock that it is read from.
    pub clock: StampClock,
}

/// How an instant is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampUnit {
    /// A number of units, the power of ten of a unit in nanoseconds.
    Number {
        /// 9 for seconds, 0 for nanoseconds.
        exponent: u8,
    },
    /// A date and a time of day (RFC 3339).
    Rfc3339,
}

/// Units by their names.
const UNITS: [(&str, StampUnit); 5] = [
    ("s", StampUnit::Number { exponent: 9 }),
    ("ms", StampUnit::Number { exponent: 6 }),
    ("us", StampUnit::Number { exponent: 3 }),
    ("ns", StampUnit::Number { exponent: 0 }),
    ("rfc3339", StampUnit::Rfc3339),
];

/// Clocks by their names.
const CLOCKS: [(&str, StampClock); 2] =
    [("wall", StampClock::Wall), ("monotonic", StampClock::Monotonic)];

fn named<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|row| row.0 == name).map(|row| row.1)
}

fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|row| row.1 == *value).map_or("", |row| row.0)
}

impl FromStr for StampSpec {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let malformed = || RuleError::Stamp(text.to_owned());
        let (place, unit) = text.rsplit_once(':').ok_or_else(malformed)?;
        let (unit, clock) = match unit.split_once('@') {
            Some((unit, clock)) => (unit, named(&CLOCKS, clock).ok_or_else(malformed)?),
            None => (unit, StampClock::Wall),
        };
        let unit = named(&UNITS, unit).ok_or_else(malformed)?;
        if unit == StampUnit::Rfc3339 && clock == StampClock::Monotonic {
            return Err(malformed());
        }
        // `re:x` has no unit, and would be taken for the place `re` in the unit `x`.
        Ok(Self { place: place.parse()?, unit, clock })
    }
}

impl fmt::Display for StampSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.place, name_of(&UNITS, &self.unit))?;
        match self.clock {
            StampClock::Wall => Ok(()),
            clock @ StampClock::Monotonic => write!(f, "@{}", name_of(&CLOCKS, &clock)),
        }
    }
}

as_text!(StampSpec);
