//! Flags of clients that speak: each overrides what the scenario says.

use clap::Args;
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::talk::{Pace, Pattern};
use pushbench_core::units::{Count, Rate};

/// Clients that speak as well as listen.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Talk")]
pub(crate) struct TalkArgs {
    /// Clients speak, in place of a feed: chat (all of a room hear it), echo (it comes back to who said
    /// it) or upload (it goes to the server alone); may be a list
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    talk: Vec<Pattern>,
    /// Messages that each client says in a unit of time; may be a list [default: 1/s]
    #[arg(long, value_name = "RATE", value_delimiter = ',')]
    talk_rate: Vec<Rate>,
    /// When they are due: constant, each client with a phase of its own, or poisson [default: constant]
    #[arg(long, value_name = "LAW")]
    talk_pace: Option<Pace>,
    /// Clients in a room; may be a list [default: 20]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    room_size: Vec<Count>,
}

impl TalkArgs {
    /// Puts the flags that were given in place of the scenario's settings.
    pub(crate) fn apply(&self, Scenario { talk, .. }: &mut Scenario) {
        if !self.talk.is_empty() {
            talk.pattern = Some(Values::from(self.talk.clone()));
        }
        talk.rate.override_with(&self.talk_rate);
        talk.pace = self.talk_pace.unwrap_or(talk.pace);
        talk.room_size.override_with(&self.room_size);
    }
}
