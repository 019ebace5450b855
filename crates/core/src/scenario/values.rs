//! A setting's value, or a list of them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// One value, or several to be tried in turn.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Values<T> {
    /// A single value.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> Values<T> {
    /// The values, in the order given.
    #[must_use]
    pub const fn as_slice(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values.as_slice(),
        }
    }
}

impl<T: Clone> Values<T> {
    /// Has `values` in place of its own, where there are any.
    pub fn override_with(&mut self, values: &[T]) {
        if !values.is_empty() {
            *self = values.to_vec().into();
        }
    }
}

/// Unlike a derived untagged enum, keeps the value's own error.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Values<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany(PhantomData))
    }
}

struct OneOrMany<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
    type Value = Values<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its unit, or a list of such values")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Values<T>, E> {
        T::deserialize(text.into_deserializer()).map(Values::One)
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Values<T>, E> {
        T::deserialize(truth.into_deserializer()).map(Values::One)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Values<T>, E> {
        T::deserialize(number.into_deserializer()).map(Values::One)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Values<T>, E> {
        T::deserialize(number.into_deserializer()).map(Values::One)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Values<T>, E> {
        T::deserialize(number.into_deserializer()).map(Values::One)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Values<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(table)).map(Values::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Values::Many(values))
    }
}

impl<T> From<Vec<T>> for Values<T> {
    fn from(mut values: Vec<T>) -> Self {
        match values.pop() {
            Some(only) if values.is_empty() => Self::One(only),
            Some(last) => {
                values.push(last);
                Self::Many(values)
            }
            None => Self::Many(values),
        }
    }
}
