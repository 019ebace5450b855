//! A scenario: a question, the settings that answer it, and the points they span.
//!
//! Scenarios are TOML. Any numeric setting may be a list; the points are the product of all of
//! them. Unknown keys are refused with their line.

mod axis;
mod check;
mod client;
mod life;
mod link;
mod point;
mod points;
mod settings;
mod stack;
mod talk;
pub mod thresholds;
mod values;
mod written;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::axis::{Axis, AxisUnit};
pub use self::life::{ChurnTable, RestartTable};
pub use self::link::LinkTable;
pub use self::point::Point;
pub use self::settings::{Agreement, SETTINGS, Setting};
pub use self::stack::{CompressionTable, TlsTable};
pub use self::talk::TalkTable;
pub use self::thresholds::{Threshold, Thresholds};
pub use self::values::Values;
use crate::checked_when_read;
use crate::client::ClientKind;
use crate::contender::{Contender, Stack};
use crate::delivery::Delivery;
use crate::feed::payload::PayloadKind;
use crate::life::Reconnect;
use crate::proxy::Via;
use crate::subject::SubjectName;
use crate::units::{ByteSize, Count, Rate, Span};

/// The most points that a scenario may span.
pub const MAX_POINTS: usize = 1_000;

/// The most bytes of a scenario's file.
pub const MAX_SCENARIO_BYTES: u64 = 1 << 20;

/// The header profile that is used where none is named: the comparison is then one of protocols,
/// without what browsers add, and each byte in it is one that a transport cannot do without.
pub const DEFAULT_HEADERS: &str = "minimal";

/// The most bytes of the header fields of a request or response, line ends included. Readers stop at
/// 16 KiB with the first line and what the transport adds.
pub const MAX_HEADER_BYTES: usize = 12 << 10;

/// The longest that a server is asked to hold a long poll.
pub const MAX_LONG_POLL: Duration = Duration::from_secs(300);

/// A scenario that cannot be run.
#[derive(Debug, Clone, thiserror::Error, PartialEq)]
pub enum ScenarioError {
    /// The text is not the TOML of a scenario.
    #[error("{0}")]
    Syntax(String),
    /// A setting is outside what can be run.
    #[error("{key}: {problem}")]
    Setting {
        /// The setting, as a scenario spells it.
        key: &'static str,
        /// The problem, and what would be right.
        problem: String,
    },
}

fn setting(key: &'static str, problem: impl Into<String>) -> ScenarioError {
    ScenarioError::Setting { key, problem: problem.into() }
}

/// The settings of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct Scenario {
    /// The name under which results are kept: letters, digits, `-` and `_`.
    pub name: String,
    /// The question that the scenario answers, in one sentence.
    pub question: String,
    /// The contenders to compare.
    #[serde(rename = "transports")]
    pub contenders: Vec<Contender>,
    /// The promise to clients.
    pub delivery: Delivery,
    /// Subscribers.
    pub clients: Values<Count>,
    /// Messages in a unit of time: evenly, on average, or within a burst, as the schedule says.
    pub rate: Values<Rate>,
    /// Messages delivered to all clients together in a unit of time: in place of `rate`, so that
    /// each client's rate is this divided by the clients and the work stays the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_rate: Option<Rate>,
    /// Size of a payload.
    pub payload: Values<ByteSize>,
    /// The period of short polls.
    pub poll_interval: Values<Span>,
    /// How long the server is asked to hold a long poll.
    pub long_poll_timeout: Values<Span>,
    /// The header profile of clients and server: the name of a built-in one, or a file beside the
    /// scenario.
    pub headers: String,
    /// Bytes by which the value of each request's `Cookie` is longer than the profile has it.
    pub cookie_bytes: Values<Count>,
    /// How long the feed runs before the window.
    pub warmup: Span,
    /// The window's length.
    pub duration: Span,
    /// Trials of each transport at each point.
    pub runs: u32,
    /// Whether each round has a trial of bare loops of writes and reads at each point: the floor
    /// of what a message costs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub floor: bool,
    /// The seed of the feed, of the trials' order and of poll phases.
    #[serde(deserialize_with = "written::read_seed")]
    pub seed: u64,
    /// Schedule and payload.
    pub feed: FeedTable,
    /// The settings that the contenders in TLS may agree on.
    pub tls: TlsTable,
    /// How the contenders with a coding compress.
    pub compression: CompressionTable,
    /// The link between server and clients.
    #[serde(skip_serializing_if = "LinkTable::is_empty")]
    pub link: LinkTable,
    /// The ways that clients take to the server: `direct`, or the name of a proxy.
    #[serde(skip_serializing_if = "is_direct")]
    pub via: Values<Via>,
    /// The servers: `pushbench`, or the name of somebody else's, or a file that describes one.
    #[serde(skip_serializing_if = "is_own")]
    pub subject: Values<SubjectName>,
    /// How clients talk, where they do.
    #[serde(skip_serializing_if = "TalkTable::is_empty")]
    pub talk: TalkTable,
    /// The silence after which streams of pushbench's own server get an event stream's comment or a
    /// WebSocket's ping, by which both ends, and what is between them, see that they are still wanted; zero
    /// sends none.
    #[serde(skip_serializing_if = "has_no_heartbeat")]
    pub heartbeat: Values<Span>,
    /// A restart of the server within the window.
    #[serde(skip_serializing_if = "RestartTable::is_empty")]
    pub restart: RestartTable,
    /// Clients that come and go while the feed runs.
    #[serde(skip_serializing_if = "ChurnTable::is_empty")]
    pub churn: ChurnTable,
    /// How long clients wait before they connect again after a failure.
    #[serde(skip_serializing_if = "is_usual_reconnect")]
    pub reconnect: Values<Reconnect>,
    /// The programs that play the clients.
    #[serde(skip_serializing_if = "is_native")]
    pub client: Values<ClientKind>,
    /// The conditions that the run must meet.
    #[serde(skip_serializing_if = "Thresholds::is_empty")]
    pub thresholds: Thresholds,
}

checked_when_read!(Scenario);

fn is_direct(via: &Values<Via>) -> bool {
    *via == Values::One(Via::Direct)
}

fn has_no_heartbeat(heartbeat: &Values<Span>) -> bool {
    *heartbeat == Values::One(Span(Duration::ZERO))
}

fn is_own(subject: &Values<SubjectName>) -> bool {
    matches!(subject, Values::One(name) if name.is_own())
}

fn is_usual_reconnect(reconnect: &Values<Reconnect>) -> bool {
    *reconnect == Values::One(Reconnect::default())
}

fn is_native(client: &Values<ClientKind>) -> bool {
    *client == Values::One(ClientKind::Native)
}

/// The `[feed]` table of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeedTable {
    /// `constant`, `poisson`, `burst` or `replay`.
    pub schedule: ScheduleKind,
    /// `ticker`, `quotes`, `text` or `binary`; a replay brings its own.
    pub payload: PayloadKind,
    /// How long a burst lasts.
    pub on: Span,
    /// The silence after a burst.
    pub off: Span,
    /// The trace to replay: the name of a built-in one, or a file beside the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// How many times faster than recorded.
    pub speed: Values<f64>,
}

/// The law of a feed's instants, as a scenario names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    /// Evenly spaced.
    #[default]
    Constant,
    /// Exponentially distributed gaps.
    Poisson,
    /// Evenly spaced for a while, then silence.
    Burst,
    /// The instants of a trace.
    Replay,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: "custom".to_owned(),
            question: String::new(),
            contenders: Contender::all().filter(|it| it.stack == Stack::PLAIN).collect(),
            delivery: Delivery::Every,
            clients: Values::One(Count(100)),
            rate: Values::One(Rate::from_hz(10.0).unwrap_or_else(|| unreachable!("10 > 0"))),
            total_rate: None,
            payload: Values::One(ByteSize(64)),
            poll_interval: Values::One(Span(Duration::from_secs(1))),
            long_poll_timeout: Values::One(Span(Duration::from_secs(30))),
            headers: DEFAULT_HEADERS.to_owned(),
            cookie_bytes: Values::One(Count(0)),
            warmup: Span(Duration::from_secs(2)),
            duration: Span(Duration::from_secs(10)),
            runs: 3,
            floor: false,
            seed: 1,
            feed: FeedTable::default(),
            tls: TlsTable::default(),
            compression: CompressionTable::default(),
            link: LinkTable::default(),
            via: Values::One(Via::Direct),
            subject: Values::One(SubjectName::default()),
            talk: TalkTable::default(),
            heartbeat: Values::One(Span(Duration::ZERO)),
            restart: RestartTable::default(),
            churn: ChurnTable::default(),
            reconnect: Values::One(Reconnect::default()),
            client: Values::One(ClientKind::Native),
            thresholds: Thresholds::default(),
        }
    }
}

impl Default for FeedTable {
    fn default() -> Self {
        Self {
            schedule: ScheduleKind::Constant,
            payload: PayloadKind::Ticker,
            on: Span(Duration::from_secs(1)),
            off: Span(Duration::from_secs(4)),
            trace: None,
            speed: Values::One(1.0),
        }
    }
}

impl Scenario {
    /// Reads a scenario and checks its settings.
    ///
    /// # Errors
    ///
    /// [`ScenarioError::Syntax`] with line and column, or the first setting that is out of range.
    ///
    /// ```
    /// use pushbench_core::scenario::Scenario;
    ///
    /// let scenario = Scenario::parse("clients = [10, \"1k\"]\nrate = \"5/s\"")?;
    /// let points = scenario.points(None);
    /// assert_eq!((points.len(), points[1].label.as_str()), (2, "clients=1000"));
    ///
    /// let error = Scenario::parse("clients = 0").unwrap_err();
    /// assert!(error.to_string().starts_with("clients: at least one"));
    /// # Ok::<(), pushbench_core::scenario::ScenarioError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let syntax =
            |error: toml::de::Error| ScenarioError::Syntax(error.to_string().trim_end().to_owned());
        // Read first and checked then, so that a setting is named without a line of its own.
        let read = toml::Deserializer::parse(text).and_then(Self::deserialize);
        let scenario = read.map_err(syntax)?;
        let given: toml::Table = toml::from_str(text).map_err(syntax)?;
        if given.contains_key("rate") && given.contains_key("total_rate") {
            let problem = "`rate` says how often each client hears, `total_rate` how often all of \
                           them together do; leave one out";
            return Err(setting("total_rate", problem));
        }
        scenario.check()?;
        Ok(scenario)
    }
}

#[cfg(test)]
mod tests;
