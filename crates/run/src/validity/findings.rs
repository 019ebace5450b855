//! Whether messages were found by rules, and what their numbers and stamps say of the sender.

use std::collections::BTreeMap;
use std::time::Duration;

use pushbench_core::Delivery;
use pushbench_core::feed::stamp::LatencyFrom;
use pushbench_core::rules::Found;
use pushbench_metrics::observe::seen::Senders;
use pushbench_metrics::record::warning::{Finding, Invalid, Warning};

use super::{Evidence, any};

impl Evidence<'_> {
    fn senders(&self) -> Option<&Senders> {
        self.load().measured.senders.as_ref()
    }

    /// Why what was found says nothing about the server; empty where it does.
    pub(super) fn invalid_findings(&self) -> Vec<Invalid> {
        let Some(senders) = self.senders() else { return Vec::new() };
        let nothing = self.load().measured.audit.delivered == 0;
        let nothing = nothing.then(|| Invalid::NothingFound {
            cause: self.why_nothing(senders),
            by_rules: self.rules_took_nothing(senders),
        });
        let stamps = senders.stamps;
        let ahead = stamps.worst.map(|worst| Invalid::StampedAhead {
            worst,
            messages: stamps.ahead,
            clock: self.played.timing.stamps.unwrap_or_default().clock,
        });
        nothing.into_iter().chain(ahead).chain(self.shared_numbers()).collect()
    }

    /// That on a stream most numbers had come before. Who asks for the newest gets it again and again, and
    /// who comes again may be sent all from the start.
    fn shared_numbers(&self) -> Option<Invalid> {
        let (audit, counters) = (&self.load().measured.audit, &self.load().measured.counters);
        let (repeats, delivered) = (audit.duplicated, audit.delivered);
        let stayed = self.id.contender.shape().streams() && counters.reconnects == 0;
        (stayed && repeats > delivered).then_some(Invalid::SharedNumbers { repeats, delivered })
    }

    /// Whether all that came, and something did, was nothing to the rules.
    fn rules_took_nothing(&self, senders: &Senders) -> bool {
        let (load, audit) = (self.load(), &self.load().measured.audit);
        let found = load.found.as_ref();
        let came = found.is_some_and(|found| found.unreadable > 0 || found.unmatched > 0);
        came && audit.newest == 0 && senders.stamps.stamped == 0
    }

    /// The first that came instead of a message of the window.
    fn why_nothing(&self, senders: &Senders) -> String {
        let (load, audit) = (self.load(), &self.load().measured.audit);
        let found = load.found.clone().unwrap_or_default();
        if audit.newest > 0 || senders.stamps.stamped > 0 {
            let newest = audit.newest;
            return match senders.stamps.soonest {
                Some(after) => format!(
                    "messages came, the newest of them {newest}, but by its stamp none is of the \
                     window: the least old came {} after its instant; does --stamp name their unit \
                     and clock?",
                    old(after)
                ),
                None => format!(
                    "messages came, the newest of them {newest}, but none of them in the window"
                ),
            };
        }
        if let Some(words) = unread(&found).or_else(|| untaken(&found)) {
            return words;
        }
        if let Some(error) = load.errors.first() {
            return error.clone();
        }
        match (self.bytes_down(), load.measured.counters.empty_responses) {
            (0, 0) => "no byte came once the clients were connected".to_owned(),
            (0, answers) => format!("{answers} answers came, each without a message"),
            (_, _) if found.ignored > 0 => {
                format!("{} texts came, and --ignore took all of them", found.ignored)
            }
            (bytes, _) => format!("{bytes} bytes came, and no whole message in them"),
        }
    }

    /// Things to know of messages that rules found.
    pub(super) fn of_findings(&self) -> Vec<Warning> {
        let mut all = self.of_rules();
        let Some(senders) = self.senders() else { return all };
        let restarts = senders.restarts.clone();
        let restarts = restarts.map(|(counter, restarts)| Finding::Restarted { counter, restarts });
        // Whoever asks for the newest misses those between, as was to be.
        let newest =
            self.plan.scenario.delivery == Delivery::Latest && self.id.contender.shape().asks();
        let missing =
            any(senders.missing).filter(|_| !newest).map(|numbers| Finding::NobodyGot { numbers });
        let still = senders.stillness.map(Finding::StoodStill);
        let by = Duration::from_nanos(self.played.clock_step_ns);
        let stamped = self.played.latency_from == LatencyFrom::Stamp;
        let set = (stamped && !by.is_zero()).then_some(Finding::ClockSet { by });
        let findings = [restarts, missing, still, set, self.coarse(senders)];
        all.extend(findings.into_iter().flatten().map(Warning::Found));
        all
    }

    /// Things that came and that rules did not take.
    fn of_rules(&self) -> Vec<Warning> {
        let found = self.load().found.clone().unwrap_or_default();
        let unmatched = any(found.unmatched).map(|count| Finding::Unmatched {
            count,
            first: found.first_unmatched,
            other: found.other_unmatched,
        });
        let unreadable = any(found.unreadable).map(|count| Finding::Unreadable {
            count,
            first: found.first_unreadable,
            other: found.other_unreadable,
        });
        let never = never_replied(&found.replied, self.load().measured.counters.reconnects);
        unmatched.into_iter().chain(unreadable).chain(never).map(Warning::Found).collect()
    }

    /// Stamps in a unit that is at least as long as the median latency counted from them.
    fn coarse(&self, senders: &Senders) -> Option<Finding> {
        let unit = Duration::from_nanos(senders.stamps.unit_ns);
        let median = self.load().measured.latency.percentile_us(0.5)?;
        let median = Duration::from_secs_f64(median.max(0.0) / 1e6);
        let is_coarse = self.played.latency_from == LatencyFrom::Stamp && median <= unit;
        is_coarse.then_some(Finding::CoarseStamps { unit, median })
    }
}

/// That messages could not be read: the first of them, and the last that is another.
pub(super) fn unread(found: &Found) -> Option<String> {
    let first = found.first_unreadable.as_ref()?;
    let other = and_later(found.other_unreadable.as_ref());
    Some(format!("{} messages could not be read: the first, {first}{other}", found.unreadable))
}

/// That texts were taken by no rule: the first of them, and the last that is another.
pub(super) fn untaken(found: &Found) -> Option<String> {
    let first = found.first_unmatched.as_ref()?;
    let other = and_later(found.other_unmatched.as_ref());
    Some(format!("{} texts were taken by no rule: the first, {first}{other}", found.unmatched))
}

/// Answers that were never given, where clients came again: that may be why they were let go. Who is not
/// asked within the trial has nothing to answer.
fn never_replied(
    replied: &BTreeMap<String, u64>,
    reconnects: u64,
) -> impl Iterator<Item = Finding> {
    let never = replied.iter().filter(move |(_, count)| **count == 0 && reconnects > 0);
    never.map(|(expression, _)| Finding::NeverReplied { expression: expression.clone() })
}

fn and_later(other: Option<&String>) -> String {
    other.map(|other| format!(", and later {other}")).unwrap_or_default()
}

/// An age of any length, to be compared with what it should be.
fn old(age: Duration) -> String {
    const DAY: f64 = 86_400.0;
    match age.as_secs_f64() {
        seconds if seconds < 1_000.0 => format!("{seconds:.1} s"),
        seconds if seconds < 2.0 * DAY => format!("{:.1} hours", seconds / 3_600.0),
        seconds if seconds < 1_000.0 * DAY => format!("{:.0} days", seconds / DAY),
        seconds => format!("{:.0} years", seconds / (365.25 * DAY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_never_given_is_told_where_the_server_let_clients_go() {
        let replied = BTreeMap::from([("ping".to_owned(), 0), ("2".to_owned(), 7)]);
        let told: Vec<Finding> = never_replied(&replied, 20).collect();
        let never = Finding::NeverReplied { expression: "ping".to_owned() };
        assert_eq!(told, std::slice::from_ref(&never));
        assert!(never.to_string().contains("`ping` of --reply"), "{never}");
        assert_eq!(never_replied(&replied, 0).count(), 0, "nobody asked, perhaps");
    }
}
