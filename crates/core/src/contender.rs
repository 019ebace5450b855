//! Contenders: a transport on a stack. One is a row of a table and a line in a chart.

mod stack;
mod transport;

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

pub use self::stack::{Coding, Connection, Security, Stack};
pub use self::transport::{Shape, Transport};
use crate::named::{as_text, did_you_mean};

/// A transport on a stack, under the name that users, tables and CSV files know it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contender {
    /// The principle by which a client receives the feed.
    pub transport: Transport,
    /// Connection, security and coding under it.
    pub stack: Stack,
}

/// Whether a transport on a stack is something to measure.
///
/// A connection for each request, or a condition, is for those who ask again and again: a long poll
/// or a stream waits on a connection that is there already. TLS carries all of them. A coding is
/// one of an answer's body or one of WebSocket's messages, and the same however a poll was asked
/// for, so that one kind of poll shows it.
fn makes_sense(transport: Transport, stack: Stack) -> bool {
    let asked_for = match transport.shape() {
        Shape::Asks => [Stack::PLAIN, Stack::CLOSE, Stack::CONDITIONAL].contains(&stack.basic()),
        Shape::Waits | Shape::Streams => stack.basic() == Stack::PLAIN,
    };
    let coded = match stack.coding {
        Coding::None => true,
        Coding::Gzip => transport != Transport::Websocket && stack.basic() == Stack::PLAIN,
        Coding::Deflate | Coding::DeflateTakeover => transport == Transport::Websocket,
    };
    asked_for && coded
}

/// The contenders and their names, in the order in which tables and legends list them.
static CONTENDERS: LazyLock<Vec<(Contender, String)>> = LazyLock::new(|| {
    let pairs = Transport::ALL.into_iter().flat_map(|transport| {
        Stack::combinations().map(move |stack| Contender { transport, stack })
    });
    let sensible = pairs.filter(|it| makes_sense(it.transport, it.stack));
    let named = |it: Contender| {
        let parts = std::iter::once(it.transport.name()).chain(it.stack.suffixes());
        (it, parts.collect())
    };
    sensible.map(named).collect()
});

/// Other names that people have for a transport, and what each is here. What stands behind a `+` stands behind
/// it in the same way: `ws+deflate`.
const ALIASES: [(&str, &str); 12] = [
    ("ws", "websocket"),
    ("wss", "websocket+tls"),
    ("web-socket", "websocket"),
    ("websockets", "websocket"),
    ("eventsource", "sse"),
    ("event-source", "sse"),
    ("server-sent-events", "sse"),
    ("poll", "short-poll"),
    ("polling", "short-poll"),
    ("short-polling", "short-poll"),
    ("longpoll", "long-poll"),
    ("long-polling", "long-poll"),
];

/// The name without aliases and capitals: `websocket+tls` for `WSS`.
fn canonical(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let end = name.find('+').unwrap_or(name.len());
    let alias = ALIASES.iter().find(|(alias, _)| *alias == &name[..end]);
    alias.map_or_else(|| name.clone(), |(_, known)| format!("{known}{}", &name[end..]))
}

impl Contender {
    /// A request each period on a kept connection.
    pub const SHORT_POLL: Self = Self::plain(Transport::ShortPoll);
    /// A request each period, each on a new connection.
    pub const SHORT_POLL_CLOSE: Self = Self { stack: Stack::CLOSE, ..Self::SHORT_POLL };
    /// A request each period with `If-None-Match`, on a kept connection.
    pub const SHORT_POLL_CONDITIONAL: Self = Self { stack: Stack::CONDITIONAL, ..Self::SHORT_POLL };
    /// A request that the server holds until there is something.
    pub const LONG_POLL: Self = Self::plain(Transport::LongPoll);
    /// Server-sent events.
    pub const SSE: Self = Self::plain(Transport::Sse);
    /// WebSocket.
    pub const WEBSOCKET: Self = Self::plain(Transport::Websocket);

    /// The contender whose messages bare loops move: the floor of all streams.
    pub const FLOOR: Self = Self::WEBSOCKET;

    /// Every contender, in the order in which tables and legends list them.
    pub fn all() -> impl Iterator<Item = Self> {
        CONTENDERS.iter().map(|(contender, _)| *contender)
    }

    /// The contenders in clear and without a coding, in the same order: what the others are
    /// compared with.
    pub fn basic() -> impl Iterator<Item = Self> {
        Self::all().filter(|contender| contender.stack.is_basic())
    }

    /// A transport on a connection in clear that is kept, with requests that are the same each time.
    #[must_use]
    pub const fn plain(transport: Transport) -> Self {
        Self { transport, stack: Stack::PLAIN }
    }

    /// The full name: `short-poll-close+tls`.
    #[must_use]
    pub fn name(self) -> &'static str {
        let known = CONTENDERS.iter().find(|(contender, _)| *contender == self);
        // A pair that makes no sense cannot be named by anyone, but might be built.
        known.map_or(self.transport.name(), |(_, name)| name)
    }

    /// How messages come to a client.
    #[must_use]
    pub const fn shape(self) -> Shape {
        self.transport.shape()
    }

    /// Whether each message is an event of a type that has a name (WHATWG HTML §9.2.6).
    #[must_use]
    pub const fn has_event_types(self) -> bool {
        self.transport.has_event_types()
    }

    /// The endpoint's path on a pushbench server.
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.transport.path()
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A contender's name that pushbench does not know, with those that it might be.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("unknown transport `{name}`; {}", choice(.name))]
pub struct UnknownContender {
    name: String,
}

/// Names that may stand in place of the unknown `name`: the stacks of the transport that it begins with,
/// else the transports.
fn choice(name: &str) -> String {
    let begins = |transport: &Transport| {
        let rest = name.strip_prefix(transport.name());
        rest.is_some_and(|rest| rest.starts_with(['-', '+']))
    };
    let list = |of: &mut dyn Iterator<Item = Contender>| {
        of.map(Contender::name).collect::<Vec<_>>().join(", ")
    };
    match Transport::ALL.iter().find(|it| begins(it)) {
        Some(transport) => {
            let of = &mut Contender::all().filter(|it| it.transport == *transport);
            format!("those of its kind are {}", list(of))
        }
        None => {
            let basic = list(&mut Contender::basic());
            format!(
                "the transports are {basic}; behind one may stand +tls, and behind that +gzip, of \
                 websocket +deflate or +deflate-takeover{}",
                did_you_mean(name, Contender::all().map(Contender::name))
            )
        }
    }
}

impl FromStr for Contender {
    type Err = UnknownContender;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let canonical = canonical(name);
        let found = CONTENDERS.iter().find(|(_, known)| *known == canonical);
        found.map(|(it, _)| *it).ok_or_else(|| UnknownContender { name: name.to_owned() })
    }
}

as_text!(Contender);

#[cfg(test)]
mod tests;
