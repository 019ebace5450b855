//! Prices: what a provider takes for bytes, requests, messages, connections, CPU and memory.
//!
//! Each price says its currency and what it is for, and nothing is charged that the file has no price
//! for. Those that are built in are examples with a date: lists change.
//!
//! ```
//! use pushbench_core::price::Price;
//!
//! let price = Price::parse(
//!     r#"
//!     name = "mine"
//!     as_of = "2026-01"
//!     source = "my provider's list"
//!     egress = "0.05 EUR/GB"
//!     messages = { price = "0.8 EUR/million messages", size = "16KiB" }
//!     requests = { price = "0.3 EUR/million requests", size = "any" }
//!     "#,
//! )?;
//! assert_eq!(price.currency().map(|currency| currency.to_string()), Some("EUR".to_owned()));
//! let error = Price::parse("name = 'x'\nas_of = '2026-01'\nsource = 'y'\negress = '0.05'");
//! assert!(error.unwrap_err().contains("write it like `0.09 USD/GB`"));
//! # Ok::<(), String>(())
//! ```

mod tariff;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use self::tariff::{Currency, Measure, Tariff};
use crate::checked_when_read;
use crate::contender::Transport;
use crate::units::{ByteSize, UnitError, serde_as_text};

/// The texts of the files that are built in.
const FILES: [&str; 2] = [
    include_str!("../../../prices/aws-api-gateway.toml"),
    include_str!("../../../prices/gcp-e2.toml"),
];

/// The largest file that is read as one of prices.
pub const MAX_PRICE_BYTES: u64 = 1 << 20;

/// The most bytes of a name, and of a text beside it.
const MAX_NAME: usize = 64;
const MAX_TEXT: usize = 512;

/// The prices of a provider, for as far as it takes any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Price {
    /// The name that they have in tables and sentences.
    pub name: String,
    /// The offer that they are of, in one sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The month, or the day, on which they were looked up: `2026-01`, `2026-01-31`.
    pub as_of: String,
    /// The place where they stand.
    pub source: String,
    /// The transports that the offer carries; all where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transports: Vec<Transport>,
    /// The price of bytes from server to clients, as they leave the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress: Option<Tariff>,
    /// The price of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Metered>,
    /// The price of messages on streams, each way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Metered>,
    /// The price of the time for which a stream's connection is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<Tariff>,
    /// The price of CPU time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Tariff>,
    /// The price of memory for a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Tariff>,
}

checked_when_read!(Price);

/// The price of things that are counted, a large one as several.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metered {
    /// The price of one.
    pub price: Tariff,
    /// The size up to which it is one.
    pub size: SizeUnit,
}

/// The size in steps of which something is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeUnit {
    /// One is one, whatever its size.
    Any,
    /// Each such number of bytes, or the beginning of it, is one.
    Bytes(ByteSize),
}

impl SizeUnit {
    /// As how many something of `bytes` counts: one at the least.
    #[must_use]
    pub fn counted(self, bytes: f64) -> f64 {
        match self {
            Self::Any => 1.0,
            #[expect(clippy::cast_precision_loss, reason = "sizes are below 2⁵³")]
            Self::Bytes(size) => (bytes / size.0 as f64).ceil().max(1.0),
        }
    }
}

impl FromStr for SizeUnit {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = UnitError::of(text, "size in which something is metered", "`32KiB` or `any`");
        if text.trim() == "any" {
            return Ok(Self::Any);
        }
        match text.parse::<ByteSize>() {
            Ok(ByteSize(0)) => Err(error("nothing fits into it".into())),
            Ok(size) if text.trim_end().ends_with('B') => Ok(Self::Bytes(size)),
            Ok(_) => Err(error("a unit is missing".into())),
            Err(error) => {
                Err(error.meant_as("size in which something is metered", "`32KiB` or `any`"))
            }
        }
    }
}

impl fmt::Display for SizeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Bytes(size) => size.fmt(f),
        }
    }
}

serde_as_text!(SizeUnit);

impl Price {
    /// All that are built in.
    pub fn built_in() -> impl Iterator<Item = Self> {
        FILES.into_iter().map(|text| Self::parse(text).expect("a test reads every file"))
    }

    /// Reads the TOML of prices.
    ///
    /// # Errors
    ///
    /// A sentence, with the line where the text is no such file.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    }

    /// The currency of all of them; `None` where there are none, which is refused when they are read.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.tariffs().next().map(|(_, tariff, _)| tariff.currency)
    }

    /// Whether the offer carries `transport`.
    #[must_use]
    pub fn carries(&self, transport: Transport) -> bool {
        self.transports.is_empty() || self.transports.contains(&transport)
    }

    /// Its prices by their keys, and what each has to be the price of.
    fn tariffs(&self) -> impl Iterator<Item = (&'static str, Tariff, Measure)> {
        let metered = |metered: Option<Metered>| metered.map(|metered| metered.price);
        let all = [
            ("egress", self.egress, Measure::Bytes),
            ("requests", metered(self.requests), Measure::Requests),
            ("messages", metered(self.messages), Measure::Messages),
            ("connections", self.connections, Measure::ConnectionTime),
            ("cpu", self.cpu, Measure::CpuTime),
            ("memory", self.memory, Measure::MemoryTime),
        ];
        all.into_iter().filter_map(|(key, tariff, measure)| Some((key, tariff?, measure)))
    }

    /// Checks what the types of its parts cannot.
    ///
    /// # Errors
    ///
    /// The first key with a value that cannot be, and why.
    pub fn check(&self) -> Result<(), String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=MAX_NAME).contains(&self.name.len()) || !self.name.chars().all(is_plain) {
            return Err(format!("name: it has 1 to {MAX_NAME} letters, digits, `-` or `_`"));
        }
        if !is_date(&self.as_of) {
            return Err(
                "as_of: say when the prices were looked up, as 2026-01 or 2026-01-31".into()
            );
        }
        for (key, text) in [("about", &self.about), ("source", &self.source)] {
            if text.len() > MAX_TEXT || text.contains(char::is_control) {
                return Err(format!("{key}: it is one line of at most {MAX_TEXT} bytes"));
            }
        }
        if self.source.trim().is_empty() {
            return Err("source: say where the prices stand".to_owned());
        }
        self.check_tariffs()
    }

    fn check_tariffs(&self) -> Result<(), String> {
        let Some(currency) = self.currency() else {
            return Err("egress: there is no price in it; give one at least".to_owned());
        };
        for (key, tariff, measure) in self.tariffs() {
            if tariff.measure() != measure {
                let example = measure.example();
                return Err(format!(
                    "{key}: `{tariff}` is of something else; write it like `{example}`"
                ));
            }
            if tariff.currency != currency {
                return Err(format!(
                    "{key}: `{tariff}` is not in {currency} as those before it are"
                ));
            }
        }
        let asks = |it: &Transport| !it.shape().streams() && self.carries(*it);
        if self.messages.is_some() && self.requests.is_none() && Transport::ALL.iter().any(asks) {
            return Err(
                "requests: where messages of streams have a price, what polls pay has to be said; \
                        give it, or name the streams alone in transports"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// A month, or a day in one, in the order of ISO 8601.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let within = |part: &str, digits: usize, most: u32| {
        let number = part.parse().ok().filter(|number| (1..=most).contains(number));
        part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) && number.is_some()
    };
    match parts.as_slice() {
        [year, month] => within(year, 4, 9999) && within(month, 2, 12),
        [year, month, day] => within(year, 4, 9999) && within(month, 2, 12) && within(day, 2, 31),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
