//! `pushbench history`: a figure over many runs.

use std::fs;
use std::path::PathBuf;

use anyhow::anyhow;
use pushbench_metrics::judge::compare::Rules;
use pushbench_metrics::judge::history::{Run, history};
use pushbench_metrics::record::RunRecord;
use pushbench_report::{history_csv, history_json, history_markdown, history_table};

use crate::args::{Format, HistoryArgs};
use crate::exit::{Failure, Outcome};
use crate::print;

/// Reads the runs and prints their figures.
pub(crate) fn command(args: &HistoryArgs) -> Result<Outcome, Failure> {
    let records = read(&args.runs)?;
    let runs: Vec<Run<'_>> = records.iter().map(|(name, record)| Run { name, record }).collect();
    let rules = Rules { any_settings: args.ignore_settings, ..Rules::default() };
    let mut all = history(&runs, &args.figure, rules);
    all.retain(|series| args.contenders.is_empty() || args.contenders.contains(&series.contender));
    if all.is_empty() {
        return Err(Failure::usage(anyhow!(
            "none of the runs measured that; name other transports"
        )));
    }
    let format = if args.json { Format::Json } else { args.format };
    print(&match format {
        Format::Table => history_table(&all, &runs),
        Format::Markdown => history_markdown(&all, &runs),
        Format::Csv => history_csv(&all, &runs),
        Format::Json => history_json(&all, &runs).map_err(Failure::failed)? + "\n",
    })?;
    Ok(Outcome::Done)
}

/// The runs by their names, in the order in which they began. A link to one is the same run.
fn read(paths: &[PathBuf]) -> Result<Vec<(String, RunRecord)>, Failure> {
    let (mut seen, mut records) = (Vec::new(), Vec::new());
    for path in paths {
        let (folder, record) = pushbench_report::open(path).map_err(Failure::usage)?;
        let real = fs::canonicalize(folder.path()).unwrap_or_else(|_| folder.path().to_owned());
        if !seen.contains(&real) {
            seen.push(real);
            records.push((path.display().to_string(), record));
        }
    }
    records.sort_by(|(_, one), (_, other)| one.started.cmp(&other.started));
    Ok(records)
}
