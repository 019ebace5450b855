//! What runs under callgrind: the load generator, the server, or the way of bytes without a
//! socket. Each is played in a process of its own, and ends when it has been counted.

mod load;
mod pace;
mod replay;
mod server;

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::ValueEnum;
use pushbench_core::Contender;
use pushbench_core::security::Trust;

/// Clients on either side.
pub(crate) const CLIENTS: u32 = 100;

/// Rounds of a message to each client in a second of a trial, so that what is done once a second is
/// in each stretch of one.
pub(crate) const ROUNDS_PER_SECOND: u64 = 10;

/// What a process plays while it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// A session that takes bytes from memory.
    Session,
    /// The same, with a record of what it takes.
    SessionAndRecord,
    /// The load generator of a run.
    Load,
    /// The server of a run.
    Server,
}

impl Part {
    /// As it is named in arguments.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::SessionAndRecord => "session-and-record",
            Self::Load => "load",
            Self::Server => "server",
        }
    }

    /// Plays it, for `stretches` that are counted where it cannot be told meanwhile. The load generator
    /// loads `target`, which is the one that `trust` knows.
    pub(crate) fn play(
        self,
        contender: Contender,
        stretches: u32,
        target: Option<SocketAddr>,
        trust: Trust,
    ) -> anyhow::Result<()> {
        match self {
            Self::Session => replay::alone(contender, stretches),
            Self::SessionAndRecord => replay::recorded(contender, stretches),
            Self::Load => {
                let target = target.context("whom to load?")?;
                load::play(contender, stretches, target, trust)
            }
            Self::Server => server::play(contender),
        }
    }
}
