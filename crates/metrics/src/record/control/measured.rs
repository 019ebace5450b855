//! Measurements of the processes of one trial, and how those of several are put together.

use pushbench_core::MonoInstant;
use pushbench_core::rules::Found;
use pushbench_core::security::Agreed;
use serde::{Deserialize, Serialize};

use crate::observe::attempts::Attempts;
use crate::observe::events::OtherEvents;
use crate::observe::histogram::LatencyHistogram;
use crate::observe::instrument::LoopWatch;
use crate::observe::measured::Measured;
use crate::observe::served::ServedBytes;
use crate::observe::stamps::{LoadStamps, ServerStamps};
use crate::record::browser::BrowserMeasured;

/// Measurements of a trial that only the server has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerMeasured {
    /// Messages published that were due in the window.
    pub published: u64,
    /// How long after its intended instant each of them was handed to the hub.
    pub publish_lag: LatencyHistogram,
    /// Connections accepted since the start.
    pub connections: u64,
    /// Requests answered since the start, those that open a stream included.
    pub requests: u64,
    /// Messages that a slow stream skipped under `latest`.
    pub superseded: u64,
    /// Streams closed because their cursor fell off the ring.
    pub overrun: u64,
    /// Messages of clients that upload, as it heard them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Box<Measured>>,
    /// Bytes of its connections in the window; `None` where nobody asked, or the window was not whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<ServedBytes>,
    /// The instants that were stamped; a record keeps the breakdown that comes of them.
    #[serde(default, skip_serializing_if = "ServerStamps::is_empty")]
    pub stamps: ServerStamps,
}

impl ServerMeasured {
    /// Adds the figures of another server process of the same trial.
    ///
    /// `published` belongs to the feed, so it is the same for all and is not added; whoever merges
    /// looks whether it was. The lags are those of each process's own publisher. Stamps are not
    /// merged: whoever joins them takes those of each process.
    pub fn merge(&mut self, other: &Self) {
        self.published = self.published.max(other.published);
        self.publish_lag.merge(&other.publish_lag);
        self.connections += other.connections;
        self.requests += other.requests;
        self.superseded += other.superseded;
        self.overrun += other.overrun;
        if let Some(theirs) = &other.heard {
            self.heard.get_or_insert_default().merge(theirs);
        }
        self.served = match (self.served, other.served) {
            (Some(mut ours), Some(theirs)) => {
                ours.merge(&theirs);
                Some(ours)
            }
            _ => None,
        };
    }
}

/// Measurements of a load process in a trial.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadMeasured {
    /// Clients that were connected at t0.
    pub connected_at_start: u32,
    /// When the drain was over and the good-byes began.
    pub closing: MonoInstant,
    /// Everything that its clients saw.
    pub measured: Measured,
    /// How late the process's own loop was for what it had planned: polls, phase changes.
    pub loop_lag: LatencyHistogram,
    /// Whether everything due in the window was accounted for before the drain's deadline.
    pub drained: bool,
    /// The first errors, at most ten, for a person to read.
    pub errors: Vec<String>,
    /// The first error from warm-up on by which the server broke its protocol.
    #[serde(default)]
    pub first_protocol_error: Option<String>,
    /// The instants that were stamped.
    #[serde(default)]
    pub stamps: LoadStamps,
    /// Server-sent events of other types than the feed's, from connecting to the end.
    #[serde(default, skip_serializing_if = "OtherEvents::is_empty")]
    pub other_events: OtherEvents,
    /// The first answer whose body was coded, so that no message in it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coded: Option<String>,
    /// The outcomes of clients' attempts.
    #[serde(default)]
    pub attempts: Attempts,
    /// The agreement that secures the first connection that was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Agreed>,
    /// The outcome of the rules by which messages were found; `None` where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// How its loop kept time from the window's start until nothing of it was missing.
    #[serde(default, skip_serializing_if = "LoopWatch::is_empty")]
    pub watch: LoopWatch,
    /// The browser whose tabs the clients were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<BrowserMeasured>,
}

/// Errors that are kept for a person to read.
pub const KEPT_ERRORS: usize = 10;

impl LoadMeasured {
    /// Adds the figures of another load process of the same trial. Nothing is lost but errors
    /// beyond [`KEPT_ERRORS`]; good-byes began when the last process began with them. Stamps and
    /// watches are not merged: whoever judges them takes those of each process.
    pub fn merge(&mut self, other: Self) {
        self.connected_at_start += other.connected_at_start;
        self.closing = self.closing.max(other.closing);
        self.measured.merge(&other.measured);
        self.loop_lag.merge(&other.loop_lag);
        self.drained &= other.drained;
        self.attempts.merge(&other.attempts);
        self.first_protocol_error = self.first_protocol_error.take().or(other.first_protocol_error);
        let room = KEPT_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(other.errors.into_iter().take(room));
        self.other_events.merge(&other.other_events);
        self.coded = self.coded.take().or(other.coded);
        self.agreed = self.agreed.take().or(other.agreed);
        // There is one process of a browser.
        self.browser = self.browser.take().or(other.browser);
        self.found = match (self.found.take(), other.found) {
            (Some(ours), Some(theirs)) => Some(together(ours, theirs)),
            (ours, theirs) => ours.or(theirs),
        };
    }
}

/// The findings of two processes. Of counters their names are with the measurements.
fn together(ours: Found, theirs: Found) -> Found {
    let mut replied = ours.replied;
    for (expression, count) in theirs.replied {
        *replied.entry(expression).or_default() += count;
    }
    Found {
        replied,
        unmatched: ours.unmatched + theirs.unmatched,
        first_unmatched: ours.first_unmatched.or(theirs.first_unmatched),
        other_unmatched: ours.other_unmatched.or(theirs.other_unmatched),
        ignored: ours.ignored + theirs.ignored,
        unreadable: ours.unreadable + theirs.unreadable,
        first_unreadable: ours.first_unreadable.or(theirs.first_unreadable),
        other_unreadable: ours.other_unreadable.or(theirs.other_unreadable),
        counters: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn lag(us: &[u64]) -> LatencyHistogram {
        let mut lag = LatencyHistogram::default();
        us.iter().for_each(|&us| lag.record(Duration::from_micros(us)));
        lag
    }

    #[test]
    fn load_processes_add_up_and_keep_ten_errors() {
        let process = |connected, closing, errors: u32| LoadMeasured {
            connected_at_start: connected,
            closing: MonoInstant(closing),
            loop_lag: lag(&[u64::from(connected)]),
            drained: connected != 4,
            errors: (0..errors).map(|n| format!("{connected}.{n}")).collect(),
            ..LoadMeasured::default()
        };
        let mut all = process(3, 50, 7);
        all.merge(process(4, 40, 7));
        assert_eq!((all.connected_at_start, all.closing), (7, MonoInstant(50)));
        assert!(!all.drained);
        assert_eq!(all.loop_lag, lag(&[3, 4]));
        assert_eq!(all.errors.len(), KEPT_ERRORS);
        assert_eq!((all.errors[6].as_str(), all.errors[9].as_str()), ("3.6", "4.2"));
    }

    #[test]
    fn server_processes_publish_one_feed() {
        let process = |requests, us: &[u64]| ServerMeasured {
            published: 20,
            publish_lag: lag(us),
            connections: 5,
            requests,
            superseded: 1,
            overrun: 2,
            ..ServerMeasured::default()
        };
        let mut all = process(30, &[7, 8]);
        all.merge(&process(40, &[900]));
        let expected = ServerMeasured {
            published: 20,
            publish_lag: lag(&[7, 8, 900]),
            connections: 10,
            requests: 70,
            superseded: 2,
            overrun: 4,
            ..ServerMeasured::default()
        };
        assert_eq!(all, expected);
    }
}
