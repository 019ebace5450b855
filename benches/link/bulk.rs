//! A transfer as fast as TCP can.

use std::time::Duration;

use anyhow::Context as _;
use pushbench_metrics::observe::device::RouterMeasured;
use pushbench_metrics::observe::ledger::Direction;

use crate::Args;
use crate::pair::{Between, Ground, Process, quiet};
use crate::role::{Role, Sent};

/// Plays a transfer over each link; the table of what was sent twice.
pub(crate) fn table(args: &Args) -> anyhow::Result<()> {
    let mut text = format!(
        "\n## Saturating TCP, no loss, {} each\n\n\
         | between | round | Mbit/s | sent again: kernel | router | dropped unasked | packets/s | longest wait µs |\n\
         |---|---|---|---|---|---|---|---|\n",
        args.seconds,
    );
    for round in 1..=args.repeats {
        for backend in args.backends() {
            for delay in [Duration::ZERO, Duration::from_millis(50)] {
                let between = Between::Link(backend, delay);
                text.push_str(&quiet(args.seconds.0, || trial(args, round, between))?);
            }
        }
    }
    text.push_str("\nTarget: nothing sent again, nothing dropped.\n");
    crate::print(&text)
}

fn trial(
    args: &Args,
    round: u32,
    between: Between,
) -> anyhow::Result<(String, Duration, Option<RouterMeasured>)> {
    eprint!("\rround {round}: {:<20}", between.name());
    let ground = Ground::make(between, None)?;
    let (network, address, time) = (ground.server_network(), ground.server, args.seconds.0);
    let mut source = Process::start(&Role::Source { network, address, time }, None)?;
    source.listens()?;
    let (network, target) = (ground.load_network(), ground.server);
    let _sink = Process::start(&Role::Sink { network, target }, None)?;
    let sent: Sent = source.hear()?;
    let measured = ground.end()?.context("a link has a router")?;
    eprint!("\r{:<40}\r", "");
    let down = measured.link.total(Direction::Down);
    let seconds = sent.time.as_secs_f64();
    let row = format!(
        "| {} | {round} | {:.0} | {} | {} | {} | {:.0} | {} |\n",
        between.name(),
        sent.bytes as f64 * 8.0 / seconds / 1e6,
        sent.again,
        down.retransmitted_segments,
        measured.unasked_drops(),
        measured.forwarded as f64 / seconds,
        measured.longest_wait.as_micros(),
    );
    // The ends wait for the router, not for a core, where they are slow.
    Ok((row, Duration::ZERO, Some(measured)))
}
