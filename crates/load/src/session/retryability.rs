//! The prospects of a further attempt after a failure.
//!
//! A client tries again where trying may help: after connections that ended, and after 408, 425,
//! 429 and 5xx (RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4, RFC 9110 §15.6). Everything else
//! would come out the same.

use super::error::ProtocolError;

/// The retryability of a failure: the prospects of a further attempt. The later outweighs the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retryability {
    /// The server has said where to go on: no failure, unless nothing comes of that either.
    Resume,
    /// It may pass.
    Retry,
    /// Trying again would not change it.
    Final,
}

impl ProtocolError {
    /// Whether a further attempt may succeed.
    #[must_use]
    pub const fn retryability(&self) -> Retryability {
        match self {
            Self::Status { status: 408 | 425 | 429 | 500..=599, .. } => Retryability::Retry,
            Self::Gone { oldest: Some(_), .. } => Retryability::Resume,
            // The connection ended, or is of no use any more, and another may be.
            Self::Truncated(_)
            | Self::StreamEnded(_)
            | Self::Closed { .. }
            // A server may say 408 before it closes an idle connection (RFC 9110 §15.5.9).
            | Self::Unasked(_) => Retryability::Retry,
            Self::Status { .. }
            | Self::Gone { .. }
            | Self::Head { .. }
            | Self::Body { .. }
            | Self::Batch { .. }
            | Self::Frame { .. }
            | Self::Inflate { .. }
            | Self::NoDeflate(_)
            | Self::NoTakeover(_)
            | Self::NoSequence { .. }
            | Self::NoCursor(_)
            | Self::Encoded { .. }
            | Self::Uncoded { .. }
            | Self::Gzip { .. }
            | Self::ContentType { .. }
            | Self::Handshake { .. } => Retryability::Final,
        }
    }

    /// Whether it has a browser give up a stream that it was opening, for good: any answer to the
    /// request of an event stream that is none (WHATWG HTML §9.2.3), and any but a proper 101 to
    /// that of a WebSocket (RFC 6455 §4.1).
    #[must_use]
    pub const fn stops_browser(&self) -> bool {
        matches!(
            self,
            Self::Status { .. }
                | Self::Gone { .. }
                | Self::ContentType { .. }
                | Self::Handshake { .. }
        )
    }

    /// The status that the server answered; `None` where it is about none.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::Gone { .. } => Some(410),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use pushbench_core::Seq;

    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let status = |status| {
            let (request, said) = (String::new(), String::new());
            ProtocolError::Status { status, request, expected: "200", said }.retryability()
        };
        for code in 100..=999 {
            let passing = matches!(code, 408 | 425 | 429 | 500..=599);
            assert_eq!(status(code) == Retryability::Retry, passing, "{code}");
            assert!(passing || status(code) == Retryability::Final, "{code}");
        }
        let gone = |oldest| {
            ProtocolError::Gone { request: String::new(), after: Seq(1), oldest }.retryability()
        };
        assert_eq!((gone(Some(Seq(4))), gone(None)), (Retryability::Resume, Retryability::Final));
        assert_eq!(ProtocolError::StreamEnded(String::new()).retryability(), Retryability::Retry);
        assert_eq!(ProtocolError::NoCursor(String::new()).retryability(), Retryability::Final);
    }
}
