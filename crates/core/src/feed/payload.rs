//! The bytes of messages: a pure function of the seed and the sequence number.

mod market;

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::checked_when_read;
use crate::feed::message::{Content, SEQ_DIGITS, Seq};
use crate::random;

/// The largest payload, 1 MiB.
pub const MAX_PAYLOAD: usize = 1 << 20;

/// Streams of random numbers, one for each use.
const WORD_STREAM: u64 = 10;
const BYTE_STREAM: u64 = 11;

/// The kind of payload that a scenario names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PayloadKind {
    /// Prices in JSON, of few symbols and much alike.
    #[default]
    Ticker,
    /// Quotes in JSON that differ as a real feed's do.
    Quotes,
    /// Words in ASCII.
    Text,
    /// Random bytes.
    Binary,
}

impl PayloadKind {
    /// The fewest bytes that hold a message of this kind.
    #[must_use]
    pub const fn min_bytes(self) -> usize {
        match self {
            Self::Ticker => market::TICKER_LEAST,
            Self::Quotes => market::QUOTES_LEAST,
            Self::Text | Self::Binary => SEQ_DIGITS,
        }
    }
}

/// The source of a feed's payloads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", remote = "Self")]
pub enum Payload {
    /// Made up, always of the same size.
    Generated {
        /// Its form.
        kind: PayloadKind,
        /// Its size in bytes.
        bytes: usize,
    },
    /// A trace's payloads in turn, each behind its sequence number.
    Recorded {
        /// The payloads, at least one.
        payloads: Arc<[String]>,
    },
}

checked_when_read!(Payload);

/// A payload that no message can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// A size that is not one of a message.
    #[error("a {kind:?} payload of {bytes} bytes is none: it has from {least} to {MAX_PAYLOAD}", least = .kind.min_bytes())]
    Size {
        /// The form that it would have.
        kind: PayloadKind,
        /// Its size.
        bytes: usize,
    },
    /// A trace without payloads.
    #[error("a recorded payload is one of at least one, and here is none")]
    Empty,
    /// A trace with a payload too large.
    #[error("a recorded payload of {bytes} bytes is too large: at most {most} fit a message", most = MAX_PAYLOAD - SEQ_DIGITS)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

impl Payload {
    /// Checks what the types of its settings cannot.
    ///
    /// # Errors
    ///
    /// A size that no message has, or a trace without payloads.
    pub fn check(&self) -> Result<(), PayloadError> {
        match self {
            &Self::Generated { kind, bytes } => {
                match (kind.min_bytes()..=MAX_PAYLOAD).contains(&bytes) {
                    true => Ok(()),
                    false => Err(PayloadError::Size { kind, bytes }),
                }
            }
            Self::Recorded { payloads } => {
                let largest = payloads.iter().map(String::len).max().ok_or(PayloadError::Empty)?;
                match largest <= MAX_PAYLOAD - SEQ_DIGITS {
                    true => Ok(()),
                    false => Err(PayloadError::TooLarge { bytes: largest }),
                }
            }
        }
    }

    /// The payload's size in bytes; of a trace, the mean.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2⁵³")]
    pub fn mean_bytes(&self) -> f64 {
        match self {
            Self::Generated { bytes, .. } => *bytes as f64,
            Self::Recorded { payloads } => {
                let sum: usize = payloads.iter().map(String::len).sum();
                SEQ_DIGITS as f64 + sum as f64 / payloads.len() as f64
            }
        }
    }

    /// Text, unless some of it is not.
    #[must_use]
    pub fn content(&self) -> Content {
        match self {
            Self::Generated { kind: PayloadKind::Binary, .. } => Content::Binary,
            Self::Recorded { payloads } if payloads.iter().any(|text| text.contains('\r')) => {
                Content::Binary
            }
            Self::Generated { .. } | Self::Recorded { .. } => Content::Text,
        }
    }

    /// Whether its messages have a place for the [instant](Self::render_stamped) at which they are due.
    #[must_use]
    pub const fn has_instants(&self) -> bool {
        matches!(self, Self::Generated { kind: PayloadKind::Ticker, .. })
    }

    /// The bytes of message `seq` with the instant at which it is due, in microseconds since 1970, as
    /// `"at"`: as many as without. Payloads that have no place for it are as without.
    #[must_use]
    pub fn render_stamped(&self, seed: u64, seq: Seq, at_us: u64) -> Bytes {
        match self {
            &Self::Generated { kind: PayloadKind::Ticker, bytes } => {
                market::ticker(seed, seq, bytes, Some(at_us))
            }
            _ => self.render(seed, seq),
        }
    }

    /// The bytes of message `seq`.
    #[must_use]
    pub fn render(&self, seed: u64, seq: Seq) -> Bytes {
        match self {
            &Self::Generated { kind, bytes } => match kind {
                PayloadKind::Ticker => market::ticker(seed, seq, bytes, None),
                PayloadKind::Quotes => market::quotes(seed, seq, bytes),
                PayloadKind::Text => words(seed, seq, bytes),
                PayloadKind::Binary => noise(seed, seq, bytes),
            },
            Self::Recorded { payloads } => {
                let index = seq.0.saturating_sub(1) % payloads.len() as u64;
                let text = &payloads[usize::try_from(index).unwrap_or(0)];
                [&seq.digits(), text.as_bytes()].concat().into()
            }
        }
    }
}

/// The vocabulary of text payloads.
const WORDS: [&str; 32] = [
    "above", "bright", "cloud", "dawn", "early", "field", "garden", "harbor", "island", "journey",
    "kettle", "lantern", "meadow", "north", "orchard", "paper", "quiet", "river", "stone",
    "timber", "under", "valley", "window", "yellow", "autumn", "bridge", "copper", "distant",
    "evening", "forest", "gentle", "hollow",
];

fn words(seed: u64, seq: Seq, bytes: usize) -> Bytes {
    let mut text = seq.digits().to_vec();
    let mut draw = random::bits(seed, WORD_STREAM, seq.0);
    while text.len() < bytes {
        draw = random::mix(draw);
        text.push(b' ');
        text.extend_from_slice(WORDS[usize::from(draw as u8) % WORDS.len()].as_bytes());
    }
    text.truncate(bytes);
    text.into()
}

fn noise(seed: u64, seq: Seq, bytes: usize) -> Bytes {
    let mut data = seq.digits().to_vec();
    let mut draw = random::bits(seed, BYTE_STREAM, seq.0);
    while data.len() < bytes {
        draw = random::mix(draw);
        data.extend_from_slice(&draw.to_le_bytes());
    }
    data.truncate(bytes);
    data.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::feed::number::NumberReader;

    fn generated(kind: PayloadKind, bytes: usize) -> Payload {
        Payload::Generated { kind, bytes }
    }

    const KINDS: [PayloadKind; 4] =
        [PayloadKind::Ticker, PayloadKind::Quotes, PayloadKind::Text, PayloadKind::Binary];

    proptest! {
        #[test]
        fn every_payload_has_its_size_and_its_number(
            seed: u64, seq in 1_u64..10_000_000_000, extra in 0_usize..3000,
        ) {
            for kind in KINDS {
                let bytes = kind.min_bytes() + extra;
                let payload = generated(kind, bytes).render(seed, Seq(seq));
                prop_assert_eq!(payload.len(), bytes);
                prop_assert_eq!(NumberReader::read(&payload), Ok(Seq(seq)));
                prop_assert_eq!(&payload, &generated(kind, bytes).render(seed, Seq(seq)));
            }
        }

        #[test]
        fn prices_and_quotes_are_json(
            seed: u64, seq in 1_u64..10_000_000_000, extra in 0_usize..500,
        ) {
            for (kind, price) in [(PayloadKind::Ticker, "px"), (PayloadKind::Quotes, "bp")] {
                let payload = generated(kind, kind.min_bytes() + extra).render(seed, Seq(seq));
                let value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
                let price = value["quotes"][0][price].as_f64().unwrap();
                prop_assert!((100.0..1000.0).contains(&price));
            }
        }
    }

    #[test]
    fn limits_hold_at_both_ends() {
        assert_eq!(generated(PayloadKind::Text, 10).render(1, Seq(3)), "0000000003");
        assert!(PayloadKind::Ticker.min_bytes() <= 64, "the default payload of 64 bytes fits");
        assert!(PayloadKind::Quotes.min_bytes() <= 100, "a quote is a message of 100 bytes");
        for kind in KINDS {
            assert_eq!(generated(kind, MAX_PAYLOAD).render(1, Seq(3)).len(), MAX_PAYLOAD);
        }
    }

    #[test]
    fn a_trace_puts_the_number_before_its_payload_and_starts_again() {
        let payload = Payload::Recorded { payloads: ["a".into(), "b".into()].into() };
        assert_eq!(payload.render(1, Seq(2)), "0000000002b");
        assert_eq!(payload.render(1, Seq(3)), "0000000003a");
    }

    #[test]
    fn text_is_text_and_binary_is_binary() {
        for (kind, content) in [
            (PayloadKind::Ticker, Content::Text),
            (PayloadKind::Quotes, Content::Text),
            (PayloadKind::Text, Content::Text),
            (PayloadKind::Binary, Content::Binary),
        ] {
            let payload = generated(kind, 100);
            assert_eq!(payload.content(), content);
            assert_eq!(Content::of(&payload.render(1, Seq(1))), content);
        }
    }
}
