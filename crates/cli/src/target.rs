//! A server that runs already: its address, and what it says of its feed.

use std::cell::Cell;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use pushbench_core::MonoInstant;
use pushbench_core::feed::{FEED_FORMAT, FeedDescription, MAX_FEED_BYTES};
use pushbench_core::instant::saturating_nanos;
use pushbench_core::schedule::{Checkpoint, HORIZON, Schedule, WalkError};
use pushbench_probe::clock;
use pushbench_report::bounded;
use serde::Deserialize;

use crate::exit::Failure;
use crate::interrupt;

/// How much longer than [`HORIZON`] before a trial its schedule is walked: until the load processes
/// have their orders.
const MARGIN: Duration = Duration::from_secs(2);

/// How far ahead a feed may begin: in a trial that waited longer, nothing would be due.
const LONGEST_AHEAD: Duration = Duration::from_secs(60);

/// A running pushbench server, one that implements its endpoints, or any other that sends a feed
/// which a file describes.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// As the user names it.
    url: String,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its feed, as it was when asked.
    pub(crate) feed: FeedDescription,
    /// Whether its instants are on this machine's clock.
    pub(crate) same_clock: bool,
    /// The feed's zero, on this machine's clock; where the server has another, as estimated from
    /// its newest message.
    pub(crate) origin: MonoInstant,
    /// Where a server that is none of ours offers its transport; the feed is then as a file says.
    pub(crate) foreign_path: Option<String>,
    /// How far the schedule has been walked: each trial goes on from there.
    walked: Cell<Checkpoint>,
}

impl Target {
    /// Where `url` leads, without asking anybody there.
    ///
    /// # Errors
    ///
    /// A URL that is none, or a host that is not known.
    pub(crate) fn address_of(url: &str) -> Result<SocketAddr, Failure> {
        resolve(url)
    }

    /// Resolves `url` and asks for the feed.
    ///
    /// # Errors
    ///
    /// A URL that is none, a server that cannot be reached, or one that is no pushbench server.
    pub(crate) fn reach(url: &str) -> Result<Self, Failure> {
        let address = resolve(url)?;
        Self::new(url, address, describe(url, address)?).map_err(Failure::Failed)
    }

    /// Resolves `url` and takes what `file` says of the feed that is published there at `path`.
    ///
    /// # Errors
    ///
    /// A URL that is none, or a file that describes no feed whose instants are known.
    pub(crate) fn foreign(url: &str, file: &Path, path: String) -> Result<Self, Failure> {
        let text = bounded::read_text(file, MAX_FEED_BYTES)
            .with_context(|| format!("cannot read the feed {}", file.display()))
            .map_err(Failure::Usage)?;
        let feed = understand(&text)
            .with_context(|| format!("{} is no feed, as GET /feed answers one", file.display()))
            .map_err(Failure::Usage)?;
        if feed.origin.is_none() {
            return Err(Failure::usage(anyhow!(
                "{} has no `origin`: when the feed's first instant was, in nanoseconds of the \
                 monotonic clock",
                file.display()
            )));
        }
        let target = Self::new(url, resolve(url)?, feed).map_err(Failure::Usage)?;
        Ok(Self { foreign_path: Some(path), ..target })
    }

    fn new(url: &str, address: SocketAddr, feed: FeedDescription) -> anyhow::Result<Self> {
        let same_clock = !feed.boot_id.is_empty() && feed.boot_id == clock::boot_id();
        let ahead = feed.origin.unwrap_or_default().saturating_since(clock::now());
        if same_clock && ahead > LONGEST_AHEAD {
            return Err(anyhow!(
                "the feed at {url} begins in {ahead:.0?}, as its `origin` has it, which is to be \
                 nanoseconds of this machine's monotonic clock"
            ));
        }
        if feed.schedule == Schedule::Manual {
            return Err(anyhow!(
                "the feed at {url} is published by hand, so no message is ever due; start its \
                 server with a schedule, such as `--rate 10/s`"
            ));
        }
        let origin = match feed.origin {
            Some(origin) if same_clock => origin,
            _ => estimated_origin(&feed).with_context(|| unknown_instants(url))?,
        };
        let walked = Cell::new(feed.checkpoint);
        let url = url.to_owned();
        let target = Self { url, address, feed, same_clock, origin, foreign_path: None, walked };
        // That it can be walked is found here, before anything is written.
        target.checkpoint_before(clock::now())?;
        Ok(target)
    }

    /// A place in the schedule from which all messages follow that a trial may bring which begins
    /// at `warmup`. Takes as long as what has passed since it was asked for last.
    ///
    /// # Errors
    ///
    /// A feed whose instants cannot be known.
    pub(crate) fn checkpoint_before(&self, warmup: MonoInstant) -> anyhow::Result<Checkpoint> {
        let unknown = || unknown_instants(&self.url);
        let now = warmup.saturating_since(self.origin);
        let given = self.walked.get();
        #[expect(clippy::cast_precision_loss, reason = "a checkpoint is a minute away")]
        if given.elapsed_ns > saturating_nanos(now) as f64 {
            let elapsed = given.elapsed_ns;
            return Err(anyhow!(
                "its `checkpoint`, {elapsed} ns after the feed's origin, is still to come; leave \
                 it out, or say the right `origin`"
            ))
            .with_context(unknown);
        }
        let asked_ns = saturating_nanos(now.saturating_sub(HORIZON + MARGIN));
        let place = self.feed.schedule.seek(self.feed.seed, given, asked_ns);
        let place = place.with_context(unknown)?;
        self.walked.set(place);
        Ok(place)
    }

    /// Whether the server still answers with the feed that it had when it was reached; `None` where
    /// the user wants an end before it answers.
    pub(crate) fn is_the_same(&self) -> Option<bool> {
        if self.foreign_path.is_some() {
            return Some(true);
        }
        let (url, address) = (self.url.clone(), self.address);
        // A server that stands still answers late or never.
        let asked = interrupt::unless_interrupted(move || describe(&url, address))?;
        let then = &self.feed;
        Some(asked.is_ok_and(|now| {
            then.id == now.id && then.origin == now.origin && then.schedule == now.schedule
        }))
    }
}

/// The zero of a feed whose newest message is taken to have been due just now.
fn estimated_origin(feed: &FeedDescription) -> Result<MonoInstant, WalkError> {
    let elapsed = feed.schedule.offset_of(feed.seed, feed.checkpoint, feed.newest)?;
    Ok(clock::now() - Duration::from_nanos(elapsed.unwrap_or(0)))
}

/// What cannot be told where a schedule cannot be walked.
fn unknown_instants(url: &str) -> String {
    format!("cannot tell when the messages of the feed at {url} are due")
}

fn resolve(url: &str) -> Result<SocketAddr, Failure> {
    let malformed =
        || Failure::usage(anyhow!("`{url}` is no target; write it like http://127.0.0.1:8080"));
    let rest = url.strip_prefix("http://").ok_or_else(malformed)?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.is_empty() || authority.contains(['/', '?', '#', '@']) {
        return Err(malformed());
    }
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let authority = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let mut found = authority
        .to_socket_addrs()
        .map_err(|error| Failure::failed(anyhow!("cannot find the host of {url}: {error}")))?;
    found.next().ok_or_else(malformed)
}

fn describe(url: &str, address: SocketAddr) -> Result<FeedDescription, Failure> {
    let expected = "expected a pushbench server that answers GET /feed";
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .proxy(None)
        .build()
        .into();
    let answer = agent.get(format!("http://{address}/feed")).call();
    let read = |mut answer: ureq::http::Response<ureq::Body>| {
        answer.body_mut().with_config().limit(MAX_FEED_BYTES).read_to_string()
    };
    let text = answer.and_then(read).map_err(|error| {
        Failure::failed(anyhow!("cannot get the feed of {url}: {error}; {expected}"))
    })?;
    understand(&text).map_err(|error| {
        let subject =
            format!("{url} is no pushbench server that can be measured: its /feed is no feed");
        Failure::Failed(error.context(subject))
    })
}

/// Reads what `GET /feed` answered, looking at its format before at anything that may have changed
/// with it.
fn understand(text: &str) -> anyhow::Result<FeedDescription> {
    #[derive(Deserialize)]
    struct Head {
        format: String,
    }
    let head: Head = serde_json::from_str(text)?;
    if head.format != FEED_FORMAT {
        let found: String = head.format.chars().take(40).collect();
        return Err(anyhow!(
            "it is of format `{}`, this pushbench reads `{FEED_FORMAT}`; use the same version on \
             both sides",
            found.escape_debug()
        ));
    }
    Ok(serde_json::from_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_host_and_perhaps_a_port() {
        let address = |url| resolve(url).map(|address| address.to_string()).ok();
        assert_eq!(address("http://127.0.0.1:8080").as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(address("http://127.0.0.1/").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(address("http://[::1]:9").as_deref(), Some("[::1]:9"));
        for url in ["127.0.0.1:8080", "https://127.0.0.1", "http://", "http://a/b", "ftp://x"] {
            assert!(address(url).is_none(), "{url}");
        }
    }
}
