//! Files that a run's results go to beside its folder, wherever the user wants them.

use std::fs::{self, OpenOptions};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use pushbench_metrics::record::RunRecord;
use pushbench_report::csv;

use crate::args::ResultArgs;
use crate::exit::Failure;

/// Opens each file for writing, so that one that cannot be is found before the first trial. One that is
/// there keeps what it holds until there is something to put in its place.
pub(crate) fn check(results: &ResultArgs) -> Result<(), Failure> {
    let paths = [&results.export_json, &results.export_csv, &results.export_markdown];
    let paths: Vec<&Path> = paths.into_iter().flatten().map(AsRef::as_ref).collect();
    for (index, path) in paths.iter().enumerate() {
        if paths[..index].contains(path) {
            let path = path.display();
            return Err(Failure::usage(anyhow!(
                "{path}: two exports would be in one file; give each its own"
            )));
        }
        probe(path).map_err(Failure::Usage)?;
    }
    Ok(())
}

fn probe(path: &Path) -> anyhow::Result<()> {
    let is_new = !path.exists();
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    opened.with_context(|| format!("cannot write the export {}", path.display()))?;
    // An empty file would look like a result.
    if is_new { fs::remove_file(path).map_err(Into::into) } else { Ok(()) }
}

/// Writes each file that was asked for, where there is a trial: the record, `summary.csv`, and the text of
/// `report.md`, whose pictures stay in the run's folder.
pub(crate) fn write(record: &RunRecord, results: &ResultArgs) -> Result<(), Failure> {
    if record.trials.is_empty() {
        return Ok(());
    }
    if let Some(path) = &results.export_json {
        save(path, pushbench_report::json(record).map_err(Failure::failed)?.as_bytes())?;
    }
    if let Some(path) = &results.export_csv {
        save(path, &csv::summary(record))?;
    }
    if let Some(path) = &results.export_markdown {
        let text = pushbench_report::markdown(record);
        let lines = text.lines().filter(|line| !line.starts_with("!["));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        save(path, text.as_bytes())?;
    }
    Ok(())
}

fn save(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = fs::write(path, bytes);
    let written = written.with_context(|| format!("cannot write the export {}", path.display()));
    written.map_err(Failure::Failed)
}
