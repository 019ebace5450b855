//! Arguments about the program that plays the clients.

use clap::Args;
use pushbench_core::client::ClientKind;
use pushbench_core::scenario::Scenario;
use pushbench_run::place::Layout;
use pushbench_run::player::browser;

/// The program that plays the clients.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clients")]
pub(crate) struct BrowserArgs {
    /// Program that plays the clients: native (the load generator), chromium (a tab of a headless
    /// browser for each client) or chromium-hidden (the same behind another tab, as users leave them);
    /// may be a list [default: native]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    client: Vec<ClientKind>,
    /// The browser to start [default: chromium]
    #[arg(long, value_name = "PATH")]
    pub(crate) chromium: Option<String>,
}

impl BrowserArgs {
    /// Puts the programs that are named in the place of the scenario's.
    pub(crate) fn apply(&self, scenario: &mut Scenario) {
        scenario.client.override_with(&self.client);
    }

    /// Why a browser cannot play clients here and so, and what to do about it.
    pub(crate) fn problem(
        &self,
        scenario: &Scenario,
        captures: bool,
        layout: &Layout,
    ) -> Option<String> {
        if scenario.client.as_slice().iter().all(ClientKind::is_native) {
            return self.chromium.as_ref().map(|_| {
                "--chromium: no browser plays clients; add --client native,chromium".to_owned()
            });
        }
        if captures {
            return Some("client: a browser is not captured; leave --capture out".to_owned());
        }
        if layout.is_spread() {
            return Some(
                "client: a browser is one load process before one server; leave \
                 --server-processes and --load-processes out"
                    .to_owned(),
            );
        }
        browser::lacking(self.chromium.as_deref()).map(|lacks| format!("client: {lacks}"))
    }
}
