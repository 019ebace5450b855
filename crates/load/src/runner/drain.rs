//! The drain's end: what is still under way to clients that await messages.

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_metrics::observe::silence::Coming;
use pushbench_os::time::clock::Clock;

use super::Runner;
use super::measure::Measure;
use super::slot::{Link, Slot};

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

    /// What still comes to `client`, whose place is `slot`, at the drain's `end`: on its
    /// connection, if that is open and the same, or in answer to its polls.
    fn coming(&self, client: u32, slot: &Slot, end: MonoInstant) -> Coming {
        let last = self.0.get(client as usize).copied().filter(|&at| at > MonoInstant::default());
        let open = matches!(slot.link, Link::Open(_));
        let flows = last.is_some_and(|at| at >= slot.opened && end.saturating_since(at) <= LAST);
        // What a full answer promised, a failure since then has broken.
        let promised = !slot.given_up && !slot.backoff.has_failed() && slot.session.under_way();
        Coming { last, under_way: (open && flows) || promised }
    }
}

impl<M: Measure, C: Clock> Runner<M, C> {
    /// Tells what becomes of the messages that clients await, now that the wait is over.
    pub(super) fn tell_drain(&mut self, end: MonoInstant) {
        let (drain, slots, table) = (&self.drain, &self.slots, self.phases.table());
        let coming = |client: u32| drain.coming(client, &slots[client as usize], end);
        self.measure.end_drain(end, &coming, &|seq| table?.due(seq));
    }
}
