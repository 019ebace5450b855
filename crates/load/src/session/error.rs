//! What a server can do that no session expects.

use pushbench_core::Seq;
use pushbench_core::wire::batch::BatchError;
use pushbench_core::wire::chunked::ChunkError;
use thiserror::Error;
use tungstenite::http::StatusCode;

use super::frame::FrameError;

/// A server's answer that a session cannot go on with. Says what was asked for.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ProtocolError {
    /// A response with a status that makes no sense here.
    #[error(
        "the server answered {} to {request}, expected {expected}{}",
        with_reason(*status),
        quoted(said)
    )]
    Status {
        /// The status code.
        status: u16,
        /// Method and target.
        request: String,
        /// The statuses that would have been right.
        expected: &'static str,
        /// The start of the response's body.
        said: String,
    },
    /// The client's cursor has fallen off the server's ring.
    #[error(
        "the server no longer holds the messages after {after} (asked for by {request}){}; \
         what lies between is lost",
        named(*oldest)
    )]
    Gone {
        /// Method and target.
        request: String,
        /// The cursor.
        after: Seq,
        /// The oldest message still held, where the server named it.
        oldest: Option<Seq>,
    },
    /// A response whose head does not parse.
    #[error("the answer to {request} is no HTTP/1.1 response ({source}); is it an HTTP server?")]
    Head {
        /// Method and target.
        request: String,
        /// What the parser says.
        source: HeadError,
    },
    /// A chunked body that is none.
    #[error("the answer to {request} cannot be read: {source}")]
    Chunk {
        /// Method and target.
        request: String,
        /// What is wrong.
        source: ChunkError,
    },
    /// A poll's body that is no batch of messages.
    #[error("the answer to {request} cannot be read: {source}; is it a pushbench server?")]
    Batch {
        /// Method and target.
        request: String,
        /// What is wrong.
        source: BatchError,
    },
    /// A WebSocket frame that breaks the protocol.
    #[error("the WebSocket of {request} cannot be read: {source}")]
    Frame {
        /// Method and target.
        request: String,
        /// What is wrong.
        source: FrameError,
    },
    /// A message without a number.
    #[error(
        "a message from {0} carries no sequence number: ten digits should be its start, \
         or its first JSON member; is the feed one of pushbench's?"
    )]
    NoSequence(String),
    /// A response that leaves the client without a cursor.
    #[error("the answer to {0} has no ETag with a sequence number; is it a pushbench server?")]
    NoCursor(String),
    /// Bytes that nothing asked for.
    #[error("the server sent a response that no request asked for, after {0}")]
    Unasked(String),
    /// A connection that ended within a response.
    #[error("the connection ended within the answer to {0}; did the server fail?")]
    Truncated(String),
    /// A stream that ended although the server goes on.
    #[error("the server ended the stream of {0}")]
    StreamEnded(String),
    /// A WebSocket handshake that went wrong (RFC 6455 §4.1).
    #[error("the server's Sec-WebSocket-Accept does not answer the key sent with {0}")]
    Accept(String),
    /// A close frame that nobody here asked for.
    #[error("the server closed the WebSocket of {request} with {code}{}", quoted(reason))]
    Closed {
        /// Method and target.
        request: String,
        /// The close code, 1005 where there was none (RFC 6455 §7.1.5).
        code: u16,
        /// The close reason.
        reason: String,
    },
}

impl ProtocolError {
    /// Whether what the server sent breaks the protocol. A refusal, a good-bye and the end of a
    /// stream do not.
    #[must_use]
    pub const fn breaks_protocol(&self) -> bool {
        !matches!(
            self,
            Self::Status { .. } | Self::Gone { .. } | Self::StreamEnded(_) | Self::Closed { .. }
        )
    }
}

/// A response head that cannot be understood.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum HeadError {
    /// It is malformed.
    #[error("{0}")]
    Malformed(#[from] httparse::Error),
    /// It does not end.
    #[error("its head is longer than {} bytes", super::http::HEAD_LIMIT)]
    TooLong,
    /// Its body's length is unknowable.
    #[error("its Content-Length is not a number")]
    Length,
}

/// `500 Internal Server Error`.
fn with_reason(code: u16) -> String {
    let known = StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
    known.map_or_else(|| code.to_string(), |reason| format!("{code} {reason}"))
}

fn quoted(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

fn named(oldest: Option<Seq>) -> String {
    oldest.map_or_else(String::new, |oldest| format!(", the oldest being {oldest}"))
}
