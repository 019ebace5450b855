//! The way that clients take to the server.

use std::fmt;
use std::str::FromStr;

use super::ProxyName;
use crate::named::as_text;

/// The word for no proxy.
const DIRECT: &str = "direct";

/// The way that clients take to the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Via {
    /// They reach it themselves.
    #[default]
    Direct,
    /// They reach a proxy in front of it.
    Proxy(ProxyName),
}

impl Via {
    /// The proxy, if there is one.
    #[must_use]
    pub const fn proxy(self) -> Option<ProxyName> {
        match self {
            Self::Direct => None,
            Self::Proxy(name) => Some(name),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_direct(&self) -> bool {
        matches!(self, Self::Direct)
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.proxy().map_or(DIRECT, ProxyName::as_str))
    }
}

impl FromStr for Via {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == DIRECT {
            return Ok(Self::Direct);
        }
        text.parse().map(Self::Proxy).map_err(|error| format!("{error}, and `{DIRECT}` for none"))
    }
}

as_text!(Via);
