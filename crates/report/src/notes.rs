//! What to know before believing a block: its invalid trials and its warnings, each kind once.
//!
//! A warning tells what one trial saw, so three trials give three of a kind that differ in a
//! number; people get the worst of them and how many there were.

use std::fmt;
use std::mem::{Discriminant, discriminant};

use pushbench_core::Transport;
use pushbench_metrics::record::{RunRecord, TrialRecord};
use pushbench_metrics::warning::{Invalid, Warning};

use crate::human;

/// How grave a note is, as tables mark it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Trials are left out.
    Invalid,
    /// The figures stand, with a doubt or a finding.
    Warning,
}

impl Mark {
    /// As it stands behind a transport's name.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Invalid => "!",
            Self::Warning => "*",
        }
    }
}

/// One kind of warning, or of reason to leave trials out, of one transport.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Note {
    pub(crate) mark: Mark,
    pub(crate) transport: Transport,
    /// The worst of its kind.
    pub(crate) text: String,
    /// What to do about it.
    pub(crate) remedy: &'static str,
    /// In how many trials, of how many.
    pub(crate) trials: (usize, usize),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (some, all) = self.trials;
        let left_out = if self.mark == Mark::Invalid { " left out" } else { "" };
        write!(f, "{}: {} ", self.transport, self.text)?;
        match all {
            1 if left_out.is_empty() => write!(f, "— {}", self.remedy),
            1 => write!(f, "(its only trial,{left_out}) — {}", self.remedy),
            _ => write!(f, "({some} of {all} trials{left_out}) — {}", self.remedy),
        }
    }
}

/// The notes on the point `point`, by transport, the invalid trials first.
pub(crate) fn notes(record: &RunRecord, point: u32) -> Vec<Note> {
    let mut notes = Vec::new();
    for transport in Transport::ALL {
        let ours =
            |trial: &&TrialRecord| trial.id.point == point && trial.id.transport == transport;
        let trials: Vec<&TrialRecord> = record.standing().filter(ours).collect();
        let invalid = worst_of_each(trials.iter().flat_map(|trial| &trial.invalid), gravity);
        notes.extend(invalid.into_iter().map(|(worst, some)| Note {
            mark: Mark::Invalid,
            transport,
            text: worst.to_string(),
            remedy: worst.remedy(),
            trials: (some, trials.len()),
        }));
        let valid: Vec<_> = trials.iter().filter(|trial| trial.is_valid()).collect();
        let warnings = worst_of_each(valid.iter().flat_map(|trial| &trial.warnings), weight);
        notes.extend(warnings.into_iter().map(|(worst, some)| Note {
            mark: Mark::Warning,
            transport,
            text: worst.to_string(),
            remedy: worst.remedy(),
            trials: (some, valid.len()),
        }));
    }
    notes
}

/// Of each kind the worst, and how many there are, in the order of their first.
fn worst_of_each<'a, T>(
    items: impl Iterator<Item = &'a T>,
    gravity: impl Fn(&T) -> f64,
) -> Vec<(&'a T, usize)> {
    let mut kinds: Vec<(Discriminant<T>, &T, usize)> = Vec::new();
    for item in items {
        match kinds.iter_mut().find(|(kind, ..)| *kind == discriminant(item)) {
            Some((_, worst, some)) => {
                *some += 1;
                if gravity(item) > gravity(worst) {
                    *worst = item;
                }
            }
            None => kinds.push((discriminant(item), item, 1)),
        }
    }
    kinds.into_iter().map(|(_, worst, some)| (worst, some)).collect()
}

/// What tells which of two reasons of a kind is the worse.
fn gravity(invalid: &Invalid) -> f64 {
    match invalid {
        Invalid::ClientsMissing { connected, wanted, .. } => {
            f64::from(*wanted) - f64::from(*connected)
        }
        Invalid::LoadSaturated { share } => *share,
        Invalid::MachineStalled { worst } => worst.as_secs_f64(),
        Invalid::MachineBusy(busy) => busy.share,
        _ => 0.0,
    }
}

/// What tells which of two warnings of a kind is the worse.
#[expect(clippy::cast_precision_loss, reason = "only their order counts")]
fn weight(warning: &Warning) -> f64 {
    match warning {
        Warning::ServerSaturated { share } => *share,
        Warning::PublisherLate(lag) | Warning::LoadLate(lag) => lag.us,
        Warning::Lost { messages } | Warning::Duplicated { messages } => *messages as f64,
        Warning::Reconnects { count }
        | Warning::Errors { count, .. }
        | Warning::PollsSkipped { count } => *count as f64,
        Warning::LoadPart(part) => part.latency_us / part.without_us,
        Warning::LatencyOffModel { ks, .. } => *ks,
        Warning::ShareOffModel { measured, expected, .. } => (measured - expected).abs(),
        Warning::FewMessages { messages } => -(*messages as f64),
        Warning::OthersBusy(busy) => busy.share,
        Warning::ShortStalls { share, .. } | Warning::TimeStolen { share } => *share,
        _ => 0.0,
    }
}

/// What the run as a whole lacks; `None` where it is complete.
pub(crate) fn partial(record: &RunRecord) -> Option<String> {
    record.partial.then(|| {
        let rounds = record.scenario.runs as usize;
        let planned = rounds * record.points.len() * record.scenario.transports.len();
        let done = record.standing().count();
        format!(
            "This run is partial, it was cut short: {} of {} planned. What is here is complete, but compare with care.",
            human::plural(done, "trial"),
            human::count(planned as u64)
        )
    })
}
