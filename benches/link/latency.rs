//! Latency of datagrams at a rate that leaves everybody time.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::ensure;
use pushbench_metrics::judge::stats;
use pushbench_metrics::observe::device::RouterMeasured;
use pushbench_metrics::observe::histogram::LatencyHistogram;

use crate::Args;
use crate::pair::{Between, Ground, Process, quiet};
use crate::role::{Gone, Received, Role};

/// 10,000 packets in a second.
const TICK: Duration = Duration::from_micros(100);
/// Bytes of a datagram.
const SIZE: usize = 64;

/// A trial's figures, µs.
struct Trial {
    p50: f64,
    p99: f64,
    /// For how long sender and receiver were ready to run and did not.
    waited: Duration,
    router: Option<RouterMeasured>,
}

/// Plays all rounds; the table of what a link adds.
pub(crate) fn table(args: &Args) -> anyhow::Result<()> {
    let delays = [Duration::ZERO, Duration::from_millis(50)];
    let links = args.backends().into_iter().flat_map(|b| delays.map(|d| Between::Link(b, d)));
    let subjects: Vec<Between> = [Between::Loopback].into_iter().chain(links).collect();
    let mut played: Vec<Vec<Trial>> = subjects.iter().map(|_| Vec::new()).collect();
    for round in 1..=args.repeats {
        let first = round as usize % subjects.len();
        for index in (first..subjects.len()).chain(0..first) {
            eprint!("\rround {round} of {}: {:<20}", args.repeats, subjects[index].name());
            played[index].push(quiet(args.seconds.0, || {
                let trial = trial(args, subjects[index])?;
                let (waited, router) = (trial.waited, trial.router.clone());
                Ok((trial, waited, router))
            })?);
        }
    }
    eprintln!("\r{:<50}", "");
    let mut text = format!(
        "\n## Latency: UDP, {} bytes, 10,000 packets/s one way, {} rounds of {}\n\n\
         | between | p50 µs | p99 µs | added p50 (of rounds) | added p99 (of rounds) | lateness p50, p99, max µs | lost | waited for a core µs, ends and router's longest |\n\
         |---|---|---|---|---|---|---|---|\n",
        SIZE, args.repeats, args.seconds,
    );
    for (subject, trials) in subjects.iter().zip(&played) {
        row(&mut text, *subject, trials, &played[0]);
    }
    text.push_str("\nTargets: added p50 at most 100, added p99 at most 250 (medians).\n");
    crate::print(&text)
}

fn trial(args: &Args, between: Between) -> anyhow::Result<Trial> {
    let ground = Ground::make(between, None)?;
    let ticks = (args.seconds.0.as_nanos() / TICK.as_nanos()) as u32;
    let (network, address) = (ground.load_network(), ground.client);
    let mut receiver =
        Process::start(&Role::Receive { network, address, count: ticks.into() }, None)?;
    receiver.listens()?;
    let (network, source, target) = (ground.server_network(), ground.server, ground.client);
    let send = Role::Send { network, source, target, tick: TICK, burst: 1, ticks, size: SIZE };
    let mut sender = Process::start(&send, None)?;
    let received: Received = receiver.hear()?;
    let gone: Gone = sender.hear()?;
    ensure!(received.count == u64::from(ticks), "{} of {ticks} packets came", received.count);
    let router = ground.end()?;
    let shortest = |quantile| received.latency.percentile_us(quantile).unwrap_or(f64::NAN);
    let delay = between.delay().as_secs_f64() * 1e6;
    Ok(Trial {
        p50: shortest(0.5) - delay,
        p99: shortest(0.99) - delay,
        waited: received.waited + gone.waited,
        router,
    })
}

fn row(text: &mut String, subject: Between, trials: &[Trial], loopback: &[Trial]) {
    let added = |figure: fn(&Trial) -> f64| {
        let added: Vec<f64> =
            trials.iter().zip(loopback).map(|(one, floor)| figure(one) - figure(floor)).collect();
        let (least, most) =
            added.iter().fold((f64::MAX, f64::MIN), |(a, b), &x| (a.min(x), b.max(x)));
        format!("{:.0} ({least:.0} to {most:.0})", stats::median(&added).unwrap_or(f64::NAN))
    };
    let of = |figure: fn(&Trial) -> f64| {
        stats::median(&trials.iter().map(figure).collect::<Vec<_>>()).unwrap_or(f64::NAN)
    };
    let mut late = LatencyHistogram::default();
    let measured = || trials.iter().filter_map(|trial| trial.router.as_ref());
    measured().for_each(|router| late.merge(&router.lateness()));
    let lateness = [late.percentile_us(0.5), late.percentile_us(0.99), late.max_us()]
        .map(|figure| figure.map_or_else(String::new, |us| format!("{us:.0}")));
    let lost: u64 = measured().map(RouterMeasured::unasked_drops).sum();
    let waited: Duration = trials.iter().map(|trial| trial.waited).sum();
    let longest = measured().map(|router| router.longest_wait).max().unwrap_or_default();
    let _ = writeln!(
        text,
        "| {} | {:.0} | {:.0} | {} | {} | {} | {lost} | {}, {} |",
        subject.name(),
        of(|trial| trial.p50),
        of(|trial| trial.p99),
        added(|trial| trial.p50),
        added(|trial| trial.p99),
        lateness.join(", "),
        waited.as_micros(),
        longest.as_micros(),
    );
}
