//! Instructions that a message and a connection take, in load generator and server, over real
//! sockets.
//!
//! Counts do not move with the load of the machine, so a change of a per cent shows on any. One
//! side runs under valgrind's callgrind as a run plays it; this process is the other side, which
//! does one thing at a time, so that each wake-up of the side that is counted has one cause. What
//! the kernel does is not counted.

mod counted;
mod peer;
mod play;
mod security;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Parser;
use pushbench_benches::counts::{Change, Changes, Counts, Percent};
use pushbench_benches::{callgrind, reads};
use pushbench_core::Contender;
use pushbench_core::security::Trust;

use crate::counted::Part;
use crate::play::Play;

/// Counts the instructions that messages and connections take, with valgrind
#[derive(Debug, Parser)]
#[command(
    name = "instructions",
    after_help = "Example, which weighs a change:
  cargo bench --bench instructions -- --json before.json
  cargo bench --bench instructions -- --compare before.json --limit 2%"
)]
struct Args {
    /// Write the counts to this file, for --compare
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Print the ratio of each count to that in this file
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// By how much a count may exceed that of --compare; beyond, the exit status is 1
    #[arg(long, value_name = "PERCENT", default_value_t = Percent(0.02), requires = "compare")]
    limit: Percent,
    /// Only what has this in its name, such as `server` or `load websocket`
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Count a third as much, to be compared with the same
    #[arg(long)]
    quick: bool,
    /// Keep callgrind's files in this folder, for callgrind_annotate
    #[arg(long, value_name = "DIR")]
    profile: Option<PathBuf>,
    /// Play this part, and stop: what runs under valgrind
    #[arg(long, hide = true, requires_all = ["contender", "stretches"])]
    part: Option<Part>,
    #[arg(long, hide = true)]
    contender: Option<Contender>,
    #[arg(long, hide = true)]
    stretches: Option<u32>,
    #[arg(long, hide = true)]
    target: Option<SocketAddr>,
    /// The certificate of the target
    #[arg(long, hide = true)]
    trust: Option<String>,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match (args.part, args.contender, args.stretches) {
        (Some(part), Some(contender), Some(stretches)) => {
            let trust = args.trust.map_or(Trust::Anybody, Trust::Authorities);
            part.play(contender, stretches, args.target, trust)
        }
        _ => count(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("instructions: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn count(args: &Args) -> anyhow::Result<()> {
    // Before the minutes that counting takes.
    let base = args.compare.as_deref().map(Counts::read).transpose()?;
    let version = callgrind::version()?;
    let scratch = std::env::temp_dir().join(format!("instructions-{}", std::process::id()));
    let folder = args.profile.as_deref().unwrap_or(&scratch);
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let counts = count_all(args, version, folder);
    if args.profile.is_none() {
        let _ = std::fs::remove_dir_all(&scratch);
    }
    let counts = counts?;
    let mut output = std::io::stdout().lock();
    write!(output, "\n{counts}")?;
    if let Some(path) = &args.json {
        counts.write(path)?;
    }
    let Some(base) = base else { return Ok(()) };
    let changes = counts.against(&base)?;
    write!(output, "\n{}", Changes(&changes))?;
    if base.counted_by != counts.counted_by {
        eprintln!("{} counted before, {} now", base.counted_by, counts.counted_by);
    }
    judge(&changes, args.limit)
}

fn count_all(args: &Args, version: String, folder: &Path) -> anyhow::Result<Counts> {
    let only = args.only.as_deref().unwrap_or("");
    let plays: Vec<_> = Play::all().filter(|play| play.to_string().contains(only)).collect();
    ensure!(!plays.is_empty(), "nothing has `{only}` in its name");
    let mut counts = Counts::new(version, reads::PAYLOAD, args.quick);
    for (number, play) in (1..).zip(&plays) {
        eprint!("\r{number} of {}: {:<50}", plays.len(), play.to_string());
        counts.rows.extend(play.count(args.quick, folder).with_context(|| play.to_string())?);
    }
    eprintln!("\r{:<60}", "");
    Ok(counts)
}

/// Fails where a count exceeds the base's by more than `limit`.
fn judge(changes: &[Change<'_>], limit: Percent) -> anyhow::Result<()> {
    let worse: Vec<_> = changes
        .iter()
        .filter(|change| change.exceeds(limit.0))
        .map(|change| format!("{}, {}", change.row.way.describe(), change.row.contender))
        .collect();
    ensure!(worse.is_empty(), "more than {limit} above the base: {}", worse.join("; "));
    Ok(())
}
