//! Why a load process cannot go on, or a client not connect.

use std::io;
use std::net::SocketAddr;

use pushbench_core::feed::schedule::WalkError;
use pushbench_tls::{ConnectorError, TlsError};
use thiserror::Error;

/// Why a load process cannot go on.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The plan has nobody to play.
    #[error("the plan names no client; a load process needs at least one")]
    NoClients,
    /// The operating system refused what the loop is made of.
    #[error("cannot set up the event loop: {0}; does the process have too many files open?")]
    SetUp(#[source] io::Error),
    /// Waiting for sockets failed.
    #[error("cannot wait for {clients} clients' sockets: {source}")]
    Wait {
        /// How many clients there are.
        clients: u32,
        /// The error of the system.
        source: io::Error,
    },
    /// Nobody could be trusted, or nothing agreed upon.
    #[error("cannot secure connections: {0}")]
    Security(#[from] ConnectorError),
    /// An order came out of turn.
    #[error("the order `{0}` came out of turn: they are connect, run, and stop at any time")]
    OutOfTurn(&'static str),
    /// The instants of the trial's messages are too many, or too far.
    #[error(transparent)]
    Walk(#[from] WalkError),
}

/// A connection that could not be opened.
#[derive(Debug, Error)]
#[error("cannot {}", self.in_words())]
pub(super) struct ConnectError {
    pub(super) target: SocketAddr,
    pub(super) source: io::Error,
}

impl ConnectError {
    fn in_words(&self) -> String {
        let Self { target, source } = self;
        match TlsError::within(source) {
            // It was reached, and TLS's own reason has the remedy.
            Some(reason) => format!("secure the connection to {target}: {reason}"),
            None => format!("connect to {target}: {}; {}", reason(source), remedy(source)),
        }
    }
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
        io::ErrorKind::ConnectionReset => {
            "is it overloaded, or does it speak something else at this address?"
        }
        _ if error.raw_os_error() == Some(TOO_MANY_FILES) => "raise `ulimit -n`",
        _ => "can this machine reach it?",
    }
}

/// `EMFILE`, which has no [`io::ErrorKind`].
const TOO_MANY_FILES: i32 = 24;

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
        let secured = TlsError::UnknownIssuer;
        let error = ConnectError { target, source: secured.clone().into() };
        let words = format!("cannot secure the connection to 127.0.0.1:9: {secured}");
        assert_eq!(error.to_string(), words);
        let error = ConnectError { target, source: io::Error::from_raw_os_error(TOO_MANY_FILES) };
        assert!(error.to_string().ends_with("raise `ulimit -n`"), "{error}");
    }
}
