//! A server that runs already: its address, and what it says of its feed.

use std::fs;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use pushbench_core::feed::{FEED_FORMAT, FeedDescription};
use pushbench_core::schedule::Schedule;
use pushbench_core::{MonoInstant, text};
use pushbench_probe::clock;

use crate::exit::Failure;

/// How far a Poisson feed may have come for its instants to be added up in a second or so.
const OLDEST_POISSON: u64 = 50_000_000;

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
        Self::new(url, address, describe(url, address)?)
    }

    /// Resolves `url` and takes what `file` says of the feed that is published there at `path`.
    ///
    /// # Errors
    ///
    /// A URL that is none, or a file that describes no feed whose instants are known.
    pub(crate) fn foreign(url: &str, file: &Path, path: String) -> Result<Self, Failure> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read the feed {}", file.display()))
            .map_err(Failure::Usage)?;
        let feed: FeedDescription = serde_json::from_str(&text)
            .with_context(|| format!("{} is no feed, as GET /feed answers one", file.display()))
            .map_err(Failure::Usage)?;
        if feed.origin.is_none() {
            return Err(Failure::usage(anyhow!(
                "{} has no `origin`: when the feed's first instant was, in nanoseconds of the \
                 monotonic clock",
                file.display()
            )));
        }
        Ok(Self { foreign_path: Some(path), ..Self::new(url, resolve(url)?, feed)? })
    }

    fn new(url: &str, address: SocketAddr, feed: FeedDescription) -> Result<Self, Failure> {
        check_format(url, &feed)?;
        if feed.newest.0 > OLDEST_POISSON && matches!(feed.schedule, Schedule::Poisson { .. }) {
            return Err(Failure::failed(anyhow!(
                "the feed at {url} is at message {}: the instants of a poisson schedule have to \
                 be added up one by one, which takes too long beyond {OLDEST_POISSON}; start the \
                 server afresh",
                feed.newest
            )));
        }
        if feed.schedule == Schedule::Manual {
            return Err(Failure::failed(anyhow!(
                "the feed at {url} is published by hand, so no message is ever due; start its \
                 server with a schedule, such as `--rate 10/s`"
            )));
        }
        let same_clock = !feed.boot_id.is_empty() && feed.boot_id == clock::boot_id();
        let origin = match feed.origin {
            Some(origin) if same_clock => origin,
            _ => estimated_origin(&feed),
        };
        Ok(Self { url: url.to_owned(), address, feed, same_clock, origin, foreign_path: None })
    }

    /// Whether the server still answers with the feed that it had when it was reached.
    pub(crate) fn is_the_same(&self) -> bool {
        if self.foreign_path.is_some() {
            return true;
        }
        describe(&self.url, self.address).is_ok_and(|now| {
            let (then, now) = (&self.feed, &now);
            then.id == now.id && then.origin == now.origin && then.schedule == now.schedule
        })
    }
}

/// The zero of a feed whose newest message is taken to have been due just now.
fn estimated_origin(feed: &FeedDescription) -> MonoInstant {
    let newest = usize::try_from(feed.newest.0.saturating_sub(1)).unwrap_or(usize::MAX);
    let elapsed = feed.schedule.offsets(feed.seed).nth(newest).unwrap_or(0);
    clock::now() - Duration::from_nanos(elapsed)
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
    let text =
        answer.and_then(|mut answer| answer.body_mut().read_to_string()).map_err(|error| {
            Failure::failed(anyhow!("cannot get the feed of {url}: {error}; {expected}"))
        })?;
    let feed: FeedDescription = serde_json::from_str(&text).map_err(|_| {
        Failure::failed(anyhow!("{url} is no pushbench server: its /feed is no feed; {expected}"))
    })?;
    Ok(feed)
}

fn check_format(url: &str, feed: &FeedDescription) -> Result<(), Failure> {
    if feed.format == FEED_FORMAT {
        return Ok(());
    }
    Err(Failure::failed(anyhow!(
        "the feed of {url} is of format `{}`, this pushbench reads `{FEED_FORMAT}`; use the same \
         version on both sides",
        text::line(&feed.format)
    )))
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
