//! Messages that clients lack though they have newer ones, and whether all of them lack the same.
//!
//! A client that loses messages on its way loses others than its neighbour. Numbers that nobody
//! has were never sent.

use pushbench_core::{Seq, random};
use serde::{Deserialize, Serialize};

use super::Gap;

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
    /// Those of one client: of each sender in its turn the ranges, in rising order.
    pub(super) fn of_client(senders: impl Iterator<Item = impl Iterator<Item = Gap>>) -> Self {
        let none = Self { clients: 1, messages: 0, first: None, digest: 0, alike: true };
        let ranges = (0_u64..).zip(senders);
        let ranges = ranges.flat_map(|(sender, gaps)| gaps.map(move |gap| (sender, gap)));
        ranges.fold(none, |gaps, (sender, Gap { first, last })| Self {
            messages: gaps.messages + (last - first + 1),
            first: gaps.first.or(Some(Seq(first))),
            digest: [sender, first, last]
                .into_iter()
                .fold(gaps.digest, |digest, number| random::bits(digest, DIGEST_STREAM, number)),
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
