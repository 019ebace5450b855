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
