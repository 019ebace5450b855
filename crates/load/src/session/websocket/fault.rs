//! Faults in what a server sent over a WebSocket.

use pushbench_protocol::deflate::InflateError;
use pushbench_protocol::frame::FrameError;

/// The close code of a client that is done (RFC 6455 §7.4.1).
pub(super) const NORMAL: u16 = 1000;

/// The meaning of a close frame without a code (RFC 6455 §7.1.5).
pub(super) const NO_CODE: u16 = 1005;

/// The close code of a pushbench server for a cursor that fell off its ring.
pub(super) const GONE: u16 = 4410;

/// A fault in what the server sent.
#[derive(Debug)]
pub(super) enum Fault {
    Frame(FrameError),
    Inflate(InflateError),
}

impl Fault {
    /// The code of the close frame that fails the connection.
    pub(super) const fn close_code(&self) -> u16 {
        match self {
            Self::Frame(error) => error.close_code(),
            Self::Inflate(error) => error.close_code(),
        }
    }
}

impl From<FrameError> for Fault {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

impl From<InflateError> for Fault {
    fn from(error: InflateError) -> Self {
        Self::Inflate(error)
    }
}
