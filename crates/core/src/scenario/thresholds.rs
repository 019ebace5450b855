//! Conditions that a run must meet: `websocket.latency.p99 < 50ms`.
//!
//! A scenario's `[thresholds]` table has a condition, or a list of them, for each
//! `TRANSPORT.FIGURE`; a flag has both in one text. Here is the grammar; what was measured is held
//! against it where figures are known.

mod objective;

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::objective::Objective;
use crate::contender::Contender;
use crate::figure::{self, Figure, Unit};
use crate::named::{as_text, did_you_mean};
use crate::units::{BitRate, ByteSize, Count, Rate, Share, Span, UnitError};

/// A threshold that does not parse, with what would.
#[derive(Debug, Clone, thiserror::Error, PartialEq)]
pub enum ThresholdError {
    /// There is no dot, or nothing before it.
    #[error(
        "`{0}` names no figure of a transport; write it like `websocket.latency.p99` or \
         `*.wire_bytes_per_msg`"
    )]
    Target(String),
    /// The part before the first dot is no transport.
    #[error("{0}; `*` stands for all of them")]
    Contender(#[from] crate::contender::UnknownContender),
    /// The part behind it is no figure.
    #[error(
        "unknown figure `{0}`; the figures are {list}{meant}",
        list = figure::names().join(", "),
        meant = did_you_mean(.0, figure::names())
    )]
    Figure(String),
    /// There is no `<`, `<=`, `>` or `>=`.
    #[error("`{0}` is no condition; write it like `< 50ms`, with <, <=, > or >=")]
    Operator(String),
    /// An objective is without them.
    #[error("`{0}` is no condition; write it like `latency.p99 < 50ms`, with <, <=, > or >=")]
    Objective(String),
    /// The limit does not parse.
    #[error("{0}")]
    Limit(#[from] UnitError),
}

/// The figure that a limit is for, of one transport or of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target {
    /// The transport; `None` is `*`.
    pub contender: Option<Contender>,
    /// The figure: its value over a point's valid trials, as `summary.csv` has it.
    pub figure: Figure,
}

impl Target {
    /// Whether it speaks of `contender`.
    #[must_use]
    pub fn names(self, contender: Contender) -> bool {
        self.contender.is_none_or(|named| named == contender)
    }
}

impl FromStr for Target {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let parts = text.trim().split_once('.').filter(|(contender, _)| !contender.is_empty());
        let (contender, figure) = parts.ok_or_else(|| ThresholdError::Target(text.to_owned()))?;
        let contender = if contender == "*" { None } else { Some(contender.parse()?) };
        let known = Figure::named(figure);
        let figure = known.ok_or_else(|| ThresholdError::Figure(figure.to_owned()))?;
        Ok(Self { contender, figure })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contender = self.contender.map_or("*", Contender::name);
        write!(f, "{contender}.{}", self.figure.name())
    }
}

/// On which side of its limit a figure has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// The longer signs first, so that the first that a text begins with is its own.
    const SIGNS: [(&str, Self); 4] =
        [("<=", Self::AtMost), (">=", Self::AtLeast), ("<", Self::Below), (">", Self::Above)];

    const fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// A condition on a figure: `websocket.latency.p99 < 50ms`.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The figure that is held against the limit.
    pub target: Target,
    /// How.
    pub comparison: Comparison,
    /// The limit, in the figure's [`Unit`].
    pub limit: f64,
    /// The limit as it was written.
    text: String,
}

impl Threshold {
    fn of(target: Target, condition: &str) -> Result<Self, ThresholdError> {
        let condition = condition.trim();
        let of_sign = |(sign, comparison): (&str, Comparison)| {
            Some((comparison, condition.strip_prefix(sign)?.trim()))
        };
        let found = Comparison::SIGNS.into_iter().find_map(of_sign);
        let (comparison, text) =
            found.ok_or_else(|| ThresholdError::Operator(condition.to_owned()))?;
        let limit = limit(target.figure.unit(), text)?;
        Ok(Self { target, comparison, limit, text: text.to_owned() })
    }

    /// Whether `measured`, in the figure's [`Unit`], meets it.
    #[must_use]
    pub fn is_met_by(&self, measured: f64) -> bool {
        match self.comparison {
            Comparison::Below => measured < self.limit,
            Comparison::AtMost => measured <= self.limit,
            Comparison::Above => measured > self.limit,
            Comparison::AtLeast => measured >= self.limit,
        }
    }

    /// Whether each value that the figure can have meets it, or none does, so that what is
    /// measured decides nothing; `None` where it does.
    #[must_use]
    pub fn foregone(&self) -> Option<bool> {
        // No figure is below zero, and no share above one.
        let most = if self.target.figure.unit() == Unit::Share { 1.0 } else { f64::INFINITY };
        let (least, most) = (self.is_met_by(0.0), self.is_met_by(most));
        (least == most).then_some(least)
    }

    /// `< 50ms`.
    #[must_use]
    pub fn condition(&self) -> String {
        format!("{} {}", self.comparison.sign(), self.text)
    }
}

/// A limit as a user writes it.
#[expect(clippy::cast_precision_loss, reason = "limits are below 2⁵³")]
fn limit(unit: Unit, text: &str) -> Result<f64, UnitError> {
    Ok(match unit {
        // A table has it in microseconds: a bare number could be meant so.
        Unit::Micros => Span::with_unit(text)?.0.as_nanos() as f64 / 1e3,
        Unit::Bytes => ByteSize::average(text)?,
        Unit::Count => text.parse::<Count>()?.0 as f64,
        Unit::Share => text.parse::<Share>()?.0,
        Unit::BitsPerSecond => text.parse::<BitRate>()?.bits() as f64,
        Unit::Mean => text.parse::<Count>()?.0 as f64,
        Unit::PerSecond => text.parse::<Rate>()?.hz(),
        // Of one, as a share of it: `0.5` or `50%`.
        Unit::Cores => text.parse::<Share>()?.0,
    })
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let sign =
            text.find(['<', '>']).ok_or_else(|| ThresholdError::Operator(text.to_owned()))?;
        Self::of(text[..sign].parse()?, &text[sign..])
    }
}

as_text!(Threshold);

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.target, self.condition())
    }
}

/// The `[thresholds]` of a scenario.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Thresholds(Vec<Threshold>);

impl Thresholds {
    /// Each condition, those of one target in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Threshold> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts `given` in the place of the conditions on the same targets, as a flag overrides a
    /// setting.
    pub fn override_with(&mut self, given: &[Threshold]) {
        self.0.retain(|old| given.iter().all(|new| new.target != old.target));
        self.0.extend_from_slice(given);
    }
}

impl Serialize for Thresholds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (index, first) in self.0.iter().enumerate() {
            if self.0[..index].iter().any(|before| before.target == first.target) {
                continue;
            }
            let ours = self.0.iter().filter(|threshold| threshold.target == first.target);
            let conditions: Vec<String> = ours.map(Threshold::condition).collect();
            let target = first.target.to_string();
            match conditions.as_slice() {
                [only] => map.serialize_entry(&target, only)?,
                several => map.serialize_entry(&target, several)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Thresholds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Table)
    }
}

/// Reads the table, so that each error carries the line of its key or value.
struct Table;

impl<'de> Visitor<'de> for Table {
    type Value = Thresholds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of conditions such as \"websocket.latency.p99\" = \"< 50ms\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Thresholds, A::Error> {
        let mut thresholds = Thresholds::default();
        while let Some(target) = map.next_key_seed(Text(PhantomData))? {
            map.next_value_seed(Conditions { target, into: &mut thresholds.0 })?;
        }
        Ok(thresholds)
    }
}

/// A text that parses as `T`.
struct Text<T>(PhantomData<T>);

impl<'de, T: FromStr<Err = ThresholdError>> DeserializeSeed<'de> for Text<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|error| quoted(&error))
    }
}

/// An unquoted key is a table to TOML, whose name ends at its first dot.
fn quoted<E: de::Error>(error: &ThresholdError) -> E {
    match error {
        ThresholdError::Target(_) => E::custom(format!("{error}, in quotes")),
        _ => E::custom(error),
    }
}

/// A condition of `target`, or a list of them.
struct Conditions<'a> {
    target: Target,
    into: &'a mut Vec<Threshold>,
}

impl<'de> DeserializeSeed<'de> for Conditions<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Conditions<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a condition such as \"< 50ms\", or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.into.push(Threshold::of(self.target, text).map_err(E::custom)?);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { target, into } = self;
        while list.next_element_seed(Conditions { target, into: &mut *into })?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests;
