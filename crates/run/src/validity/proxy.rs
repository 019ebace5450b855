//! Findings about who is between server and clients, and holds messages back.

use std::time::Duration;

use pushbench_core::Shape;
use pushbench_metrics::record::warning::{
    LUMP_MESSAGES, PathFault, ProxyFault, ProxyFinding, Warning,
};

use super::Evidence;

/// Messages are to come to be this far apart, so that those that come together are told.
const APART: Duration = Duration::from_millis(5);

/// The share of its turns in which the load generator is to be in time, and how late it may be then, in
/// gaps between messages: else it is itself who reads several at a time.
const IN_TIME: f64 = 0.9;
const LATEST: f64 = 0.5;

impl Evidence<'_> {
    /// That messages come several at a time which came to be one by one. Messages that came to be together
    /// count as one, so that nobody is blamed for a sender's own bursts.
    pub(super) fn lumps(&self) -> Option<Warning> {
        let counters = &self.load().measured.counters;
        let (lumps, instants) = (counters.lumps as f64, counters.due_lumps as f64);
        if lumps == 0.0 || instants / lumps < LUMP_MESSAGES {
            return None;
        }
        let watched = self.played.timing.window.duration().mul_f64(self.wanted().into());
        let (each, apart) = (watched.div_f64(lumps), watched.div_f64(instants));
        if !self.can_tell_lumps(apart) {
            return None;
        }
        let messages = counters.messages_in_window as f64 / lumps;
        match &self.played.proxy {
            Some(proxy) if self.played.subject.is_none() => {
                let fault = ProxyFault::Lumps { messages, each };
                Some(Warning::Proxy(ProxyFinding::of(proxy, fault)))
            }
            // Between our own server and its clients nobody is.
            None if self.played.own_server => None,
            _ => Some(Warning::Path(PathFault::HeldBack { messages, each, apart })),
        }
    }

    /// Whether clients need not ask for messages, which come to be that far `apart`, and neither who
    /// publishes them, as far as that is known, nor link nor load generator makes one wait for another.
    fn can_tell_lumps(&self, apart: Duration) -> bool {
        let lag = self.played.merged.load.loop_lag.percentile_us(IN_TIME);
        let in_time = lag.is_none_or(|late| late < apart.as_secs_f64() * 1e6 * LATEST);
        let is_linked = self.plan.point(self.id).link.is_some();
        let streams = self.id.contender.shape() == Shape::Streams;
        let kept_pace = self.played.merged.server.is_none() || self.played.kept_pace();
        let same_clock = self.played.same_clock;
        streams && apart > APART && !is_linked && in_time && kept_pace && same_clock
    }
}
