//! Reasons to doubt a figure, as types: each with what was seen and what to do about it.
//!
//! An [`Invalid`] means that the instrument failed, so the trial says nothing: it is repeated
//! once and then left out, named and shown. A [`Warning`] leaves the figures standing: either it
//! is a finding about the server, or it bounds what the figures can support.

mod attempts;
mod calm;
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
use self::way::micros;
pub use self::way::{LOAD_PART, LoadPart, STAMPS_WANTED, StampsDoubt};

/// Above this share of one core a process counts as saturated.
pub const SATURATED_SHARE: f64 = 0.95;

/// A reason to doubt a figure that still stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Warning {
    /// The server used a whole core: a finding about the server.
    #[error("{} used {:.0} % of a core", saturated(*.with_router), .share * 100.0)]
    ServerSaturated {
        /// The busiest server process's CPU time over the window's length.
        share: f64,
        /// Whether that of a link's router, which had the same core, is in it.
        #[serde(default)]
        with_router: bool,
    },
    /// The server published late.
    #[error("the publisher was {0}")]
    PublisherLate(Lag),
    /// The load generator was late for its own plans.
    #[error("the load generator was {}{}", .0, .0.reach())]
    LoadLate(Lag),
    /// More falls due between two polls than one response may hold, so that clients fall behind.
    #[error(
        "{due_bytes} bytes fall due between two polls and a response holds 1 MiB, so \
         clients fall ever further behind"
    )]
    PollsTooRare {
        /// Bytes that fall due between two polls.
        due_bytes: u64,
    },
    /// Messages came behind a newer one.
    #[error("{messages} messages came behind a newer one")]
    Reordered {
        /// How many.
        messages: u64,
    },
    /// Messages never came.
    #[error("{messages} messages were lost")]
    Lost {
        /// How many.
        messages: u64,
    },
    /// Messages were still under way when the trial ended.
    #[error(
        "{messages} messages were still under way when the trial ended: the window was more \
         than the path could carry"
    )]
    Late {
        /// How many.
        messages: u64,
    },
    /// Clients waited in vain for the rest of the window's messages.
    #[error("{0}")]
    FellSilent(Silence),
    /// Messages of a server that the run did not start came later from second to second.
    #[error(
        "messages came later from second to second: by {} at the median in the first, by {} \
         in the last",
        micros(*.from_us), micros(*.to_us)
    )]
    FallsBehind {
        /// Median latency in the window's first second, µs.
        from_us: f64,
        /// That in its last.
        to_us: f64,
    },
    /// Messages came more than once.
    #[error("{messages} messages came twice")]
    Duplicated {
        /// How many arrivals too many.
        messages: u64,
    },
    /// A room in which clients talk did what it should not.
    #[error("{doubt}")]
    Room {
        /// What.
        doubt: RoomDoubt,
    },
    /// Somebody between server and clients, or the server, does a thing that proxies are known for.
    #[error("{0}")]
    Path(PathFault),
    /// Clients lost their connection and came back.
    #[error("{count} reconnects")]
    Reconnects {
        /// How often.
        count: u64,
    },
    /// Clients were cut off because that was asked for, and some were not back by the trial's end.
    #[error("{times} times a client that was cut off was not back by the trial's end")]
    NotBack {
        /// How often.
        times: u64,
    },
    /// Something failed on the way.
    #[error("{count} errors{}", the_first(.first.as_ref()))]
    Errors {
        /// How often.
        count: u64,
        /// The first of them.
        first: Option<String>,
    },
    /// The server broke its protocol.
    #[error("{count} protocol errors{}", the_first(.first.as_ref()))]
    ProtocolErrors {
        /// How often.
        count: u64,
        /// The first time.
        first: Option<String>,
    },
    /// Server-sent events came whose type is none of the feed's.
    #[error("{} events were none of the feed's: {events}", .events.total())]
    OtherEvents {
        /// Which, and how many.
        events: OtherEvents,
    },
    /// Clients were refused or cut off until they had no attempt left; few of them.
    #[error("{0}")]
    AttemptsUsed(AttemptsUsed),
    /// A browser would have given up clients that went on here, or that gave up as well.
    #[error("{0}")]
    BrowserStops(BrowserStops),
    /// Long polls were answered without news although they were to be held.
    #[error("{count} long polls were answered too soon, without news")]
    EarlyAnswers {
        /// How many.
        count: u64,
    },
    /// Polls were due while one was outstanding, or while the server was left alone.
    #[error("{count} polls were skipped, the one before being outstanding or refused")]
    PollsSkipped {
        /// How many.
        count: u64,
    },
    /// Hardly anything was due in the window.
    #[error("{} due in the window", few(*.messages))]
    FewMessages {
        /// How many messages were.
        messages: u64,
    },
    /// The latency is mostly the load generator's own.
    #[error("{0}")]
    LoadPart(LoadPart),
    /// The breakdown of latency may not be believed.
    #[error("{doubt}")]
    Stamps {
        /// Why.
        doubt: StampsDoubt,
    },
    /// Latencies are not distributed as the model of the transport has it, and not by chance.
    #[error(
        "latencies are not distributed as polling makes them: KS distance {ks:.3}, by chance \
         p = {p:.3}"
    )]
    LatencyOffModel {
        /// The Kolmogorov–Smirnov distance, 0 to 1.
        ks: f64,
        /// How often chance does as much.
        p: f64,
    },
    /// A share is not what the model of polling has it to be, and not by chance.
    #[error(
        "{:.1} % {}, where polling makes it {:.1} % (by chance p = {p:.3})",
        .measured * 100.0, .share.told(), .expected * 100.0
    )]
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
    #[error("the server's certificate was not verified, so that anybody may have answered")]
    Unverified,
    /// Latency cannot be told, since the server's clock is not this machine's.
    #[error("no latency and no age: the server has another clock")]
    ForeignClock,
    /// The server's own figures are missing, since it was not started by this run.
    #[error("the server's CPU and memory are not known")]
    ServerUnknown,
    /// Processes of a server that runs already ended within the window, and what they used is not
    /// known, so that the server's CPU is not.
    #[error(
        "the server's CPU is not known: {ended} of its processes ended, and nothing tells what \
         they used"
    )]
    ServerEnded {
        /// How many did.
        ended: u32,
    },
    /// Other processes were at work beside the run.
    #[error("{0}")]
    OthersBusy(Busy),
    /// The machine stood still now and then, not long enough to make the trial invalid.
    #[error(
        "the machine stalled for up to {:.1} ms, in {:.1} % of the window altogether",
        .worst.as_secs_f64() * 1e3, .share * 100.0
    )]
    ShortStalls {
        /// The longest of them.
        worst: Duration,
        /// The share of the window that they cover.
        share: f64,
    },
    /// A quota of processor time kept the run's processes from running, not long enough to make the
    /// trial invalid.
    #[error("{0}")]
    Throttled(HeldBack),
    /// Server and load generator run on threads of one physical core.
    #[error("server and load generator share the only physical core that there is")]
    OneCore,
    /// A process of the instrument stood still, not long enough to make the trial invalid.
    #[error("{0}")]
    InstrumentStalls(Standstill),
    /// The router of a link had no core now and then, not long enough to make the trial invalid.
    #[error("{0}")]
    RouterStalls(RouterStalls),
    /// A finding about the proxy between clients and server.
    #[error("{0}")]
    Proxy(ProxyFinding),
    /// A hypervisor ran something else.
    #[error("the hypervisor gave {:.1} % of the processor to others", .share * 100.0)]
    TimeStolen {
        /// Its share of the time of all cores.
        share: f64,
    },
    /// Tabs of a browser waited for a connection.
    #[error("{0}")]
    TabsWait(Waiting),
    /// Tabs of a browser were out of sight, as they were to be.
    #[error("{}", browser::HIDDEN)]
    TabsHidden,
    /// A thing that messages which rules found say of their sender.
    #[error("{0}")]
    Found(Finding),
}

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

const fn saturated(with_router: bool) -> &'static str {
    if with_router { "the server and the link's router" } else { "the server" }
}

fn few(messages: u64) -> String {
    match messages {
        0 => "no message was".to_owned(),
        1 => "only 1 message was".to_owned(),
        messages => format!("only {messages} messages were"),
    }
}

/// The first of several, behind how many there were.
fn the_first(first: Option<&String>) -> String {
    first.map_or_else(String::new, |first| format!(", the first: {first}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_messages_are_told_in_number() {
        let told = [0, 1, 2].map(|messages| Warning::FewMessages { messages }.to_string());
        assert_eq!(
            told,
            [
                "no message was due in the window",
                "only 1 message was due in the window",
                "only 2 messages were due in the window"
            ]
        );
    }
}
