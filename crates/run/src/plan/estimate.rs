//! Estimates of how long trials take if all goes well.

use std::time::Duration;

use pushbench_core::Contender;
use pushbench_metrics::record::TrialId;

use super::Plan;

/// Time of a trial beside its phases: starting processes, closing connections.
const TRIAL_OVERHEAD: Duration = Duration::from_millis(250);

impl Plan {
    /// How long a trial will take if all goes well.
    fn estimate(&self, id: TrialId) -> Duration {
        let point = self.point(id);
        let drain = if id.contender.shape().asks() {
            point.poll_interval.0
        } else {
            Duration::from_millis(10)
        };
        let connect = Duration::from_micros(200) * point.clients;
        TRIAL_OVERHEAD + connect + self.warmup(id) + self.scenario.duration.0 + drain
    }

    /// How long the whole run will take if all goes well.
    pub fn total_estimate(&self) -> Duration {
        self.estimates().iter().sum()
    }

    /// The same of each trial, and of each floor among them, in their order.
    pub fn estimates(&self) -> Vec<Duration> {
        let mut estimates = Vec::new();
        for &id in &self.trials {
            estimates.push(self.estimate(id));
            if self.has_floor_behind(id) {
                estimates.push(self.estimate(TrialId { contender: Contender::FLOOR, ..id }));
            }
        }
        estimates
    }
}
