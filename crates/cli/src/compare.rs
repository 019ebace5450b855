//! `pushbench compare`: two runs side by side, and whether the second is worse.

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::anyhow;
use pushbench_metrics::compare::{Comparison, compare};
use pushbench_metrics::record::RunRecord;

use crate::args::{CompareArgs, Format};
use crate::exit::{Failure, Outcome};
use crate::{print_painted, tell};

/// Reads both runs and prints what changed.
pub(crate) fn command(args: &CompareArgs) -> Result<Outcome, Failure> {
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let paths = [&args.before, &args.after].map(|path| path.display().to_string());
    let names = [paths[0].as_str(), paths[1].as_str()];
    let comparison =
        compare(&before, &after, names, args.ignore_settings).map_err(Failure::usage)?;
    // Its pieces are safe for a terminal, and its colours are to stay.
    print_painted(&text(args, &comparison, names)?)?;
    let Some(threshold) = args.threshold else {
        return Ok(Outcome::Done);
    };
    let mut worse = comparison.worse_by(threshold.0).peekable();
    if worse.peek().is_none() {
        return Ok(Outcome::Done);
    }
    let list: Vec<String> =
        worse.map(|row| format!("{} {}", row.transport, row.figure.column())).collect();
    tell(format_args!("worse by more than {} %: {}", threshold.0 * 100.0, list.join(", ")));
    Ok(Outcome::Broken)
}

fn read(path: &Path) -> Result<RunRecord, Failure> {
    let opened = pushbench_report::open(path);
    opened.map(|(_, record)| record).map_err(|error| Failure::usage(anyhow!(error)))
}

fn text(args: &CompareArgs, comparison: &Comparison, names: [&str; 2]) -> Result<String, Failure> {
    let format = if args.json { Format::Json } else { args.format };
    Ok(match format {
        Format::Table => pushbench_report::comparison_table(comparison, names, is_coloured()),
        Format::Markdown => pushbench_report::comparison_markdown(comparison, names),
        Format::Csv => pushbench_report::comparison_csv(comparison),
        Format::Json => {
            let json = pushbench_report::comparison_json(comparison, names);
            json.map_err(Failure::failed)? + "\n"
        }
    })
}

/// Only a terminal shows colours, and only where the user wants them (no-color.org).
fn is_coloured() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !unwanted
}
