//! Choices among values that users know by name, and orders of preference among them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::checked::excerpt;

/// A value that has a name, one of a few.
pub trait Named: Copy + PartialEq + 'static {
    /// The kind of thing that is chosen: `group of TLS`.
    const KIND: &'static str;

    /// The values with their names, the most usual first.
    const NAMES: &'static [(Self, &'static str)];

    /// The name that users know it by.
    fn name(self) -> &'static str {
        let known = Self::NAMES.iter().find(|(value, _)| *value == self);
        known.map_or("", |(_, name)| name)
    }

    /// The value of that name.
    ///
    /// # Errors
    ///
    /// There is none: with the names that there are.
    fn of_name(name: &str) -> Result<Self, UnknownName> {
        let found = Self::NAMES.iter().find(|(_, known)| *known == name);
        found.map(|(value, _)| *value).ok_or_else(|| UnknownName {
            given: excerpt(name, 40),
            kind: Self::KIND,
            names: Self::NAMES.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", "),
        })
    }
}

/// A name that no value has, with those that there are.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{given}` is no {kind}; there are {names}")]
pub struct UnknownName {
    given: String,
    kind: &'static str,
    names: String,
}

/// Writes and reads a [`Named`] type by its names: `Display`, `FromStr`, and for serde those from
/// and into `String`.
macro_rules! by_name {
    ($($type:ty),+) => {$(
        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad($crate::named::Named::name(*self))
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = $crate::named::UnknownName;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                $crate::named::Named::of_name(name)
            }
        }

        impl TryFrom<String> for $type {
            type Error = $crate::named::UnknownName;

            fn try_from(name: String) -> Result<Self, Self::Error> {
                name.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    )+};
}
pub(crate) use by_name;

/// Values in the order in which they are preferred, written with `:` between them, as OpenSSL's
/// `-groups` has it: a comma parts one point's setting from another's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String", bound = "T: Named")]
pub struct Preference<T>(Vec<T>);

/// An order of preference that is none.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum PreferenceError {
    /// A name is not known.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// A value is there twice.
    #[error("`{0}` is named twice")]
    Twice(&'static str),
}

impl<T: Named> Preference<T> {
    /// That order, which names something.
    pub(crate) fn of(values: &[T]) -> Self {
        Self(values.to_vec())
    }

    /// The values, the most preferred first; at least one.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T: Named> fmt::Display for Preference<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.iter().map(|value| value.name()).collect::<Vec<_>>().join(":"))
    }
}

impl<T: Named> FromStr for Preference<T> {
    type Err = PreferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut values = Vec::new();
        for name in text.split(':') {
            let value = T::of_name(name)?;
            if values.contains(&value) {
                return Err(PreferenceError::Twice(value.name()));
            }
            values.push(value);
        }
        Ok(Self(values))
    }
}

impl<T: Named> TryFrom<String> for Preference<T> {
    type Error = PreferenceError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl<T: Named> From<Preference<T>> for String {
    fn from(preference: Preference<T>) -> Self {
        preference.to_string()
    }
}
