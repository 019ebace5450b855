//! The server of a run, as its child process runs it.

use std::thread;

use pushbench_metrics::record::control::{ServerNews, ServerPlan};
use pushbench_server::Server;

use crate::orders::{hear, say};

/// Serves until told to stop.
pub(super) fn play() -> anyhow::Result<()> {
    let plan: ServerPlan = hear()?;
    let server = Server::bind(plan.listen, plan.into())?;
    let handle = server.handle();
    say(&ServerNews::Listening { address: server.local_addr() });
    thread::spawn(move || {
        while let Ok(order) = hear() {
            handle.order(order);
        }
        handle.stop();
    });
    say(&ServerNews::Stopped(Box::new(server.run())));
    Ok(())
}
