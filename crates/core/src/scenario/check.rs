//! Checks of what a scenario's types cannot rule out: ranges, empty lists, settings that need each
//! other.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::thresholds::Target;
use super::{MAX_LONG_POLL, MAX_POINTS, Scenario, ScenarioError, ScheduleKind, Values, setting};
use crate::checked::excerpt;
use crate::feed::payload::{MAX_PAYLOAD, PayloadKind};
use crate::feed::schedule::{RATES, check_burst, check_rate, check_span, check_speed};
use crate::figure::{SAMPLES_BEYOND, Unit};
use crate::subject::SubjectName;
use crate::units::{ByteSize, Span};

/// How many clients a point may have.
pub(super) const CLIENTS: RangeInclusive<u64> = 1..=1_000_000;

/// The most trials of a run.
const MAX_TRIALS: usize = 1_000_000;

/// The most characters of a question, and of the name of a file.
const MAX_TEXT: usize = 4096;

impl Scenario {
    /// Checks what the types cannot: ranges, empty lists, settings that need each other.
    ///
    /// # Errors
    ///
    /// The first setting that is out of range, by its key.
    pub fn check(&self) -> Result<(), ScenarioError> {
        self.check_name()?;
        self.check_transports()?;
        check_list("clients", &self.clients, |clients| match clients.0 {
            0 => Err("at least one client is needed".to_owned()),
            number if CLIENTS.contains(&number) => Ok(()),
            _ => Err(format!("{clients} are too many; at most 1000k can be planned")),
        })?;
        check_list("rate", &self.rate, |rate| check_rate(*rate).map_err(|why| why.problem))?;
        self.check_total_rate()?;
        check_list("payload", &self.payload, |size| self.check_payload(*size))?;
        check_list("poll_interval", &self.poll_interval, |span| check_poll_interval(*span))?;
        check_list("long_poll_timeout", &self.long_poll_timeout, |span| {
            check_long_poll_timeout(*span)
        })?;
        check_list("heartbeat", &self.heartbeat, |span| check_heartbeat(*span))?;
        check_list("cookie_bytes", &self.cookie_bytes, |bytes| check_cookie(bytes.0))?;
        let day = Duration::from_secs(86_400);
        within(self.warmup, Duration::ZERO, day).map_err(|why| setting("warmup", why))?;
        within(self.duration, Duration::from_millis(100), day)
            .map_err(|why| setting("duration", why))?;
        if self.runs == 0 || self.runs > 10_000 {
            return Err(setting("runs", "between 1 and 10000 runs can be made"));
        }
        self.check_feed()?;
        self.check_stack()?;
        check_list("via", &self.via, |_| Ok(()))?;
        self.check_subject()?;
        self.check_talk()?;
        self.check_life()?;
        self.check_client()?;
        self.check_thresholds()?;
        self.check_texts()?;
        self.check_extent()?;
        self.check_link()
    }

    /// That somebody else's servers are asked for no more than they know.
    fn check_subject(&self) -> Result<(), ScenarioError> {
        check_list("subject", &self.subject, |_| Ok(()))?;
        let names = self.subject.as_slice();
        names.iter().try_for_each(|name| check_text("subject", name.as_str()))?;
        if names.iter().all(SubjectName::is_own) {
            return Ok(());
        }
        if let Some(name) =
            (1..names.len()).find_map(|at| names[..at].contains(&names[at]).then_some(&names[at]))
        {
            return Err(setting("subject", format!("`{name}` is named twice")));
        }
        if self.heartbeat.as_slice().iter().any(|span| !span.0.is_zero()) {
            let problem = "it is pushbench's own server that sends one; leave it out beside others";
            return Err(setting("heartbeat", problem));
        }
        if self.feed.payload == PayloadKind::Binary {
            return Err(setting(
                "feed.payload",
                "another server than pushbench's is given text alone",
            ));
        }
        Ok(())
    }

    /// How many points and trials there are, without laying them out.
    fn check_extent(&self) -> Result<(), ScenarioError> {
        let points = self.combinations();
        if points > MAX_POINTS {
            let problem =
                format!("the lists span {points} points; at most {MAX_POINTS} can be run");
            return Err(setting("clients", problem));
        }
        let trials = points * self.contenders.len() * self.runs as usize;
        if trials > MAX_TRIALS {
            let problem = format!("{trials} trials are too many; at most {MAX_TRIALS} can be run");
            return Err(setting("runs", problem));
        }
        Ok(())
    }

    /// That texts are such as people write.
    fn check_texts(&self) -> Result<(), ScenarioError> {
        let trace = self.feed.trace.as_deref().unwrap_or_default();
        for (key, text) in [
            ("question", self.question.as_str()),
            ("headers", &self.headers),
            ("feed.trace", trace),
        ] {
            check_text(key, text)?;
        }
        Ok(())
    }

    fn check_total_rate(&self) -> Result<(), ScenarioError> {
        if self.total_rate.is_none() {
            return Ok(());
        }
        if self.feed.schedule == ScheduleKind::Replay {
            return Err(setting("total_rate", "a replay brings its own rate; leave it out"));
        }
        for clients in self.clients.as_slice() {
            let rate = self.rate_of_each(*clients);
            if let Some(rate) = rate.filter(|rate| !RATES.contains(&rate.hz())) {
                let problem = format!(
                    "at {clients} clients each would hear {rate}, which is not within 0.001/s and \
                     1000k/s"
                );
                return Err(setting("total_rate", problem));
            }
        }
        Ok(())
    }

    fn check_name(&self) -> Result<(), ScenarioError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(plain) {
            let problem = format!(
                "`{}` cannot name a folder; use 1 to 64 letters, digits, `-` or `_`",
                excerpt(&self.name, 64).escape_debug()
            );
            return Err(setting("name", problem));
        }
        Ok(())
    }

    fn check_transports(&self) -> Result<(), ScenarioError> {
        if self.contenders.is_empty() {
            return Err(setting("transports", "at least one transport is needed"));
        }
        for (index, contender) in self.contenders.iter().enumerate() {
            if self.contenders[..index].contains(contender) {
                return Err(setting("transports", format!("`{contender}` is named twice")));
            }
        }
        Ok(())
    }

    fn check_payload(&self, size: ByteSize) -> Result<(), String> {
        let (kind, bytes) = (self.feed.payload, usize::try_from(size.0).unwrap_or(usize::MAX));
        if bytes < kind.min_bytes() {
            let least = ByteSize(kind.min_bytes() as u64);
            let one_quote = |kind| {
                format!(
                    "{size} is too small; a {kind} message needs {least}, \
                     a `text` or `binary` one 10B"
                )
            };
            return Err(match kind {
                PayloadKind::Ticker => one_quote("ticker"),
                PayloadKind::Quotes => one_quote("quotes"),
                PayloadKind::Text | PayloadKind::Binary => {
                    format!("{size} is too small; a message needs {least} for its number")
                }
            });
        }
        check_largest(size)
    }

    fn check_thresholds(&self) -> Result<(), ScenarioError> {
        for threshold in self.thresholds.iter() {
            let target = threshold.target;
            if !self.contenders.iter().any(|&contender| target.names(contender)) {
                let names: Vec<&str> = self.contenders.iter().map(|each| each.name()).collect();
                let names = names.join(", ");
                let problem = format!("the transport of {target} is not among those run: {names}");
                return Err(setting("thresholds", problem));
            }
            if target.figure.unit() == Unit::Share && threshold.limit > 1.0 {
                return Err(setting("thresholds", format!("{threshold}: a share is at most 100%")));
            }
            if let Some(met) = threshold.foregone() {
                let value = if met { "every value meets it" } else { "no value meets it" };
                let problem = format!(
                    "{threshold}: {value}, whatever is measured; set a limit \
                    within what {} can be",
                    target.figure.name()
                );
                return Err(setting("thresholds", problem));
            }
            if let Some(beyond) = target.figure.share_beyond() {
                self.check_samples(target, beyond)?;
            }
        }
        Ok(())
    }

    /// Whether each trial will have the latencies that a percentile takes. Those of a replay
    /// depend on its trace and are not foreseen here.
    fn check_samples(&self, target: Target, beyond: f64) -> Result<(), ScenarioError> {
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        #[expect(clippy::cast_precision_loss, reason = "at most 1000k")]
        let clients = least(&mut self.clients.as_slice().iter().map(|clients| clients.0 as f64));
        let rate = match self.feed.schedule {
            ScheduleKind::Replay => return Ok(()),
            _ => least(&mut self.rate.as_slice().iter().map(|rate| rate.hz())),
        };
        let share = match self.feed.schedule {
            ScheduleKind::Burst => {
                let (on, off) = (self.feed.on.0.as_secs_f64(), self.feed.off.0.as_secs_f64());
                on / (on + off)
            }
            _ => 1.0,
        };
        let (needed, samples) =
            (SAMPLES_BEYOND / beyond, clients * rate * share * self.duration.0.as_secs_f64());
        if samples >= needed * (1.0 - 1e-9) {
            return Ok(());
        }
        let problem = format!(
            "{target} needs {needed:.0} latencies in a trial and will have about {samples:.0}; \
             lengthen `duration`, or name a lower percentile"
        );
        Err(setting("thresholds", problem))
    }

    fn check_feed(&self) -> Result<(), ScenarioError> {
        let feed = &self.feed;
        let replays = feed.schedule == ScheduleKind::Replay;
        if replays != feed.trace.is_some() {
            let problem = "`schedule = \"replay\"` and `trace` go together; name a CSV file (also \
                           --trace), or `earthquakes`, which is built in";
            return Err(setting("feed.trace", problem));
        }
        check_list("feed.speed", &feed.speed, |&speed| {
            check_speed(speed).map_err(|why| why.problem)
        })?;
        if feed.schedule == ScheduleKind::Burst {
            let key = |key| if key == "on" { "feed.on" } else { "feed.off" };
            check_burst(feed.on, feed.off).map_err(|why| setting(key(why.key), why.problem))?;
        }
        Ok(())
    }
}

/// Whether a text is such as people write: not endless, and nothing that a terminal obeys.
pub(super) fn check_text(key: &'static str, text: &str) -> Result<(), ScenarioError> {
    let odd = |c: char| c.is_control() && !c.is_whitespace();
    if text.len() <= MAX_TEXT && !text.contains(odd) {
        return Ok(());
    }
    let problem = format!("it has at most {MAX_TEXT} bytes, none of them a control character");
    Err(setting(key, problem))
}

pub(super) fn check_poll_interval(span: Span) -> Result<(), String> {
    within(span, Duration::from_millis(1), Duration::from_secs(3600))
}

pub(super) fn check_long_poll_timeout(span: Span) -> Result<(), String> {
    within(span, Duration::from_millis(100), MAX_LONG_POLL)
}

/// Whether streams may be shown that their server is there after that silence, or never: zero.
pub(super) fn check_heartbeat(span: Span) -> Result<(), String> {
    if span.0.is_zero() {
        return Ok(());
    }
    within(span, Duration::from_millis(100), Duration::from_secs(3600))
}

pub(super) fn check_cookie(bytes: u64) -> Result<(), String> {
    let most = super::MAX_HEADER_BYTES as u64;
    if bytes <= most {
        return Ok(());
    }
    Err(format!("{bytes} are too many; at most {most} are sent"))
}

/// Whether a setting without a unit is within its range.
pub(super) fn check_number(number: u64, range: &RangeInclusive<u64>) -> Result<(), String> {
    if range.contains(&number) {
        return Ok(());
    }
    Err(format!("{number} is not within {} and {}", range.start(), range.end()))
}

/// Whether a message may be as large.
pub(super) fn check_largest(size: ByteSize) -> Result<(), String> {
    if size.0 <= MAX_PAYLOAD as u64 {
        return Ok(());
    }
    Err(format!("{size} is too large; a message has at most 1MiB"))
}

pub(super) fn check_list<T>(
    key: &'static str,
    values: &Values<T>,
    check: impl Fn(&T) -> Result<(), String>,
) -> Result<(), ScenarioError> {
    if values.as_slice().is_empty() {
        return Err(setting(key, "the list is empty"));
    }
    values.as_slice().iter().try_for_each(check).map_err(|problem| setting(key, problem))
}

fn within(span: Span, least: Duration, most: Duration) -> Result<(), String> {
    check_span(span, least..=most)
}
