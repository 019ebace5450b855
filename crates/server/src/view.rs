//! A room and the server's books as of one instant, lent to a connection while it acts.

use pushbench_core::MonoInstant;

use crate::config::ServerConfig;
use crate::counters::Counters;
use crate::ring::Ring;
use crate::stamps::StampLog;

/// A room, which the feed is too, and the server's books.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) ring: &'a Ring,
    pub(crate) counters: &'a Counters,
    pub(crate) config: &'a ServerConfig,
    pub(crate) stamps: &'a StampLog,
    pub(crate) now: MonoInstant,
}
