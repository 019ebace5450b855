use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pushbench_metrics::record::{FORMAT, RunRecord};

use crate::{ReportError, RunFolder, fixture, open, rebuild};

const STARTED: &str = "20260131T120000Z";

/// Every file below `path` with what it holds.
fn files(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    found
}

fn small() -> RunRecord {
    fixture::run("clients = 5\nduration = \"1s\"\nruns = 1\ntransports = [\"sse\"]")
}

/// Without trials there is no chart to draw.
fn empty() -> RunRecord {
    RunRecord { trials: Vec::new(), ..small() }
}

fn written(out: &Path, record: &RunRecord) -> RunFolder {
    let folder = RunFolder::create(out, STARTED, "custom").unwrap();
    folder.save_record(record).unwrap();
    folder.write_all(record).unwrap();
    folder
}

#[test]
fn rebuilding_gives_the_same_bytes() {
    let out = tempfile::tempdir().unwrap();
    let folder = written(out.path(), &small());
    let before = files(folder.path());
    let names: Vec<_> = before
        .keys()
        .map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string())
        .collect();
    let expected = [
        "breakdown.csv",
        "bytes.csv",
        "charts/age.png",
        "charts/age.svg",
        "charts/bytes.png",
        "charts/bytes.svg",
        "charts/cpu.png",
        "charts/cpu.svg",
        "charts/latency.png",
        "charts/latency.svg",
        "charts/timeline.png",
        "charts/timeline.svg",
        "histograms/1-sse.hlog",
        "models.csv",
        "report.html",
        "report.md",
        "run.json",
        "scenario.toml",
        "series.csv",
        "summary.csv",
        "trials.csv",
    ];
    assert_eq!(names, expected);
    for path in before.keys().filter(|path| !path.ends_with("run.json")) {
        fs::remove_file(path).unwrap();
    }
    fs::remove_dir(folder.path().join("charts")).unwrap();
    assert_eq!(rebuild(folder.path()).unwrap(), folder.path());
    assert_eq!(files(folder.path()), before);
}

#[test]
fn the_record_comes_back_as_it_was() {
    let out = tempfile::tempdir().unwrap();
    for record in [fixture::quick(), fixture::latest()] {
        let folder = RunFolder::create(out.path(), STARTED, "x").unwrap();
        folder.save_record(&record).unwrap();
        assert_eq!(open(folder.path()).unwrap(), (folder.clone(), record.clone()));
        assert_eq!(open(&folder.path().join("run.json")).unwrap(), (folder, record));
    }
}

#[test]
fn a_name_that_is_taken_gets_a_number_and_latest_follows() {
    let out = tempfile::tempdir().unwrap();
    let names: Vec<PathBuf> =
        (0..3).map(|_| written(out.path(), &empty()).path().to_owned()).collect();
    let expected = ["-custom", "-custom-2", "-custom-3"];
    for (name, end) in names.iter().zip(expected) {
        assert_eq!(name, &out.path().join(format!("{STARTED}{end}")));
    }
    let latest = out.path().join("latest");
    assert_eq!(fs::canonicalize(&latest).unwrap(), fs::canonicalize(&names[2]).unwrap());
    // Rebuilding an older run does not make it the latest.
    rebuild(&names[0]).unwrap();
    assert_eq!(fs::canonicalize(&latest).unwrap(), fs::canonicalize(&names[2]).unwrap());
    assert!(open(&latest).is_ok());
}

#[test]
fn latest_leads_to_a_run_from_its_start_and_to_the_last_that_ended() {
    let out = tempfile::tempdir().unwrap();
    let latest = || fs::canonicalize(out.path().join("latest")).unwrap();
    let first = RunFolder::create(out.path(), STARTED, "custom").unwrap();
    assert_eq!(latest(), fs::canonicalize(first.path()).unwrap());
    let second = RunFolder::create(out.path(), STARTED, "custom").unwrap();
    assert_eq!(latest(), fs::canonicalize(second.path()).unwrap());
    first.write_all(&empty()).unwrap();
    assert_eq!(latest(), fs::canonicalize(first.path()).unwrap());
}

#[test]
fn a_folder_is_made_with_nothing_in_it_that_looks_like_a_result() {
    let out = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(&out.path().join("a/b"), STARTED, "custom").unwrap();
    assert!(files(folder.path()).is_empty());
    let error = open(folder.path()).unwrap_err();
    assert!(error.to_string().contains("has no run.json: it is no run folder"), "{error}");
}

#[test]
fn an_output_folder_that_is_a_file_is_named_with_a_remedy() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("file");
    fs::write(&file, "").unwrap();
    let error = RunFolder::create(&file, STARTED, "custom").unwrap_err();
    assert!(matches!(error, ReportError::CreateFolder(..)));
    let text = error.to_string();
    assert!(text.contains("file: ") && text.ends_with("pass another with --out"), "{text}");
}

#[test]
fn latest_that_is_a_real_folder_is_left_alone() {
    let out = tempfile::tempdir().unwrap();
    fs::create_dir(out.path().join("latest")).unwrap();
    fs::write(out.path().join("latest/mine"), "").unwrap();
    let folder = RunFolder::create(out.path(), STARTED, "custom").unwrap();
    let error = folder.write_all(&empty()).unwrap_err();
    assert!(matches!(error, ReportError::Latest(..)), "{error}");
    assert!(out.path().join("latest/mine").exists() && folder.path().join("report.html").exists());
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 2);
}

/// The error of opening a folder whose run.json holds `text`.
fn refused(text: &str) -> ReportError {
    let out = tempfile::tempdir().unwrap();
    fs::write(out.path().join("run.json"), text).unwrap();
    open(out.path()).unwrap_err()
}

#[test]
fn a_record_that_cannot_be_used_says_why() {
    let missing = open(Path::new("/nowhere/at/all")).unwrap_err();
    assert!(matches!(missing, ReportError::Missing(..)), "{missing}");
    assert!(missing.to_string().starts_with("/nowhere/at/all does not exist"));

    let newer = refused(&format!("{{\"format\": {}, \"new\": true}}", FORMAT + 2)).to_string();
    let expected = format!("is of format {}; this pushbench reads up to {FORMAT}", FORMAT + 2);
    assert!(newer.contains(&expected) && newer.ends_with("use a newer version"), "{newer}");

    let json = crate::json(&fixture::latest()).unwrap();
    let cut = refused(&json[..json.len() / 2]).to_string();
    assert!(cut.contains("run.json is damaged at line ") && cut.contains(" column "), "{cut}");

    let other = refused("{\"name\": \"something else\"}").to_string();
    assert!(other.contains("it does not say its format"), "{other}");
    let lacking = refused(&format!("{{\"format\": {FORMAT}}}")).to_string();
    assert!(lacking.contains("is damaged") && lacking.contains("missing field"), "{lacking}");
    assert!(refused("").to_string().contains("is damaged at line 1 column 0"));

    let mut strange = fixture::latest();
    strange.trials[0].id.point = 7;
    let strange = refused(&crate::json(&strange).unwrap()).to_string();
    assert!(strange.contains("trial 1 is of no point"), "{strange}");
}
