//! Rounds of contests.

use anyhow::{Context as _, ensure};

use crate::contest::{COMPARISONS, Contest};
use crate::setting::Args;
use crate::table;
use crate::trial::{self, Cost};

/// How often a trial is played before one that is out of step is taken.
const ATTEMPTS: u32 = 3;

/// Plays every contest once in each round, and prints the ratios.
pub(crate) fn all(args: &Args) -> anyhow::Result<()> {
    let only = args.only.as_deref().unwrap_or("");
    let mut comparisons: Vec<_> =
        COMPARISONS.into_iter().filter(|c| c.name.contains(only)).collect();
    ensure!(!comparisons.is_empty(), "no comparison has `{only}` in its name");
    comparisons.retain(|comparison| {
        let missing = comparison.floor.server.missing();
        missing.inspect(|why| eprintln!("left out, {}: {why}", comparison.name)).is_none()
    });
    ensure!(!comparisons.is_empty(), "nothing that was asked for can be played here");
    ensure!(args.repeats > 0, "at least one round is needed");
    let mut played = Vec::<(Contest, Vec<Cost>)>::new();
    for contest in comparisons.iter().flat_map(|comparison| [comparison.ours, comparison.floor]) {
        if !played.iter().any(|(known, _)| *known == contest) {
            played.push((contest, Vec::new()));
        }
    }
    for round in 1..=args.repeats {
        // Each round begins with another contest.
        let first = round as usize % played.len();
        for index in (first..played.len()).chain(0..first) {
            let (contest, costs) = &mut played[index];
            eprint!("\rround {round} of {}: {:<52}", args.repeats, contest.describe());
            costs.push(in_step(args, *contest).with_context(|| contest.describe())?);
        }
    }
    eprintln!("\r{:<76}", "");
    table::print(args, &comparisons, &played)
}

/// Plays a trial, and again where the machine was too busy for the server to keep its pace.
fn in_step(args: &Args, contest: Contest) -> anyhow::Result<Cost> {
    let mut cost = trial::play(args, contest)?;
    for _ in 1..ATTEMPTS {
        if cost.in_step {
            break;
        }
        cost = trial::play(args, contest)?;
    }
    Ok(cost)
}
