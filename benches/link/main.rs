//! The emulated network against plain loopback: what the router adds to a packet's latency, how many
//! packets it moves, and whether TCP sends anything twice; and against arithmetic: how full a transfer
//! keeps a line with a rate, and what a delay makes of a long poll and of the first answer.
//!
//! Sender and receiver are the same two processes everywhere: in the networks of a link, or both on
//! the loopback device. Subjects take turns in rounds, and a difference is taken within a round.

mod bulk;
mod child;
mod gates;
mod goodput;
mod latency;
mod packets;
mod pair;
mod role;

use std::process::ExitCode;

use anyhow::ensure;
use clap::Parser;
use pushbench_core::units::{BitRate, Span};
use pushbench_metrics::observe::device::Backend;

use crate::child::Child;

/// A link's router against plain loopback
#[derive(Debug, Clone, Parser)]
#[command(
    name = "link",
    after_help = "Example:
  chrt -f 1 cargo bench --bench link -- --only latency --repeats 9"
)]
pub(crate) struct Args {
    /// Rounds: each plays every subject once
    #[arg(short, long, default_value_t = 5, env = "LINK_REPEATS")]
    pub(crate) repeats: u32,
    /// Length of a trial
    #[arg(short, long, default_value = "2s", env = "LINK_SECONDS")]
    pub(crate) seconds: Span,
    /// Only this part: latency, packets, tcp, goodput, gates
    #[arg(long)]
    pub(crate) only: Option<String>,
    /// Only this backend: tun, veth
    #[arg(long)]
    pub(crate) backend: Option<String>,
    /// Packets in a second that the router is to move
    #[arg(long, value_delimiter = ',', default_value = "200000,250000,300000")]
    pub(crate) packets: Vec<u32>,
    /// Rates whose line a transfer is to fill
    #[arg(long, value_delimiter = ',', default_value = "1Mbit/s,10Mbit/s,100Mbit/s")]
    pub(crate) rates: Vec<BitRate>,
    /// Part that a child process of a trial plays
    #[arg(long, hide = true)]
    child: Option<Child>,
    /// Said by cargo to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    /// The backends that are played.
    pub(crate) fn backends(&self) -> Vec<Backend> {
        let wanted = |backend: &Backend| {
            self.backend.as_deref().is_none_or(|wanted| wanted == backend.name())
        };
        [Backend::Tun, Backend::Veth].into_iter().filter(wanted).collect()
    }
}

fn main() -> ExitCode {
    let outcome = match role::wanted() {
        Some(role) => role.and_then(role::Role::play),
        None => {
            let args = Args::parse();
            args.child.map_or_else(|| all(&args), |child| Ok(child.play()?))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("link: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn all(args: &Args) -> anyhow::Result<()> {
    ensure!(args.repeats > 0, "at least one round is needed");
    ensure!(!args.backends().is_empty(), "no such backend; there are tun and veth");
    let only = args.only.as_deref().unwrap_or("");
    type Part = fn(&Args) -> anyhow::Result<()>;
    let parts: [(&str, Part); 5] = [
        ("latency", latency::table),
        ("packets", packets::table),
        ("tcp", bulk::table),
        ("goodput", goodput::table),
        ("gates", gates::table),
    ];
    ensure!(parts.iter().any(|(name, _)| name.contains(only)), "no part has `{only}` in its name");
    for (_, table) in parts.iter().filter(|(name, _)| name.contains(only)) {
        table(args)?;
    }
    Ok(())
}

/// Prints part of a table at once, as a benchmark may be ended before its last row.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    Ok(std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?)
}
