//! Errors of a run folder, each with its subject and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a report could not be written or a record not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The results folder, or the run's folder in it, cannot be made.
    #[error("cannot create the results folder {}: {source}; pass another with --out", path.display())]
    CreateFolder {
        /// The folder.
        path: PathBuf,
        /// The words of the system.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}; free space or permissions there, or pass another folder with --out", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The words of the system.
        source: io::Error,
    },
    /// `OUT/latest` cannot be pointed at the run. All files of the run are written.
    #[error("cannot point {} at the new run: {source}; the run itself is complete. Remove what is there, or pass --out on a file system that has links", path.display())]
    Latest {
        /// The link.
        path: PathBuf,
        /// The words of the system.
        source: io::Error,
    },
    /// There is nothing at that path.
    #[error("{} does not exist; pass a run's folder, such as results/latest", path.display())]
    Missing {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// A folder without a record.
    #[error("{} has no run.json: it is no run folder; pass one of those that `run` made, such as results/latest", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// A folder of `pushbench headers`, where a run is wanted.
    #[error("{} is of `pushbench headers`, not of a run; pass a folder that `run` or `load` made", path.display())]
    OfHeaders {
        /// The folder.
        path: PathBuf,
    },
    /// A record that is there and cannot be read.
    #[error("cannot read {}: {source}; see its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The words of the system.
        source: io::Error,
    },
    /// A file that is larger than any record.
    #[error("{} is no record of a run: {source}; pass one that `run` made", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How large it is.
        source: io::Error,
    },
    /// A record that a newer pushbench wrote.
    #[error("{} is of format {found}; this pushbench reads up to {known}: use a newer version", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// The format that it says.
        found: u64,
        /// The newest that this build reads.
        known: u32,
    },
    /// A record whose text is not what a record is.
    #[error("{} is damaged at line {line} column {column}: {problem}; restore it or run again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The problem, without its place.
        problem: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A record that says something impossible.
    #[error("{} is damaged: {problem}; restore it or run again", path.display())]
    Inconsistent {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: String,
    },
    /// A record that does not serialise.
    #[error("cannot encode the run record")]
    Encode(#[source] serde_json::Error),
    /// A chart that the drawing library refused.
    #[error("cannot draw the chart `{chart}`: {problem}; please report it with run.json")]
    Draw {
        /// The chart's name.
        chart: String,
        /// The words of the library.
        problem: String,
    },
    /// A histogram that does not encode.
    #[error("cannot encode the histogram of {subject}: {problem}")]
    Histogram {
        /// Point, transport and trial.
        subject: String,
        /// The words of the encoder.
        problem: String,
    },
}

impl ReportError {
    /// That the record at `path` cannot be read, or is too large to be one.
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::FileTooLarge => Self::TooLarge { path, source },
            _ => Self::Read { path, source },
        }
    }

    /// That the record at `path` does not parse: the place once, in front.
    pub(crate) fn damaged(path: &Path, error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let problem = error.to_string().replace(&format!(" at line {line} column {column}"), "");
        Self::Damaged { path: path.to_owned(), problem, line, column }
    }

    /// That the record at `path` says something impossible.
    pub(crate) fn inconsistent(path: &Path, problem: impl ToString) -> Self {
        Self::Inconsistent { path: path.to_owned(), problem: problem.to_string() }
    }

    /// Whether what was passed is to blame, and not the disk.
    #[must_use]
    pub const fn is_of_the_argument(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. }
                | Self::NotARun { .. }
                | Self::OfHeaders { .. }
                | Self::Read { .. }
                | Self::TooLarge { .. }
                | Self::NewerFormat { .. }
                | Self::Damaged { .. }
                | Self::Inconsistent { .. }
        )
    }
}
