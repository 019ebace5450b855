//! A server that runs already: its address, and what it says of its feed.

mod address;
mod url;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use pushbench_core::feed::{FEED_FORMAT, FeedDescription};
use pushbench_core::schedule::Schedule;
use pushbench_core::{MonoInstant, text};
use pushbench_metrics::control::LoadPlan;
use pushbench_probe::clock;

use self::address::Answering;
use self::url::TargetUrl;
use crate::exit::Failure;

/// How far a Poisson feed may have come for its instants to be added up in a second or so.
const OLDEST_POISSON: u64 = 50_000_000;

/// A server's place: its URL, and the addresses of its host.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    url: TargetUrl,
    /// In the system's order, at least one.
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Site {
    /// Where `url` leads, without asking anybody there.
    ///
    /// # Errors
    ///
    /// A URL that is none, or a host that is not known.
    pub(crate) fn find(url: &str) -> Result<Self, Failure> {
        let url = TargetUrl::parse(url)?;
        let addresses = address::resolve(&url)?;
        Ok(Self { url, addresses })
    }

    /// The address that is measured: the first that takes a connection.
    ///
    /// # Errors
    ///
    /// None that does.
    pub(crate) fn connect(self) -> Result<Server, Failure> {
        let answering = address::first_that_answers(&self.url, &self.addresses)?;
        Ok(Server { url: self.url, answering })
    }
}

/// A server that takes connections.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    url: TargetUrl,
    answering: Answering,
}

impl Server {
    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.answering.address
    }

    /// Whether the URL does not say which address it is.
    pub(crate) fn is_worth_naming(&self) -> bool {
        self.url.host.parse() != Ok(self.address().ip())
    }

    /// As people are told of it: the URL, and the address where that is not plain from it.
    pub(crate) fn name(&self) -> String {
        if !self.is_worth_naming() {
            return self.url.text.clone();
        }
        format!("{} at {}", self.url.text, self.answering)
    }

    /// Asks it for its feed.
    fn describe(&self) -> Result<FeedDescription, Failure> {
        let (name, prefix) = (self.name(), &self.url.prefix);
        let expected = format!("expected a pushbench server that answers GET {prefix}/feed");
        let fails = |problem: String| {
            Failure::failed(anyhow!("cannot get the feed of {name}: {problem}; {expected}"))
        };
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .into();
        let request = agent.get(format!("http://{}{prefix}/feed", self.address()));
        let answer = request.header("Host", &self.url.authority).call();
        let mut answer = answer.map_err(|error| fails(error.to_string()))?;
        if answer.status() != 200 {
            return Err(fails(refusal(answer.status().as_u16())));
        }
        let text = answer.body_mut().read_to_string().map_err(|error| fails(error.to_string()))?;
        serde_json::from_str(&text).map_err(|_| {
            Failure::failed(anyhow!(
                "{name} is no pushbench server: its /feed is no feed; {expected}"
            ))
        })
    }
}

/// An answer other than 200, and what it most likely means.
fn refusal(status: u16) -> String {
    let reason = ureq::http::StatusCode::from_u16(status).ok();
    let reason = reason.and_then(|status| status.canonical_reason()).unwrap_or_default();
    let meaning = match status {
        300..=399 => ": --target names where the server really is",
        401 | 403 | 407 => ": it lets nobody in without credentials",
        404 => {
            ": a server of another kind takes `--feed FILE --path PATH`, a prefix of all paths \
                stands in --target"
        }
        421 => ": it does not know itself by this name",
        _ => "",
    };
    format!("it answered {}{meaning}", format!("{status} {reason}").trim_end())
}

/// A running pushbench server, one that implements its endpoints, or any other that sends a feed
/// which a file describes.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    server: Server,
    /// Its feed, as it was when asked.
    pub(crate) feed: FeedDescription,
    /// Whether its instants are on this machine's clock.
    pub(crate) same_clock: bool,
    /// The feed's zero, on this machine's clock; where the server has another, as estimated from
    /// its newest message.
    pub(crate) origin: MonoInstant,
    /// Where a server that is none of ours offers its transport; the feed is then as a file says.
    foreign_path: Option<String>,
    /// The type of the feed's server-sent events, where it is not the default.
    pub(crate) event: Option<String>,
}

impl Target {
    /// Asks `server` for its feed.
    ///
    /// # Errors
    ///
    /// A server that is no pushbench server, or whose feed cannot be measured.
    pub(crate) fn reach(server: Server) -> Result<Self, Failure> {
        let feed = server.describe()?;
        Self::new(server, feed)
    }

    /// Takes it that `server` publishes `feed` at `path`.
    ///
    /// # Errors
    ///
    /// A feed that cannot be measured.
    pub(crate) fn foreign(
        server: Server,
        feed: FeedDescription,
        path: String,
    ) -> Result<Self, Failure> {
        Ok(Self { foreign_path: Some(path), ..Self::new(server, feed)? })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Says in `plan` how the server is asked: by which name, under which paths, and
    /// which of its events are the feed's.
    pub(crate) fn complete(&self, plan: &mut LoadPlan) {
        let TargetUrl { authority, prefix, .. } = &self.server.url;
        plan.host = Some(authority.clone());
        plan.prefix.clone_from(prefix);
        plan.foreign_path.clone_from(&self.foreign_path);
        plan.event.clone_from(&self.event);
    }

    fn new(server: Server, feed: FeedDescription) -> Result<Self, Failure> {
        let url = &server.url.text;
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
        Ok(Self { server, feed, same_clock, origin, foreign_path: None, event: None })
    }

    /// Whether the server still answers with the feed that it had when it was reached.
    pub(crate) fn is_the_same(&self) -> bool {
        if self.foreign_path.is_some() {
            return true;
        }
        self.server.describe().is_ok_and(|now| {
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

/// Reads the description of a feed that a server of another kind publishes.
///
/// # Errors
///
/// A file that describes no feed whose instants are known.
pub(crate) fn read_feed(file: &Path) -> Result<FeedDescription, Failure> {
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
