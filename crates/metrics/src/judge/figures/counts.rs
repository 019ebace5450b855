//! Counts: what became of messages, and how often things happened, in a trial or over several.

use pushbench_core::Figure;

use crate::observe::audit::AuditTotals;
use crate::observe::measured::Counters;
use crate::record::TrialRecord;

/// Counts of a trial, or their sums over trials; clients that are connected are no sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// The fate of the messages due in the window.
    pub audit: AuditTotals,
    /// How often things happened.
    pub counters: Counters,
    /// Clients connected at the window's start: of one trial, over several of the middle one.
    pub connected: u64,
    /// Clients that heard their room in another order than others did; `None` where they do not talk.
    pub disordered: Option<u64>,
    /// Times that clients were cut off, and those after which they were not back; `None` where nobody is
    /// cut off because that was asked for.
    pub away: Option<(u64, u64)>,
}

impl Counts {
    /// The counts of one trial.
    #[must_use]
    pub fn of_trial(trial: &TrialRecord) -> Self {
        let (audit, counters) = (trial.measured.audit, trial.measured.counters);
        let disordered = trial.measured.heard.as_ref().map(|heard| heard.disordered);
        let away = trial.measured.away.as_ref().map(|away| (away.cut_off, away.not_back()));
        Self { audit, counters, connected: trial.connected.into(), disordered, away }
    }

    /// Those of several trials.
    pub(super) fn of_trials(trials: &[&TrialRecord]) -> Self {
        let mut counts = Self::default();
        for trial in trials {
            counts.audit.merge(&trial.measured.audit);
            counts.counters.merge(&trial.measured.counters);
            if let Some(away) = &trial.measured.away {
                let (cut_off, not_back) = counts.away.get_or_insert_default();
                (*cut_off, *not_back) = (*cut_off + away.cut_off, *not_back + away.not_back());
            }
            if let Some(heard) = &trial.measured.heard {
                *counts.disordered.get_or_insert_default() += heard.disordered;
            }
        }
        // Each trial has a feed of its own, unlike processes of the same one.
        counts.audit.published = trials.iter().map(|trial| trial.measured.audit.published).sum();
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
        let (audit, errors) = (&self.audit, self.counters.errors);
        let expected = audit.expected > 0;
        // Without a valid trial every count is zero and none was measured.
        let count = |count: u64| (expected || errors > 0).then_some(count as f64);
        match figure {
            Figure::Lost => count(audit.lost).filter(|_| audit.is_numbered()),
            Figure::Errors => count(errors),
            Figure::Said => self.disordered.map(|_| self.counters.said as f64),
            Figure::Disordered => self.disordered.map(|hearers| hearers as f64),
            Figure::CutOff => self.away.map(|(cut_off, _)| cut_off as f64),
            Figure::NotBack => self.away.map(|(_, not_back)| not_back as f64),
            Figure::Delivered => (expected && audit.is_numbered())
                .then(|| audit.delivered as f64 / audit.expected as f64),
            _ => None,
        }
    }
}
