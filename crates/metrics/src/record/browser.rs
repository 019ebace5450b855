//! The browser that played the clients of a trial.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A browser, as it was in a trial.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserMeasured {
    /// Its name and version, as it says itself.
    pub version: String,
    /// Whether its tabs were kept from the system by its sandbox, which it does not have for root.
    pub sandboxed: bool,
    /// By how much a tab's instants may be wrong at most, by the round trips before the window.
    pub bound_before: Duration,
    /// The same by those behind it.
    pub bound_after: Duration,
    /// The most that a tab's clock moved against the machine's from before to after, as far as both
    /// are known.
    pub shift: Duration,
    /// Whether that is more than both bounds allow.
    pub torn: bool,
    /// Tabs that were out of sight, so that their timers were held back.
    pub hidden: u32,
    /// Tabs that had no connection when the window began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// Tabs that wait for a connection, since the browser opens only so many to a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// How many.
    pub tabs: u32,
    /// How long the one that waited longest did: until it had one, or the trial was over.
    pub longest: Duration,
}
