//! Quantities that only links have: how much may wait, and how long losses last.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::units::{BitRate, ByteSize, Share, Span, UnitError, serde_as_text};

/// How much may wait in front of a line: `200ms` or `64KiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueueLimit {
    /// The longest that a packet waits until the line begins to send it.
    Time(Span),
    /// The most bytes that wait, the unsent part of the packet that the line is sending included. A
    /// packet that finds the line idle does not wait, whatever its size.
    Bytes(ByteSize),
}

impl QueueLimit {
    /// The longest that a packet waits in front of a line of that rate.
    #[must_use]
    pub fn longest(self, rate: BitRate) -> Duration {
        match self {
            Self::Time(span) => span.0,
            #[expect(
                clippy::cast_precision_loss,
                reason = "at most 1 GiB, and fewer than 2⁵³ bit/s"
            )]
            Self::Bytes(size) => Duration::from_secs_f64((size.0 * 8) as f64 / rate.bits() as f64),
        }
    }
}

impl FromStr for QueueLimit {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let is_size = text.trim_end().ends_with('B');
        let limit = if is_size {
            text.parse().map(Self::Bytes)
        } else {
            Span::with_unit(text).map(Self::Time)
        };
        limit.map_err(|error| error.meant_as("queue limit", "`200ms` or `64KiB`"))
    }
}

impl fmt::Display for QueueLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(span) => span.fmt(f),
            Self::Bytes(size) => size.fmt(f),
        }
    }
}

/// How many packets are lost in a row, on average: at least one.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct BurstLength(f64);

impl BurstLength {
    /// The longest: with more the loss of a trial would be the luck of a few bursts.
    pub const MAX: f64 = 1e4;

    /// `packets` in a row; `None` outside of 1 to [`MAX`](Self::MAX).
    #[must_use]
    pub fn of(packets: f64) -> Option<Self> {
        (1.0..=Self::MAX).contains(&packets).then_some(Self(packets))
    }

    /// Packets lost in a row, on average.
    #[must_use]
    pub const fn packets(self) -> f64 {
        self.0
    }

    /// The shortest that goes with a share of losses: even if each burst were followed by a single
    /// packet that arrives, as many as that would be lost in a row.
    pub(super) fn least(loss: Share) -> f64 {
        // 80 % leave a fifth that is not one to the last bit.
        let least = loss.0 / (1.0 - loss.0);
        (least * 1e9).round() / 1e9
    }
}

impl FromStr for BurstLength {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = UnitError::of(text, "mean burst length", "`4` or `1.5`");
        let plain = |c: char| c.is_ascii_digit() || c == '.';
        let number = text.trim().parse::<f64>().ok().filter(|_| text.trim().chars().all(plain));
        let packets = number.ok_or_else(|| error("it is not a number of packets".into()))?;
        Self::of(packets).ok_or_else(|| error("it is not within 1 and 10000".into()))
    }
}

impl fmt::Display for BurstLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

serde_as_text!(QueueLimit, BurstLength);
