//! Arguments of `pushbench compare`.

use std::path::PathBuf;

use clap::{Args, ColorChoice, ValueEnum};
use pushbench_core::units::Share;

/// `pushbench compare`.
#[derive(Debug, Args)]
#[command(
    after_help = "Of each transport at each point five figures are judged together: latency \
p50 and p99, mean age, wire bytes and server CPU per message. One is better or worse where that is \
more than noise, of all that are judged so, and more than 2 % (or --threshold, if that is less). \
Such a verdict needs runs of four trials at the least; with six, a change of one figure among \
twenty can be shown. Payload, framing and HTTP bytes per message have no noise: one is better or \
worse where each trial of the one run lies beyond each of the other, however few there are.

Examples:
  pushbench compare results/20260131T120000Z-quick results/latest
  pushbench compare before/run.json after/run.json --format markdown >> notes.md
  pushbench compare baseline results/latest --threshold 5%

Exit status: 0 done; 2 bad arguments, runs that cannot be compared, or a --threshold that nothing
broke and that some judged figure could not have broken, with so few trials; 99 with --threshold, a
judged figure is worse by more than that."
)]
pub(crate) struct CompareArgs {
    /// The run before: its folder, or its run.json
    #[arg(value_name = "BEFORE")]
    pub(crate) before: PathBuf,
    /// The run after, in the same way
    #[arg(value_name = "AFTER")]
    pub(crate) after: PathBuf,
    /// End with status 99 where a judged figure is worse by more than this, and by verdict
    #[arg(long, value_name = "PERCENT")]
    pub(crate) threshold: Option<Share>,
    /// Compare also where the settings of the runs differ
    #[arg(long)]
    pub(crate) ignore_settings: bool,
    /// What to print
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// When the table has colours for better and worse
    #[arg(long, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
}

/// The format in which a comparison is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people
    Table,
    /// A table to paste
    Markdown,
    /// A line for each figure
    Csv,
    /// One object
    Json,
}
