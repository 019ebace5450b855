//! A run's folder on disk: made before the first trial, complete after the last.
//!
//! Each file is written beside its place and then renamed into it, so that neither a kill nor a
//! full disk leaves half of one where a whole one was.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use pushbench_core::feed::trace::Trace;
use pushbench_metrics::record::numbers;
use pushbench_metrics::record::{FORMAT, RunRecord};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::charts::Chart;
use crate::error::ReportError;
use crate::repeat::{SCENARIO, TRACE, scenario_toml};
use crate::{bounded, capacity, charts, crossings, csv, floor, headers, hlog, html};

/// The record, from which all else can be rebuilt.
pub const RECORD: &str = "run.json";

/// The most bytes of a record that is read.
pub(crate) const MAX_RECORD_BYTES: u64 = 256 << 20;

/// The files that every run has beside [`RECORD`].
const FILES: [&str; 9] = [
    SCENARIO,
    "summary.csv",
    "trials.csv",
    "bytes.csv",
    "breakdown.csv",
    "series.csv",
    "models.csv",
    "report.html",
    "report.md",
];

/// The folders of those whose number depends on the run.
const FOLDERS: [&str; 2] = ["histograms", "charts"];

/// The link beside the runs that leads to the newest.
const LATEST: &str = "latest";

/// A run's folder, `OUT/<UTC time>-<scenario>/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Creates `out/<started>-<scenario>/` and opens every file in it for writing, so that a
    /// folder that cannot be written is found before the first trial. `started` is compact UTC,
    /// such as `20260131T120000Z`. Where that name is taken, `-2`, `-3`, … are tried.
    ///
    /// `out/latest` leads to it from here on, so that also a run that is killed is found there.
    /// Where it cannot be linked, [`write_all`](Self::write_all) says so, when results are safe.
    ///
    /// # Errors
    ///
    /// [`ReportError::CreateFolder`] or [`ReportError::Write`].
    pub fn create(out: &Path, started: &str, scenario: &str) -> Result<Self, ReportError> {
        let files: Vec<&str> = FILES.into_iter().chain([RECORD]).collect();
        Self::create_for(out, &format!("{started}-{scenario}"), &files, &FOLDERS)
    }

    /// As [`create`](Self::create), for results of another kind: `files`, and `folders` in it.
    pub(crate) fn create_for(
        out: &Path,
        name: &str,
        files: &[&str],
        folders: &[&str],
    ) -> Result<Self, ReportError> {
        let create = |path: PathBuf| move |source| ReportError::CreateFolder(path, source);
        fs::create_dir_all(out).map_err(create(out.to_owned()))?;
        let folder = Self { path: new_folder(out, name)? };
        for name in folders {
            let path = folder.path.join(name);
            fs::create_dir(&path).map_err(create(path.clone()))?;
            probe(&path.join("probe"))?;
        }
        files.iter().try_for_each(|name| probe(&folder.path.join(name)))?;
        drop(folder.point_latest());
        Ok(folder)
    }

    /// That which is there already.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `run.json`: to be called after every trial, so that a killed run keeps what it has.
    ///
    /// # Errors
    ///
    /// [`ReportError::Write`] or [`ReportError::Encode`].
    pub fn save_record(&self, record: &RunRecord) -> Result<(), ReportError> {
        self.write(RECORD, crate::json(record)?.as_bytes())
    }

    /// Writes a copy of the trace that a run replays and that is not built in, so that the run can be repeated.
    ///
    /// # Errors
    ///
    /// [`ReportError::Write`].
    pub fn save_trace(&self, trace: &Trace) -> Result<(), ReportError> {
        self.write(TRACE, trace.to_csv().as_bytes())
    }

    /// Writes every file but the record, then points `OUT/latest` at the folder, which
    /// another run may have taken meanwhile.
    ///
    /// # Errors
    ///
    /// The first file that cannot be made or written, by name.
    pub fn write_all(&self, record: &RunRecord) -> Result<(), ReportError> {
        self.write_files(record)?;
        self.point_latest()
    }

    fn write_files(&self, record: &RunRecord) -> Result<(), ReportError> {
        // The answer first: whoever interrupts a long search has it.
        if let Some(found) = &record.capacity {
            self.write("capacity.csv", &capacity::csv(record, found))?;
            self.write("capacity_steps.csv", &capacity::steps_csv(record, found))?;
        }
        let has_trace = self.path.join(TRACE).is_file();
        self.write(SCENARIO, scenario_toml(record, has_trace)?.as_bytes())?;
        self.write("summary.csv", &csv::summary(record))?;
        self.write("trials.csv", &csv::trials(record))?;
        self.write("bytes.csv", &csv::bytes(record))?;
        self.write("breakdown.csv", &csv::breakdown(record))?;
        self.write("series.csv", &csv::series(record))?;
        self.write("models.csv", &csv::models(record))?;
        if record.trials.iter().any(|trial| trial.measured.away.is_some()) {
            self.write("life.csv", &csv::life(record))?;
        }
        if let Some(crossings) = crossings::csv(record) {
            self.write("crossings.csv", &crossings)?;
        }
        if let Some(price) = &record.price {
            self.write("money.csv", &csv::money(record, price))?;
        }
        if !record.floors.is_empty() {
            self.write("floor.csv", &floor::csv(record))?;
        }
        self.write("report.md", crate::markdown(record).as_bytes())?;
        for (name, log) in hlog::logs(record)? {
            self.write(&format!("histograms/{name}"), log.as_bytes())?;
        }
        self.write("report.html", html::page(record)?.as_bytes())?;
        // Last, since pixels take longest and whoever interrupts a run waits for all of it.
        self.write_charts(&charts::charts(record))
    }

    /// Writes each chart in both formats.
    pub(crate) fn write_charts(&self, charts: &[Chart]) -> Result<(), ReportError> {
        charts.iter().try_for_each(|chart| {
            self.write(&format!("charts/{}.svg", chart.name), chart.svg()?.as_bytes())?;
            self.write(&format!("charts/{}.png", chart.name), &chart.png()?)
        })
    }

    /// Replaces the file `name` in one step.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ReportError> {
        let path = self.path.join(name);
        let failed = |source| ReportError::Write(path.clone(), source);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let beside = self.path.join(format!("{name}.{}.tmp", std::process::id()));
        replace(&beside, &path, bytes).map_err(failed)
    }

    /// Makes `latest`, beside the folder, a relative link to it, in one step.
    ///
    /// # Errors
    ///
    /// [`ReportError::Latest`], where something else is there, or the link cannot be made.
    pub fn point_latest(&self) -> Result<(), ReportError> {
        let (Some(out), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Ok(());
        };
        let latest = out.join(LATEST);
        let beside = out.join(format!(".{LATEST}.{}", std::process::id()));
        let linked = std::os::unix::fs::symlink(name, &beside)
            .and_then(|()| fs::rename(&beside, &latest))
            .inspect_err(|_| drop(fs::remove_file(&beside)));
        linked.map_err(|source| ReportError::Latest(latest, source))
    }
}

/// Makes the first of `name`, `name-2`, `name-3`, … that is free.
fn new_folder(out: &Path, name: &str) -> Result<PathBuf, ReportError> {
    let names = (1..).map(|n| if n == 1 { name.to_owned() } else { format!("{name}-{n}") });
    for path in names.map(|name| out.join(name)) {
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(ReportError::CreateFolder(path, source)),
        }
    }
    unreachable!("the names have no end")
}

/// Opens `path` for writing and removes it again: an empty file would look like a result.
fn probe(path: &Path) -> Result<(), ReportError> {
    let failed = |source| ReportError::Write(path.to_owned(), source);
    OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    fs::remove_file(path).map_err(failed)
}

fn replace(beside: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = File::create(beside)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_data()
        })
        .and_then(|()| fs::rename(beside, path));
    written.inspect_err(|_| drop(fs::remove_file(beside)))
}

/// Opens an existing run: its folder, or the record in it.
///
/// # Errors
///
/// [`ReportError::Missing`], [`NotARun`](ReportError::NotARun), [`OfHeaders`](ReportError::OfHeaders),
/// [`TooLarge`](ReportError::TooLarge), [`NewerFormat`](ReportError::NewerFormat),
/// [`Damaged`](ReportError::Damaged), [`Inconsistent`](ReportError::Inconsistent) or
/// [`Read`](ReportError::Read).
pub fn open(path: &Path) -> Result<(RunFolder, RunRecord), ReportError> {
    let read = |source| ReportError::Read(path.to_owned(), source);
    let is_folder = match fs::metadata(path) {
        Ok(found) => found.is_dir(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ReportError::Missing(path.to_owned()));
        }
        Err(source) => return Err(read(source)),
    };
    let (folder, file) = if is_folder {
        (path.to_owned(), path.join(RECORD))
    } else {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        (parent.unwrap_or(Path::new(".")).to_owned(), path.to_owned())
    };
    let text = match bounded::read(&file, MAX_RECORD_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(match folder.join(headers::folder::RECORD).is_file() {
                true => ReportError::OfHeaders(folder),
                false => ReportError::NotARun(folder),
            });
        }
        Err(source) => return Err(ReportError::read(&file, source)),
    };
    Ok((RunFolder { path: folder }, parse(&file, &text)?))
}

/// Rebuilds every file of a run, or of what `pushbench headers` left, from its record, and says
/// where. `latest` stays as it is.
///
/// # Errors
///
/// Those of [`open`] and of [`RunFolder::write_all`].
pub fn rebuild(path: &Path) -> Result<PathBuf, ReportError> {
    if let Some(folder) = headers::folder::rebuild(path)? {
        return Ok(folder);
    }
    let (folder, record) = open(path)?;
    folder.write_files(&record)?;
    Ok(folder.path)
}

/// Reads a record and holds it to what a run can come to.
fn parse(path: &Path, text: &[u8]) -> Result<RunRecord, ReportError> {
    let record: RunRecord = read_record(path, text, FORMAT)?;
    record.check().map_err(|problem| ReportError::inconsistent(path, problem))?;
    Ok(record)
}

/// Reads a record, looking at its format before at anything that may have changed with it, and at
/// its numbers before anything is built of them.
pub(crate) fn read_record<T: DeserializeOwned>(
    path: &Path,
    text: &[u8],
    known: u32,
) -> Result<T, ReportError> {
    /// All that is taken of a record of any format.
    #[derive(Deserialize)]
    struct Head {
        format: Option<u64>,
    }
    let damaged = |source| ReportError::damaged(path, source);
    let Head { format } = serde_json::from_slice(text).map_err(damaged)?;
    match format {
        None => return Err(ReportError::inconsistent(path, "it does not say its format")),
        Some(found) if found > u64::from(known) => {
            return Err(ReportError::NewerFormat { path: path.to_owned(), found, known });
        }
        Some(_) => {}
    }
    numbers::check(&mut serde_json::Deserializer::from_slice(text)).map_err(damaged)?;
    serde_json::from_slice(text).map_err(damaged)
}
