//! The outcome of an audit: the window's messages by what became of them, of one load process or of
//! all.

use pushbench_core::Delivery;
use serde::{Deserialize, Serialize};

use super::{Cursor, Gaps};
use crate::observe::observer::Window;

/// The fate of the messages due in the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditTotals {
    /// Messages due in the window, of all senders.
    pub published: u64,
    /// Clients that were connected at t0.
    pub clients: u64,
    /// `published × clients`; where clients hear different messages, [`due`](Self::due).
    pub expected: u64,
    /// Where each client hears only what is said in its room: the messages due in the window to each
    /// client, of all clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<u64>,
    /// Messages that arrived at a client, each once.
    pub delivered: u64,
    /// Messages that never arrived, and that nothing excuses.
    pub lost: u64,
    /// Messages that were still under way when the drain ended, behind all that had arrived.
    #[serde(default)]
    pub late: u64,
    /// Under `latest`: messages that did not arrive where a newer one did.
    pub superseded: u64,
    /// Arrivals of messages that the client had already.
    pub duplicated: u64,
    /// Messages that arrived after a newer one did.
    pub reordered: u64,
    /// The greatest number of a message that any client holds, whenever it was due.
    #[serde(default)]
    pub newest: u64,
    /// Of `expected` and `delivered`, messages without a number: nothing is known of those that did
    /// not come.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unnumbered: u64,
    /// Of `delivered`, messages that have no latency: no stamp, or one that lay outside of the window
    /// though another client's lay in it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub untimed: u64,
    /// Of `late`, messages whose instant is not known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub late_untimed: u64,
    /// Under `every`: what clients lack though they have newer messages, and whether it is the
    /// same at all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gaps: Option<Gaps>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde has it so")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl AuditTotals {
    /// Adds the figures of another load process of the same trial.
    ///
    /// `published` belongs to the feed, so it is the same for all and is not added. Were it not
    /// the same, the sum would not [balance](Self::balances).
    pub fn merge(&mut self, other: &Self) {
        self.published = self.published.max(other.published);
        self.clients += other.clients;
        self.expected += other.expected;
        if let Some(due) = other.due {
            *self.due.get_or_insert_default() += due;
        }
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.late += other.late;
        self.superseded += other.superseded;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.newest = self.newest.max(other.newest);
        self.unnumbered += other.unnumbered;
        self.untimed += other.untimed;
        self.late_untimed += other.late_untimed;
        self.add_gaps(other.gaps);
    }

    fn add_gaps(&mut self, other: Option<Gaps>) {
        match (&mut self.gaps, other) {
            (Some(gaps), Some(other)) => gaps.merge(&other),
            (gaps, other) => *gaps = gaps.or(other),
        }
    }

    /// Whether messages have numbers, without which nothing is known of those that did not come.
    #[must_use]
    pub const fn is_numbered(&self) -> bool {
        self.unnumbered == 0 || self.unnumbered < self.expected
    }

    /// Whether every message is accounted for at every client. Otherwise the run is wrong.
    #[must_use]
    pub const fn balances(&self) -> bool {
        let due = match self.due {
            Some(due) => due,
            None => self.published * self.clients,
        };
        self.expected == due + self.unnumbered
            && self.expected == self.delivered + self.lost + self.late + self.superseded
    }

    /// Adds a client's figures, from its cursors of each sender.
    pub(super) fn add<'a>(
        &mut self,
        cursors: impl Iterator<Item = (&'a Cursor, &'a Window)> + Clone,
        delivery: Delivery,
    ) {
        self.clients += 1;
        for (cursor, window) in cursors.clone() {
            let (overtaken, awaited) = (cursor.overtaken(window), cursor.awaited(window));
            self.expected += window.len();
            self.delivered += cursor.delivered;
            self.duplicated += cursor.duplicated;
            self.reordered += cursor.reordered;
            self.newest = self.newest.max(cursor.newest);
            *(if cursor.under_way { &mut self.late } else { &mut self.lost }) += awaited;
            match delivery {
                Delivery::Every => self.lost += overtaken,
                Delivery::Latest => self.superseded += overtaken,
            }
        }
        if delivery == Delivery::Every {
            self.add_gaps(Some(Gaps::of_client(
                cursors.map(|(cursor, window)| cursor.gaps_in(window)),
            )));
        }
    }
}
