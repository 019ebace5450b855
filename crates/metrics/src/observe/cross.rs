//! Traffic beside the feed: its share of a line, as those who received it counted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ledger::Direction;

/// The bytes that the connections beside the feed carried within the window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrossMeasured {
    /// Payload of TCP that the downloads' receivers read, in bytes; `None` where there was no download.
    pub down_bytes: Option<u64>,
    /// The same of the uploads.
    pub up_bytes: Option<u64>,
    /// The congestion control of their senders, as the kernel calls it.
    pub congestion: String,
    /// The first failure of one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl CrossMeasured {
    /// Payload that was received in a direction; `None` where nothing was to be sent.
    #[must_use]
    pub const fn bytes(&self, direction: Direction) -> Option<u64> {
        match direction {
            Direction::Down => self.down_bytes,
            Direction::Up => self.up_bytes,
        }
    }

    /// Payload in bits each second, over a window of that length.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "below 2⁵³")]
    pub fn bits_per_s(&self, direction: Direction, window: Duration) -> Option<f64> {
        let bits = self.bytes(direction)? as f64 * 8.0;
        (!window.is_zero()).then(|| bits / window.as_secs_f64())
    }

    /// The direction in which nothing came though it was to.
    #[must_use]
    pub fn idle(&self) -> Option<Direction> {
        Direction::ALL.into_iter().find(|way| self.bytes(*way) == Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_without_traffic_has_no_goodput_and_one_that_stood_still_is_idle() {
        let second = Duration::from_secs(2);
        let measured = CrossMeasured { down_bytes: Some(1000), ..CrossMeasured::default() };
        assert_eq!(measured.bits_per_s(Direction::Down, second), Some(4000.0));
        assert_eq!(measured.bits_per_s(Direction::Down, Duration::ZERO), None);
        assert_eq!(measured.bits_per_s(Direction::Up, second), None);
        assert_eq!(measured.idle(), None);
        let still = CrossMeasured { up_bytes: Some(0), ..measured };
        assert_eq!(still.idle(), Some(Direction::Up));
    }
}
