//! Faults in what a server sent over a WebSocket.

use pushbench_protocol::deflate::InflateError;
use pushbench_protocol::frame::FrameError;

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
