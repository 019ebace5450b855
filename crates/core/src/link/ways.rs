//! A value for each direction.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IntoDeserializer as _, MapAccess, Visitor};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value for each direction. Where both are the same it is written once: `50ms`, else as
/// `{ down = "40ms", up = "60ms" }` or, where one text must do, as `40ms:60ms`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Ways<T> {
    /// From server to client.
    pub down: T,
    /// From client to server.
    pub up: T,
}

impl<T> Ways<T> {
    /// The same value for both directions.
    pub fn both(value: T) -> Self
    where
        T: Clone,
    {
        Self { down: value.clone(), up: value }
    }

    /// Both values, that for the way down first.
    pub const fn each(&self) -> [&T; 2] {
        [&self.down, &self.up]
    }
}

impl<T: fmt::Display + PartialEq> fmt::Display for Ways<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { down, up } = self;
        if down == up { down.fmt(f) } else { write!(f, "{down}:{up}") }
    }
}

impl<T: FromStr + Clone> FromStr for Ways<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        match text.split_once(':') {
            Some((down, up)) => Ok(Self { down: down.parse()?, up: up.parse()? }),
            None => text.parse().map(Self::both),
        }
    }
}

impl<T: Serialize + PartialEq> Serialize for Ways<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.down == self.up {
            return self.down.serialize(serializer);
        }
        let mut table = serializer.serialize_struct("Ways", 2)?;
        table.serialize_field("down", &self.down)?;
        table.serialize_field("up", &self.up)?;
        table.end()
    }
}

impl<'de, T: Deserialize<'de> + Clone> Deserialize<'de> for Ways<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrTwo(PhantomData))
    }
}

/// Unlike a derived untagged enum, keeps the value's own error.
struct OneOrTwo<T>(PhantomData<T>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Two<T> {
    down: T,
    up: T,
}

impl<'de, T: Deserialize<'de> + Clone> Visitor<'de> for OneOrTwo<T> {
    type Value = Ways<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its unit, or `{ down = …, up = … }`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Ways<T>, E> {
        let read = |text: &str| T::deserialize(text.into_deserializer());
        match text.split_once(':') {
            Some((down, up)) => Ok(Ways { down: read(down)?, up: read(up)? }),
            None => read(text).map(Ways::both),
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Ways<T>, E> {
        T::deserialize(number.into_deserializer()).map(Ways::both)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Ways<T>, E> {
        T::deserialize(number.into_deserializer()).map(Ways::both)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Ways<T>, E> {
        T::deserialize(number.into_deserializer()).map(Ways::both)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Ways<T>, A::Error> {
        let Two { down, up } = Two::deserialize(MapAccessDeserializer::new(table))?;
        Ok(Ways { down, up })
    }
}
