//! Freshness: how long after its intended instant a client holds a message *or a newer one*.
//!
//! A message that comes in its order is fresh when it comes, so that its latency says it all. Only of
//! what something newer overtook more is to be known: when that came, and of what came behind it after
//! all, which latencies do not count.

use std::borrow::Cow;

use pushbench_core::instant::saturating_nanos;
use pushbench_core::{MonoInstant, Seq};
use serde::{Deserialize, Serialize};

use crate::observe::audit::AuditTotals;
use crate::observe::censored::{Bounded, Censored};
use crate::observe::histogram::LatencyHistogram;
use crate::observe::measured::Measured;
use crate::observe::observer::Window;

/// Messages of the window that were overtaken, or that neither came nor a newer one did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Fresh {
    /// One sample for each message that a client did not have when a newer one came: from its
    /// intended publish instant until then.
    pub overtaken: LatencyHistogram,
    /// The latencies of those of them that came behind the newer one.
    #[serde(default, skip_serializing_if = "LatencyHistogram::is_empty")]
    pub behind: LatencyHistogram,
    /// One lower bound for each message that was lost without a newer one: the drain's end minus its
    /// intended publish instant.
    #[serde(default, skip_serializing_if = "LatencyHistogram::is_empty")]
    pub never: LatencyHistogram,
}

impl Fresh {
    /// Whether each message came in its order.
    #[must_use]
    pub const fn is_orderly(&self) -> bool {
        self.overtaken.is_empty() && self.behind.is_empty() && self.never.is_empty()
    }

    /// Adds those of another load process of the same trial.
    pub fn merge(&mut self, other: &Self) {
        self.overtaken.merge(&other.overtaken);
        self.behind.merge(&other.behind);
        self.never.merge(&other.never);
    }

    /// Whether it tells of each message that `audit` has not in its order.
    fn tells_all(&self, audit: &AuditTotals) -> bool {
        let told = self.overtaken.count() + self.never.count();
        let timed = audit.untimed == 0 && audit.late_untimed == 0;
        timed && told == audit.superseded + audit.reordered + audit.lost
    }
}

impl Measured {
    /// The time after which so large a part of the messages due was at a client, or a newer one was, in
    /// microseconds. `None` where there are not samples enough, and where it is not known what overtook
    /// what was not in its order.
    #[must_use]
    pub fn fresh_us(&self, quantile: f64) -> Option<Bounded> {
        let (known, bounds) = self.fresh_samples()?;
        Censored::new(&known, &bounds).supported_percentile_us(quantile)
    }

    /// The same of however few samples there are, a bound being taken as what it is at least: for whoever
    /// judges by several trials.
    #[must_use]
    pub fn fresh_of_few_us(&self, quantile: f64) -> Option<f64> {
        let (known, bounds) = self.fresh_samples()?;
        Censored::new(&known, &bounds).at_least().percentile_us(quantile)
    }

    /// The times that are known, and those that are only bounds.
    fn fresh_samples(&self) -> Option<(Cow<'_, LatencyHistogram>, Cow<'_, LatencyHistogram>)> {
        let fresh = &self.fresh;
        if !fresh.tells_all(&self.audit) {
            return None;
        }
        let (mut known, mut bounds) = (Cow::Borrowed(&self.latency), Cow::Borrowed(&self.late));
        if !fresh.is_orderly() {
            *known.to_mut() = self.latency.without(&fresh.behind)?;
            known.to_mut().merge(&fresh.overtaken);
            bounds.to_mut().merge(&fresh.never);
        }
        Some((known, bounds))
    }
}

/// The instants of the window's messages, for those that do not come to be accounted for.
#[derive(Debug, Clone, Default)]
pub(in crate::observe) struct Overtaking {
    first: u64,
    dues: Vec<MonoInstant>,
}

impl Overtaking {
    /// Of the messages of `window`, by when each was `due`.
    pub(in crate::observe) fn of(
        window: &Window,
        due: impl Fn(Seq) -> Option<MonoInstant>,
    ) -> Self {
        let dues = (window.first.0..=window.last.0).map_while(|seq| due(Seq(seq)));
        Self { first: window.first.0, dues: dues.collect() }
    }

    /// A client that held nothing newer than `newest` got `seq` at `at`.
    #[cold]
    pub(in crate::observe) fn overtook(
        &self,
        fresh: &mut Fresh,
        newest: Seq,
        seq: Seq,
        at: MonoInstant,
    ) {
        let place =
            |seq: u64| usize::try_from(seq.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let (from, to) = (place(newest.0 + 1), place(seq.0).min(self.dues.len()));
        for due in self.dues.get(from..to).unwrap_or_default() {
            fresh.overtaken.record_ns(saturating_nanos(at.saturating_since(*due)));
        }
    }

    /// A client got nothing newer than `newest` until the drain's `end`, and nothing was coming.
    pub(in crate::observe) fn fell_silent(&self, fresh: &mut Fresh, newest: Seq, end: MonoInstant) {
        let from = usize::try_from((newest.0 + 1).saturating_sub(self.first)).unwrap_or(usize::MAX);
        for due in self.dues.get(from..).unwrap_or_default() {
            fresh.never.record_ns(saturating_nanos(end.saturating_since(*due)));
        }
    }
}

#[cfg(test)]
mod tests;
