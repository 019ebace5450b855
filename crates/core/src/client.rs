//! The programs that play a trial's clients.

use serde::{Deserialize, Serialize};

use crate::named::by_name;

/// The most tabs that a browser is asked for: each is a window and a process of its own.
pub const MOST_TABS: u64 = 200;

/// A program that plays the clients of a trial.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientKind {
    /// The load generator of pushbench.
    #[default]
    Native,
    /// Tabs of one Chromium without a display, each in sight.
    Chromium,
    /// The same, all of them behind another tab: a browser holds the timers of such a page back.
    ChromiumHidden,
}

by_name!(ClientKind);

impl ClientKind {
    /// Whether it is the load generator of pushbench.
    #[must_use]
    pub fn is_native(&self) -> bool {
        *self == Self::Native
    }
}
