//! What `pushbench headers` found, as people and programs read it: a function of a
//! [`HeadersRecord`], one module for each format.

mod claim;
mod csv;
mod markdown;
mod rows;
mod sentence;
mod table;
#[cfg(test)]
mod tests;

use std::path::Path;

use pushbench_metrics::headers::HeadersRecord;

pub(crate) use self::rows::{name, times};
pub use self::sentence::sentence;
pub(crate) use self::sentence::subject;
pub use self::table::tables;
use crate::charts;
use crate::error::ReportError;
use crate::folder::RunFolder;

/// The record, from which all else comes.
const RECORD: &str = "headers.json";

/// The files beside it.
const FILES: [&str; 4] = [RECORD, "headers.csv", "claim.csv", "headers.md"];

/// The folder of pictures.
const CHARTS: &str = "charts";

/// The record as `headers.json` holds it.
///
/// # Errors
///
/// [`ReportError::Encode`] where a figure cannot be written.
pub fn json(record: &HeadersRecord) -> Result<String, ReportError> {
    serde_json::to_string_pretty(record).map_err(ReportError::Encode)
}

/// The folder of results, `OUT/<UTC time>-headers/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadersFolder(RunFolder);

impl HeadersFolder {
    /// Creates `out/<started>-headers/` as [`RunFolder::create`] creates a run's, and has
    /// `out/latest` lead to it.
    ///
    /// # Errors
    ///
    /// [`ReportError::CreateFolder`] or [`ReportError::Write`].
    pub fn create(out: &Path, started: &str) -> Result<Self, ReportError> {
        RunFolder::create_for(out, &format!("{started}-headers"), &FILES, &[CHARTS]).map(Self)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes `headers.json`: to be called after each case.
    ///
    /// # Errors
    ///
    /// [`ReportError::Write`] or [`ReportError::Encode`].
    pub fn save_record(&self, record: &HeadersRecord) -> Result<(), ReportError> {
        self.0.write(RECORD, json(record)?.as_bytes())
    }

    /// Writes every file, and points `OUT/latest` at the folder.
    ///
    /// # Errors
    ///
    /// The first file that cannot be made or written, by name.
    pub fn write_all(&self, record: &HeadersRecord) -> Result<(), ReportError> {
        self.save_record(record)?;
        self.0.write("headers.csv", &csv::exchanges(record))?;
        if let Some(claim) = &record.claim {
            self.0.write("claim.csv", &csv::claim(claim))?;
        }
        self.0.write("headers.md", markdown::page(record).as_bytes())?;
        for chart in charts::headers::charts(record) {
            self.0.write(&format!("{CHARTS}/{}.svg", chart.name), chart.svg()?.as_bytes())?;
            self.0.write(&format!("{CHARTS}/{}.png", chart.name), &chart.png()?)?;
        }
        self.0.point_latest()
    }
}
