//! The bytes of messages: a pure function of the seed and the sequence number.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::checked_when_read;
use crate::feed::message::{Content, JSON_SEQ_START, SEQ_DIGITS, Seq};
use crate::random;

/// The largest payload, 1 MiB.
pub const MAX_PAYLOAD: usize = 1 << 20;

/// Streams of random numbers, one for each use.
const WORD_STREAM: u64 = 10;
const BYTE_STREAM: u64 = 11;
const SYMBOL_STREAM: u64 = 12;
const PRICE_STREAM: u64 = 13;

/// The kind of payload that a scenario names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PayloadKind {
    /// Stock quotes in JSON.
    #[default]
    Ticker,
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
            Self::Ticker => {
                JSON_SEQ_START.len() + SEQ_DIGITS + QUOTES_START.len() + QUOTE_BYTES + END.len()
            }
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

    /// The bytes of message `seq`.
    #[must_use]
    pub fn render(&self, seed: u64, seq: Seq) -> Bytes {
        match self {
            Self::Generated { kind: PayloadKind::Ticker, bytes } => quotes(seed, seq, *bytes),
            Self::Generated { kind: PayloadKind::Text, bytes } => words(seed, seq, *bytes),
            Self::Generated { kind: PayloadKind::Binary, bytes } => noise(seed, seq, *bytes),
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

/// Ticker symbols, all of four letters so that every quote has the same size.
const SYMBOLS: [&str; 8] = ["ACME", "BLUE", "CRUX", "DELT", "ECHO", "FLUX", "GRID", "HALO"];
const QUOTES_START: &str = "\",\"quotes\":[";
const QUOTE_BYTES: usize = r#"{"sym":"ACME","px":100.00}"#.len();
const END: &str = "]}";

/// `{"seq":"0000000001","quotes":[{"sym":"ACME","px":412.07}]}`: as many quotes as fit, then
/// spaces, which JSON allows between tokens.
fn quotes(seed: u64, seq: Seq, bytes: usize) -> Bytes {
    let mut text = String::with_capacity(bytes);
    text.push_str(JSON_SEQ_START);
    // Ten ASCII digits.
    text.extend(seq.digits().map(char::from));
    text.push_str(QUOTES_START);
    let start = random::bits(seed, SYMBOL_STREAM, seq.0);
    let mut quote = 0;
    while text.len() + usize::from(quote > 0) + QUOTE_BYTES + END.len() <= bytes {
        if quote > 0 {
            text.push(',');
        }
        let symbol = usize::try_from(start.wrapping_add(quote) % 8).unwrap_or(0);
        let price = price(seed, symbol, seq.0);
        // Writing to a String cannot fail.
        let _ = write!(text, r#"{{"sym":"{}","px":{price:.2}}}"#, SYMBOLS[symbol]);
        quote += 1;
    }
    let spaces = bytes.saturating_sub(text.len() + END.len());
    text.extend(std::iter::repeat_n(' ', spaces));
    text.push_str(END);
    text.into_bytes().into()
}

/// A price between 100.00 and 999.99, always six characters: a random walk's value at `step`,
/// taken directly. Noise on each power of two of the step, with an amplitude that grows as the
/// square root of its time scale, has a random walk's spectrum without its history.
fn price(seed: u64, symbol: usize, step: u64) -> f64 {
    let stream = PRICE_STREAM + ((symbol as u64) << 8);
    let mut walk = 0.0;
    for level in 0..16 {
        let (index, within) = (step >> level, step & ((1 << level) - 1));
        let knot = |at: u64| 2.0 * random::uniform(seed, stream + (level << 16), at) - 1.0;
        #[expect(clippy::cast_precision_loss, reason = "below 2¹⁶")]
        let fraction = within as f64 / (1_u64 << level) as f64;
        let value = knot(index).mul_add(1.0 - fraction, knot(index + 1) * fraction);
        walk += value * f64::from(1_u32 << level).sqrt() * 0.05;
    }
    let middle = random::uniform(seed, stream, u64::MAX).mul_add(400.0, 300.0);
    (middle + walk).clamp(100.0, 999.99)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::feed::number::NumberReader;

    fn generated(kind: PayloadKind, bytes: usize) -> Payload {
        Payload::Generated { kind, bytes }
    }

    proptest! {
        #[test]
        fn every_payload_has_its_size_and_its_number(
            seed: u64, seq in 1_u64..10_000_000_000, extra in 0_usize..3000,
        ) {
            for kind in [PayloadKind::Ticker, PayloadKind::Text, PayloadKind::Binary] {
                let bytes = kind.min_bytes() + extra;
                let payload = generated(kind, bytes).render(seed, Seq(seq));
                prop_assert_eq!(payload.len(), bytes);
                prop_assert_eq!(NumberReader::read(&payload), Ok(Seq(seq)));
                prop_assert_eq!(&payload, &generated(kind, bytes).render(seed, Seq(seq)));
            }
        }

        #[test]
        fn quotes_are_json(seed: u64, seq in 1_u64..1_000_000, extra in 0_usize..500) {
            let bytes = PayloadKind::Ticker.min_bytes() + extra;
            let payload = generated(PayloadKind::Ticker, bytes).render(seed, Seq(seq));
            let value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
            let px = value["quotes"][0]["px"].as_f64().unwrap();
            prop_assert!((100.0..1000.0).contains(&px));
        }
    }

    #[test]
    fn limits_hold_at_both_ends() {
        assert_eq!(generated(PayloadKind::Text, 10).render(1, Seq(3)), "0000000003");
        assert!(PayloadKind::Ticker.min_bytes() <= 64, "the default payload of 64 bytes fits");
        let largest = generated(PayloadKind::Ticker, MAX_PAYLOAD).render(1, Seq(3));
        assert_eq!(largest.len(), MAX_PAYLOAD);
    }

    #[test]
    fn prices_walk_in_small_steps_and_go_somewhere() {
        let path: Vec<f64> = (1..5000).map(|step| price(9, 2, step)).collect();
        let largest = path.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
        assert!(largest < 2.0, "largest step {largest}");
        let (low, high) = path.iter().fold((f64::MAX, 0.0_f64), |(l, h), &p| (l.min(p), h.max(p)));
        assert!(high - low > 5.0, "range {low} to {high}");
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
            (PayloadKind::Text, Content::Text),
            (PayloadKind::Binary, Content::Binary),
        ] {
            let payload = generated(kind, 64);
            assert_eq!(payload.content(), content);
            assert_eq!(Content::of(&payload.render(1, Seq(1))), content);
        }
    }
}
