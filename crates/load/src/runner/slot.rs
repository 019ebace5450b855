//! The place of one client in the runner.

use mio::net::TcpStream;
use pushbench_core::MonoInstant;

use super::backoff::Backoff;
use super::tcpip::Reading;
use crate::session::{Sending, Session, Verdict};

/// A client's session, its connection, and what the runner remembers of it. Kept small: most of
/// tens of thousands are idle.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) session: Box<dyn Session>,
    pub(super) link: Link,
    /// What a full socket did not take yet.
    pub(super) backlog: Option<Box<Sending>>,
    /// When the current connection was asked for.
    pub(super) opened: MonoInstant,
    /// The server is to be left alone until then.
    pub(super) until: MonoInstant,
    /// What the kernel counted of the connection when it was last read.
    pub(super) reading: Option<Reading>,
    /// Attempts that it has used.
    pub(super) backoff: Backoff,
    /// Pauses taken, so that each has its own random length.
    pub(super) pauses: u16,
    /// The status that the current failure is about, or 0.
    pub(super) status: u16,
    /// What has failed, until that is acted upon.
    pub(super) trouble: Option<Verdict>,
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
    /// The way of what comes on its connection is stamped.
    pub(super) stamped: bool,
}

/// A client's connection.
#[derive(Debug, Default)]
pub(super) enum Link {
    /// None.
    #[default]
    None,
    /// The handshake of TCP is under way.
    Opening(TcpStream),
    /// It is open.
    Open(TcpStream),
}

impl Slot {
    pub(super) fn new(session: Box<dyn Session>) -> Self {
        Self {
            session,
            link: Link::None,
            backlog: None,
            opened: MonoInstant::default(),
            until: MonoInstant::default(),
            reading: None,
            backoff: Backoff::default(),
            pauses: 0,
            status: 0,
            trouble: None,
            ready: false,
            renewing: false,
            was_ready: false,
            on_ramp: false,
            given_up: false,
            browser_stopped: false,
            stamped: false,
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
        // 8 of them are the instant until which a server that refuses is left alone.
        assert!(size_of::<Slot>() <= 80 + checks, "{} bytes", size_of::<Slot>());
    }
}
