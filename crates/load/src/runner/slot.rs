//! The place of one client in the runner.

use mio::net::TcpStream;
use pushbench_core::MonoInstant;

use super::tcpip::Reading;
use crate::session::{Sending, Session};

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
    /// What the kernel counted of the connection when it was last read.
    pub(super) reading: Option<Reading>,
    /// Attempts since bytes last came, for the next pause.
    pub(super) attempts: u8,
    /// Pauses taken, so that each has its own random length.
    pub(super) pauses: u32,
    /// Its subscription stands.
    pub(super) ready: bool,
    /// It was ready once.
    pub(super) was_ready: bool,
    /// It takes one of the ramp's places.
    pub(super) on_ramp: bool,
    /// It could not connect in time, and is out.
    pub(super) given_up: bool,
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
            reading: None,
            attempts: 0,
            pauses: 0,
            ready: false,
            was_ready: false,
            on_ramp: false,
            given_up: false,
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
        assert!(size_of::<Slot>() <= 72 + checks, "{} bytes", size_of::<Slot>());
    }
}
