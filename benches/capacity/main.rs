//! Capacity as it is found, against ceilings that are known.
//!
//! The *paced server* is a subject whose writes go out on a grid of absolute instants, one each
//! millisecond. The last of its clients has a message as many milliseconds late as there are clients, and
//! it writes a thousand times a second, so that p99 < L holds while clients ≤ min(L / 1 ms, 1000 / rate).
//! A *busy server* works in place of waiting, so that its core is what gives out over the rate. In the same
//! way a *paced* and a *busy load generator* take in one message each millisecond from a server without
//! such a ceiling: there the search must say "at least", and come as near.

mod case;
mod grid;
mod load;
mod server;

use std::process::ExitCode;

use anyhow::ensure;
use clap::{Parser, ValueEnum};
use pushbench_core::MonoInstant;
use pushbench_core::units::Span;

use crate::case::Case;

/// Known ceilings, and what a search for capacity finds
#[derive(Debug, Clone, Parser)]
#[command(
    name = "capacity",
    after_help = "Example:
  PUSHBENCH_ALLOW_BUSY=1 cargo bench --bench capacity -- --only paced-server"
)]
pub(crate) struct Args {
    /// Only cases whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Limit of p99
    #[arg(long, default_value = "50ms")]
    pub(crate) limit: Span,
    /// Length of a trial's window
    #[arg(short, long, default_value = "2s")]
    pub(crate) seconds: Span,
    /// Print each trial
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Part that a child process plays
    #[arg(long, hide = true)]
    role: Option<Role>,
    /// Arguments of that part
    #[arg(hide = true)]
    rest: Vec<String>,
    /// Said by cargo to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// A part that a child process plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// A server of pushbench, or the publisher of another.
    Server,
    /// The load generator of a run.
    Load,
    /// One that waits for the next instant of a grid behind each message.
    PacedLoad,
    /// One that works until then.
    BusyLoad,
    /// The guardian of a program.
    Program,
    /// A program that ends with its parent.
    Tied,
    /// A server whose writes go out on a grid, and which waits between them.
    PacedServer,
    /// One that works between them.
    BusyServer,
}

impl Role {
    /// The arguments with which this program plays the part.
    pub(crate) fn arguments(self) -> Vec<String> {
        let name = self.to_possible_value().map(|value| value.get_name().to_owned());
        // What follows may look like an option.
        vec!["--role".to_owned(), name.unwrap_or_default(), "--".to_owned()]
    }

    fn play(self, rest: &[String]) -> anyhow::Result<()> {
        use pushbench_run::player::child;
        match self {
            Self::Server => child::server()?,
            Self::Load => child::load()?,
            Self::PacedLoad => load::paced(grid::wait)?,
            Self::BusyLoad => load::paced(grid::work)?,
            Self::Program => child::program()?,
            Self::Tied => {
                ensure!(rest.len() > 1, "a parent and a program are needed");
                let command: Vec<_> = rest[1..].iter().map(Into::into).collect();
                match child::tied(rest[0].parse()?, &command)? {}
            }
            Self::PacedServer => serve(rest, grid::wait)?,
            Self::BusyServer => serve(rest, grid::work)?,
        }
        Ok(())
    }
}

/// Plays the subject that listens on the host and port of `rest`.
fn serve(rest: &[String], until: fn(MonoInstant)) -> anyhow::Result<()> {
    ensure!(rest.len() == 2, "a host and a port are needed");
    Ok(server::serve(&rest[0], rest[1].parse()?, until)?)
}

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match args.role {
        Some(role) => role.play(&args.rest),
        None => all(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("capacity: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn all(args: &Args) -> anyhow::Result<()> {
    let only = args.only.as_deref().unwrap_or("");
    let cases: Vec<Case> = Case::all().filter(|case| case.name().contains(only)).collect();
    ensure!(!cases.is_empty(), "no case has `{only}` in its name");
    print(&format!(
        "{:<26} {:>10} {:>10} {:>8} {:>6} {:>6}  found\n",
        "case", "known", "found", "ratio", "trials", "s"
    ))?;
    let mut failed = Vec::new();
    for case in cases {
        let outcome = case.play(args)?;
        print(&outcome.line)?;
        failed.extend((!outcome.is_right).then_some(case.name()));
    }
    ensure!(failed.is_empty(), "not as known: {}", failed.join(", "));
    Ok(())
}

/// Prints part of a table at once, as a benchmark may be ended before its last row.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    Ok(std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?)
}
