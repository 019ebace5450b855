//! The plans of a trial's processes, which are children of the run.

use std::net::SocketAddr;

use pushbench_core::compression::CompressionTerms;
use pushbench_core::contender::Coding;
use pushbench_core::deflate::DeflateSettings;
use pushbench_core::random;
use pushbench_metrics::record::TrialId;
use pushbench_metrics::record::control::{LoadPlan, ServerPlan, Subject as Asked, Talkers};

use super::Plan;
use super::estimate::connect_limit;

/// The stream of random numbers that feeds are named from.
const FEED_STREAM: u64 = 31 << 32;

impl Plan {
    /// The server's terms of compression in a trial; `None` compresses nothing, so that a contender
    /// without a coding is measured as that, whatever its header profile offers.
    fn compression_terms(&self, id: TrialId) -> Option<CompressionTerms> {
        let coding = id.contender.stack.coding;
        (coding != Coding::None).then(|| CompressionTerms {
            deflate: self.deflate(id),
            threshold: self.point(id).compression.threshold,
            takeover: coding == Coding::DeflateTakeover,
        })
    }

    fn deflate(&self, id: TrialId) -> DeflateSettings {
        let settings = self.point(id).compression.deflate();
        settings.expect("each point's compression was checked with the scenario")
    }

    /// The plan of each server process of a trial.
    pub(crate) fn server_plan(&self, id: TrialId) -> ServerPlan {
        let point = self.point(id);
        ServerPlan {
            headers: self.headers.clone(),
            compression: self.compression_terms(id),
            stamps: self.sampling(id),
            feed_id: self.point(id).life.restart.map(|_| feed_id(self.scenario.seed, id)),
            // Over loopback a request is there as soon as it was sent.
            stamps_requests: point.link.is_some(),
            // Where the other end is none of the load generator's.
            counts_bytes: point.via.proxy().is_some() || !point.client.is_native(),
            publish_delay: self.publish_delay,
            talkers: point.talk.map(|talk| Talkers { talk, clients: point.clients }),
            heartbeat: Some(point.heartbeat.0).filter(|silence| !silence.is_zero()),
            ..ServerPlan::new(self.feed(id))
        }
    }

    /// The plan of a load process that plays all clients of a trial, of a server at `target` that
    /// is asked as `subject` says.
    pub(crate) fn load_plan(&self, id: TrialId, target: SocketAddr, subject: Asked) -> LoadPlan {
        let (point, is_unscheduled) = (self.point(id), subject.is_unscheduled());
        LoadPlan {
            subject,
            delivery: self.scenario.delivery,
            headers: self.request_headers(id),
            poll_interval: point.poll_interval.0,
            long_poll_timeout: point.long_poll_timeout.0,
            // Each round has its own poll phases, so that none of them is measured twice.
            seed: self.scenario.seed ^ (u64::from(id.round) << 32),
            connect_timeout: connect_limit(point),
            compression_threshold: point.compression.threshold,
            deflate_window: self.deflate(id).window,
            // Where latency is spent is known of messages with a schedule.
            stamps: self.sampling(id).filter(|_| !is_unscheduled),
            talk: point.talk,
            life: point.life,
            is_watched: self.is_watched,
            ..LoadPlan::new(target, id.contender, point.clients)
        }
    }
}

/// The name of a trial's feed in cursors, where a server is to go on with that of another.
fn feed_id(seed: u64, id: TrialId) -> u64 {
    random::bits(seed, FEED_STREAM + u64::from(id.round), u64::from(id.point))
}
