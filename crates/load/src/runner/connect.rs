//! Opening connections: some at a time.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};

use mio::net::TcpStream;
use pushbench_core::MonoInstant;
use pushbench_metrics::observe::observer::Event;
use pushbench_os::net::source::connect_from;
use pushbench_os::time::clock::Clock;
use thiserror::Error;

use super::Runner;
use super::ending::Cause;
use super::measure::Measure;
use super::slot::Link;

/// Who waits for a connection, and how many attempts are under way.
#[derive(Debug, Default)]
pub(super) struct Ramp {
    pub(super) waiting: VecDeque<u32>,
    pub(super) under_way: u32,
    /// When connecting has taken long enough.
    pub(super) limit: MonoInstant,
}

/// A connection that could not be opened.
#[derive(Debug, Error)]
#[error("cannot connect to {target}: {}; {}", reason(source), remedy(source))]
pub(super) struct ConnectError {
    pub(super) target: SocketAddr,
    pub(super) source: io::Error,
}

/// The error in words, without its number where it has a name of its own.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset by the server".to_owned(),
        _ => error.to_string(),
    }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "is a server listening there?",
        io::ErrorKind::AddrNotAvailable => "no local port is free: use fewer clients",
        _ if error.raw_os_error() == Some(TOO_MANY_FILES) => "raise `ulimit -n`",
        _ => "can this machine reach it?",
    }
}

/// `EMFILE`, which has no [`io::ErrorKind`].
const TOO_MANY_FILES: i32 = 24;

/// Begins to open a connection to `target`, from `source` where there is one.
fn open(target: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let stream = match source {
        Some(source) => TcpStream::from_std(connect_from(source, target)?),
        None => TcpStream::connect(target)?,
    };
    // A request or a pong is one write, and must not wait for the ACK of the one before.
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Lets clients connect as far as the ramp has places.
    pub(super) fn pump(&mut self) {
        while self.ramp.under_way < self.plan.ramp.max(1) {
            let Some(client) = self.ramp.waiting.pop_front() else { return };
            let slot = &mut self.slots[client as usize];
            if slot.given_up || !matches!(slot.link, Link::None) {
                continue;
            }
            slot.on_ramp = true;
            self.ramp.under_way += 1;
            self.connect(client);
        }
    }

    /// Opens a connection for `client` now.
    pub(super) fn connect(&mut self, client: u32) {
        let at = self.now();
        self.drop_link(client);
        let slot = &mut self.slots[client as usize];
        (slot.opened, slot.status) = (at, 0);
        // In turn, so that each address has as many.
        let sources = &self.plan.place.sources;
        let number = (self.plan.first_client + client) as usize;
        let source = sources.get(number % sources.len().max(1)).copied();
        let opened = open(self.plan.target, source).and_then(|mut stream| {
            let both = mio::Interest::READABLE | mio::Interest::WRITABLE;
            let token = mio::Token(client as usize);
            self.poll.registry().register(&mut stream, token, both).map(|()| stream)
        });
        match opened {
            Ok(stream) => {
                self.slots[client as usize].link = Link::Opening(stream);
                self.sockets.open += 1;
            }
            Err(source) => self.ended(client, at, Cause::Unreachable(source)),
        }
    }

    /// Closes the client's socket, if it has one.
    pub(super) fn drop_link(&mut self, client: u32) {
        self.read_tcpip_at_close(client);
        let slot = &mut self.slots[client as usize];
        slot.backlog = None;
        if !matches!(std::mem::take(&mut slot.link), Link::None) {
            self.sockets.open -= 1;
        }
    }

    /// The client's attempt has come to an end, good or bad.
    pub(super) fn leave_ramp(&mut self, client: u32) {
        let slot = &mut self.slots[client as usize];
        if std::mem::take(&mut slot.on_ramp) {
            self.ramp.under_way -= 1;
        }
    }

    /// Lets go of every client that is not ready: connecting has taken long enough.
    pub(super) fn give_up(&mut self) {
        let at = self.now();
        self.ramp.waiting.clear();
        for client in 0..self.plan.clients {
            if self.slots[client as usize].ready {
                continue;
            }
            self.drop_link(client);
            self.leave_ramp(client);
            self.slots[client as usize].given_up = true;
            let phase = self.phases.phase();
            self.measure.happened(phase, at, &Event::Failed { client });
            let (target, limit) = (self.plan.target, self.plan.connect_timeout);
            self.keep_error(
                client,
                &format_args!(
                    "not subscribed at {target} within {limit:?}; is the server overloaded?"
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_says_what_to_look_for() {
        let target = "127.0.0.1:9".parse().unwrap();
        let error = ConnectError { target, source: io::ErrorKind::ConnectionRefused.into() };
        assert_eq!(
            error.to_string(),
            "cannot connect to 127.0.0.1:9: connection refused; \
             is a server listening there?"
        );
        let error = ConnectError { target, source: io::Error::from_raw_os_error(TOO_MANY_FILES) };
        assert!(error.to_string().ends_with("raise `ulimit -n`"), "{error}");
    }
}
