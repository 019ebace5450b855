//! Players of a trial's two sides, as their processes need to know of them, and their places.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use pushbench_core::Transport;
use pushbench_core::feed::payload::Payload;
use pushbench_core::rules::Rules;
use pushbench_core::subject::Publish;
use pushbench_core::talk::Pattern;
use serde::{Deserialize, Serialize};

/// A child process that plays the server's side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerPlayer {
    /// The server of pushbench.
    #[default]
    Real,
    /// A loop of writes, the least that a server of WebSockets can do: the floor.
    Bare,
    /// A loop that passes on what clients say, the least that a server of clients that talk can do.
    BareTalk(Pattern),
    /// The publisher of a server that is somebody else's: it walks the schedule and gives that server
    /// each message.
    Publisher(Outlet),
}

/// Where and how messages are given to a server that is somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlet {
    /// How.
    pub publish: Publish,
    /// The address at which it takes them.
    pub address: SocketAddr,
    /// The pipe to its standard input, by its path; `None` where it takes them at a socket.
    pub stdin: Option<PathBuf>,
}

/// A child process that plays the clients' side.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadPlayer {
    /// The load generator of pushbench.
    #[default]
    Real,
    /// A loop of reads, the least that receivers can do: the floor. It tells messages of this
    /// payload apart by their length.
    Bare(Payload),
    /// The tabs of a browser.
    Browser(BrowserPlan),
}

/// A browser that runs, whose tabs are the clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserPlan {
    /// Where its DevTools listen.
    pub devtools: SocketAddr,
    /// Whether it has its sandbox.
    pub sandboxed: bool,
    /// Whether its tabs are behind another, out of sight.
    pub hidden: bool,
}

/// The server under test, as its clients ask it. By default it is a pushbench server at its root,
/// known by its address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// `Host` of requests, the name by which the user knows the server; the address where there is
    /// none (RFC 9110 §7.2).
    pub host: Option<String>,
    /// The beginning of each request's path, such as `/base`; empty at a server's root.
    pub prefix: String,
    /// The path and query at which a server that is none of ours offers the transport. It is asked
    /// without our cursors, and need not know them. `None` of a pushbench server, whose endpoints
    /// are known.
    pub path: Option<String>,
    /// The type of the feed's server-sent events; `None` where it is the default, `message`.
    pub event: Option<String>,
    /// The room in which its clients talk, in place of the feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<Room>,
    /// How the messages of an application are found, and what its clients say: they come as
    /// [`Stamped`](pushbench_core::feed::stamp::Stamped).
    pub rules: Option<Rules>,
    /// Messages that rules find have the numbers of the feed, so that it is known when each was due.
    pub has_schedule: bool,
}

/// A place at a pushbench server where clients talk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Room {
    /// The room of that name: all in it hear what one of them says.
    Named(String),
    /// The endpoint at which each hears itself alone, and nothing is kept.
    Echo,
}

impl Room {
    /// The path at which `transport` listens.
    #[must_use]
    pub fn path(&self, transport: Transport) -> String {
        match self {
            Self::Named(name) => format!("/rooms/{name}/{}", transport.word()),
            Self::Echo => "/echo".to_owned(),
        }
    }
}

impl Subject {
    /// Whether clients go on from where they were, after a loss, by a cursor that the server knows.
    #[must_use]
    pub fn has_cursor(&self) -> bool {
        !self.is_foreign() && self.room != Some(Room::Echo)
    }

    /// Whether the server is none of ours, and knows no cursor of ours.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        self.path.is_some() || self.rules.is_some()
    }

    /// Whether messages come of whose senders no schedule is known.
    #[must_use]
    pub const fn is_unscheduled(&self) -> bool {
        self.rules.is_some() && !self.has_schedule
    }

    /// `text`, which may repeat what the server said, without secrets.
    #[must_use]
    pub fn hide(&self, text: String) -> String {
        match &self.rules {
            Some(rules) if !rules.secrets.is_empty() => rules.secrets.hide(&text),
            _ => text,
        }
    }
}

/// The place of a process: the core that it is kept on, its network, and its addresses. The layout of a trial
/// makes it; by default the system chooses all but that it is on loopback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The core that it is kept on, by the kernel's number; `None` where the system chooses.
    pub core: Option<u32>,
    /// The address that a server listens on; port 0 lets the system pick one.
    pub listen: SocketAddr,
    /// The local addresses that clients connect from in turn, each with ports of its own; the
    /// system picks one where there is none.
    pub sources: Vec<IpAddr>,
    /// The network namespace that it lives in, by its path; where it was started without.
    pub namespace: Option<PathBuf>,
}

impl Default for Place {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { core: None, listen, sources: Vec::new(), namespace: None }
    }
}
