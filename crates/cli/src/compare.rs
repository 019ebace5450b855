//! `pushbench compare`: two runs side by side, and whether the second is worse.

use std::path::Path;

use anyhow::anyhow;
use pushbench_metrics::judge::compare::{Comparison, Rules, compare, percent};
use pushbench_metrics::record::RunRecord;

use crate::args::{CompareArgs, Format};
use crate::exit::{Failure, Outcome};
use crate::screen::screen;
use crate::{print_painted, tell};

/// Reads both runs and prints what changed.
pub(crate) fn command(args: &CompareArgs) -> Result<Outcome, Failure> {
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let paths = [&args.before, &args.after].map(|path| path.display().to_string());
    let names = [paths[0].as_str(), paths[1].as_str()];
    let rules = Rules { any_settings: args.ignore_settings, ..Rules::default() };
    let rules = args.threshold.map_or(rules, |threshold| rules.with_threshold(threshold.0));
    let comparison = compare(&before, &after, names, rules).map_err(Failure::usage)?;
    // Its pieces are safe for a terminal, and its colours are to stay.
    print_painted(&text(args, &comparison, names)?)?;
    args.threshold.map_or(Ok(Outcome::Done), |threshold| gate(&comparison, threshold.0))
}

/// Holds the comparison against the threshold, and says which figures broke it and by how much.
fn gate(comparison: &Comparison, threshold: f64) -> Result<Outcome, Failure> {
    let broken = comparison.gate(threshold).map_err(Failure::usage)?;
    for row in &broken {
        let [before, after] = row.change.medians.map(Option::unwrap_or_default);
        let by = row.change.relative().map(|share| format!(", {:+} %", percent(share)));
        tell(format_args!(
            "worse by more than {} %: {} ({before:.2} before, {after:.2} after{})",
            percent(threshold),
            row.name(),
            by.unwrap_or_default()
        ));
    }
    Ok(if broken.is_empty() { Outcome::Done } else { Outcome::Broken })
}

fn read(path: &Path) -> Result<RunRecord, Failure> {
    let opened = pushbench_report::open(path);
    opened.map(|(_, record)| record).map_err(|error| Failure::usage(anyhow!(error)))
}

fn text(args: &CompareArgs, comparison: &Comparison, names: [&str; 2]) -> Result<String, Failure> {
    let format = if args.json { Format::Json } else { args.format };
    Ok(match format {
        Format::Table => pushbench_report::comparison_table(comparison, names, screen(args.color)),
        Format::Markdown => pushbench_report::comparison_markdown(comparison, names),
        Format::Csv => pushbench_report::comparison_csv(comparison),
        Format::Json => {
            let threshold = args.threshold.map(|threshold| threshold.0);
            let json = pushbench_report::comparison_json(comparison, names, threshold);
            json.map_err(Failure::failed)? + "\n"
        }
    })
}
