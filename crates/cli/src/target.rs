//! A server that runs already: its address, and what it says of its feed.

mod address;
mod url;

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use pushbench_core::feed::{FEED_FORMAT, FeedDescription, MAX_FEED_BYTES};
use pushbench_core::instant::saturating_nanos;
use pushbench_core::schedule::{Checkpoint, HORIZON, Schedule, WalkError};
use pushbench_core::{MonoInstant, text};
use pushbench_metrics::record::control::LoadPlan;
use pushbench_os::time::clock;
use pushbench_report::bounded;
use serde::Deserialize;

use self::address::Answering;
use self::url::TargetUrl;
use crate::exit::Failure;
use crate::interrupt;

/// How much longer than [`HORIZON`] before a trial its schedule is walked: until the load processes
/// have their orders.
const MARGIN: Duration = Duration::from_secs(2);

/// How far ahead a feed may begin: in a trial that waited longer, nothing would be due.
const LONGEST_AHEAD: Duration = Duration::from_secs(60);

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

    /// The address that is measured: the only one, or the first that takes a connection.
    ///
    /// # Errors
    ///
    /// Several, and none that does.
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
        let body = answer.body_mut().with_config().limit(MAX_FEED_BYTES).read_to_string();
        let text = body.map_err(|error| fails(error.to_string()))?;
        understand(&text).map_err(|error| {
            let subject =
                format!("{name} is no pushbench server that can be measured: its /feed is no feed");
            Failure::Failed(error.context(subject))
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
    /// How far the schedule has been walked: each trial goes on from there.
    walked: Cell<Checkpoint>,
}

impl Target {
    /// Asks `server` for its feed.
    ///
    /// # Errors
    ///
    /// A server that is no pushbench server, or whose feed cannot be measured.
    pub(crate) fn reach(server: Server) -> Result<Self, Failure> {
        let feed = server.describe()?;
        Self::new(server, feed).map_err(Failure::Failed)
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
        let target = Self::new(server, feed).map_err(Failure::Usage)?;
        Ok(Self { foreign_path: Some(path), ..target })
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

    fn new(server: Server, feed: FeedDescription) -> anyhow::Result<Self> {
        let url = &server.url.text;
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
        let (foreign_path, event) = (None, None);
        let target = Self { server, feed, same_clock, origin, foreign_path, event, walked };
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
        let unknown = || unknown_instants(&self.server.url.text);
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
        let server = self.server.clone();
        // A server that stands still answers late or never.
        let asked = interrupt::unless_interrupted(move || server.describe())?;
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

/// Reads the description of a feed that a server of another kind publishes.
///
/// # Errors
///
/// A file that describes no feed whose instants are known.
pub(crate) fn read_feed(file: &Path) -> Result<FeedDescription, Failure> {
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
    Ok(feed)
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
        return Err(anyhow!(
            "it is of format `{}`, this pushbench reads `{FEED_FORMAT}`; use the same version on \
             both sides",
            text::line(&head.format)
        ));
    }
    Ok(serde_json::from_str(text)?)
}
