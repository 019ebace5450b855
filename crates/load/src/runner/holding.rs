//! Polls that the server is to hold until there is news.

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_metrics::record::control::LoadPlan;

/// How soon an answer without news is too soon where the server was told no time to hold a poll.
const UNTOLD: Duration = Duration::from_secs(1);

/// Polls that the server is to hold, to tell when one was answered too soon.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// An answer without news that comes sooner is too soon: half the time that was asked for.
    patience: Duration,
    /// When each client asked last; empty where polls are not to be held.
    asked: Vec<MonoInstant>,
}

impl Holding {
    pub(super) fn new(plan: &LoadPlan) -> Self {
        if plan.contender.shape().streams() || plan.contender.shape().asks() {
            return Self::default();
        }
        let told = (!plan.subject.is_foreign()).then(|| plan.long_poll_timeout / 2);
        let patience = told.filter(|half| !half.is_zero()).unwrap_or(UNTOLD);
        Self { patience, asked: vec![MonoInstant::default(); plan.clients as usize] }
    }

    /// A client asks.
    pub(super) fn asked(&mut self, client: u32, at: MonoInstant) {
        if let Some(asked) = self.asked.get_mut(client as usize) {
            *asked = at;
        }
    }

    /// Whether an answer without news is too soon.
    pub(super) fn is_too_soon(&self, client: u32, at: MonoInstant) -> bool {
        let asked = self.asked.get(client as usize);
        asked.is_some_and(|&asked| at.saturating_since(asked) < self.patience)
    }
}
