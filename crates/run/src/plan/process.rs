//! Plans of a trial's child processes.

use std::net::SocketAddr;
use std::time::Duration;

use pushbench_metrics::record::TrialId;
use pushbench_metrics::record::control::{LoadPlan, ServerPlan, Subject};

use super::Plan;

/// How long clients may take to connect: at least this, and a share for each.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const CONNECT_LIMIT_EACH: Duration = Duration::from_millis(2);

/// How long `clients` may take to connect.
pub(crate) fn connect_limit(clients: u32) -> Duration {
    CONNECT_LIMIT + CONNECT_LIMIT_EACH * clients
}

impl Plan {
    /// The plan of each server process of a trial.
    pub(crate) fn server_plan(&self, id: TrialId) -> ServerPlan {
        ServerPlan {
            headers: self.headers.clone(),
            stamps: self.sampling(id),
            publish_delay: self.publish_delay,
            ..ServerPlan::new(self.feed(id))
        }
    }

    /// The plan of a load process that plays all clients of a trial, of a server at `target` that
    /// is asked as `subject` says.
    pub(crate) fn load_plan(&self, id: TrialId, target: SocketAddr, subject: Subject) -> LoadPlan {
        let point = self.point(id);
        LoadPlan {
            subject,
            delivery: self.scenario.delivery,
            headers: self.request_headers(id),
            poll_interval: point.poll_interval.0,
            long_poll_timeout: point.long_poll_timeout.0,
            // Each round has its own poll phases, so that none of them is measured twice.
            seed: self.scenario.seed ^ (u64::from(id.round) << 32),
            connect_timeout: connect_limit(point.clients),
            stamps: self.sampling(id),
            ..LoadPlan::new(target, id.contender, point.clients)
        }
    }
}
