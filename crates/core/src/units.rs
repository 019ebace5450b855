//! Quantities as users write them: `500ms`, `1m30s`, `64B`, `10/s`, `5k`. One parser for each unit.

mod bit_rate;
mod byte_size;
mod count;
mod rate;
mod share;
mod span;

use std::borrow::Cow;
use std::fmt;

pub use self::bit_rate::BitRate;
pub use self::byte_size::ByteSize;
pub use self::count::Count;
pub use self::rate::Rate;
pub use self::share::Share;
pub use self::span::Span;
use crate::checked::excerpt;

/// A quantity that does not parse, with how it should be written.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{given}` is not a {what}: {problem}; write it like {example}")]
pub struct UnitError {
    given: String,
    what: &'static str,
    problem: Problem,
    example: &'static str,
}

/// The fault of a text that is no quantity.
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
    use std::fmt::Debug;
    use std::str::FromStr;

    use super::UnitError;

    /// Checks that each text is refused with a part of its error, and with how it should be written.
    pub(super) fn refused<T: FromStr<Err = UnitError> + Debug>(texts: &[(&str, &str)]) {
        for (text, part) in texts {
            let error = text.parse::<T>().unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("write it like"), "{text}: {error}");
        }
    }
}
