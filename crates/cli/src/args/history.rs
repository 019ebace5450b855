//! Arguments of `pushbench history`.

use std::path::PathBuf;

use clap::Args;
use pushbench_core::{Contender, Figure};

use super::Format;

/// `pushbench history`.
#[derive(Debug, Args)]
#[command(
    after_help = "Runs are put in the order in which they began; one that is named twice counts once. Each is held
against the one before it and against the first, by the tests of `pushbench compare`: better and worse are more
than noise. Exit status is 0 whatever changed; a gate is `compare --threshold`.

Examples:
  pushbench history results/2026*
  pushbench history results/2026*-ticker --figure server_cpu_per_msg -t websocket
  pushbench history baseline results/latest --format markdown >> notes.md"
)]
pub(crate) struct HistoryArgs {
    /// The runs: their folders, or their run.json
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<PathBuf>,
    /// Figure, as thresholds name it, such as latency.p99 or wire_bytes_per_msg (repeatable)
    #[arg(long, value_name = "NAME", value_parser = figure, default_value = "latency.p99")]
    pub(crate) figure: Vec<Figure>,
    /// Transport to show (repeatable) [default: all]
    #[arg(short = 't', long = "transport", value_name = "NAME", value_delimiter = ',')]
    pub(crate) contenders: Vec<Contender>,
    /// Compare also runs whose settings differ
    #[arg(long)]
    pub(crate) ignore_settings: bool,
    /// What to print
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
}

fn figure(name: &str) -> Result<Figure, String> {
    Figure::named(name).ok_or_else(|| {
        let names: Vec<&str> = Figure::ALL.into_iter().map(Figure::name).collect();
        format!("the figures are {}", names.join(", "))
    })
}
