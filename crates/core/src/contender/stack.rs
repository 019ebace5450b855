//! Stacks: what a transport runs on, beside its own principle.

/// The ground that a transport runs on. Each part is read in one layer and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stack {
    /// Whether a request names what the client holds already, with `If-None-Match` (RFC 9110
    /// §13.1.2); read by the session.
    pub conditional: bool,
    /// The fate of a connection whose request is answered; read by the session.
    pub connection: Connection,
    /// The protection of a connection's bytes; read by the channel.
    pub security: Security,
    /// The coding of messages; read by the encoder.
    pub coding: Coding,
}

/// The fate of a connection whose request is answered (RFC 9112 §9.3, §9.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Connection {
    /// It is kept for the next one.
    Kept,
    /// It is closed, and each request opens another.
    Closed,
}

/// The protection of a connection's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Security {
    /// None: they travel as they are.
    Clear,
    /// Records of TLS (RFC 8446, RFC 5246).
    Tls,
}

/// The coding of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coding {
    /// None: they travel as they are.
    None,
    /// The content coding `gzip` (RFC 9110 §8.4.1.3), of an answer's body.
    Gzip,
    /// The extension `permessage-deflate` without context takeover (RFC 7692 §7.1.1), so that
    /// what a message is coded as depends on nothing before it and serves all clients.
    Deflate,
    /// The extension `permessage-deflate` with context takeover, so that each client has a
    /// compressor of its own.
    DeflateTakeover,
}

impl Security {
    pub(super) const ALL: [Self; 2] = [Self::Clear, Self::Tls];

    /// The ending of a name: `+tls`.
    pub(super) const fn suffix(self) -> Option<&'static str> {
        match self {
            Self::Clear => None,
            Self::Tls => Some("+tls"),
        }
    }
}

impl Coding {
    pub(super) const ALL: [Self; 4] =
        [Self::None, Self::Gzip, Self::Deflate, Self::DeflateTakeover];

    /// The ending of a name: `+gzip`.
    pub(super) const fn suffix(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("+gzip"),
            Self::Deflate => Some("+deflate"),
            Self::DeflateTakeover => Some("+deflate-takeover"),
        }
    }
}

impl Stack {
    /// A connection in clear that is kept, and requests and messages that are the same each time.
    pub const PLAIN: Self = Self {
        conditional: false,
        connection: Connection::Kept,
        security: Security::Clear,
        coding: Coding::None,
    };

    /// A connection for each request.
    pub const CLOSE: Self = Self { connection: Connection::Closed, ..Self::PLAIN };

    /// Requests that name what the client holds already.
    pub const CONDITIONAL: Self = Self { conditional: true, ..Self::PLAIN };

    /// The stack with its connections in TLS or in clear.
    #[must_use]
    pub const fn with_security(self, security: Security) -> Self {
        Self { security, ..self }
    }

    /// The stack with its messages in that coding.
    #[must_use]
    pub const fn with_coding(self, coding: Coding) -> Self {
        Self { coding, ..self }
    }

    /// Whether bytes reach the socket as session and endpoint wrote them: in clear, and without a
    /// coding.
    #[must_use]
    pub const fn is_basic(self) -> bool {
        matches!((self.security, self.coding), (Security::Clear, Coding::None))
    }

    /// The stack of the same requests on the same connections, in clear and without a coding.
    #[must_use]
    pub const fn basic(self) -> Self {
        self.with_security(Security::Clear).with_coding(Coding::None)
    }

    /// Every combination of the parts, whether or not it makes sense, in the order of tables.
    pub(super) fn combinations() -> impl Iterator<Item = Self> {
        let requests = [false, true].into_iter().flat_map(|conditional| {
            [Connection::Kept, Connection::Closed].map(|connection| Self {
                conditional,
                connection,
                ..Self::PLAIN
            })
        });
        let secured = requests.flat_map(|stack| Security::ALL.map(|it| stack.with_security(it)));
        secured.flat_map(|stack| Coding::ALL.map(|it| stack.with_coding(it)))
    }

    /// The endings of the name of a contender on this stack, in a fixed order.
    pub(super) fn suffixes(self) -> impl Iterator<Item = &'static str> {
        let close = (self.connection == Connection::Closed).then_some("-close");
        let conditional = self.conditional.then_some("-conditional");
        [close, conditional, self.security.suffix(), self.coding.suffix()].into_iter().flatten()
    }
}
