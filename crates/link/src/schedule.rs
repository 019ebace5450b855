//! Packets that wait until they are due.

mod slots;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use pushbench_core::MonoInstant;

use self::slots::{Slot, Slots};

/// Packets in the order in which they are due, and in that in which they came where that is the same
/// instant.
///
/// Most packets are due after all that wait already, as on lines of one delay: those stand in a queue.
/// Only those that are due before one of them go into a heap. Once it has grown to what waits at a time,
/// nothing is allocated.
#[derive(Debug)]
pub struct Schedule<T> {
    run: VecDeque<Waiting<T>>,
    others: BinaryHeap<Reverse<Waiting<T>>>,
    slots: Slots,
    /// Packets that came so far.
    count: u64,
}

/// A packet that waits; ordered by when it is due, and then by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting<T> {
    due: MonoInstant,
    number: u64,
    slot: Slot,
    tag: T,
}

/// A packet that was taken from a schedule and is still held by it.
#[derive(Debug)]
#[must_use = "its place is taken until it is given back"]
pub struct Taken<T> {
    /// When it is due.
    pub due: MonoInstant,
    /// The tag that it came with.
    pub tag: T,
    slot: Slot,
}

impl<T: Copy + Ord> Schedule<T> {
    /// An empty one that holds at most `limit` bytes of packets.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { run: VecDeque::new(), others: BinaryHeap::new(), slots: Slots::new(limit), count: 0 }
    }

    /// Keeps a copy of `packet` until `due`, and what is said of it. Whether there was room.
    pub fn push(&mut self, due: MonoInstant, tag: T, packet: &[u8]) -> bool {
        let Some(slot) = self.slots.fill(packet) else { return false };
        let waiting = Waiting { due, number: self.count, slot, tag };
        self.count += 1;
        if self.run.back().is_none_or(|last| last.due <= due) {
            self.run.push_back(waiting);
        } else {
            self.others.push(Reverse(waiting));
        }
        true
    }

    /// When the next packet is due.
    #[must_use]
    pub fn next_due(&self) -> Option<MonoInstant> {
        match (self.run.front(), self.others.peek()) {
            (Some(first), Some(Reverse(other))) => Some(first.due.min(other.due)),
            (Some(first), None) => Some(first.due),
            (None, other) => other.map(|Reverse(other)| other.due),
        }
    }

    /// The next packet that is due at `now` or was before.
    pub fn pop(&mut self, now: MonoInstant) -> Option<Taken<T>> {
        let is_first = match (self.run.front(), self.others.peek()) {
            (Some(first), Some(Reverse(other))) => first < other,
            (first, _) => first.is_some(),
        };
        let next = if is_first {
            self.run.front().copied()
        } else {
            self.others.peek().map(|Reverse(other)| *other)
        };
        let Waiting { due, slot, tag, .. } = next.filter(|next| next.due <= now)?;
        if is_first {
            self.run.pop_front();
        } else {
            self.others.pop();
        }
        Some(Taken { due, tag, slot })
    }

    /// The bytes of a packet that was taken.
    #[must_use]
    pub fn bytes(&self, taken: &Taken<T>) -> &[u8] {
        self.slots.bytes(taken.slot)
    }

    /// Gives a packet's place back.
    #[expect(clippy::needless_pass_by_value, reason = "its bytes are another's from here on")]
    pub fn release(&mut self, taken: Taken<T>) {
        self.slots.free(taken.slot);
    }

    /// How many packets wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.run.len() + self.others.len()
    }

    /// Whether no packet waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
