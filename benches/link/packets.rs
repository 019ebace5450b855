//! Packets in a second: the router alone on a core, sender and receiver on another.

use std::time::Duration;

use anyhow::Context as _;
use pushbench_metrics::observe::device::{RouterMeasured, SideCounts};
use pushbench_os::process::scheduling;

use crate::Args;
use crate::pair::{Between, Ground, Process, quiet};
use crate::role::{Gone, Received, Role};

/// The time between two bursts.
const TICK: Duration = Duration::from_micros(100);
/// Bytes of a datagram in a packet of 100 bytes, with 28 of IPv4 and UDP.
const SIZE: usize = 72;

/// Plays each rate over each backend; the table of what became of the packets.
pub(crate) fn table(args: &Args) -> anyhow::Result<()> {
    let mut text = format!(
        "\n## Packets of 100 bytes one way, {} each, the router on a core of its own\n\n\
         | between | wanted/s | sent/s | sent | forwarded | dropped by devices, packet sockets, ports | received | router's core | longest wait µs |\n\
         |---|---|---|---|---|---|---|---|---|\n",
        args.seconds,
    );
    for backend in args.backends() {
        for delay in [Duration::ZERO, Duration::from_millis(50)] {
            for &rate in &args.packets {
                let between = Between::Link(backend, delay);
                let trial = quiet(args.seconds.0, || {
                    let trial = trial(args, between, rate)?;
                    // Sender and receiver share a core, and wait for each other.
                    let router = Some(trial.router.clone());
                    Ok((trial, Duration::ZERO, router))
                })?;
                text.push_str(&row(between, rate, &trial));
            }
        }
    }
    text.push_str(
        "\nTarget: 200,000/s at delay 0 with nothing dropped. What the receiver does not read in time is \
         dropped by its socket, not by the link.\n",
    );
    crate::print(&text)
}

/// Fates of the packets of a trial.
struct Trial {
    sent: u64,
    gone: Gone,
    received: u64,
    router: RouterMeasured,
}

fn row(between: Between, rate: u32, trial: &Trial) -> String {
    let Trial { sent, gone, received, router } = trial;
    let sides = [&router.server, &router.clients];
    let sum = |count: fn(&SideCounts) -> u64| sides.map(count).iter().sum::<u64>();
    format!(
        "| {} | {rate} | {:.0} | {sent} | {} | {}, {}, {} | {received} | {:.0} % | {} |\n",
        between.name(),
        *sent as f64 / gone.took.as_secs_f64(),
        router.forwarded,
        sum(|side| side.lost() - side.overflowed - side.port.all()),
        sum(|side| side.overflowed),
        sum(|side| side.port.all()),
        100.0 * router.cpu.as_secs_f64() / gone.took.as_secs_f64(),
        router.longest_wait.as_micros(),
    )
}

fn trial(args: &Args, between: Between, rate: u32) -> anyhow::Result<Trial> {
    eprint!("\r{:<20} {rate}/s ", between.name());
    let cores = scheduling::cores();
    let (core, others) = (cores.first().copied(), cores.last().copied());
    let ground = Ground::make(between, core)?;
    let burst = (u64::from(rate) * TICK.as_micros() as u64 / 1_000_000) as u32;
    let ticks = (args.seconds.0.as_nanos() / TICK.as_nanos()) as u32;
    let sent = u64::from(burst) * u64::from(ticks);
    let (network, address) = (ground.load_network(), ground.client);
    let mut receiver = Process::start(&Role::Receive { network, address, count: sent }, others)?;
    receiver.listens()?;
    let (network, source, target) = (ground.server_network(), ground.server, ground.client);
    let send = Role::Send { network, source, target, tick: TICK, burst, ticks, size: SIZE };
    let mut sender = Process::start(&send, others)?;
    let gone: Gone = sender.hear()?;
    let received: Received = receiver.hear()?;
    let router = ground.end()?.context("a link has a router")?;
    eprint!("\r{:<40}\r", "");
    Ok(Trial { sent, gone, received: received.count, router })
}
