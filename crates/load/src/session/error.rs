//! Answers and ends of connections that no session expects.

use pushbench_core::Seq;
use pushbench_core::feed::number::NumberError;
use pushbench_protocol::Malformed;
use pushbench_protocol::batch::BatchError;
use pushbench_protocol::deflate::InflateError;
use pushbench_protocol::frame::FrameError;
use pushbench_protocol::gzip::GzipError;
use pushbench_protocol::http::HeadError;
use pushbench_protocol::websocket::HandshakeError;
use thiserror::Error;
use tungstenite::http::StatusCode;

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
        /// The word of the parser.
        source: HeadError,
    },
    /// A body that breaks its format.
    #[error("the answer to {request} cannot be read: {source}")]
    Body {
        /// Method and target.
        request: String,
        /// The fault.
        source: Malformed,
    },
    /// A poll's body that is no batch of messages.
    #[error("the answer to {request} cannot be read: {source}; is it a pushbench server?")]
    Batch {
        /// Method and target.
        request: String,
        /// The fault.
        source: BatchError,
    },
    /// A WebSocket frame that breaks the protocol.
    #[error("the WebSocket of {request} cannot be read: {source}")]
    Frame {
        /// Method and target.
        request: String,
        /// The fault.
        source: FrameError,
    },
    /// A compressed message that cannot be had.
    #[error("the WebSocket of {request} cannot be read: {source}")]
    Inflate {
        /// Method and target.
        request: String,
        /// The fault.
        source: InflateError,
    },
    /// A server that compresses no messages, where they were to be measured compressed.
    #[error(
        "the server did not agree to permessage-deflate (asked for by {0}); switch it on there, or \
         measure `websocket`"
    )]
    NoDeflate(String),
    /// A server whose compressed messages do not refer to those before them, where they were to.
    #[error(
        "the server did not agree to context takeover in permessage-deflate (asked for by {0}); \
         switch it on there, or measure `websocket+deflate`"
    )]
    NoTakeover(String),
    /// An answer whose body is coded (RFC 9110 §8.4), which would have to be decoded to be read:
    /// no measurement of the feed, and no better the next time.
    #[error(
        "the answer to {request} is coded with {coding}, and coded messages cannot be read: {}",
        remedy(profile, *offered)
    )]
    Encoded {
        /// Method and target.
        request: String,
        /// The codings, as the server names them.
        coding: String,
        /// The header profile.
        profile: String,
        /// Whether that profile offers to take coded answers.
        offered: bool,
    },
    /// An answer that is not coded although it was asked for so: no measurement of what compression
    /// costs, and no better the next time.
    #[error(
        "the server did not compress the answer to {request}, which was asked for with \
         Accept-Encoding: gzip; switch compression on at the server,{} or measure without +gzip",
        if *is_stream { "" } else {
            " raise compression.threshold to the size from which it compresses,"
        }
    )]
    Uncoded {
        /// Method and target.
        request: String,
        /// It is a stream, which is compressed whatever the size of its messages.
        is_stream: bool,
    },
    /// A body in gzip that cannot be inflated.
    #[error("the answer to {request} cannot be read: {source}")]
    Gzip {
        /// Method and target.
        request: String,
        /// The fault.
        source: GzipError,
    },
    /// A stream of another media type.
    #[error("the answer to {request} is {}, and {takes}", media_type(found))]
    ContentType {
        /// Method and target.
        request: String,
        /// The value of `Content-Type`; empty where there is none.
        found: String,
        /// Who takes which type alone, and where that is said.
        takes: &'static str,
    },
    /// A message without a number.
    #[error(
        "a message from {request} carries no number: {source}; ten digits should be its start, \
         or the value of its first JSON member a whole number from 1, in digits or as a string of \
         digits. Where a text of the server's own is around it, rules say where it is: `seq` in a \
         subject's file, `--seq` of `load`"
    )]
    NoSequence {
        /// Method and target.
        request: String,
        /// The fault of its number.
        source: NumberError,
    },
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
    #[error("the answer to {request} opens no WebSocket: {source} (RFC 6455 §4.1)")]
    Handshake {
        /// Method and target.
        request: String,
        /// The fault.
        source: HandshakeError,
    },
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
    /// Whether the server answered in another coding than it was asked to, which is no fault of one
    /// answer but has to be settled before anything is measured.
    #[must_use]
    pub const fn is_of_coding(&self) -> bool {
        matches!(
            self,
            Self::Encoded { .. } | Self::Uncoded { .. } | Self::NoDeflate(_) | Self::NoTakeover(_)
        )
    }

    /// Whether what the server sent breaks the protocol. A refusal, a good-bye and the end of a
    /// stream do not.
    #[must_use]
    pub const fn breaks_protocol(&self) -> bool {
        !matches!(
            self,
            Self::Status { .. }
                | Self::Gone { .. }
                | Self::Encoded { .. }
                | Self::Uncoded { .. }
                | Self::NoDeflate(_)
                | Self::NoTakeover(_)
                | Self::StreamEnded(_)
                | Self::Closed { .. }
        )
    }
}

/// A remedy for coded answers.
fn remedy(profile: &str, offered: bool) -> String {
    if offered {
        format!(
            "the header profile `{profile}` offers it in Accept-Encoding; use --headers minimal"
        )
    } else {
        format!(
            "the header profile `{profile}` offers none, as does --headers minimal; switch \
             compression off at the server"
        )
    }
}

fn media_type(found: &str) -> String {
    if found.is_empty() { "of no media type".to_owned() } else { format!("of type `{found}`") }
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
