//! The server of a run, whose feed is published by hand.

use pushbench_benches::callgrind::{obey, say};
use pushbench_benches::reads;
use pushbench_core::Contender;
use pushbench_core::feed::FeedSpec;
use pushbench_core::feed::payload::{Payload, PayloadKind};
use pushbench_core::feed::schedule::Schedule;
use pushbench_metrics::record::control::ServerPlan;
use pushbench_server::Server;

use crate::security;

/// Says where it listens, and serves until its parent has had enough.
pub(super) fn play(contender: Contender) -> anyhow::Result<()> {
    let payload = Payload::Generated { kind: PayloadKind::Text, bytes: reads::PAYLOAD };
    let security = security::server(contender)?;
    let feed = FeedSpec { seed: 1, schedule: Schedule::Manual, payload };
    let plan = ServerPlan { security, ..ServerPlan::new(feed) };
    let server = Server::bind(plan.place.listen, plan.try_into()?)?;
    obey();
    say(&server.local_addr().to_string());
    // The handle is kept by the server itself: it runs until the process ends.
    let _ = server.run();
    Ok(())
}
