//! Findings about a proxy that carries the feed.

use std::time::Duration;

use pushbench_core::Shape;
use pushbench_core::feed::schedule::Schedule;
use pushbench_metrics::record::warning::{LUMP_MESSAGES, ProxyFault, ProxyFinding, Warning};

use super::Evidence;

/// Messages of a feed are to be this far apart, so that those that come together are told.
const APART: Duration = Duration::from_millis(5);

/// The share of its turns in which the load generator is to be in time, and how late it may be then, in
/// gaps between messages: else it is itself who reads several at a time.
const IN_TIME: f64 = 0.9;
const LATEST: f64 = 0.5;

impl Evidence<'_> {
    /// That messages come several at a time which would come one by one if nobody held them back.
    pub(super) fn lumps(&self) -> Option<Warning> {
        let (proxy, window) = (self.played.proxy.as_ref()?, self.played.timing.window);
        let counters = &self.load().measured.counters;
        if !self.is_one_by_one() || counters.lumps == 0 {
            return None;
        }
        let lumps = counters.lumps as f64;
        let messages = counters.messages_in_window as f64 / lumps;
        let each = window.duration().mul_f64(f64::from(self.wanted()) / lumps);
        let fault = ProxyFault::Lumps { messages, each };
        (messages > LUMP_MESSAGES).then(|| Warning::Proxy(ProxyFinding::of(proxy, fault)))
    }

    /// Whether messages are due one by one, to clients who need not ask for them, and neither server nor
    /// link nor load generator makes one wait for another.
    fn is_one_by_one(&self) -> bool {
        let Schedule::Constant { rate } = self.played.timing.schedule else { return false };
        let gap = Duration::from_secs_f64(1.0 / rate.hz());
        let lag = self.played.merged.load.loop_lag.percentile_us(IN_TIME);
        let in_time = lag.is_none_or(|late| late < gap.as_secs_f64() * 1e6 * LATEST);
        let is_linked = self.plan.point(self.id).link.is_some();
        let streams = self.id.contender.shape() == Shape::Streams;
        streams && gap > APART && !is_linked && in_time && self.played.kept_pace()
    }
}
