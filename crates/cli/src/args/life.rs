//! Flags of connections' life: each overrides what the scenario says.

use clap::Args;
use pushbench_core::life::{Halt, Reconnect};
use pushbench_core::scenario::{Scenario, Values};
use pushbench_core::units::{Count, Rate, Span};

/// Clients that come and go, and a server that goes and comes back.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connections")]
pub(crate) struct LifeArgs {
    /// The server goes within the window and another comes in its place: kill (it says nothing) or
    /// term (it is told to go, and says good-bye); may be a list
    #[arg(long, value_name = "HOW", value_delimiter = ',')]
    restart: Vec<Halt>,
    /// When it goes, from the window's start [default: 2s]
    #[arg(long, value_name = "TIME")]
    restart_at: Option<Span>,
    /// How long nobody listens then; may be a list [default: 500ms]
    #[arg(long, value_name = "TIME", value_delimiter = ',')]
    restart_down: Vec<Span>,
    /// Clients leave that often, and others come in their place; may be a list
    #[arg(long, value_name = "RATE", value_delimiter = ',')]
    churn: Vec<Rate>,
    /// How many of them leave at once; may be a list [default: 1]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    churn_burst: Vec<Count>,
    /// Pauses before connecting again after a failure: jitter (random, at first of at most 100ms,
    /// doubling up to 10s) or browser (3s each, as Chromium's EventSource); may be a list
    /// [default: jitter]
    #[arg(long, value_name = "LAW", value_delimiter = ',')]
    reconnect: Vec<Reconnect>,
}

impl LifeArgs {
    /// Puts the flags that were given in place of the scenario's settings.
    pub(crate) fn apply(&self, scenario: &mut Scenario) {
        let Scenario { restart, churn, reconnect, .. } = scenario;
        if !self.restart.is_empty() {
            restart.how = Some(Values::from(self.restart.clone()));
        }
        restart.at = self.restart_at.unwrap_or(restart.at);
        restart.down.override_with(&self.restart_down);
        if !self.churn.is_empty() {
            churn.rate = Some(Values::from(self.churn.clone()));
        }
        churn.burst.override_with(&self.churn_burst);
        reconnect.override_with(&self.reconnect);
    }
}
