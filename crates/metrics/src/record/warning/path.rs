//! Findings about what is between server and clients, whoever that is: seen from the clients alone.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observe::cuts::Cuts;

/// A fault of the way to the clients, or of the server, which looks the same from there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum PathFault {
    /// Messages that came to be one by one came several at a time.
    HeldBack {
        /// How many, on average.
        messages: f64,
        /// How long passed from one time to the next.
        each: Duration,
        /// How long lay between one message and the next where they came from.
        apart: Duration,
    },
    /// Connections were closed after a silence, all of one length.
    CutWhenQuiet(Cuts),
}

impl PathFault {
    pub(super) const fn remedy(&self) -> &'static str {
        match self {
            Self::HeldBack { .. } => {
                "if a proxy is between, have it pass on what it gets: nginx `proxy_buffering off`, or \
                 `X-Accel-Buffering: no` in the server's answer; HAProxy `option http-no-delay`; if none \
                 is, the server collects messages before it sends them"
            }
            Self::CutWhenQuiet(_) => {
                "an idle time-out on the way does that: have the server say something sooner \
                 (`--heartbeat` of pushbench's own), or raise it: nginx `proxy_read_timeout` and \
                 `proxy_send_timeout`, HAProxy `timeout client`, `server` and `tunnel`, Apache \
                 `ProxyTimeout`"
            }
        }
    }
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: &Duration| time.as_secs_f64() * 1e3;
        match self {
            Self::HeldBack { messages, each, apart } => write!(
                f,
                "messages were held back: they came {messages:.1} at a time, each {:.0} ms, though \
                 {:.0} ms lay between one and the next where they came from",
                ms(each),
                ms(apart)
            ),
            Self::CutWhenQuiet(Cuts { connections, least, .. }) => {
                let plural = if *connections == 1 { " was" } else { "s were" };
                let after = least.as_secs_f64();
                write!(
                    f,
                    "{connections} connection{plural} closed after {after:.1} s without a byte"
                )
            }
        }
    }
}
