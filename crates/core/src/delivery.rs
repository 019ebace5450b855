//! The promise that a client is made: every message, or the newest one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::with_names;

with_names! {
    /// The messages that a client must receive.
    #[derive(
        Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
    )]
    #[serde(rename_all = "lowercase")]
    pub enum Delivery {
        /// Every message, by cursor.
        #[default]
        Every = "every",
        /// The newest message; it supersedes older ones.
        Latest = "latest",
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A delivery name that is neither `every` nor `latest`.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("unknown delivery `{0}`; it is `every` or `latest`")]
pub struct UnknownDelivery(String);

impl FromStr for Delivery {
    type Err = UnknownDelivery;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "every" => Ok(Self::Every),
            "latest" => Ok(Self::Latest),
            _ => Err(UnknownDelivery(name.to_owned())),
        }
    }
}
