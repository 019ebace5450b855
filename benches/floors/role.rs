//! Parts that a process of a trial can play. All take the orders of a run's children
//! (`pushbench_run::player::child`), so that a trial need not know which of them are bare.

mod load;
mod node;
mod poller;

use clap::ValueEnum;
use pushbench_core::feed::payload::Payload;
use pushbench_core::talk::Pattern;
use pushbench_metrics::record::control::{LoadPlayer, ServerPlayer};
use pushbench_run::player::child::{self, ChildError};

use self::poller::Poller;

/// A part in a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Role {
    /// The server of a run.
    Server,
    /// A loop of writes to WebSockets.
    BareWriter,
    /// A loop that sends back what it receives.
    BareEcho,
    /// A loop that sends what it receives to all.
    BareRoom,
    /// Node's package ws, sending back what it receives.
    NodeEcho,
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
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The arguments with which this program plays the part.
    pub(crate) fn arguments(self) -> Vec<String> {
        vec!["--role".to_owned(), self.name()]
    }

    /// Who plays the server's side with this part.
    pub(crate) fn server_player(self) -> ServerPlayer {
        match self {
            Self::BareWriter => ServerPlayer::Bare,
            Self::BareEcho => ServerPlayer::BareTalk(Pattern::Echo),
            Self::BareRoom => ServerPlayer::BareTalk(Pattern::Chat),
            _ => ServerPlayer::Real,
        }
    }

    /// Who plays the clients' side with this part, for messages of `payload`.
    pub(crate) fn load_player(self, payload: Payload) -> LoadPlayer {
        if self == Self::BareReceiver { LoadPlayer::Bare(payload) } else { LoadPlayer::Real }
    }

    /// Why it cannot be played here; `None` where it can.
    pub(crate) fn missing(self) -> Option<&'static str> {
        let lacks_node = self == Self::NodeEcho && !node::is_there();
        lacks_node.then_some("no Node with the package ws (apt install nodejs node-ws)")
    }

    /// Plays the part until it is over.
    pub(crate) fn play(self) -> Result<(), ChildError> {
        match self {
            Self::Server | Self::BareWriter | Self::BareEcho | Self::BareRoom => child::server(),
            Self::NodeEcho => node::echo(),
            Self::Load | Self::BareReceiver => child::load(),
            Self::LoadWithoutStamps => load::without_stamps(),
            Self::LoadWithoutLedger => load::without_ledger(),
            Self::LoadThatCounts => load::that_counts(),
            Self::BarePoller => child::bare_load(child::load_plan()?, Poller::default()),
        }
    }
}
