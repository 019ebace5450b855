//! How long a client waits before it tries again, and when it no longer does.
//!
//! Exponential with full jitter: the pause is uniform between nothing and a bound that doubles with
//! each failure in a row, so that clients that were cut off together do not come back together
//! (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015). Only a message of the
//! feed says that the server is well again; bytes of a refusal do not.
//!
//! Where the plan says so, the pause is a browser's instead: the same each time, for everybody.

use std::time::Duration;

use pushbench_core::life::Reconnect;
use pushbench_metrics::observe::attempts::MOST_ATTEMPTS;

use crate::session::Retryability;

/// The bound of the first pause, which doubles up to [`LONGEST_PAUSE`].
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// The pause of a browser, whatever failed and how often.
const BROWSER_PAUSE: Duration = Duration::from_secs(3);

/// The longest bound of a pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The attempts of one client in one trial.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    /// Attempts that were used, the first connection included.
    used: u8,
    /// Failures since the last message of the feed.
    failures: u8,
}

impl Default for Backoff {
    /// A client that opens its first connection.
    fn default() -> Self {
        Self { used: 1, failures: 0 }
    }
}

impl Backoff {
    /// A message of the feed has come.
    pub(super) const fn recovered(&mut self) {
        self.failures = 0;
    }

    /// Whether anything failed since the last message of the feed.
    #[inline]
    pub(super) const fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Uses an attempt after a failure of this kind; `false` where there is none left.
    pub(super) fn again(&mut self, retryability: Retryability) -> bool {
        let free = retryability == Retryability::Resume && self.failures == 0;
        if retryability == Retryability::Final || (!free && self.used >= MOST_ATTEMPTS) {
            return false;
        }
        self.used += u8::from(!free);
        self.failures = self.failures.saturating_add(1);
        true
    }

    /// Takes note that the server answered too soon, which costs a pause and no attempt.
    pub(super) const fn too_soon(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// The pause behind the last failure by that law, given a number uniform on (0, 1).
    pub(super) fn pause(self, law: Reconnect, share: f64) -> Duration {
        if law == Reconnect::Browser {
            return BROWSER_PAUSE;
        }
        let doubled = 1_u32 << self.failures.saturating_sub(1).min(16);
        SHORTEST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE).mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_are_all_whatever_comes_between() {
        let mut backoff = Backoff::default();
        for _ in 1..MOST_ATTEMPTS {
            assert!(backoff.again(Retryability::Retry));
            backoff.recovered();
        }
        assert!(!backoff.again(Retryability::Retry));
        assert!(backoff.again(Retryability::Resume), "what the server offers costs no attempt");
        assert!(!backoff.again(Retryability::Resume), "unless nothing comes of it");
        assert!(!Backoff::default().again(Retryability::Final));
    }

    #[test]
    fn pauses_double_and_only_a_message_ends_that() {
        let mut backoff = Backoff::default();
        let mut bounds = Vec::new();
        for _ in 0..9 {
            backoff.too_soon();
            bounds.push(backoff.pause(Reconnect::Jitter, 1.0).as_millis());
        }
        assert_eq!(bounds, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        assert_eq!(backoff.pause(Reconnect::Jitter, 0.25), Duration::from_millis(2_500));
        (0..300).for_each(|_| backoff.too_soon());
        assert_eq!(backoff.pause(Reconnect::Jitter, 1.0), LONGEST_PAUSE);
        assert_eq!(backoff.pause(Reconnect::Browser, 0.25), Duration::from_secs(3));
        backoff.recovered();
        assert!(backoff.again(Retryability::Retry));
        assert_eq!(backoff.pause(Reconnect::Jitter, 1.0), SHORTEST_PAUSE);
        assert_eq!(backoff.pause(Reconnect::Browser, 1.0), Duration::from_secs(3));
    }
}
