//! A link's router that was kept from its core.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::way::micros;
use crate::observe::attendance::Precedence;

/// Times within a window at which a link's router was ready to run and did not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RouterStalls {
    /// The longest of them.
    pub worst: Duration,
    /// The share of the window's instants at which a packet that came waited for longer than the
    /// router may be late, 0 to 1.
    pub share: f64,
    /// The router's precedence over others that wanted its core; `None` where it is not known.
    pub precedence: Option<Precedence>,
}

impl fmt::Display for RouterStalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the router of the link had no core for up to {}, and packets that came in {:.1} % of the \
             window waited too long for it",
            micros(self.worst.as_secs_f64() * 1e6),
            self.share * 100.0
        )
    }
}

/// The remedy for a router of such a precedence that was late, or had no core.
pub(super) const fn remedy(precedence: Option<Precedence>) -> &'static str {
    match precedence {
        Some(Precedence::Nice | Precedence::Normal) => {
            "let the router have real-time priority (as root, with CAP_SYS_NICE, or with `ulimit -r 1`), \
             leave it a core, or lower the rate or the number of clients"
        }
        Some(Precedence::RealTime) | None => {
            "lower the rate or the number of clients, or use a machine with three cores"
        }
    }
}
