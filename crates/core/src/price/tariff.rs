//! A tariff: an amount of money for a number of something, as price lists write it.

use std::fmt;
use std::str::FromStr;

use crate::units::{Count, UnitError, serde_as_text};

/// The kind of thing that money is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Bytes.
    Bytes,
    /// Requests.
    Requests,
    /// Messages.
    Messages,
    /// Seconds of open connections.
    ConnectionTime,
    /// Seconds of CPUs.
    CpuTime,
    /// Bytes of memory, each for a second.
    MemoryTime,
}

/// The names of units, what each is of, and its size in the least unit of that.
const UNITS: [(&str, Measure, f64); 12] = [
    ("GB", Measure::Bytes, 1e9),
    ("GiB", Measure::Bytes, GIB),
    ("TB", Measure::Bytes, 1e12),
    ("request", Measure::Requests, 1.0),
    ("message", Measure::Messages, 1.0),
    ("connection-minute", Measure::ConnectionTime, 60.0),
    ("connection-hour", Measure::ConnectionTime, 3600.0),
    ("vCPU-hour", Measure::CpuTime, 3600.0),
    ("vCPU-second", Measure::CpuTime, 1.0),
    ("GiB-hour", Measure::MemoryTime, GIB * 3600.0),
    ("GB-hour", Measure::MemoryTime, 3600.0 * 1e9),
    ("GiB-second", Measure::MemoryTime, GIB),
];

const GIB: f64 = 1_073_741_824.0;

impl Measure {
    /// A price of such things, as it is written.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Bytes => "0.09 USD/GB",
            Self::Requests => "1.00 USD/million requests",
            Self::Messages => "1.00 USD/million messages",
            Self::ConnectionTime => "0.25 USD/million connection-minutes",
            Self::CpuTime => "0.04 USD/vCPU-hour",
            Self::MemoryTime => "0.004 USD/GiB-hour",
        }
    }
}

/// The code of a currency (ISO 4217): three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency([u8; 3]);

impl Currency {
    fn of(code: &str) -> Option<Self> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }

    /// The code.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(&self.0) {
            Ok(code) => code,
            Err(_) => unreachable!(),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount of money for a number of units: `0.25 USD/million connection-minutes`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tariff {
    /// The money.
    pub amount: f64,
    /// Its currency.
    pub currency: Currency,
    /// For how many units it is.
    pub count: u64,
    /// The place of the unit in [`UNITS`].
    unit: usize,
}

impl Tariff {
    /// The kind of thing that it is for.
    #[must_use]
    pub const fn measure(&self) -> Measure {
        UNITS[self.unit].1
    }

    /// The name of its unit, of one: `connection-minute`.
    #[must_use]
    pub const fn unit(&self) -> &'static str {
        UNITS[self.unit].0
    }

    /// How many of its units are `quantity` of the least: bytes, requests, messages, seconds, or bytes
    /// for a second.
    #[must_use]
    pub fn units(&self, quantity: f64) -> f64 {
        quantity / UNITS[self.unit].2
    }

    /// The money for `quantity` of the least units.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of price lists are far below 2⁵³")]
    pub fn of(&self, quantity: f64) -> f64 {
        self.units(quantity) / self.count as f64 * self.amount
    }
}

/// Counts in words, as price lists have them.
const WORDS: [(&str, u64); 3] =
    [("thousand", 1_000), ("million", 1_000_000), ("billion", 1_000_000_000)];

impl FromStr for Tariff {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = UnitError::of(text, "price", "`0.09 USD/GB` or `1.00 USD/million messages`");
        let (money, per) = text
            .split_once('/')
            .ok_or_else(|| error("it does not say behind a `/` what it is for".into()))?;
        let (amount, code) = money.trim().split_once(' ').ok_or_else(|| {
            error("it does not say its currency, such as USD, behind the amount".into())
        })?;
        let is_plain = amount.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let amount = amount.parse::<f64>().ok().filter(|amount| is_plain && *amount <= 1e9);
        let amount = amount.ok_or_else(|| error("it does not begin with an amount".into()))?;
        let currency = Currency::of(code.trim())
            .ok_or_else(|| error("its currency is no code of three capital letters".into()))?;
        let (count, name) = count_and_unit(per.trim());
        let count = count.filter(|count| *count > 0).ok_or_else(|| {
            error("how many it is for is no number, such as `million` or `10k`".into())
        })?;
        let unit = UNITS.iter().position(|(unit, ..)| is_named(name, unit));
        let unit = unit.ok_or_else(|| {
            let names: Vec<&str> = UNITS.iter().map(|(name, ..)| *name).collect();
            error(format!("it is for none of {}", names.join(", ")).into())
        })?;
        Ok(Self { amount, currency, count, unit })
    }
}

/// Whether `name` is that of the unit, of one or of several.
fn is_named(name: &str, unit: &str) -> bool {
    name == unit || name.strip_suffix('s') == Some(unit)
}

/// `million messages` in its parts; a single unit has no count before it.
fn count_and_unit(per: &str) -> (Option<u64>, &str) {
    let Some((count, unit)) = per.split_once(' ') else { return (Some(1), per) };
    let word = WORDS.iter().find(|(word, _)| *word == count).map(|(_, number)| *number);
    (word.or_else(|| count.parse::<Count>().ok().map(|count| count.0)), unit.trim())
}

impl fmt::Display for Tariff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { amount, currency, count, .. } = self;
        let unit = self.unit();
        write!(f, "{amount} {currency}/")?;
        match WORDS.iter().find(|(_, number)| number == count) {
            Some((word, _)) => write!(f, "{word} {unit}s"),
            None if *count == 1 => f.write_str(unit),
            None => write!(f, "{count} {unit}s"),
        }
    }
}

serde_as_text!(Tariff);
