//! Notes to read before believing a block: its invalid trials and its warnings, each kind once.
//!
//! A warning tells what one trial saw, so three trials give three of a kind that differ in a
//! number; people get the worst of them and how many there were. What the machine or the
//! instrument did to several transports is one note too.

use std::fmt;
use std::mem::{Discriminant, discriminant};

use pushbench_core::Contender;
use pushbench_metrics::record::warning::{
    Finding, HeldBack, Invalid, RouterStalls, Standstill, Warning,
};
use pushbench_metrics::record::{RunRecord, TrialRecord};

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

/// One kind of warning, or of reason to leave trials out: of one transport, or where it is about
/// the machine or the instrument, of all that it befell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Note {
    pub(crate) mark: Mark,
    /// In the order of [`Contender::all`].
    pub(crate) contenders: Vec<Contender>,
    /// Whether these are several and all that were measured at the point.
    everyone: bool,
    /// The worst of its kind.
    pub(crate) text: String,
    pub(crate) remedy: &'static str,
    /// In how many trials, of how many.
    pub(crate) trials: (usize, usize),
    /// Whether each of the former is the repeat of another that was invalid too.
    again: bool,
    /// The kind under which notes on different transports become one.
    shared: Option<Kind>,
    /// How bad it is beside others of its kind.
    weight: f64,
    /// Of which transport the worst is, where the others are not alike.
    worst: Option<Contender>,
}

/// Whether a trial is the repeat of one that was invalid. It stands in the place of that one, so that there
/// still is one trial, of two attempts.
pub(crate) const fn is_repeat(trial: &TrialRecord) -> bool {
    trial.attempt > 1
}

/// The words for so many trials that were invalid, and their repeats too.
pub(crate) const fn again(trials: usize) -> &'static str {
    if trials == 1 { "also when it was repeated" } else { "also when they were repeated" }
}

/// A kind of note.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Invalid(Discriminant<Invalid>),
    Warning(Discriminant<Warning>),
}

impl Note {
    /// Takes in a note of the same kind on another transport.
    fn take_in(&mut self, other: Self) {
        let first = self.contenders[0];
        if other.text != self.text {
            let (worse, whose) = (other.weight > self.weight, other.contenders[0]);
            self.worst = Some(if worse { whose } else { self.worst.unwrap_or(first) });
            if worse {
                (self.text, self.remedy, self.weight) = (other.text, other.remedy, other.weight);
            }
        }
        self.contenders.extend(other.contenders);
        self.trials = (self.trials.0 + other.trials.0, self.trials.1 + other.trials.1);
        self.again &= other.again;
    }

    fn names(&self) -> String {
        if self.everyone {
            return "all transports".to_owned();
        }
        human::list(&self.contenders.iter().map(|each| each.name()).collect::<Vec<_>>())
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (some, all) = self.trials;
        let left_out = match (self.mark, self.again) {
            (Mark::Warning, _) => String::new(),
            (Mark::Invalid, false) => " left out".to_owned(),
            (Mark::Invalid, true) => format!(", {}, left out", again(some)),
        };
        let count = match all {
            1 if self.mark == Mark::Warning => None,
            1 => Some(format!("its only trial{}{left_out}", if self.again { "" } else { "," })),
            _ => Some(format!("{some} of {all} trials{left_out}")),
        };
        let worst = self.worst.map(|contender| format!("the worst with {contender}"));
        let aside: Vec<String> = count.into_iter().chain(worst).collect();
        write!(f, "{}: {} ", self.names(), self.text)?;
        if !aside.is_empty() {
            write!(f, "({}) ", aside.join(", "))?;
        }
        write!(f, "— {}", self.remedy)
    }
}

/// The notes on the point `point`, the invalid trials first, then by transport.
pub(crate) fn notes(record: &RunRecord, point: u32) -> Vec<Note> {
    let (mut notes, mut measured) = (Vec::<Note>::new(), 0);
    for contender in Contender::all() {
        let ours =
            |trial: &&TrialRecord| trial.id.point == point && trial.id.contender == contender;
        let trials: Vec<&TrialRecord> = record.standing().filter(ours).collect();
        measured += usize::from(!trials.is_empty());
        for note in of_transport(contender, &trials) {
            let kin = |other: &&mut Note| other.shared.is_some() && other.shared == note.shared;
            match notes.iter_mut().find(kin) {
                Some(other) => other.take_in(note),
                None => notes.push(note),
            }
        }
    }
    for note in &mut notes {
        note.everyone = measured > 1 && note.contenders.len() == measured;
    }
    notes.sort_by_key(|note| note.mark != Mark::Invalid);
    notes
}

/// The notes on the trials of one transport, each kind once.
fn of_transport(contender: Contender, trials: &[&TrialRecord]) -> Vec<Note> {
    let blank = |mark, trials| Note {
        mark,
        contenders: vec![contender],
        everyone: false,
        text: String::new(),
        remedy: "",
        trials,
        again: false,
        shared: None,
        weight: 0.0,
        worst: None,
    };
    let invalid = trials.iter().flat_map(|trial| &trial.invalid);
    let invalid = worst_of_each(invalid, discriminant, gravity);
    let invalid = invalid.into_iter().map(|(worst, some)| Note {
        text: worst.to_string(),
        remedy: worst.remedy(),
        shared: is_of_the_machine(worst).then(|| Kind::Invalid(discriminant(worst))),
        weight: gravity(worst),
        again: trials.iter().filter(|trial| !trial.is_valid()).all(|trial| is_repeat(trial)),
        ..blank(Mark::Invalid, (some, trials.len()))
    });
    let valid: Vec<_> = trials.iter().filter(|trial| trial.is_valid()).collect();
    let warnings = valid.iter().flat_map(|trial| &trial.warnings);
    let warnings = worst_of_each(warnings, kind, weight);
    let warnings = warnings.into_iter().map(|(worst, some)| Note {
        text: worst.to_string(),
        remedy: worst.remedy(),
        shared: is_of_the_instrument(worst).then(|| Kind::Warning(discriminant(worst))),
        weight: weight(worst),
        ..blank(Mark::Warning, (some, valid.len()))
    });
    invalid.chain(warnings).collect()
}

/// Whether it says something of machine or instrument that any transport may meet with.
const fn is_of_the_machine(invalid: &Invalid) -> bool {
    matches!(
        invalid,
        Invalid::LoadSaturated { .. }
            | Invalid::MachineStalled { .. }
            | Invalid::InstrumentStalled(_)
            | Invalid::RouterStalled(_)
            | Invalid::Throttled(_)
            | Invalid::MachineBusy(_)
            | Invalid::ClockStepped { .. }
            | Invalid::Suspended { .. }
    )
}

/// The same of a warning; the others are findings about a transport.
const fn is_of_the_instrument(warning: &Warning) -> bool {
    matches!(
        warning,
        Warning::PublisherLate(_)
            | Warning::LoadLate(_)
            | Warning::LoadPart(_)
            | Warning::Stamps { .. }
            | Warning::FewMessages { .. }
            | Warning::Unverified
            | Warning::ForeignClock
            | Warning::ServerUnknown
            | Warning::OthersBusy(_)
            | Warning::ShortStalls { .. }
            | Warning::InstrumentStalls(_)
            | Warning::RouterStalls(_)
            | Warning::Throttled(_)
            | Warning::OneCore
            | Warning::TimeStolen { .. }
    )
}

/// The kind of a warning: of what rules found, each thing is one.
fn kind(warning: &Warning) -> (Discriminant<Warning>, Option<Discriminant<Finding>>) {
    let finding = match warning {
        Warning::Found(finding) => Some(discriminant(finding)),
        _ => None,
    };
    (discriminant(warning), finding)
}

/// Of each kind the worst, and how many there are, in the order of their first.
fn worst_of_each<'a, T, K: PartialEq>(
    items: impl Iterator<Item = &'a T>,
    kind: impl Fn(&T) -> K,
    gravity: impl Fn(&T) -> f64,
) -> Vec<(&'a T, usize)> {
    let mut kinds: Vec<(K, &T, usize)> = Vec::new();
    for item in items {
        let its = kind(item);
        match kinds.iter_mut().find(|(kind, ..)| *kind == its) {
            Some((_, worst, some)) => {
                *some += 1;
                if gravity(item) > gravity(worst) {
                    *worst = item;
                }
            }
            None => kinds.push((its, item, 1)),
        }
    }
    kinds.into_iter().map(|(_, worst, some)| (worst, some)).collect()
}

/// The weight that tells which of two reasons of a kind is the worse.
#[expect(clippy::cast_precision_loss, reason = "only their order counts")]
fn gravity(invalid: &Invalid) -> f64 {
    match invalid {
        Invalid::ClientsMissing { connected, wanted, .. } => {
            f64::from(*wanted) - f64::from(*connected)
        }
        Invalid::AttemptsUsed(used) => used.clients as f64,
        Invalid::LoadSaturated { share } => *share,
        Invalid::MachineStalled { worst, .. }
        | Invalid::InstrumentStalled(Standstill { worst, .. })
        | Invalid::RouterStalled(RouterStalls { worst, .. }) => worst.as_secs_f64(),
        Invalid::RouterLate { p99, .. } => p99.as_secs_f64(),
        Invalid::Throttled(HeldBack { share, .. }) => *share,
        Invalid::MachineBusy(busy) => busy.share,
        Invalid::BeforeDue { early, .. } => early.as_secs_f64(),
        Invalid::LostToErrors { lost, .. } => *lost as f64,
        Invalid::StampedAhead { worst, .. } => worst.by.as_secs_f64(),
        _ => 0.0,
    }
}

/// The weight that tells which of two warnings of a kind is the worse.
#[expect(clippy::cast_precision_loss, reason = "only their order counts")]
fn weight(warning: &Warning) -> f64 {
    match warning {
        Warning::ServerSaturated { share, .. } => *share,
        Warning::PublisherLate(lag) | Warning::LoadLate(lag) => lag.us,
        Warning::Lost { messages }
        | Warning::Late { messages }
        | Warning::Duplicated { messages } => *messages as f64,
        Warning::Room { doubt } => doubt.weight(),
        Warning::FellSilent(silence) => silence.clients as f64,
        Warning::FallsBehind { to_us, .. } => *to_us,
        Warning::Reconnects { count }
        | Warning::NotBack { times: count }
        | Warning::Errors { count, .. }
        | Warning::ProtocolErrors { count, .. }
        | Warning::PollsSkipped { count } => *count as f64,
        Warning::OtherEvents { events } => events.total() as f64,
        Warning::AttemptsUsed(used) => used.clients as f64,
        Warning::BrowserStops(stops) => stops.clients as f64,
        Warning::EarlyAnswers { count } => *count as f64,
        Warning::LoadPart(part) => part.latency_us / part.without_us,
        Warning::LatencyOffModel { ks, .. } => *ks,
        Warning::ShareOffModel { measured, expected, .. } => (measured - expected).abs(),
        Warning::FewMessages { messages } => -(*messages as f64),
        Warning::OthersBusy(busy) => busy.share,
        Warning::Found(finding) => finding.weight(),
        Warning::ShortStalls { share, .. }
        | Warning::InstrumentStalls(Standstill { share, .. })
        | Warning::RouterStalls(RouterStalls { share, .. })
        | Warning::Throttled(HeldBack { share, .. })
        | Warning::TimeStolen { share } => *share,
        _ => 0.0,
    }
}

/// The lack of the run as a whole; `None` where it is complete.
pub(crate) fn partial(record: &RunRecord) -> Option<String> {
    if record.partial && record.capacity.is_some() {
        let done = human::plural(record.trials.len(), "trial");
        return Some(format!("This search was cut short after {done}: its answer is not whole."));
    }
    record.partial.then(|| {
        let rounds = record.scenario.runs as usize;
        let planned = rounds * record.points.len() * record.scenario.contenders.len();
        let done = record.standing().count();
        format!(
            "This run is partial, it was cut short: {} of {} planned. What is here is complete, but compare with care.",
            human::plural(done, "trial"),
            human::count(planned as u64)
        )
    })
}
