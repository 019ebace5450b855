//! Players of a trial's two sides, as their processes need to know of them.

use pushbench_core::payload::Payload;
use serde::{Deserialize, Serialize};

/// A child process that plays the server's side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerPlayer {
    /// The server of pushbench.
    #[default]
    Real,
    /// A loop of writes, the least that a server of WebSockets can do: the floor.
    Bare,
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
}

impl Subject {
    /// Whether the server is none of ours, and knows no cursor of ours.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        self.path.is_some()
    }
}
