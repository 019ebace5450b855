//! One client, as the runner knows it.

use pushbench_core::MonoInstant;

use super::backoff::Backoff;
use super::outlet::Outlet;
use crate::session::{Retryability, Session};

/// A client's session, its outlet, and how it fares. Kept small: most of tens of thousands are idle.
///
/// A client is not a connection. It has connections one after another, and none between them.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) session: Box<dyn Session>,
    pub(super) outlet: Outlet,
    /// When something last came to it.
    pub(super) heard: MonoInstant,
    /// The server is to be left alone until then.
    pub(super) until: MonoInstant,
    /// Attempts that it has used.
    pub(super) backoff: Backoff,
    /// Pauses taken, so that each has its own random length.
    pub(super) pauses: u16,
    /// The status that the current failure is about, or 0.
    pub(super) status: u16,
    /// The worst of what has failed, until that is acted upon.
    pub(super) failed: Option<Retryability>,
    /// Its subscription stands.
    pub(super) ready: bool,
    /// Its connection ended between two requests, and it opens the next.
    pub(super) renewing: bool,
    /// It was ready once.
    pub(super) was_ready: bool,
    /// It takes one of the ramp's places.
    pub(super) on_ramp: bool,
    /// It is out for good: it could not connect in time, or has no attempt left.
    pub(super) given_up: bool,
    /// A browser would have given it up.
    pub(super) browser_stopped: bool,
}

impl Client {
    pub(super) fn new(session: Box<dyn Session>) -> Self {
        Self {
            session,
            outlet: Outlet::default(),
            heard: MonoInstant::default(),
            until: MonoInstant::default(),
            backoff: Backoff::default(),
            pauses: 0,
            status: 0,
            failed: None,
            ready: false,
            renewing: false,
            was_ready: false,
            on_ramp: false,
            given_up: false,
            browser_stopped: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_client_is_small() {
        // mio's sockets check more where debug assertions are on.
        let checks = if cfg!(debug_assertions) { 16 } else { 0 };
        // 8 of them are the instant until which a server that refuses is left alone, 8 that at which it
        // was heard last, and 8 are what secures a connection.
        assert!(size_of::<Client>() <= 96 + checks, "{} bytes", size_of::<Client>());
    }
}
