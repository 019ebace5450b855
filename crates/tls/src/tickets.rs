//! A client's memory of its sessions: as a browser, the newest ticket, used once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;

/// A client's memory of the one server that it talks to.
#[derive(Debug, Default)]
pub(crate) struct Ticket(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// The group that the server took, so that the next hello guesses right.
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    /// A ticket is used once (RFC 8446 §C.4).
    tls13: Option<Box<Tls13ClientSessionValue>>,
}

impl Ticket {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientSessionStore for Ticket {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.kept().group = Some(group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.kept().group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.kept().tls12 = Some(session);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.kept().tls12.clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.kept().tls12 = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.kept().tls13 = Some(Box::new(ticket));
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.kept().tls13.take().map(|ticket| *ticket)
    }
}
