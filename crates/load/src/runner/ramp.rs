//! Who waits for a connection, and how many attempts are under way.

use std::collections::VecDeque;

use pushbench_core::MonoInstant;

/// The clients that are to connect, some at a time.
#[derive(Debug, Default)]
pub(super) struct Ramp {
    pub(super) waiting: VecDeque<u32>,
    pub(super) under_way: u32,
    /// When connecting has taken long enough.
    pub(super) limit: MonoInstant,
}

impl Ramp {
    /// Takes the next client that is to connect, where there is one and fewer than `most` attempts are
    /// under way. One at a time may always be.
    #[inline]
    pub(super) fn next(&mut self, most: u32) -> Option<u32> {
        // The cheap question first: between the trial's beginning and its end nobody waits.
        if self.waiting.is_empty() || self.under_way >= most.max(1) {
            return None;
        }
        self.waiting.pop_front()
    }
}
