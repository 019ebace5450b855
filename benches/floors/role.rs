//! What the processes of a trial play. All take the orders of a run's children
//! (`pushbench_metrics::record::control`), so that a trial need not know which of them are bare.

mod load;
mod poller;
mod server;

use anyhow::Context as _;
use clap::ValueEnum;
use pushbench_load::bare::{self, Part, Receiver};
use pushbench_metrics::record::control::LoadPlan;

use self::poller::Poller;
use crate::orders::{hear, say};

/// A part in a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Role {
    /// The server of a run.
    Server,
    /// A loop of writes to WebSockets.
    BareWriter,
    /// The load generator of a run.
    Load,
    /// The load generator without the stamps of latency's breakdown.
    LoadWithoutStamps,
    /// The load generator without byte ledger and `TCP_INFO`.
    LoadWithoutLedger,
    /// The load generator that only counts messages.
    LoadThatCounts,
    /// A loop of reads from streams.
    BareReceiver,
    /// A loop of long polls.
    BarePoller,
}

impl Role {
    /// As it is named in arguments and tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::BareWriter => "bare-writer",
            Self::Load => "load",
            Self::LoadWithoutStamps => "load-without-stamps",
            Self::LoadWithoutLedger => "load-without-ledger",
            Self::LoadThatCounts => "load-that-counts",
            Self::BareReceiver => "bare-receiver",
            Self::BarePoller => "bare-poller",
        }
    }

    /// Plays the part until it is over.
    pub(crate) fn play(self) -> anyhow::Result<()> {
        pushbench_os::machine::limits::raise_open_files(1 << 20);
        match self {
            Self::Server => server::play(),
            Self::BareWriter => {
                Ok(pushbench_server::bare::play(&hear()?, hear, |news| say(&news))?)
            }
            Self::Load => load::play(load::Keeps::All),
            Self::LoadWithoutStamps => load::play(load::Keeps::NoStamps),
            Self::LoadWithoutLedger => load::play(load::Keeps::NoLedger),
            Self::LoadThatCounts => load::play(load::Keeps::Count),
            Self::BareReceiver => {
                let plan: LoadPlan = hear()?;
                let payload = plan.bare.clone().context("the plan names no payload")?;
                play_bare(&mut Receiver::new(payload), &plan)
            }
            Self::BarePoller => play_bare(&mut Poller::default(), &hear()?),
        }
    }
}

fn play_bare(part: &mut impl Part, plan: &LoadPlan) -> anyhow::Result<()> {
    Ok(bare::play(part, plan, hear, |news| say(&news))?)
}
