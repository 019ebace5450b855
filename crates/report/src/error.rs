//! Errors of a run folder, each with its subject and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a report could not be written or a record not be read: the path first, and what the system
/// or the library said of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The results folder, or the run's folder in it, cannot be made.
    #[error("cannot create the results folder {}: {}; pass another with --out", .0.display(), .1)]
    CreateFolder(PathBuf, #[source] io::Error),
    /// A file cannot be written.
    #[error("cannot write {}: {}; free space or permissions there, or pass another folder with --out", .0.display(), .1)]
    Write(PathBuf, #[source] io::Error),
    /// `OUT/latest` cannot be pointed at the run. All files of the run are written.
    #[error("cannot point {} at the new run: {}; the run itself is complete. Remove what is there, or pass --out on a file system that has links", .0.display(), .1)]
    Latest(PathBuf, #[source] io::Error),
    /// There is nothing at that path.
    #[error("{} does not exist; pass a run's folder, such as results/latest", .0.display())]
    Missing(PathBuf),
    /// A folder without a record.
    #[error("{} has no run.json: it is no run folder; pass one of those that `run` made, such as results/latest", .0.display())]
    NotARun(PathBuf),
    /// A folder of `pushbench headers`, where a run is wanted.
    #[error("{} is of `pushbench headers`, not of a run; pass a folder that `run` or `load` made", .0.display())]
    OfHeaders(PathBuf),
    /// A record that is there and cannot be read.
    #[error("cannot read {}: {}; see its permissions", .0.display(), .1)]
    Read(PathBuf, #[source] io::Error),
    /// A file that is larger than any record.
    #[error("{} is no record of a run: {}; pass one that `run` made", .0.display(), .1)]
    TooLarge(PathBuf, #[source] io::Error),
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
    #[error("{} is damaged: {}; restore it or run again", .0.display(), .1)]
    Inconsistent(PathBuf, String),
    /// A record that does not serialise.
    #[error("cannot encode the run record")]
    Encode(#[source] serde_json::Error),
    /// A chart, by its name, that the drawing library refused.
    #[error("cannot draw the chart `{0}`: {1}; please report it with run.json")]
    Draw(String, String),
    /// A histogram, of the trial named, that does not encode.
    #[error("cannot encode the histogram of {0}: {1}")]
    Histogram(String, String),
}

impl ReportError {
    /// That the record at `path` cannot be read, or is too large to be one.
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::FileTooLarge => Self::TooLarge(path, source),
            _ => Self::Read(path, source),
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
        Self::Inconsistent(path.to_owned(), problem.to_string())
    }

    /// Whether what was passed is to blame, and not the disk.
    #[must_use]
    pub const fn is_of_the_argument(&self) -> bool {
        !matches!(
            self,
            Self::CreateFolder(..)
                | Self::Write(..)
                | Self::Latest(..)
                | Self::Encode(_)
                | Self::Draw(..)
                | Self::Histogram(..)
        )
    }
}
