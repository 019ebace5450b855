//! Stacks: what a transport runs on, beside its own principle.

/// The ground that a transport runs on. Each part is read in one layer and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stack {
    /// Whether a request names what the client holds already, with `If-None-Match` (RFC 9110
    /// §13.1.2); read by the session.
    pub conditional: bool,
    /// The fate of a connection whose request is answered; read by the session.
    pub connection: Connection,
}

/// The fate of a connection whose request is answered (RFC 9112 §9.3, §9.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Connection {
    /// It is kept for the next one.
    Kept,
    /// It is closed, and each request opens another.
    Closed,
}

impl Stack {
    /// A connection that is kept, and requests that are the same each time.
    pub const PLAIN: Self = Self { connection: Connection::Kept, conditional: false };

    /// A connection for each request.
    pub const CLOSE: Self = Self { connection: Connection::Closed, ..Self::PLAIN };

    /// Requests that name what the client holds already.
    pub const CONDITIONAL: Self = Self { conditional: true, ..Self::PLAIN };

    /// Every combination of the parts, whether or not it makes sense, in the order of tables.
    pub(super) fn combinations() -> impl Iterator<Item = Self> {
        [false, true].into_iter().flat_map(|conditional| {
            let of = move |connection| Self { conditional, connection };
            [Connection::Kept, Connection::Closed].map(of)
        })
    }

    /// The endings of the name of a contender on this stack, in a fixed order.
    pub(super) fn suffixes(self) -> impl Iterator<Item = &'static str> {
        let close = (self.connection == Connection::Closed).then_some("-close");
        close.into_iter().chain(self.conditional.then_some("-conditional"))
    }
}
