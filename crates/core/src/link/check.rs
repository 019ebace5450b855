//! Rules of a link: what can be emulated, and which settings need each other.

use std::time::Duration;

use super::{BurstLength, Link, QueueLimit, Scope};
use crate::units::{BitRate, Share, Span};

/// The longest delay in one direction, to the Moon and back four times over.
const MAX_DELAY: Duration = Duration::from_secs(10);

/// The longest that packets may wait: what waits is held in memory.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The most bytes that may wait.
const MAX_WAITING: u64 = 1 << 30;

/// The most connections of cross traffic in a direction: each is a thread at either end.
const MAX_FLOWS: u32 = 64;

/// Rates of lines, in bit/s: at fewer a packet of 1500 bytes takes more than ten seconds.
const RATES: std::ops::RangeInclusive<u64> = 1_000..=100_000_000_000;

/// A link that cannot be emulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct LinkError {
    /// The setting, as a scenario spells it.
    pub key: &'static str,
    /// The problem, and what would be right.
    pub problem: String,
}

impl Link {
    /// Checks what the types cannot: ranges, and settings that need each other.
    ///
    /// # Errors
    ///
    /// The first setting that is out of range, by its key.
    pub fn check(&self) -> Result<(), LinkError> {
        let Self { delay, jitter, loss, down, up, queue, .. } = self;
        each("link.delay", delay.each(), |delay| check_delay(*delay))?;
        let jitters = [(jitter.down, delay.down), (jitter.up, delay.up)];
        each("link.jitter", jitters.iter(), |&(jitter, delay)| check_jitter(jitter, delay))?;
        each("link.loss", loss.each(), |loss| check_loss(*loss))?;
        self.check_burst()?;
        each("link.down", down, |rate| check_rate(*rate))?;
        each("link.up", up, |rate| check_rate(*rate))?;
        each("link.queue", queue.each(), |limit| check_queue(*limit))?;
        each("link.load_down", [&self.load_down], |flows| check_flows(*flows))?;
        each("link.load_up", [&self.load_up], |flows| check_flows(*flows))?;
        self.check_mtu()?;
        self.check_load()?;
        self.check_needs()
    }

    fn check_mtu(&self) -> Result<(), LinkError> {
        let (mtu, least) = (self.mtu, self.ip_version.least_mtu());
        if mtu >= least {
            return Ok(());
        }
        let title = self.ip_version.title();
        let problem = format!("{mtu} bytes are too few; {title} needs links of at least {least}");
        Err(LinkError { key: "link.mtu", problem })
    }

    fn check_burst(&self) -> Result<(), LinkError> {
        let Some(burst) = self.burst else { return Ok(()) };
        let pairs = [(self.loss.down, burst.down), (self.loss.up, burst.up)];
        each("link.burst", pairs.iter(), |&(loss, burst)| {
            let least = BurstLength::least(loss);
            if burst.packets() >= least {
                return Ok(());
            }
            let least = (least * 100.0).ceil() / 100.0;
            Err(format!(
                "a loss of {loss} comes at least {least} packets in a row; raise it, or lower the loss"
            ))
        })
    }

    /// The needs of cross traffic: a line that it can fill, and that is the feed's too.
    fn check_load(&self) -> Result<(), LinkError> {
        let loads = [
            ("link.load_down", self.load_down, self.down, "down"),
            ("link.load_up", self.load_up, self.up, "up"),
        ];
        for (key, _, rate, way) in loads.into_iter().filter(|(_, flows, ..)| *flows > 0) {
            let problem = if rate.is_none() {
                format!("nothing fills a line without a rate; set `{way}`, or leave it out")
            } else if self.scope != Scope::Shared {
                "it takes a line that all share; set `scope = \"shared\"` in `[link]`, or leave it \
                 out"
                .to_owned()
            } else {
                continue;
            };
            return Err(LinkError { key, problem });
        }
        Ok(())
    }

    /// Settings that say nothing without another.
    fn check_needs(&self) -> Result<(), LinkError> {
        let default = Self::default();
        let needs = [
            (
                "link.burst",
                self.burst.is_some() && self.loss == default.loss,
                "nothing is lost; set `loss`",
            ),
            (
                "link.queue",
                self.queue != default.queue && self.down.is_none() && self.up.is_none(),
                "nothing waits in front of a line without a rate; set `down` or `up`",
            ),
            (
                "link.reorder",
                self.reorder && self.jitter == default.jitter,
                "nothing overtakes where all delays are the same; set `jitter`",
            ),
        ];
        let unmet = needs.into_iter().find(|(_, is_unmet, _)| *is_unmet);
        let error =
            |(key, _, remedy)| LinkError { key, problem: format!("{remedy}, or leave it out") };
        unmet.map_or(Ok(()), |need| Err(error(need)))
    }
}

fn each<'a, T: 'a>(
    key: &'static str,
    values: impl IntoIterator<Item = &'a T>,
    check: impl Fn(&T) -> Result<(), String>,
) -> Result<(), LinkError> {
    values.into_iter().try_for_each(check).map_err(|problem| LinkError { key, problem })
}

fn check_delay(delay: Span) -> Result<(), String> {
    if delay.0 <= MAX_DELAY {
        return Ok(());
    }
    Err(format!("{delay} is too long; at most {} can be emulated", Span(MAX_DELAY)))
}

fn check_jitter(jitter: Span, delay: Span) -> Result<(), String> {
    if jitter <= delay {
        return Ok(());
    }
    Err(format!(
        "{jitter} to either side of a delay of {delay} would have packets arrive before they are \
         sent; make it at most the delay"
    ))
}

fn check_loss(loss: Share) -> Result<(), String> {
    if (0.0..1.0).contains(&loss.0) {
        return Ok(());
    }
    Err(format!("of {loss} nothing would arrive; it must be below 100%"))
}

fn check_rate(rate: BitRate) -> Result<(), String> {
    if RATES.contains(&rate.bits()) {
        return Ok(());
    }
    Err(format!("{rate} is not within 1kbit/s and 100Gbit/s"))
}

fn check_flows(flows: u32) -> Result<(), String> {
    if flows <= MAX_FLOWS {
        return Ok(());
    }
    Err(format!("{flows} connections are too many; at most {MAX_FLOWS} fill a line"))
}

fn check_queue(limit: QueueLimit) -> Result<(), String> {
    let is_within = match limit {
        QueueLimit::Time(span) => span.0 <= MAX_WAIT,
        QueueLimit::Bytes(size) => size.0 <= MAX_WAITING,
    };
    if is_within {
        return Ok(());
    }
    Err(format!("{limit} is too much; at most 1m or 1GiB can wait"))
}
