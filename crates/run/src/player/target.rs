//! A server that runs already: its address, and its own description of its feed.

mod address;
mod feed;
mod url;

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use pushbench_core::feed::schedule::WalkError;
use pushbench_core::feed::{FEED_FORMAT, FeedDescription, MAX_FEED_BYTES};
use pushbench_core::rules::Rules;
use pushbench_core::security::{ClientSecurity, Trust};
use pushbench_core::text;
use pushbench_core::tls::Tls;
use pushbench_metrics::record::control::Subject;
use pushbench_metrics::record::proxy::Named;
use pushbench_os::net::source;
use pushbench_tls::TlsError;
use serde::Deserialize;
use thiserror::Error;
use ureq::Body;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use self::address::Answering;
pub use self::feed::KnownFeed;
use self::url::TargetUrl;

/// How long a server that may be gone is given to take a connection.
const PROBE: Duration = Duration::from_secs(1);

/// A server that cannot be measured.
#[derive(Debug, Error)]
pub enum TargetError {
    /// A text that is no URL of a server, with what to type instead.
    #[error("{0}")]
    Url(String),
    /// A host that is not known, or of whose addresses none answers.
    #[error("{0}")]
    Address(String),
    /// A server that does not say what its feed is: its name, its answer or why there is none, and
    /// the answer that was expected.
    #[error("cannot get the feed of {0}: {1}; {2}")]
    NoAnswer(String, String, String),
    /// An answer that is no feed.
    #[error("{0} is no pushbench server that can be measured: its /feed is no feed")]
    NoFeed(String, #[source] DescriptionError),
    /// A feed that begins later than anybody waits.
    #[error(
        "the feed at {0} begins in {1:.0?}, as its `origin` has it, which is to be nanoseconds of \
         this machine's monotonic clock"
    )]
    BeginsLate(String, Duration),
    /// A feed without a schedule.
    #[error(
        "the feed at {0} is published by hand, so no message is ever due; start its server with a \
         schedule, such as `--rate 10/s`"
    )]
    Manual(String),
    /// A schedule with too many messages to walk.
    #[error("cannot tell when the messages of the feed at {0} are due")]
    Instants(String, #[source] WalkError),
    /// A schedule to walk on from a checkpoint in the future, so many nanoseconds after the feed's
    /// origin.
    #[error(
        "cannot tell when the messages of the feed at {0} are due: its `checkpoint`, {1} ns after \
         the feed's origin, is still to come; leave it out, or say the right `origin`"
    )]
    Ahead(String, f64),
}

/// A text that describes no feed.
#[derive(Debug, Error)]
pub enum DescriptionError {
    /// One of this other version's format.
    #[error(
        "it is of format `{0}`, this pushbench reads `{FEED_FORMAT}`; use the same version on both \
         sides"
    )]
    Format(String),
    /// One that is malformed.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// A server's place: its URL, and the addresses of its host.
#[derive(Debug, Clone)]
pub struct Site {
    url: TargetUrl,
    /// In the system's order, at least one.
    pub addresses: Vec<SocketAddr>,
}

impl Site {
    /// Where `url` leads, without asking anybody there.
    ///
    /// # Errors
    ///
    /// A URL that is none, or a host that is not known.
    pub fn find(url: &str) -> Result<Self, TargetError> {
        let url = TargetUrl::parse(url)?;
        let addresses = address::resolve(&url)?;
        Ok(Self { url, addresses })
    }

    /// The address that is measured: the only one, or the first that takes a connection. The rest
    /// counts where connections are in TLS.
    ///
    /// # Errors
    ///
    /// Several, and none that does.
    pub fn connect(self, trust: Trust, key_log: Option<PathBuf>) -> Result<Server, TargetError> {
        let answering = address::first_that_answers(&self.url, &self.addresses)?;
        let security = self.is_secure().then(|| {
            let (host, tls) = (self.url.host.clone(), Tls::default());
            ClientSecurity { host, trust, tls, key_log }
        });
        Ok(Server { url: self.url, answering, security })
    }

    /// Whether its connections are in TLS.
    pub const fn is_secure(&self) -> bool {
        self.url.is_secure
    }
}

/// A server that takes connections.
#[derive(Debug, Clone)]
pub struct Server {
    url: TargetUrl,
    answering: Answering,
    /// The security of connections to it; `None` has them in clear.
    security: Option<ClientSecurity>,
}

impl Server {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.answering.address
    }

    /// The host as the URL names it.
    pub fn host(&self) -> &str {
        &self.url.host
    }

    /// Whether the URL does not say which address it is.
    pub fn is_worth_naming(&self) -> bool {
        self.url.host.parse() != Ok(self.address().ip())
    }

    /// As people are told of it: the URL, and the address where that is not plain from it.
    pub fn name(&self) -> String {
        if !self.is_worth_naming() {
            return self.url.text.clone();
        }
        format!("{} at {}", self.url.text, self.answering)
    }

    /// Asks it for its feed.
    fn describe(&self) -> Result<FeedDescription, TargetError> {
        let prefix = &self.url.prefix;
        let fails = |problem: String| {
            let expected = format!("expected a pushbench server that answers GET {prefix}/feed");
            TargetError::NoAnswer(self.name(), problem, expected)
        };
        let mut answer = self.ask(&format!("{prefix}/feed")).map_err(fails)?;
        if answer.status() != 200 {
            return Err(fails(refusal(answer.status().as_u16())));
        }
        let body = answer.body_mut().with_config().limit(MAX_FEED_BYTES).read_to_string();
        let text = body.map_err(|error| fails(error.to_string()))?;
        read_description(&text).map_err(|source| TargetError::NoFeed(self.name(), source))
    }
}

impl Server {
    /// The names that its answer gives, whatever that is.
    pub(crate) fn named(&self) -> Option<Named> {
        let answer = self.ask(&format!("{}/feed", self.url.prefix)).ok()?;
        let field = |name: &str| {
            let value = answer.headers().get(name)?.to_str().ok()?;
            Some(text::line(value).into_owned())
        };
        Some(Named { server: field("server"), via: field("via") })
    }

    /// Asks for a path, at the address that is measured.
    fn ask(&self, path: &str) -> Result<Response<Body>, String> {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false);
        let (scheme, config) = match &self.security {
            None => ("http", config),
            Some(security) => ("https", config.tls_config(tls_config(security)?)),
        };
        let here = Here(self.address());
        let agent = ureq::Agent::with_parts(config.build(), DefaultConnector::default(), here);
        let request = agent.get(format!("{scheme}://{}{path}", self.url.authority));
        request.call().map_err(|error| match error {
            ureq::Error::Rustls(error) => TlsError::of_handshake(error).to_string(),
            ureq::Error::Io(error) => {
                TlsError::of_rustls(&error).map_or_else(|| error.to_string(), |it| it.to_string())
            }
            other => other.to_string(),
        })
    }
}

/// TLS of the one question that is asked before load is put on.
fn tls_config(security: &ClientSecurity) -> Result<TlsConfig, String> {
    let roots = pushbench_tls::roots(&security.trust).map_err(|error| error.to_string())?;
    let roots: Vec<_> =
        roots.into_iter().map(|root| Certificate::from_der(&root).to_owned()).collect();
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::from(roots))
        .disable_verification(security.trust == Trust::Anybody)
        .unversioned_rustls_crypto_provider(pushbench_tls::provider(&security.tls))
        .build())
}

/// The address that is measured, whatever its name leads to.
#[derive(Debug)]
struct Here(SocketAddr);

impl Resolver for Here {
    fn resolve(
        &self,
        _: &ureq::http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(self.0);
        Ok(addresses)
    }
}

/// An answer other than 200, and what it most likely means.
fn refusal(status: u16) -> String {
    let reason = ureq::http::StatusCode::from_u16(status).ok();
    let reason = reason.and_then(|status| status.canonical_reason()).unwrap_or_default();
    let meaning = match status {
        300..=399 => ": --target names where the server really is",
        400 => ": if it speaks TLS at this port, --target begins with https://",
        401 | 403 | 407 => ": it lets nobody in without credentials",
        404 => {
            ": an application of yours takes `--path PATH --seq PLACE`, a server whose schedule a file \
             describes `--feed FILE --path PATH`; a prefix of all paths stands in --target"
        }
        421 => ": it does not know itself by this name",
        _ => "",
    };
    format!("it answered {}{meaning}", format!("{status} {reason}").trim_end())
}

/// A server that is measured: pushbench's own, one that implements its endpoints, any other that
/// sends a feed which a file describes, or an application whose messages rules find.
#[derive(Debug, Clone)]
pub struct Target {
    server: Server,
    /// Its feed; `None` of an application, whose messages come when they come.
    pub feed: Option<KnownFeed>,
    /// How it is asked: by which name, under which paths, and which of its events are the feed's.
    pub subject: Subject,
}

impl Target {
    /// Whether nothing listens where it was reached. One that only answers late is there.
    pub(crate) fn is_gone(&self) -> bool {
        let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        TcpStream::connect_timeout(&self.server.address(), PROBE).is_err_and(refused)
    }

    /// Asks `server` for its feed.
    ///
    /// # Errors
    ///
    /// A server that is no pushbench server, or whose feed cannot be measured.
    pub fn reach(server: Server) -> Result<Self, TargetError> {
        let feed = server.describe()?;
        Self::publishing(server, feed, Subject::default())
    }

    /// Takes it that `server` publishes `feed` at `path`.
    ///
    /// # Errors
    ///
    /// A feed that cannot be measured.
    pub fn foreign(
        server: Server,
        feed: FeedDescription,
        path: String,
    ) -> Result<Self, TargetError> {
        Self::publishing(server, feed, Subject { path: Some(path), ..Subject::default() })
    }

    /// Takes it that `rules` find the messages of `server`, which is asked at `path`; without one, at
    /// the target's own.
    #[must_use]
    pub fn told_by_rules(server: Server, rules: Rules) -> Self {
        let root = if server.url.prefix.is_empty() { "/" } else { "" };
        let path = Some(rules.plain_path().unwrap_or_else(|| root.to_owned()));
        let event = rules.event.clone();
        let subject = Subject { path, event, rules: Some(rules), ..Subject::default() };
        Self::new(server, None, subject)
    }

    fn publishing(
        server: Server,
        feed: FeedDescription,
        subject: Subject,
    ) -> Result<Self, TargetError> {
        let feed = KnownFeed::of(&server.url.text, feed)?;
        Ok(Self::new(server, Some(feed), subject))
    }

    fn new(server: Server, feed: Option<KnownFeed>, subject: Subject) -> Self {
        let (host, prefix) = (Some(server.url.authority.clone()), server.url.prefix.clone());
        Self { server, feed, subject: Subject { host, prefix, ..subject } }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Whether its instants are on this machine's clock.
    pub fn has_same_clock(&self) -> bool {
        let is_here = source::is_own(self.address().ip());
        self.feed.as_ref().map_or(is_here, |feed| feed.same_clock)
    }

    /// The security of connections to it, as `tls` says; `None` has them in clear.
    pub(crate) fn security(&self, tls: &Tls) -> Option<ClientSecurity> {
        let security = self.server.security.clone()?;
        Some(ClientSecurity { tls: tls.clone(), ..security })
    }

    /// Whether the server still answers with the feed that it had when it was reached.
    pub(super) fn is_the_same(&self) -> bool {
        let Some(KnownFeed { description: then, .. }) = &self.feed else { return true };
        self.server.describe().is_ok_and(|now| {
            then.id == now.id && then.origin == now.origin && then.schedule == now.schedule
        })
    }
}

/// Reads the answer to `GET /feed`, its format before anything that may have changed with it.
///
/// # Errors
///
/// A text that describes no feed, or that of another version.
pub fn read_description(text: &str) -> Result<FeedDescription, DescriptionError> {
    #[derive(Deserialize)]
    struct Head {
        format: String,
    }
    let head: Head = serde_json::from_str(text)?;
    if head.format != FEED_FORMAT {
        return Err(DescriptionError::Format(text::line(&head.format).into_owned()));
    }
    Ok(serde_json::from_str(text)?)
}
