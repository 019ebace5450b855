//! Whether what arrived is the feed that was to be measured, and why where nothing is.

use pushbench_core::feed::stamp::LatencyFrom;
use pushbench_metrics::observe::fit::Fit;
use pushbench_metrics::observe::ledger::{Direction, Layer, Phase};
use pushbench_metrics::record::warning::{Invalid, Likely, Misfit, Warning};

use super::{Evidence, findings};

/// The least that a median latency rises over a window for it to be told, µs: a stall in one of two
/// seconds raises it too.
const RISE_US: f64 = 5_000.0;

impl Evidence<'_> {
    /// Why what arrived says nothing about the server; empty where it does.
    pub(crate) fn invalid_arrivals(&self) -> Vec<Invalid> {
        let reasons =
            [self.before_due(), self.another_feed(), self.nothing(), self.mostly_errors()];
        reasons.into_iter().flatten().chain(self.invalid_findings()).collect()
    }

    fn fit(&self) -> &Fit {
        &self.load().measured.fit
    }

    /// On another machine's clock, instants are estimated and early means nothing.
    fn before_due(&self) -> Option<Invalid> {
        let worst = self.fit().worst.filter(|_| self.played.same_clock)?;
        let likely = match self.fit().pace() {
            _ if self.played.is_published_here() => Likely::Clock,
            Some(pace) => Likely::Rate { pace },
            None => Likely::Origin,
        };
        Some(Invalid::BeforeDue {
            seq: worst.seq,
            early: worst.by,
            messages: self.fit().early,
            likely,
        })
    }

    /// Of a server that this run started the feed is known, and what does not fit is its doing.
    fn another_feed(&self) -> Option<Invalid> {
        if self.played.is_published_here() {
            return None;
        }
        let (fit, measured) = (self.fit(), &self.load().measured);
        let ahead = || Some(Misfit::Ahead { messages: fit.ahead, first: fit.first_ahead? });
        let faster =
            || Some(Misfit::Faster { pace: fit.pace().filter(|_| self.played.same_clock)? });
        let gaps = || {
            // What failed, or was sent while clients were away, they lack alike too.
            let counters = &measured.counters;
            let smooth = counters.connections_lost + counters.errors == 0;
            let gaps = measured.audit.gaps.filter(|gaps| smooth && gaps.are_of_the_feed())?;
            let (clients, messages) = (gaps.clients, gaps.messages);
            Some(Misfit::Gaps { clients, messages, first: gaps.first? })
        };
        let sign = faster().or_else(ahead).or_else(gaps)?;
        Some(Invalid::NotThisFeed { sign })
    }

    /// That each second's messages took longer than those of the second before, and more than twice
    /// as long in the end: a feed that is slower than described looks so, and a server that does not
    /// keep up, which only those who know it can tell apart.
    pub(crate) fn falls_behind(&self) -> Option<Warning> {
        let has_schedule = self.played.latency_from == LatencyFrom::Schedule;
        if self.played.is_published_here() || !self.played.same_clock || !has_schedule {
            return None;
        }
        let seconds = self.load().measured.series.rows();
        let medians: Vec<f64> = seconds.filter_map(|second| second.latency_p50_us).collect();
        let (&from_us, &to_us) = (medians.first()?, medians.last()?);
        let rises = medians.is_sorted_by(|one, next| one < next);
        let matters = to_us - from_us > from_us.max(RISE_US);
        (rises && matters).then_some(Warning::FallsBehind { from_us, to_us })
    }

    fn nothing(&self) -> Option<Invalid> {
        let audit = &self.load().measured.audit;
        let nothing = audit.expected > 0 && audit.delivered + audit.superseded == 0;
        nothing.then(|| Invalid::NothingArrived { due: audit.published, cause: self.cause() })
    }

    /// The first that came on the wire instead of the messages that were due.
    fn cause(&self) -> String {
        let (fit, measured) = (self.fit(), &self.load().measured);
        let (audit, counters) = (&measured.audit, &measured.counters);
        if let Some(error) = self.load().errors.first() {
            return error.clone();
        }
        let found = self.load().found.as_ref();
        let untaken = || found.filter(|_| audit.newest == 0).and_then(findings::untaken);
        if let Some(words) = found.and_then(findings::unread).or_else(untaken) {
            return words;
        }
        if let Some(first) = fit.first_ahead {
            let ruled = found
                .map_or("", |_| ". Does `seq` of the rules find the numbers that were published?");
            return format!("messages came that are not due yet, the least of them {first}{ruled}");
        }
        let (newest, first) = (audit.newest, self.played.timing.window.first);
        if let Some(silence) = measured.silence.filter(|_| newest > 0) {
            return silence.to_string();
        }
        if audit.late > 0 && newest > 0 {
            return format!(
                "messages came, but the newest was {newest} when the trial ended, and {first} the first \
                 one due: the feed is slower than described, or the path carries less"
            );
        }
        if newest > 0 {
            return format!(
                "messages came, up to {newest}, but none from {first} to {}",
                self.played.timing.window.last
            );
        }
        if let Some(last) = fit.last_behind {
            return format!("only messages came that were due long before, up to {last}");
        }
        match self.bytes_down() {
            0 if counters.empty_responses > 0 => {
                format!("{} answers came, each without a message", counters.empty_responses)
            }
            0 => "no byte came once the clients were connected".to_owned(),
            bytes => format!(
                "{bytes} bytes came, none of them a message's: comments, or events of a type that is \
                 not the feed's"
            ),
        }
    }

    /// Bytes from the server since the clients were connected, those of answers' heads left out.
    pub(super) fn bytes_down(&self) -> u64 {
        let ledger = &self.load().measured.ledger;
        let phases = [Phase::Warmup, Phase::Window, Phase::Drain];
        let layers = [Layer::Payload, Layer::Framing];
        let each = phases.into_iter().flat_map(|phase| layers.map(|layer| (phase, layer)));
        each.map(|(phase, layer)| ledger.phase(phase).get(Direction::Down, layer)).sum()
    }

    fn mostly_errors(&self) -> Option<Invalid> {
        let (audit, counters) = (&self.load().measured.audit, &self.load().measured.counters);
        let (lost, errors) = (audit.lost, counters.protocol_errors);
        let (expected, first) = (audit.expected, self.load().first_protocol_error.clone());
        let most = audit.delivered > 0 && errors > 0 && lost > expected / 2;
        most.then_some(Invalid::LostToErrors { lost, expected, errors, first })
    }
}
