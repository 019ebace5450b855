//! A message of the feed and the sequence number that it carries.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::instant::MonoInstant;

/// Digits of a sequence number inside a payload, zero-padded.
pub const SEQ_DIGITS: usize = 10;

/// How a JSON payload of pushbench's begins; its number follows, as a string.
pub const JSON_SEQ_START: &str = "{\"seq\":\"";

/// The number of a message, from 1 without gaps. 0 stands for "before the first message".
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The cursor of a client that has seen nothing.
    pub const NONE: Self = Self(0);

    /// The number of the message after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Ten decimal digits, as payloads carry them.
    #[must_use]
    pub fn digits(self) -> [u8; SEQ_DIGITS] {
        let mut digits = [b'0'; SEQ_DIGITS];
        let mut rest = self.0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        digits
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a payload is text for the transports that tell the two apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// UTF-8 without carriage returns: a WebSocket text message, plain SSE `data:` lines.
    Text,
    /// Anything else: a binary WebSocket message, base64 in SSE.
    Binary,
}

impl Content {
    /// The kind of `payload`. A carriage return makes it binary, since an SSE stream ends a line
    /// there and could not give the same bytes back (WHATWG HTML §9.2.6).
    #[must_use]
    pub fn of(payload: &[u8]) -> Self {
        let text = std::str::from_utf8(payload).is_ok() && !payload.contains(&b'\r');
        if text { Self::Text } else { Self::Binary }
    }
}

/// One message: its number, when it was due, and its bytes, the same on every transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Number from 1.
    pub seq: Seq,
    /// The intended publish instant; for a message published by hand, when it arrived.
    pub due: MonoInstant,
    /// Text or binary.
    pub content: Content,
    /// The payload.
    pub payload: Bytes,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::feed::number::NumberReader;

    fn number(payload: &[u8]) -> Option<Seq> {
        NumberReader::read(payload).ok()
    }

    #[test]
    fn ten_bytes_are_a_whole_message() {
        assert_eq!(&Seq(42).digits(), b"0000000042");
        assert_eq!(number(b"0000000042"), Some(Seq(42)));
        assert_eq!(number(b"000000004"), None);
        assert_eq!(number(b"00000000x2"), None);
    }

    #[test]
    fn a_json_payload_carries_it_in_its_first_member() {
        let payload = br#"{"seq":"0000000007","quotes":[]}"#;
        assert_eq!(number(payload), Some(Seq(7)));
        assert_eq!(number(&payload[..JSON_SEQ_START.len() + SEQ_DIGITS]), None);
    }

    #[test]
    fn carriage_returns_and_broken_utf8_are_binary() {
        assert_eq!(Content::of("grün\n".as_bytes()), Content::Text);
        assert_eq!(Content::of(b"a\rb"), Content::Binary);
        assert_eq!(Content::of(b"\xff"), Content::Binary);
    }

    proptest! {
        #[test]
        fn digits_round_trip(seq in 1_u64..10_000_000_000) {
            prop_assert_eq!(number(&Seq(seq).digits()), Some(Seq(seq)));
        }
    }
}
