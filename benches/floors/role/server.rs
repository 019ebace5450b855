//! The server of a run, as its child process runs it.

use std::thread;

use pushbench_metrics::control::{ServerNews, ServerOrder, ServerPlan};
use pushbench_server::{Server, ServerConfig};

use crate::orders::{hear, say};

/// Serves until told to stop.
pub(super) fn play() -> anyhow::Result<()> {
    let plan: ServerPlan = hear()?;
    let config = ServerConfig { headers: plan.headers, ..ServerConfig::new(plan.feed) };
    let server = Server::bind(plan.listen, config)?;
    let handle = server.handle();
    say(&ServerNews::Listening { address: server.local_addr() });
    thread::spawn(move || {
        while let Ok(order) = hear() {
            match order {
                ServerOrder::Start { origin } => handle.start(origin),
                ServerOrder::Measure { window } => handle.measure(window),
                ServerOrder::Stop => break,
            }
        }
        handle.stop();
    });
    say(&ServerNews::Stopped(Box::new(server.run())));
    Ok(())
}
