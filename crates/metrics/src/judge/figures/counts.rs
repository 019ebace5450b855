//! Counts: what became of messages, and how often things happened, in a trial or over several.

use pushbench_core::Figure;

use crate::record::TrialRecord;

/// Counts of a trial, or their sums over trials; clients that are connected are no sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages due in the window.
    pub published: u64,
    /// Messages due in it × clients connected at its start.
    pub expected: u64,
    /// Of these, how many came.
    pub delivered: u64,
    /// Of these, how many never came.
    pub lost: u64,
    /// Of these, how many were still under way when the drain ended.
    pub late: u64,
    /// Arrivals of a message that had come before.
    pub duplicated: u64,
    /// Arrivals behind a newer message.
    pub reordered: u64,
    /// Expected messages that a newer one replaced.
    pub superseded: u64,
    /// Requests sent in the window.
    pub requests: u64,
    /// Responses without news in the window.
    pub empty_responses: u64,
    /// Clients connected at the window's start: of one trial, over several of the middle one.
    pub connected: u64,
    /// Failures.
    pub errors: u64,
    /// Those of them in which the server broke its protocol.
    pub protocol_errors: u64,
    /// Connections that were lost and made again.
    pub reconnects: u64,
}

impl Counts {
    /// The counts of one trial.
    #[must_use]
    pub fn of_trial(trial: &TrialRecord) -> Self {
        let (audit, counters) = (&trial.measured.audit, &trial.measured.counters);
        Self {
            published: audit.published,
            expected: audit.expected,
            delivered: audit.delivered,
            lost: audit.lost,
            late: audit.late,
            duplicated: audit.duplicated,
            reordered: audit.reordered,
            superseded: audit.superseded,
            requests: counters.requests,
            empty_responses: counters.empty_responses,
            connected: u64::from(trial.connected),
            errors: counters.errors,
            protocol_errors: counters.protocol_errors,
            reconnects: counters.reconnects,
        }
    }

    /// Those of several trials.
    pub(super) fn of_trials(trials: &[&TrialRecord]) -> Self {
        let mut counts = Self::default();
        trials.iter().for_each(|trial| counts.add(&Self::of_trial(trial)));
        let mut connected: Vec<u32> = trials.iter().map(|trial| trial.connected).collect();
        connected.sort_unstable();
        // Of two in the middle the smaller, so that it is that of a trial.
        let middle = connected.len().saturating_sub(1) / 2;
        counts.connected = connected.get(middle).copied().unwrap_or_default().into();
        counts
    }

    /// The value of a [counted](Figure::is_counted) figure; `None` of others, and where nothing was
    /// measured that it counts.
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
    pub(super) fn figure(&self, figure: Figure) -> Option<f64> {
        let expected = self.expected > 0;
        // Without a valid trial every count is zero and none was measured.
        let count = |count: u64| (expected || self.errors > 0).then_some(count as f64);
        match figure {
            Figure::Lost => count(self.lost),
            Figure::Errors => count(self.errors),
            Figure::Delivered => expected.then(|| self.delivered as f64 / self.expected as f64),
            _ => None,
        }
    }

    fn add(&mut self, other: &Self) {
        self.published += other.published;
        self.expected += other.expected;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.late += other.late;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.superseded += other.superseded;
        self.requests += other.requests;
        self.empty_responses += other.empty_responses;
        self.errors += other.errors;
        self.protocol_errors += other.protocol_errors;
        self.reconnects += other.reconnects;
    }
}
