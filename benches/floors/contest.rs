//! Contests: who plays whom, and whose cost is held against which floor.

use pushbench_benches::{coded, in_tls};
use pushbench_core::Contender;
use pushbench_core::contender::Coding;

use crate::role::Role;

/// Who plays whom, and for which feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contest {
    pub(crate) contender: Contender,
    pub(crate) server: Role,
    pub(crate) load: Role,
    pub(crate) feed: Feed,
}

/// The messages of a contest, and how many clients have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feed {
    /// Text, whose bytes mean nothing, to all clients.
    Text,
    /// Quotes, which compress as a real feed does, to all clients.
    Quotes,
    /// The same to as many as have a compressor each.
    QuotesToSome,
    /// The same to so few that compressing once for all of them shows.
    QuotesToFew,
    /// None: clients talk, each with itself.
    Echo,
    /// None: clients talk, all in one room.
    Room,
}

impl Feed {
    /// Whether clients say its messages.
    pub(crate) const fn is_said(self) -> bool {
        matches!(self, Self::Echo | Self::Room)
    }
}

/// The side whose CPU is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Load,
}

/// One contest against another, of which the CPU of one side is compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison {
    pub(crate) name: &'static str,
    pub(crate) ours: Contest,
    pub(crate) floor: Contest,
    pub(crate) side: Side,
    /// The most that the ratio should be; `None` where it is only told.
    pub(crate) target: Option<f64>,
}

/// The real server and the real load generator.
const fn real(contender: Contender, feed: Feed) -> Contest {
    Contest { contender, server: Role::Server, load: Role::Load, feed }
}

const WEBSOCKET: Contest = real(Contender::WEBSOCKET, Feed::Text);
const SSE: Contest = real(Contender::SSE, Feed::Text);
const LONG_POLL: Contest = real(Contender::LONG_POLL, Feed::Text);

const ECHO: Contest = real(Contender::WEBSOCKET, Feed::Echo);
const ROOM: Contest = real(Contender::WEBSOCKET, Feed::Room);

const SECURE_WEBSOCKET: Contest = Contest { contender: in_tls(Contender::WEBSOCKET), ..WEBSOCKET };
const SECURE_SSE: Contest = Contest { contender: in_tls(Contender::SSE), ..SSE };
const TAKEOVER: Contest =
    real(coded(Contender::WEBSOCKET, Coding::DeflateTakeover), Feed::QuotesToSome);

/// The load generator against another part in its place.
const fn load(name: &'static str, ours: Contest, floor: Role, target: f64) -> Comparison {
    let floor = Contest { load: floor, ..ours };
    Comparison { name, ours, floor, side: Side::Load, target: Some(target) }
}

/// The server against another part in its place.
const fn server(name: &'static str, ours: Contest, floor: Role, target: f64) -> Comparison {
    let floor = Contest { server: floor, ..ours };
    Comparison { name, ours, floor, side: Side::Server, target: Some(target) }
}

/// The server of a contender with that coding against that of the same without.
const fn coding(
    name: &'static str,
    contender: Contender,
    coding: Coding,
    feed: Feed,
    target: Option<f64>,
) -> Comparison {
    let ours = real(coded(contender, coding), feed);
    Comparison { name, ours, floor: real(contender, feed), side: Side::Server, target }
}

/// All comparisons, in the order of the table.
pub(crate) const COMPARISONS: [Comparison; 18] = [
    load("websocket: load generator / bare receiver", WEBSOCKET, Role::BareReceiver, 1.25),
    load("sse: load generator / bare receiver", SSE, Role::BareReceiver, 1.4),
    load("long-poll: load generator / bare poller", LONG_POLL, Role::BarePoller, 1.4),
    server("websocket: server / bare writer", WEBSOCKET, Role::BareWriter, 1.10),
    server("websocket+tls: server / bare sealing writer", SECURE_WEBSOCKET, Role::BareWriter, 1.15),
    server("sse+tls: server / bare sealing writer", SECURE_SSE, Role::BareWriter, 1.15),
    load(
        "websocket+tls: load generator / bare opening receiver",
        SECURE_WEBSOCKET,
        Role::BareReceiver,
        1.25,
    ),
    server(
        "websocket+deflate-takeover: server / bare compressing writer",
        TAKEOVER,
        Role::BareWriter,
        1.25,
    ),
    coding(
        "websocket+deflate: server / of websocket",
        Contender::WEBSOCKET,
        Coding::Deflate,
        Feed::Quotes,
        Some(1.05),
    ),
    coding("sse+gzip: server / of sse", Contender::SSE, Coding::Gzip, Feed::Quotes, Some(1.10)),
    coding(
        "websocket+deflate: server / of websocket, few clients",
        Contender::WEBSOCKET,
        Coding::Deflate,
        Feed::QuotesToFew,
        None,
    ),
    coding(
        "sse+gzip: server / of sse, few clients",
        Contender::SSE,
        Coding::Gzip,
        Feed::QuotesToFew,
        None,
    ),
    server("echo: server / bare echo", ECHO, Role::BareEcho, 1.25),
    server("echo: server / Node ws", ECHO, Role::NodeEcho, 0.6),
    server("room: server / bare room", ROOM, Role::BareRoom, 1.15),
    load("websocket: load generator / without ledger", WEBSOCKET, Role::LoadWithoutLedger, 1.05),
    load("websocket: load generator / without stamps", WEBSOCKET, Role::LoadWithoutStamps, 1.10),
    load("websocket: load generator / that only counts", WEBSOCKET, Role::LoadThatCounts, 1.10),
];

impl Contest {
    /// For a person to read.
    pub(crate) fn describe(&self) -> String {
        format!("{} from {} to {}", self.contender, self.server.name(), self.load.name())
    }
}
