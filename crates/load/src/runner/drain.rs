//! The drain's end: messages still under way to clients that await messages.

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::silence::Coming;

use super::client::Client;

/// How long before the drain's end bytes of the feed must have come for more to be under way.
const LAST: Duration = Duration::from_secs(1);

/// When bytes of the feed last came to each client since the window's end. Holds no memory before.
#[derive(Debug, Default)]
pub(super) struct Drain(Vec<MonoInstant>);

impl Drain {
    /// The window is over, for so many clients.
    pub(super) fn begin(&mut self, clients: u32) {
        self.0 = vec![MonoInstant::default(); clients as usize];
    }

    /// Bytes of the feed came to `client`.
    pub(super) fn fed(&mut self, client: u32, at: MonoInstant) {
        if let Some(fed) = self.0.get_mut(client as usize) {
            *fed = at;
        }
    }

    /// The messages that still come to `client`, who has this `number`, at the drain's `end`: on its
    /// connection, if that is open and the same, or in answer to its polls.
    pub(super) fn coming(&self, number: u32, client: &Client, end: MonoInstant) -> Coming {
        let last = self.0.get(number as usize).copied().filter(|&at| at > MonoInstant::default());
        let same = |at| at >= client.outlet.opened && end.saturating_since(at) <= LAST;
        let flows = client.outlet.is_open() && last.is_some_and(same);
        // What a full answer promised, a failure since then has broken.
        let promised =
            !client.given_up && !client.backoff.has_failed() && client.session.under_way();
        Coming { last, under_way: flows || promised }
    }
}
