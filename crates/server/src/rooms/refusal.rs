//! Why a room is not to be had, or a message not taken.

use std::time::Duration;

use http::StatusCode;

/// A refusal, with the remedy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum RoomRefusal {
    #[error(
        "this connection begins rooms too fast: {most} at once, and then {per_second} a second; use those there are"
    )]
    BeginsTooMany { most: u32, per_second: f64, after: Duration },
    #[error(
        "there are {most} rooms, and no more at a time; one ends once nobody has been in it for a while"
    )]
    Full { most: usize, after: Duration },
    #[error(
        "this connection says too much: {most} messages at once, and then {per_second} a second"
    )]
    SaysTooMuch { most: u32, per_second: f64, after: Duration },
    #[error("a message has at least one byte; this one has none")]
    Empty,
    #[error("a message has at most {most} bytes")]
    TooLarge { most: usize },
    #[error(
        "the message is not UTF-8; send text, or bytes with `content-type: application/octet-stream`"
    )]
    NotText,
}

impl RoomRefusal {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::BeginsTooMany { .. } | Self::SaysTooMuch { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Full { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Empty | Self::NotText => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }

    /// Seconds after which it is worth another try (RFC 9110 §10.2.3).
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::BeginsTooMany { after, .. }
            | Self::Full { after, .. }
            | Self::SaysTooMuch { after, .. } => Some(after.as_secs() + 1),
            Self::Empty | Self::NotText | Self::TooLarge { .. } => None,
        }
    }
}
