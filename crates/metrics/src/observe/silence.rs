//! Where a server fell silent: what still comes to clients as the drain ends, and since when
//! nothing does.

use std::fmt;
use std::time::Duration;

use pushbench_core::{MonoInstant, Seq};
use serde::{Deserialize, Serialize};

use crate::observe::observer::Window;

/// Bytes that still come to a client as the drain ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coming {
    /// When bytes of the feed last came since the window's end; `None` where none did.
    pub last: Option<MonoInstant>,
    /// Whether more is under way.
    pub under_way: bool,
}

/// Clients that messages were due to, and to which nothing more came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// How many they are.
    pub clients: u64,
    /// The newest message that any of them holds, [`Seq::NONE`] where none does.
    pub newest: Seq,
    /// How far into the window the last of the feed came to any of them; zero where that was
    /// before it.
    pub at: Duration,
}

impl Silence {
    /// One client that holds nothing newer than `newest`, to which something last came at `since`.
    #[must_use]
    pub fn of_client(newest: Seq, since: Option<MonoInstant>, window: &Window) -> Self {
        let at = since.map_or(Duration::ZERO, |since| since.saturating_since(window.start));
        Self { clients: 1, newest, at }
    }

    /// Adds the clients of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.clients += other.clients;
        self.newest = self.newest.max(other.newest);
        self.at = self.at.max(other.at);
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, newest, at } = self;
        let plural = if *clients == 1 { "" } else { "s" };
        write!(f, "the server fell silent to {clients} client{plural}: ")?;
        match (*newest, at.as_secs_f64()) {
            (Seq::NONE, _) => f.write_str("no message ever came"),
            // Older messages may have come again, and the last of them after the window's end.
            (newest, 0.0) => write!(
                f,
                "no message newer than {newest} came, and none at all since before the window began"
            ),
            (newest, at) => write!(
                f,
                "no message newer than {newest} came, and none at all later than {at:.3} s from \
                 the window's start"
            ),
        }
    }
}
