//! Messages that clients lack though they have newer ones, and whether all of them lack the same.
//!
//! A client that loses messages on its way loses others than its neighbour. Numbers that nobody
//! has were never sent.

use pushbench_core::{Seq, random};
use serde::{Deserialize, Serialize};

/// The stream of random numbers that digests are drawn from.
const DIGEST_STREAM: u64 = 301;

/// The gaps of several clients against the numbers that were due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Clients looked at, those without a gap included.
    pub clients: u64,
    /// Messages that lie in the gaps of one of them.
    pub messages: u64,
    /// The first of these.
    pub first: Option<Seq>,
    /// Which they are, as a number that is the same for the same.
    digest: u64,
    /// Whether all clients lack the same.
    pub alike: bool,
}

impl Gaps {
    /// Those of one client: ranges in rising order, both ends included.
    #[must_use]
    pub fn of_client(ranges: impl Iterator<Item = (u64, u64)>) -> Self {
        let none = Self { clients: 1, messages: 0, first: None, digest: 0, alike: true };
        ranges.fold(none, |gaps, (first, last)| Self {
            messages: gaps.messages + (last - first + 1),
            first: gaps.first.or(Some(Seq(first))),
            digest: random::bits(
                random::bits(gaps.digest, DIGEST_STREAM, first),
                DIGEST_STREAM,
                last,
            ),
            ..gaps
        })
    }

    /// Adds those of other clients.
    pub fn merge(&mut self, other: &Self) {
        let same = (self.messages, self.digest) == (other.messages, other.digest);
        self.alike &= other.alike && same;
        self.clients += other.clients;
    }

    /// Whether several clients lack the same messages.
    #[must_use]
    pub const fn are_of_the_feed(&self) -> bool {
        self.alike && self.clients > 1 && self.messages > 0
    }
}
