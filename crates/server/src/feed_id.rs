//! Which feed it is that a server publishes, of one start and no other; and which room.

use std::fmt;
use std::str::FromStr;

use pushbench_core::{MonoInstant, Seq, random};

/// Tells a feed from that of another start, whose messages have the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeedId(pub(crate) u64);

impl FeedId {
    /// That of a feed that begins at `now` in this process.
    pub(crate) fn new(now: MonoInstant) -> Self {
        Self::of_room(now, 0)
    }

    /// That of the room which is the so many-th to begin, at `now`.
    pub(crate) fn of_room(now: MonoInstant, serial: u64) -> Self {
        Self(random::bits(now.0, u64::from(std::process::id()), serial))
    }
}

#[cfg(test)]
impl FeedId {
    /// That of a feed of which nobody asks.
    pub(crate) const ANY: Self = Self(0);
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for FeedId {
    type Err = ();

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u64::from_str_radix(text, 16).ok().filter(|_| digits);
        bits.map(Self).ok_or(())
    }
}

/// A cursor into a feed that is no longer published: what it is a number of is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the feed {asked} is over; this one is {feed}, which begins anew")]
pub(crate) struct OtherFeed {
    pub(crate) asked: FeedId,
    pub(crate) feed: FeedId,
    /// The oldest message held.
    pub(crate) oldest: Seq,
    /// The newest message, 0 before the first.
    pub(crate) newest: Seq,
}

impl OtherFeed {
    /// The same for a program (RFC 9110 §15.5.11): names the feed that there is, and what of it is
    /// held.
    pub(crate) fn to_json(self) -> String {
        serde_json::json!({
            "error": self.to_string(),
            "feed": self.feed.to_string(),
            "oldest": self.oldest,
            "newest": self.newest,
        })
        .to_string()
    }
}
