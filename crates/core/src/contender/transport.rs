//! Transports: the principles by which a client receives the feed.

use serde::{Deserialize, Serialize};

/// A principle by which a client receives the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// A request each period.
    ShortPoll,
    /// A request that the server holds until there is something (RFC 6202 §2).
    LongPoll,
    /// Server-sent events (WHATWG HTML §9.2).
    Sse,
    /// WebSocket (RFC 6455).
    Websocket,
}

/// How messages come to a client: all that code outside a transport's own rooms asks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The client asks on a period, so that the poll interval matters.
    Asks,
    /// The client asks, and the server holds the request until there is something.
    Waits,
    /// One response brings every message, so that it is meant to last.
    Streams,
}

impl Shape {
    /// Whether clients ask on a fixed period.
    #[must_use]
    pub const fn asks(self) -> bool {
        matches!(self, Self::Asks)
    }

    /// Whether the server holds a request until there is something.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::Waits)
    }

    /// Whether one response brings every message.
    #[must_use]
    pub const fn streams(self) -> bool {
        matches!(self, Self::Streams)
    }
}

/// A transport's row: all that is said of it in one place.
struct Row {
    transport: Transport,
    name: &'static str,
    path: &'static str,
    shape: Shape,
    /// Its connection takes what a client says, too.
    is_duplex: bool,
}

/// The transports, in the order in which tables and legends list them.
const TABLE: [Row; 4] = [
    row(Transport::ShortPoll, "short-poll", "/feed/poll", Shape::Asks),
    row(Transport::LongPoll, "long-poll", "/feed/long-poll", Shape::Waits),
    row(Transport::Sse, "sse", "/feed/sse", Shape::Streams),
    row(Transport::Websocket, "websocket", "/feed/ws", Shape::Streams).duplex(),
];

const fn row(transport: Transport, name: &'static str, path: &'static str, shape: Shape) -> Row {
    Row { transport, name, path, shape, is_duplex: false }
}

impl Row {
    const fn duplex(self) -> Self {
        Self { is_duplex: true, ..self }
    }
}

impl Transport {
    /// Every transport, in the order in which tables and legends list them.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::ShortPoll; TABLE.len()];
        let mut place = 0;
        while place < TABLE.len() {
            all[place] = TABLE[place].transport;
            assert!(all[place] as usize == place, "the table is in the order of the type");
            place += 1;
        }
        all
    };

    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The name that users know it by: `long-poll`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether each message is an event of a type that has a name (WHATWG HTML §9.2.6).
    #[must_use]
    pub const fn has_event_types(self) -> bool {
        matches!(self, Self::Sse)
    }

    /// The endpoint's path on a pushbench server.
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.row().path
    }

    /// Whether what a client says goes on the connection on which it listens; with others it goes by
    /// requests on another one.
    #[must_use]
    pub const fn is_duplex(self) -> bool {
        self.row().is_duplex
    }

    /// The last part of its [path](Self::path): `long-poll`.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.path().rsplit_once('/').map_or("", |(_, word)| word)
    }

    /// How messages come to a client.
    #[must_use]
    pub const fn shape(self) -> Shape {
        self.row().shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_is_written_by_its_name() {
        for transport in Transport::ALL {
            assert_eq!(serde_json::to_value(transport).unwrap(), transport.name());
        }
    }
}
