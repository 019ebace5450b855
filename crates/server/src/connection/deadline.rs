//! Deadlines of a connection, by what it is doing.

use std::time::Duration;

use super::ConnectionState;
use crate::config::ServerConfig;

/// Deadlines that a connection can miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// The handshake did not end.
    Handshake,
    /// No request came.
    Idle,
    /// A request began and did not end.
    Request,
    /// The client took no byte of what waits for it.
    Write,
    /// The client did not leave.
    Close,
}

/// The deadline of a state, and how long after its last step that is: all that is ever waited for.
/// An answer in the making and a stream that has everything have none.
pub(super) fn deadline(
    state: ConnectionState,
    is_behind: bool,
    config: &ServerConfig,
) -> Option<(Overdue, Duration)> {
    Some(match state {
        ConnectionState::Dead => return None,
        ConnectionState::Opening => (Overdue::Handshake, config.request_timeout),
        ConnectionState::Receiving => (Overdue::Request, config.request_timeout),
        _ if is_behind => (Overdue::Write, config.write_timeout),
        ConnectionState::Idle => (Overdue::Idle, config.idle_timeout),
        ConnectionState::Closing | ConnectionState::Ending | ConnectionState::Draining => {
            (Overdue::Close, config.close_timeout)
        }
        ConnectionState::Answering | ConnectionState::Waiting | ConnectionState::Streaming => {
            return None;
        }
    })
}
