//! The grid of absolute instants that paced parts keep to.

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_os::time::clock;

/// From one instant to the next.
pub(crate) const STEP: Duration = Duration::from_millis(1);

/// An instant of the grid that is taken by one write or one message.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    last: MonoInstant,
}

impl Grid {
    /// The first instant that is neither past nor taken.
    pub(crate) fn next(&mut self) -> MonoInstant {
        let step = STEP.as_nanos() as u64;
        let free = self.last.as_nanos() + step;
        let to_come = clock::now().as_nanos().div_ceil(step) * step;
        self.last = MonoInstant(free.max(to_come));
        self.last
    }
}

/// Waits until `instant`.
pub(crate) fn wait(instant: MonoInstant) {
    clock::sleep_until(instant);
}

/// Works until `instant`.
pub(crate) fn work(instant: MonoInstant) {
    while clock::now() < instant {
        std::hint::spin_loop();
    }
}
