//! Values that users know by name, orders of preference among them, and the name that was meant.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, IntoDeserializer as _, value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Reads and writes enums, whose names serde knows, as text too.
macro_rules! by_name {
    ($($type:ty),+) => {$(
        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::serde::Serialize::serialize(self, f)
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = ::serde::de::value::Error;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                $crate::named::read(name)
            }
        }
    )+};
}
pub(crate) use by_name;

/// Has serde read and write types as the text that they are read from and shown as.
macro_rules! as_text {
    ($($type:ty),+) => {$(
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                let text = <String as ::serde::Deserialize>::deserialize(reader)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use as_text;

/// An enum whose values have names in files: the type, all of its values, and the name of each.
#[macro_export]
macro_rules! with_names {
    (
        $(#[$meta:meta])+
        pub enum $type:ident {
            $($(#[$doc:meta])+ $value:ident = $name:literal,)+
        }
    ) => {
        $(#[$meta])+
        pub enum $type {
            $($(#[$doc])+ $value,)+
        }

        impl $type {
            /// All, in their order.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$value),+];

            /// The name that files have for it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }
        }
    };
}

/// How alike two names are at the least for one to be meant by the other, by Jaro's measure from 0 to 1.
const ALIKE: f64 = 0.8;

/// `; did you mean `x`?` to be put behind an error, of the one of `names` that is most like what was
/// `given`; nothing where none is like it.
#[must_use]
pub fn did_you_mean<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let given = given.to_lowercase();
    let likeness = |name: &str| strsim::jaro(&given, name);
    let nearest = names.into_iter().max_by(|one, two| likeness(one).total_cmp(&likeness(two)));
    match nearest.filter(|name| likeness(name) >= ALIKE) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}

/// The value of that name, else which there are.
pub(crate) fn read<'de, T: Deserialize<'de>>(name: &'de str) -> Result<T, value::Error> {
    T::deserialize(name.into_deserializer())
}

/// Values in the order in which they are preferred, written with `:` between them, as OpenSSL's
/// `-groups` has it: a comma parts one point's setting from another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference<T>(Vec<T>);

impl<T> Preference<T> {
    /// That order, which names something.
    pub(crate) fn of(values: impl Into<Vec<T>>) -> Self {
        Self(values.into())
    }

    /// The same values in their own order.
    pub(crate) fn sorted(mut self) -> Self
    where
        T: Ord,
    {
        self.0.sort_unstable();
        self
    }

    /// The values, the most preferred first; at least one.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T: fmt::Display> fmt::Display for Preference<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(T::to_string).collect::<Vec<_>>().join(":"))
    }
}

impl<T: FromStr<Err = value::Error> + PartialEq> FromStr for Preference<T> {
    type Err = value::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut values = Vec::new();
        for name in text.split(':') {
            let value = name.parse()?;
            if values.contains(&value) {
                return Err(value::Error::custom(format_args!("`{name}` is named twice")));
            }
            values.push(value);
        }
        Ok(Self(values))
    }
}

impl<T: fmt::Display> Serialize for Preference<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: FromStr<Err = value::Error> + PartialEq> Deserialize<'de> for Preference<T> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        String::deserialize(reader)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn the_nearest_name_is_meant_or_none() {
        let names = ["ticker", "idle", "poll-ratio"];
        for (given, meant) in [("tickr", "ticker"), ("Idle", "idle"), ("pollratio", "poll-ratio")] {
            assert_eq!(did_you_mean(given, names), format!("; did you mean `{meant}`?"));
        }
        for given in ["", "nothing-alike", "x"] {
            assert_eq!(did_you_mean(given, names), "", "{given}");
        }
    }
}
