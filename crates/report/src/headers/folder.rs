//! The folder that `pushbench headers` leaves: written case by case, rebuilt from its record.

use std::path::{Path, PathBuf};

use pushbench_metrics::record::headers::{FORMAT, HeadersRecord};

use super::{csv, html, json, markdown};
use crate::error::ReportError;
use crate::folder::{MAX_RECORD_BYTES, RunFolder, read_record};
use crate::{bounded, charts};

/// The record, from which all else comes.
pub(crate) const RECORD: &str = "headers.json";

/// The files beside it.
const FILES: [&str; 5] = [RECORD, "headers.csv", "claim.csv", "headers.md", "report.html"];

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
        RunFolder::create_for(out, &format!("{started}-headers"), &FILES, &["charts"]).map(Self)
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
        self.write_files(record)?;
        self.0.point_latest()
    }

    fn write_files(&self, record: &HeadersRecord) -> Result<(), ReportError> {
        self.0.write("headers.csv", &csv::exchanges(record))?;
        if let Some(claim) = &record.claim {
            self.0.write("claim.csv", &csv::claim(claim))?;
        }
        self.0.write("headers.md", markdown::page(record).as_bytes())?;
        self.0.write("report.html", html::page(record)?.as_bytes())?;
        self.0.write_charts(&charts::headers::charts(record))
    }
}

/// Rebuilds every file of the folder `path`, or of that of the file `path`, from its
/// `headers.json`, and says where; `None` where there is none.
///
/// # Errors
///
/// A record that cannot be read or understood, or the first file that cannot be written.
pub(crate) fn rebuild(path: &Path) -> Result<Option<PathBuf>, ReportError> {
    let file = if path.is_dir() { path.join(RECORD) } else { path.to_owned() };
    if file.file_name().is_none_or(|name| name != RECORD) || !file.is_file() {
        return Ok(None);
    }
    let text = bounded::read(&file, MAX_RECORD_BYTES);
    let text = text.map_err(|source| ReportError::read(&file, source))?;
    let record: HeadersRecord = read_record(&file, &text, FORMAT)?;
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = HeadersFolder(RunFolder::at(parent.unwrap_or(Path::new("."))));
    folder.write_files(&record)?;
    Ok(Some(folder.path().to_owned()))
}
