//! A clock that stands still until it is told to move.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::instant::saturating_nanos;
use pushbench_os::time::clock::Clock;

/// A clock for code that decides by the time. Clones tell the same instant, so a test keeps one
/// and gives the other away.
#[derive(Debug, Clone, Default)]
pub struct ManualClock {
    nanos: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn at(start: MonoInstant) -> Self {
        Self { nanos: Arc::new(AtomicU64::new(start.as_nanos())) }
    }

    /// Moves on by `span`, and says what the instant is now.
    pub fn advance(&self, span: Duration) -> MonoInstant {
        let nanos = saturating_nanos(span);
        MonoInstant(self.nanos.fetch_add(nanos, Ordering::SeqCst).saturating_add(nanos))
    }

    /// Moves to `instant`, unless it is past that: a clock never goes back.
    pub fn advance_to(&self, instant: MonoInstant) {
        self.nanos.fetch_max(instant.as_nanos(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> MonoInstant {
        MonoInstant(self.nanos.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_when_told_and_never_back() {
        let clock = ManualClock::at(MonoInstant(1_000));
        let other = clock.clone();
        assert_eq!(clock.now(), clock.now());
        assert_eq!(clock.advance(Duration::from_nanos(500)), MonoInstant(1_500));
        clock.advance_to(MonoInstant(1_200));
        assert_eq!(other.now(), MonoInstant(1_500));
        clock.advance_to(MonoInstant(2_000));
        assert_eq!(other.now(), MonoInstant(2_000));
    }
}
