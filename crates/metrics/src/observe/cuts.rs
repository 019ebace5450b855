//! Connections that ended while nothing came on them: what an idle time-out on the way looks like from a
//! client.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The shortest silence before a connection's end that is one. Time-outs are seconds and longer, and a
/// server that dies stops in mid-feed.
const SILENCE: Duration = Duration::from_secs(1);

/// The difference of silences that ended by the same time-out: that share of the shortest, and at least
/// that long.
const ALIKE_SHARE: f64 = 0.1;
const ALIKE: Duration = Duration::from_millis(500);

/// Connections that were lost after a silence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cuts {
    /// How many.
    pub connections: u64,
    /// The shortest silence before that.
    pub least: Duration,
    /// The longest.
    pub most: Duration,
}

impl Cuts {
    /// One connection on which nothing came for `silence` when it was lost; `None` where that is short.
    #[must_use]
    pub fn after(silence: Duration) -> Option<Self> {
        let cut = Self { connections: 1, least: silence, most: silence };
        (silence >= SILENCE).then_some(cut)
    }

    /// Adds those of other clients.
    pub fn merge(&mut self, other: &Self) {
        self.least = if self.connections == 0 { other.least } else { self.least.min(other.least) };
        self.most = self.most.max(other.most);
        self.connections += other.connections;
    }

    /// Whether all silences were of one length, as one time-out makes them.
    #[must_use]
    pub fn are_alike(&self) -> bool {
        self.most - self.least <= self.least.mul_f64(ALIKE_SHARE).max(ALIKE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silences_of_one_length_are_alike_and_short_ones_none() {
        let after = |ms| Cuts::after(Duration::from_millis(ms));
        assert_eq!(after(999), None);
        let mut all = Cuts::default();
        [60_000, 60_400, 63_000].into_iter().for_each(|ms| all.merge(&after(ms).unwrap()));
        assert_eq!((all.connections, all.least), (3, Duration::from_secs(60)));
        assert!(all.are_alike());
        all.merge(&after(2_000).unwrap());
        assert!(!all.are_alike());
    }
}
