//! Why a trial cannot be used: the instrument failed, or the machine under it.

use std::time::Duration;

use pushbench_core::Seq;
use pushbench_core::feed::stamp::StampClock;
use serde::{Deserialize, Serialize};

use super::attempts::AttemptsUsed;
use super::way::micros;
use super::{Busy, HeldBack, Likely, Misfit, RouterStalls, Standstill, router, the_first};
use crate::observe::attendance::Precedence;
use crate::observe::ledger::Direction;
use crate::observe::seen::Ahead;
use crate::record::browser::TabFault;

/// Why a trial cannot be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Invalid {
    /// Delivered, lost, late and superseded do not add up to what was expected.
    #[error("the delivery audit does not balance")]
    AuditUnbalanced,
    /// The layers do not add up to the bytes that the sockets moved.
    #[error("the byte ledger does not balance")]
    LedgerUnbalanced,
    /// Not all clients were connected when the window began.
    #[error(
        "only {connected} of {wanted} clients were connected{}",
        .error.as_ref().map_or_else(String::new, |error| format!(" ({error})"))
    )]
    ClientsMissing {
        /// Clients that were.
        connected: u32,
        /// Clients that the plan asked for.
        wanted: u32,
        /// The first error of the others, where there was one.
        error: Option<String>,
    },
    /// Answers came coded, so that no message in them could be read.
    #[error("{error}")]
    Coded {
        /// The first of them.
        error: String,
    },
    /// Too many clients were refused or cut off until they had no attempt left.
    #[error("{0}")]
    AttemptsUsed(AttemptsUsed),
    /// A load process ended before it reported.
    #[error("a load process ended early: {error}")]
    LoadDied {
        /// Its last words, or how it ended.
        error: String,
    },
    /// The server ended before it was told to.
    #[error("the server ended early: {error}")]
    ServerDied {
        /// Its last words, or how it ended.
        error: String,
    },
    /// The server is another one than at the start, or publishes another feed.
    #[error("the server or its feed was replaced while it was measured")]
    FeedChanged,
    /// The server processes of one feed published different numbers of the window's messages.
    #[error("of one feed a server process published {least} messages, another {most}")]
    ServersDisagree {
        /// The fewest that one of them published.
        least: u64,
        /// The most.
        most: u64,
    },
    /// Messages were in hand before they were due, so that no latency can be believed.
    #[error(
        "message {seq} arrived {} before it was due{}: {likely}",
        time(*.early),
        earliest(*.messages)
    )]
    BeforeDue {
        /// The one that was earliest.
        seq: Seq,
        /// How early.
        early: Duration,
        /// How many arrivals were early.
        messages: u64,
        /// The likely fault.
        likely: Likely,
    },
    /// The server sends another feed than its description says.
    #[error("the feed file does not describe this server: {sign}")]
    NotThisFeed {
        /// The sign of it.
        sign: Misfit,
    },
    /// Of the messages that were due not one arrived.
    #[error("none of the {due} messages that were due arrived: {cause}")]
    NothingArrived {
        /// How many were due.
        due: u64,
        /// The first cause seen on the wire.
        cause: String,
    },
    /// Rules found no message of the window in what arrived.
    #[error("no message was found: {cause}")]
    NothingFound {
        /// The first that came instead.
        cause: String,
        /// Messages came, and the rules took none of them, as they would not the next time.
        #[serde(default)]
        by_rules: bool,
    },
    /// Most of what came on a stream had a number that had come before, which is no message's own.
    #[error(
        "numbers came that had come before, {repeats} times, and {delivered} that had not: --seq finds what \
         most messages share, and not each one's own number"
    )]
    SharedNumbers {
        /// Arrivals whose number their client had already.
        repeats: u64,
        /// Arrivals whose number it had not.
        delivered: u64,
    },
    /// Messages were stamped later than they arrived.
    #[error("{}", stamped_ahead(.worst, *.messages, *.clock))]
    StampedAhead {
        /// The one that was furthest ahead.
        worst: Ahead,
        /// How many arrivals were.
        messages: u64,
        /// The clock that stamps are taken to be of.
        clock: StampClock,
    },
    /// Most messages were lost, and the server broke its protocol.
    #[error(
        "{lost} of {expected} messages were lost, with {errors} protocol errors{}",
        the_first(.first.as_ref())
    )]
    LostToErrors {
        /// How many were lost.
        lost: u64,
        /// Of how many expected.
        expected: u64,
        /// How often the protocol was broken.
        errors: u64,
        /// The first time.
        first: Option<String>,
    },
    /// Packets went by uncounted.
    #[error("the capture missed {missed} packets")]
    CaptureIncomplete {
        /// How many.
        missed: u64,
    },
    /// The router of a link ended early, or said nothing.
    #[error("the router of the link ended early: {error}")]
    RouterDied {
        /// Its last words, or how it ended.
        error: String,
    },
    /// Packets were gone that no line had dropped.
    #[error("{packets} packets were gone on the link that no line had dropped")]
    LinkLeaked {
        /// How many.
        packets: u64,
    },
    /// The router of a link did not keep its own times.
    #[error("one packet in a hundred left the router of the link {} late or more", time(*.p99))]
    RouterLate {
        /// How late one packet in a hundred of the window was, or later.
        p99: Duration,
        /// Its precedence over others that wanted its core; `None` in older records.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        precedence: Option<Precedence>,
    },
    /// The router of a link had no core for so long, or so often, that what was measured shows it.
    #[error("{0}")]
    RouterStalled(RouterStalls),
    /// Of the traffic that was to fill a line beside the feed nothing arrived.
    #[error(
        "{} filled the line beside the feed{}",
        nothing(*.direction), .error.as_ref().map_or_else(String::new, |error| format!(": {error}"))
    )]
    CrossIdle {
        /// Which way it was to go; `None` where that is not known.
        direction: Option<Direction>,
        /// The first failure, where there was one.
        error: Option<String>,
    },
    /// Tabs of a browser were not as they have to be.
    #[error("{0}")]
    Tabs(TabFault),
    /// A program that the run started, such as a proxy, could not be had or ended early.
    #[error("{program} failed: {error}")]
    ProgramFailed {
        /// Its name.
        program: String,
        /// Its last words, or how it ended.
        error: String,
    },
    /// The load generator used a whole core, so it may have measured itself.
    #[error("a load process used {:.0} % of a core", .share * 100.0)]
    LoadSaturated {
        /// The busiest load process's CPU time over the window's length.
        share: f64,
    },
    /// A thread that should have woken each millisecond did not: the machine itself stood still.
    #[error(
        "the machine stalled for up to {:.1} ms{}",
        .worst.as_secs_f64() * 1e3,
        altogether(*.share)
    )]
    MachineStalled {
        /// The worst delay of a wake-up.
        worst: Duration,
        /// The share of the window that stalls cover which matter to the latencies, 0 to 1.
        #[serde(default)]
        share: f64,
    },
    /// A process of the instrument stood still, although the machine did not: it measured itself.
    #[error("{0}, while the machine went on")]
    InstrumentStalled(Standstill),
    /// A control group's quota of processor time kept the run's processes from running.
    #[error("{0}")]
    Throttled(HeldBack),
    /// Other processes took the cores while the server or the load generator needed them.
    #[error("{0}")]
    MachineBusy(Busy),
    /// The wall clock was set, which packets and receive timestamps are stamped with.
    #[error("the wall clock was set by {:.0} ms", .by.as_secs_f64() * 1e3)]
    ClockStepped {
        /// By how much, either way.
        by: Duration,
    },
    /// The machine was suspended.
    #[error("the machine was suspended for {:.1} s", .slept.as_secs_f64())]
    Suspended {
        /// For how long.
        slept: Duration,
    },
}

/// The remedy where rules find nothing.
const NAME_MESSAGES: &str = "see what the server sends there, and have the rules name it: --message, \
                             --event, --seq, --stamp; what is no message, such as a greeting, takes \
                             --ignore, and what has to be asked for first --send";

/// The remedy where messages share what is taken for their number.
const NAME_NUMBER: &str = "have --seq find the counter that grows with each message, as in --seq /data/n, and name \
                           each counter where there are several (--key); where messages have none, --no-seq";

/// The remedy where stamps are of the future.
const NAME_CLOCK: &str = "say the unit and the clock that the sender writes, as in --stamp \
                          /at:us@monotonic; its clock must be this machine's";

impl Invalid {
    /// The remedy.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::AuditUnbalanced | Self::LedgerUnbalanced => {
                "this is a fault of pushbench; please report it with run.json"
            }
            Self::ClientsMissing { .. } => {
                "mend what the error names, if it does; see the server's log, and where it is at its \
                 limits, raise them or use fewer clients"
            }
            Self::Coded { .. } => {
                "messages have to come as they are: use --headers minimal, or switch compression \
                 off at the server"
            }
            Self::AttemptsUsed(used) => used.remedy(),
            Self::LoadDied { .. }
            | Self::ServerDied { .. }
            | Self::RouterDied { .. }
            | Self::ProgramFailed { .. }
            | Self::CrossIdle { error: Some(_), .. } => "see what it said, and the system's log",
            Self::CrossIdle { error: None, .. } => {
                "let the warm-up be longer, or the line faster, so that it gets under way"
            }
            Self::Tabs(fault) => fault.remedy(),
            Self::LoadSaturated { .. } => "lower the rate or the number of clients",
            Self::FeedChanged => "leave the server running for the whole measurement",
            Self::ServersDisagree { .. } => "lower the rate, or use fewer server processes",
            Self::RouterLate { precedence, .. } => router::remedy(*precedence),
            Self::RouterStalled(stalls) => router::remedy(stalls.precedence),
            Self::CaptureIncomplete { .. } | Self::LinkLeaked { .. } => {
                "lower the rate or the number of clients"
            }
            Self::MachineStalled { .. } => {
                "use a machine with processors of its own, and see `pushbench doctor`"
            }
            Self::BeforeDue { likely, .. } => likely.remedy(),
            Self::NotThisFeed { .. } => {
                "describe the feed as the server publishes it: rate, schedule, origin, and numbers \
                 that rise by one"
            }
            Self::NothingArrived { .. } => {
                "mend the cause: path, transport and rules have to be those of the server, and of a feed that \
                 it makes itself the description, too"
            }
            Self::NothingFound { .. } => NAME_MESSAGES,
            Self::SharedNumbers { .. } => NAME_NUMBER,
            Self::StampedAhead { .. } => NAME_CLOCK,
            Self::LostToErrors { .. } => {
                "see what the server sends there; the errors are in run.json"
            }
            Self::InstrumentStalled(_) => {
                "let nothing stop, trace or freeze pushbench's own processes, and repeat"
            }
            Self::Throttled(_) => {
                "raise the container's quota (`docker run --cpus`, systemd's CPUQuota, cpu.max), or \
                 lower the load"
            }
            Self::MachineBusy(_) => "leave the machine idle but for the run, and repeat",
            Self::ClockStepped { .. } => "let the clock be set before the run, not during it",
            Self::Suspended { .. } => "keep the machine awake: systemd-inhibit pushbench run …",
        }
    }
}

fn time(time: Duration) -> String {
    micros(time.as_secs_f64() * 1e6)
}

fn earliest(messages: u64) -> String {
    if messages > 1 { format!(", the earliest of {messages} that did") } else { String::new() }
}

const fn nothing(direction: Option<Direction>) -> &'static str {
    match direction {
        Some(Direction::Down) => "no download",
        Some(Direction::Up) => "no upload",
        None => "nothing",
    }
}

fn altogether(share: f64) -> String {
    if share > 0.0 {
        format!(", in {:.1} % of the window altogether", share * 100.0)
    } else {
        String::new()
    }
}

/// A message that came before the instant that was written into it.
fn stamped_ahead(worst: &Ahead, messages: u64, clock: StampClock) -> String {
    let Ahead { seq, stamp, by } = worst;
    let number = seq.map_or_else(|| "a message".to_owned(), |seq| format!("message {seq}"));
    let clock = match clock {
        StampClock::Wall => "s since 1970",
        StampClock::Monotonic => "s of the monotonic clock",
    };
    let at = stamp.0 as f64 / 1e9;
    let furthest =
        if messages > 1 { format!(", the furthest of {messages}") } else { String::new() };
    format!("{number} was stamped {} after it had arrived, at {at:.6} {clock}{furthest}", time(*by))
}
