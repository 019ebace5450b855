//! Polls that the server is to hold until there is news.

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_metrics::record::control::LoadPlan;

/// How soon an answer without news is too soon where the request names no time to hold a poll.
const WITHOUT_TIMEOUT: Duration = Duration::from_secs(1);

/// Polls that the server is to hold, to tell when one was answered too soon.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// An answer without news that comes sooner is too soon: half the time that was asked for.
    patience: Duration,
    /// When each client sent its last request; empty where polls are not to be held.
    requested: Vec<MonoInstant>,
}

impl Holding {
    pub(super) fn new(plan: &LoadPlan) -> Self {
        if plan.contender.shape().streams() || plan.contender.shape().asks() {
            return Self::default();
        }
        let half = (!plan.subject.is_foreign()).then(|| plan.long_poll_timeout / 2);
        let patience = half.filter(|half| !half.is_zero()).unwrap_or(WITHOUT_TIMEOUT);
        Self { patience, requested: vec![MonoInstant::default(); plan.clients as usize] }
    }

    /// A client sends a request.
    pub(super) fn requested(&mut self, client: u32, at: MonoInstant) {
        if let Some(requested) = self.requested.get_mut(client as usize) {
            *requested = at;
        }
    }

    /// Whether an answer without news is too soon.
    pub(super) fn is_too_soon(&self, client: u32, at: MonoInstant) -> bool {
        let requested = self.requested.get(client as usize);
        requested.is_some_and(|&requested| at.saturating_since(requested) < self.patience)
    }
}
