//! Reasons to doubt a figure, as types: each with what was seen and what to do about it.
//!
//! An [`Invalid`] means that the instrument failed, so the trial says nothing: it is repeated
//! once and then left out, named and shown. A [`Warning`] leaves the figures standing: either it
//! is a finding about the server, or it bounds what the figures can support.

mod attempts;
mod calm;
mod delivery;
mod feed;
mod finding;
mod invalid;
mod lag;
mod path;
mod proxy;
mod rooms;
mod router;
mod share;
mod way;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observe::events::OtherEvents;
use crate::observe::silence::Silence;
use crate::record::browser::{self, Waiting};

pub use self::attempts::{AttemptsUsed, BrowserStops, Gone, OUT_SHARE};
pub use self::calm::{
    Busy, CLOCK_MOVED, HeldBack, MATTERS, MOSTLY_WAITING, OTHERS_SHARE, STALL, STALLED_A_LITTLE,
    STALLED_SHARE, STOLEN_SHARE, Standstill,
};
pub use self::feed::{Likely, Misfit};
pub use self::finding::Finding;
pub use self::invalid::Invalid;
pub use self::lag::{LOAD_LATE_US, Lag, PUBLISHER_LATE_US};
pub use self::path::PathFault;
pub use self::proxy::{LUMP_MESSAGES, ProxyFault, ProxyFinding};
pub use self::rooms::RoomDoubt;
pub use self::router::RouterStalls;
pub use self::share::Share;
pub use self::way::{LOAD_PART, LoadPart, STAMPS_WANTED, StampsDoubt};

/// Above this share of one core a process counts as saturated.
pub const SATURATED_SHARE: f64 = 0.95;

/// A reason to doubt a figure that still stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Warning {
    /// The server used a whole core: a finding about the server.
    ServerSaturated {
        /// The busiest server process's CPU time over the window's length.
        share: f64,
        /// Whether that of a link's router, which had the same core, is in it.
        #[serde(default)]
        with_router: bool,
    },
    /// The server published late.
    PublisherLate(Lag),
    /// The load generator was late for its own plans.
    LoadLate(Lag),
    /// More falls due between two polls than one response may hold, so that clients fall behind.
    PollsTooRare {
        /// Bytes that fall due between two polls.
        due_bytes: u64,
    },
    /// Messages came behind a newer one.
    Reordered {
        /// How many.
        messages: u64,
    },
    /// Messages never came.
    Lost {
        /// How many.
        messages: u64,
    },
    /// Messages were still under way when the trial ended.
    Late {
        /// How many.
        messages: u64,
    },
    /// Clients waited in vain for the rest of the window's messages.
    FellSilent(Silence),
    /// Messages of a server that the run did not start came later from second to second.
    FallsBehind {
        /// Median latency in the window's first second, µs.
        from_us: f64,
        /// That in its last.
        to_us: f64,
    },
    /// Messages came more than once.
    Duplicated {
        /// How many arrivals too many.
        messages: u64,
    },
    /// A room in which clients talk did what it should not.
    Room {
        /// What.
        doubt: RoomDoubt,
    },
    /// Somebody between server and clients, or the server, does a thing that proxies are known for.
    Path(PathFault),
    /// Clients lost their connection and came back.
    Reconnects {
        /// How often.
        count: u64,
    },
    /// Clients were cut off because that was asked for, and some were not back by the trial's end.
    NotBack {
        /// How often.
        times: u64,
    },
    /// Something failed on the way.
    Errors {
        /// How often.
        count: u64,
        /// The first of them.
        first: Option<String>,
    },
    /// The server broke its protocol.
    ProtocolErrors {
        /// How often.
        count: u64,
        /// The first time.
        first: Option<String>,
    },
    /// Server-sent events came whose type is none of the feed's.
    OtherEvents {
        /// Which, and how many.
        events: OtherEvents,
    },
    /// Clients were refused or cut off until they had no attempt left; few of them.
    AttemptsUsed(AttemptsUsed),
    /// A browser would have given up clients that went on here, or that gave up as well.
    BrowserStops(BrowserStops),
    /// Long polls were answered without news although they were to be held.
    EarlyAnswers {
        /// How many.
        count: u64,
    },
    /// Polls were due while one was outstanding, or while the server was left alone.
    PollsSkipped {
        /// How many.
        count: u64,
    },
    /// Hardly anything was due in the window.
    FewMessages {
        /// How many messages were.
        messages: u64,
    },
    /// The latency is mostly the load generator's own.
    LoadPart(LoadPart),
    /// The breakdown of latency may not be believed.
    Stamps {
        /// Why.
        doubt: StampsDoubt,
    },
    /// Latencies are not distributed as the model of the transport has it, and not by chance.
    LatencyOffModel {
        /// The Kolmogorov–Smirnov distance, 0 to 1.
        ks: f64,
        /// How often chance does as much.
        p: f64,
    },
    /// A share is not what the model of polling has it to be, and not by chance.
    ShareOffModel {
        /// Which.
        share: Share,
        /// As measured, 0 to 1.
        measured: f64,
        /// As the model has it.
        expected: f64,
        /// How often chance does as much.
        p: f64,
    },
    /// Whoever answered was measured: the server's certificate was not checked.
    Unverified,
    /// Latency cannot be told, since the server's clock is not this machine's.
    ForeignClock,
    /// The server's own figures are missing, since it was not started by this run.
    ServerUnknown,
    /// Processes of a server that runs already ended within the window, and what they used is not
    /// known, so that the server's CPU is not.
    ServerEnded {
        /// How many did.
        ended: u32,
    },
    /// Other processes were at work beside the run.
    OthersBusy(Busy),
    /// The machine stood still now and then, not long enough to make the trial invalid.
    ShortStalls {
        /// The longest of them.
        worst: Duration,
        /// The share of the window that they cover.
        share: f64,
    },
    /// A quota of processor time kept the run's processes from running, not long enough to make the
    /// trial invalid.
    Throttled(HeldBack),
    /// Server and load generator run on threads of one physical core.
    OneCore,
    /// A process of the instrument stood still, not long enough to make the trial invalid.
    InstrumentStalls(Standstill),
    /// The router of a link had no core now and then, not long enough to make the trial invalid.
    RouterStalls(RouterStalls),
    /// A finding about the proxy between clients and server.
    Proxy(ProxyFinding),
    /// A hypervisor ran something else.
    TimeStolen {
        /// Its share of the time of all cores.
        share: f64,
    },
    /// Tabs of a browser waited for a connection.
    TabsWait(Waiting),
    /// Tabs of a browser were out of sight, as they were to be.
    TabsHidden,
    /// A thing that messages which rules found say of their sender.
    Found(Finding),
}

/// The words for a server whose instants are on a clock of its own.
const FOREIGN_CLOCK: &str = "no latency and no age: the server has another clock";

/// Words for a certificate that nobody checked.
const UNVERIFIED: &str =
    "the server's certificate was not verified, so that anybody may have answered";

/// The remedy where polling is not what its model has it to be.
const OFF_MODEL: &str = "polls were late, lost or slow to be answered, so the figures tell of this server \
                         and machine more than of polling; see the lags, or lower the load";

/// Below this many messages in a window, percentiles mean little.
pub const FEW_MESSAGES: u64 = 10;

impl Warning {
    /// The remedy.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::ServerSaturated { .. } => "its latencies are those of an overloaded server",
            Self::PublisherLate(_) => "the delay is part of each latency; lower the rate",
            Self::LoadLate(_) => "leave the load generator a core of its own, or lower the rate",
            Self::PollsTooRare { .. } => "shorten --poll-interval, or lower rate or payload",
            Self::Lost { .. } | Self::Duplicated { .. } | Self::Reordered { .. } => {
                "see trials.csv for where"
            }
            Self::Late { .. } => {
                "what they could move is told as a bound; lower rate, payload or clients, and see that \
                 the feed is not slower than described"
            }
            Self::Room { doubt } => doubt.remedy(),
            Self::FellSilent(_) => "see the server's log for what happened then",
            Self::FallsBehind { .. } => {
                "if the server keeps up, its feed is slower than described, and the latency is not \
                 its own: correct `schedule` in the feed's description"
            }
            Self::ProtocolErrors { .. } => "see what the server sends there",
            Self::Path(fault) => fault.remedy(),
            Self::Reconnects { .. } => "look at the server's log; the gaps are in the latency",
            Self::Errors { .. } => "all of them are counted in trials.csv",
            Self::OtherEvents { .. } => "if they are the feed's, name their type with --event",
            Self::AttemptsUsed(used) => used.remedy(),
            Self::BrowserStops(_) => {
                "a page would have to open its stream again itself; see WHATWG HTML §9.2.3 and \
                 RFC 6455 §4.1"
            }
            Self::EarlyAnswers { .. } => {
                "the server does not hold polls, and the pauses between them are in the latency"
            }
            Self::TabsWait(waiting) => waiting.remedy(),
            Self::TabsHidden => browser::HIDDEN_REMEDY,
            Self::NotBack { .. } => "lengthen --duration; see errors in trials.csv",
            Self::PollsSkipped { .. } => "responses take longer than the poll interval; raise it",
            Self::FewMessages { .. } => "lengthen the window with --duration",
            Self::LoadPart(_) => {
                "leave the load generator more of a core, or use fewer clients; see breakdown.csv"
            }
            Self::Stamps { doubt } => doubt.remedy(),
            Self::LatencyOffModel { .. } | Self::ShareOffModel { .. } => OFF_MODEL,
            Self::Unverified => {
                "name the authority that it rests on with --ca, and leave out --insecure"
            }
            Self::ForeignClock => "run the load generator on the server's machine for latency",
            Self::ServerUnknown => "pass --server-pid on the server's machine",
            Self::ServerEnded { .. } => {
                "keep the server and its workers running while it is measured; see its log"
            }
            Self::Proxy(finding) => finding.remedy(),
            Self::OthersBusy(_)
            | Self::ShortStalls { .. }
            | Self::Throttled(_)
            | Self::OneCore
            | Self::InstrumentStalls(_)
            | Self::RouterStalls(_)
            | Self::TimeStolen { .. } => calm::remedy(self),
            Self::Found(finding) => finding.remedy(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PublisherLate(lag) => write!(f, "the publisher was {lag}"),
            Self::LoadLate(lag) => write!(f, "the load generator was {lag}{}", lag.reach()),
            Self::PollsTooRare { .. }
            | Self::Reordered { .. }
            | Self::Lost { .. }
            | Self::Late { .. }
            | Self::FellSilent(_)
            | Self::FallsBehind { .. }
            | Self::Duplicated { .. }
            | Self::Reconnects { .. }
            | Self::NotBack { .. }
            | Self::Errors { .. }
            | Self::ProtocolErrors { .. } => delivery::tell(self, f),
            Self::OtherEvents { events } => {
                write!(f, "{} events were none of the feed's: {events}", events.total())
            }
            Self::AttemptsUsed(used) => used.fmt(f),
            Self::BrowserStops(stops) => stops.fmt(f),
            Self::EarlyAnswers { count } => {
                write!(f, "{count} long polls were answered too soon, without news")
            }
            Self::PollsSkipped { count } => {
                write!(f, "{count} polls were skipped, the one before being outstanding or refused")
            }
            Self::FewMessages { messages: 0 } => f.write_str("no message was due in the window"),
            Self::FewMessages { messages } => {
                write!(f, "only {messages} messages were due in the window")
            }
            Self::LoadPart(part) => part.fmt(f),
            Self::Proxy(finding) => finding.fmt(f),
            Self::Path(fault) => fault.fmt(f),
            Self::Stamps { doubt } => doubt.fmt(f),
            Self::Room { doubt } => doubt.fmt(f),
            Self::LatencyOffModel { ks, p } => write!(
                f,
                "latencies are not distributed as polling makes them: KS distance {ks:.3}, by \
                 chance p = {p:.3}"
            ),
            Self::ShareOffModel { share, measured, expected, p } => {
                share.off_model(f, *measured, *expected, *p)
            }
            Self::TabsWait(waiting) => waiting.fmt(f),
            Self::TabsHidden => f.write_str(browser::HIDDEN),
            Self::Unverified => f.write_str(UNVERIFIED),
            Self::ForeignClock => f.write_str(FOREIGN_CLOCK),
            Self::ServerUnknown => f.write_str("the server's CPU and memory are not known"),
            Self::Found(finding) => finding.fmt(f),
            Self::ServerSaturated { .. }
            | Self::ServerEnded { .. }
            | Self::OthersBusy(_)
            | Self::ShortStalls { .. }
            | Self::Throttled(_)
            | Self::OneCore
            | Self::InstrumentStalls(_)
            | Self::RouterStalls(_)
            | Self::TimeStolen { .. } => calm::tell(self, f),
        }
    }
}
