//! Bytes that secure a connection, told apart by what they are for.
//!
//! A channel says how many bytes of the socket were no plaintext. What they were follows from when
//! they came: both ends of a case speak TLS 1.3, where a record adds 22 bytes (RFC 8446 §5.2) and a
//! server's tickets come right behind its handshake, in front of its first plaintext.

use std::io;

use pushbench_core::security::Agreed;
use pushbench_load::channel::{Moved, Received};
use pushbench_metrics::record::headers::TlsBytes;
use pushbench_tls::MAX_PLAINTEXT;

/// Header, type and tag of a record.
const RECORD: u64 = 5 + 1 + 16;

/// A record that middleboxes want to see (RFC 8446 §D.4).
const CHANGE_CIPHER_SPEC: u64 = 6;

/// Type and length of a message of the handshake (RFC 8446 §4).
const HANDSHAKE_HEADER: u64 = 4;

/// A record with an alert (RFC 8446 §6).
const ALERT: u64 = RECORD + 2;

/// The bytes of one connection.
#[derive(Debug)]
pub(super) struct SecuredBytes {
    pub(super) bytes: TlsBytes,
    /// Those of the tickets that came with the last plaintext.
    last_tickets: u64,
    /// The server's good-bye has been counted.
    is_over: bool,
}

impl SecuredBytes {
    /// Those of a connection that has moved so many, all of them for what was agreed upon.
    pub(super) fn new(agreed: &Agreed, Moved { up, down }: Moved) -> Self {
        let hash = if agreed.cipher.ends_with("SHA384") { 48 } else { 32 };
        let client_finished = CHANGE_CIPHER_SPEC + RECORD + HANDSHAKE_HEADER + hash;
        let bytes = TlsBytes {
            client_hello: up - client_finished,
            server_handshake: down,
            client_finished,
            ..TlsBytes::default()
        };
        Self { bytes, last_tickets: 0, is_over: false }
    }

    /// Counts a read, and `apart`, the bytes that came without plaintext.
    pub(super) fn read(&mut self, read: &io::Result<Option<Received>>, apart: u64) {
        let (mut beside, mut records) = (apart, 0);
        if let Ok(Some(received)) = read {
            beside += (received.sealed - received.plaintext) as u64;
            // A message and what is around it are sealed together, as far as a record holds it.
            records = received.plaintext.div_ceil(MAX_PLAINTEXT) as u64 * RECORD;
        }
        if matches!(read, Ok(None)) && !self.is_over {
            self.is_over = true;
            // It may have come with the last plaintext, and then was taken for tickets or records.
            let told = beside.min(ALERT);
            beside -= told;
            self.bytes.alerts += ALERT;
            self.take_back(ALERT - told);
        }
        let is_first = self.bytes.tickets == 0;
        let tickets = if is_first { beside.saturating_sub(records) } else { 0 };
        self.last_tickets = tickets;
        self.bytes.tickets += tickets;
        self.bytes.records += beside - tickets;
    }

    fn take_back(&mut self, bytes: u64) {
        let from_tickets = self.last_tickets.min(bytes);
        self.bytes.tickets -= from_tickets;
        self.bytes.records -= bytes - from_tickets;
    }
}
