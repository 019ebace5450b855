//! Who leaves next, and when.

use std::time::Duration;

use pushbench_core::MonoInstant;
use pushbench_core::contender::Connection;
use pushbench_core::life::Churn;
use pushbench_metrics::observe::observer::Window;
use pushbench_metrics::record::control::LoadPlan;

/// Who leaves next, and when.
#[derive(Debug)]
pub(super) struct Leaving {
    churn: Churn,
    /// All of the trial's clients, in the order in which they leave.
    order: Vec<usize>,
    /// The instant at which some leave next, by its number.
    instant: u64,
}

impl Leaving {
    /// Those of a plan; `None` where clients stay. Clients that have a connection for each request
    /// come and go with each of them as it is.
    pub(super) fn of(plan: &LoadPlan) -> Option<Self> {
        let churn = plan.life.churn?;
        let keeps = plan.contender.stack.connection == Connection::Kept;
        let order = || Churn::order(plan.seed, plan.total_clients);
        keeps.then(|| Self { churn, order: order(), instant: 0 })
    }

    /// When the next leave, within the window, from its middle of a period on.
    pub(super) fn next(&self, window: &Window) -> Option<MonoInstant> {
        let after: Duration = self.churn.period().mul_f64(self.instant as f64 + 0.5);
        let at = window.start + after;
        window.spans(at).then_some(at)
    }

    /// The clients, by their numbers among all of the trial's, of so many, whose turn it is now.
    pub(super) fn take(&mut self, clients: u32) -> Vec<usize> {
        let places = self.churn.leaving(self.instant, clients);
        self.instant += 1;
        places.map(|place| self.order[place]).collect()
    }
}
