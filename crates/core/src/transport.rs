//! The ways a client receives the feed, and what it is promised.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A transport with its variant, under the name that users, tables and CSV files know it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Transport {
    /// A request each period on a kept connection.
    ShortPoll,
    /// A request each period, each on a new connection.
    ShortPollClose,
    /// A request each period with `If-None-Match`, on a kept connection.
    ShortPollConditional,
    /// A request that the server holds until there is something (RFC 6202 §2).
    LongPoll,
    /// Server-sent events (WHATWG HTML §9.2).
    Sse,
    /// WebSocket (RFC 6455).
    Websocket,
}

impl Transport {
    /// Every transport, in the order in which tables and legends list them.
    pub const ALL: [Self; 6] = [
        Self::ShortPoll,
        Self::ShortPollClose,
        Self::ShortPollConditional,
        Self::LongPoll,
        Self::Sse,
        Self::Websocket,
    ];

    /// The full name of the variant: `short-poll-close`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ShortPoll => "short-poll",
            Self::ShortPollClose => "short-poll-close",
            Self::ShortPollConditional => "short-poll-conditional",
            Self::LongPoll => "long-poll",
            Self::Sse => "sse",
            Self::Websocket => "websocket",
        }
    }

    /// Whether clients ask on a fixed period, so that the poll interval matters.
    #[must_use]
    pub const fn polls_on_a_period(self) -> bool {
        matches!(self, Self::ShortPoll | Self::ShortPollClose | Self::ShortPollConditional)
    }

    /// Whether one response brings every message, so that it is meant to last.
    #[must_use]
    pub const fn streams(self) -> bool {
        matches!(self, Self::Sse | Self::Websocket)
    }

    /// The endpoint's path on a pushbench server.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::ShortPoll | Self::ShortPollClose | Self::ShortPollConditional => "/feed/poll",
            Self::LongPoll => "/feed/long-poll",
            Self::Sse => "/feed/sse",
            Self::Websocket => "/feed/ws",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A transport name that pushbench does not know.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("unknown transport `{0}`; the transports are {list}", list = names())]
pub struct UnknownTransport(String);

fn names() -> String {
    Transport::ALL.map(Transport::name).join(", ")
}

impl FromStr for Transport {
    type Err = UnknownTransport;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|transport| transport.name() == name);
        found.ok_or_else(|| UnknownTransport(name.to_owned()))
    }
}

impl TryFrom<String> for Transport {
    type Error = UnknownTransport;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<Transport> for String {
    fn from(transport: Transport) -> Self {
        transport.name().to_owned()
    }
}

/// What a client must receive.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Every message, by cursor.
    #[default]
    Every,
    /// The newest message; it supersedes older ones.
    Latest,
}

impl Delivery {
    /// `every` or `latest`, as in the query and in scenarios.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Every => "every",
            Self::Latest => "latest",
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_unknown_ones_list_the_choice() {
        for transport in Transport::ALL {
            assert_eq!(transport.name().parse(), Ok(transport));
        }
        let error = "websockets".parse::<Transport>().unwrap_err().to_string();
        assert!(
            error.starts_with("unknown transport `websockets`")
                && error.ends_with("sse, websocket")
        );
    }
}
