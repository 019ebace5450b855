//! The browser that played the clients of a trial.

use std::fmt;
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
    /// Whether all of them were to be.
    #[serde(default)]
    pub hides: bool,
    /// CPU time that all its processes take without tabs in as long as the window lasts, which is no part
    /// of what the tabs cost; `None` where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_cpu: Option<Duration>,
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

/// The words for tabs out of sight.
pub(super) const HIDDEN: &str = "all tabs were behind another, and a browser lets timers of such a page \
                                 fire once a second at most, so that polls are due no more often";

pub(super) const HIDDEN_REMEDY: &str = "a page out of sight learns late what it polls for; messages of a \
                                        stream come to it as they do to one in sight";

/// A fault of a browser's tabs, so that they say nothing of the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum TabFault {
    /// Some were out of sight, so that their timers were held back.
    Hidden {
        /// How many.
        tabs: u32,
    },
    /// Some were in sight that were not to be.
    Seen {
        /// How many.
        tabs: u32,
    },
    /// The clock of one moved against the machine's.
    Clock {
        /// By how much.
        shift: Duration,
        /// The most that its bounds allow.
        bound: Duration,
    },
}

impl TabFault {
    /// The remedy.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Hidden { .. } | Self::Seen { .. } => {
                "see that nothing else drives the browser's windows"
            }
            Self::Clock { .. } => "see whether the machine was suspended",
        }
    }
}

impl fmt::Display for TabFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hidden { tabs } => write!(f, "{tabs} of the browser's tabs were hidden"),
            Self::Seen { tabs } => write!(f, "{tabs} of the browser's tabs were in sight"),
            Self::Clock { shift, bound } => write!(
                f,
                "a tab's clock moved by {:.2} ms against the machine's, where {:.2} ms are allowed",
                shift.as_secs_f64() * 1e3,
                bound.as_secs_f64() * 1e3
            ),
        }
    }
}

impl Waiting {
    /// The remedy.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        "a browser opens six connections to a server over HTTP/1.1, in all its tabs together; a \
         WebSocket is not one of them"
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let have = if self.tabs == 1 { "tab had" } else { "tabs had" };
        write!(
            f,
            "{} {have} no connection as the window began, and waited for up to {:.1} s until the trial's \
             end; the figures are those of the others",
            self.tabs,
            self.longest.as_secs_f64()
        )
    }
}
