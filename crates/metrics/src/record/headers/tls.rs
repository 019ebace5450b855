//! TLS of an exchange, by what its bytes are for.

use serde::{Deserialize, Serialize};

/// Bytes of TLS in both directions: all of the socket's that are no plaintext.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TlsBytes {
    /// The client's first record: its ClientHello (RFC 8446 §4.1.2).
    pub client_hello: u64,
    /// The server's records from its ServerHello to its Finished, the certificate among them where
    /// no session is resumed.
    pub server_handshake: u64,
    /// The client's Finished, and the change of cipher spec that goes before it.
    pub client_finished: u64,
    /// Tickets, with which the session can be resumed (RFC 8446 §4.6.1).
    pub tickets: u64,
    /// The bytes that each record adds to its plaintext: header, type and tag (RFC 8446 §5.2).
    pub records: u64,
    /// The words that an end sends no more (RFC 8446 §6.1).
    pub alerts: u64,
}

impl TlsBytes {
    /// Each part, in the order in which they come.
    #[must_use]
    pub const fn parts(&self) -> [u64; 6] {
        let Self { client_hello, server_handshake, client_finished, tickets, records, alerts } =
            *self;
        [client_hello, server_handshake, client_finished, tickets, records, alerts]
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.parts().iter().sum()
    }

    /// The bytes since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            client_hello: self.client_hello - earlier.client_hello,
            server_handshake: self.server_handshake - earlier.server_handshake,
            client_finished: self.client_finished - earlier.client_finished,
            tickets: self.tickets - earlier.tickets,
            records: self.records - earlier.records,
            alerts: self.alerts - earlier.alerts,
        }
    }
}
