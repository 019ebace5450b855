//! `docs/COLUMNS.md`, held against what is written: each column of each file, in its order, and
//! none that is said to be never empty and is.

use std::fs;
use std::path::Path;

use pushbench_core::{Contender, Figure};
use pushbench_metrics::judge::compare::{Rules, compare};
use pushbench_metrics::judge::history::{Run, history};
use pushbench_metrics::observe::measured::Measured;
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::warning::Invalid;

use crate::{RunFolder, comparison_csv, fixture, history_csv};

/// A row of a table of the page.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    unit: String,
    meaning: String,
    empty: String,
}

/// The columns that the page lists under `heading`, those that it names as a range from an earlier
/// table included.
fn documented(heading: &str) -> Vec<Column> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/COLUMNS.md");
    let page = fs::read_to_string(path).unwrap();
    let mut tables: Vec<(String, Vec<Column>)> = Vec::new();
    for section in page.split("\n## ").skip(1) {
        let title = section.lines().next().unwrap().to_owned();
        let rows = section.lines().filter(|line| line.starts_with("| `")).map(row);
        let columns = rows.flat_map(|row| expanded(row, &tables)).collect();
        tables.push((title, columns));
    }
    let found = tables.into_iter().find(|(title, _)| title == heading);
    found.unwrap_or_else(|| panic!("docs/COLUMNS.md has no section on {heading}")).1
}

fn row(line: &str) -> Column {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [name, unit, meaning, empty] = cells[..] else { panic!("not four cells: {line}") };
    assert!(cells.iter().all(|cell| !cell.is_empty()), "a cell says nothing: {line}");
    let [name, unit, meaning, empty] = [name, unit, meaning, empty].map(str::to_owned);
    Column { name, unit, meaning, empty }
}

/// The columns that `` `clients` to `speed` `` stands for, or the one that a row is of.
fn expanded(row: Column, tables: &[(String, Vec<Column>)]) -> Vec<Column> {
    let names: Vec<&str> = row.name.split('`').skip(1).step_by(2).collect();
    let [from, to] = names[..] else {
        return vec![Column { name: names[0].to_owned(), ..row }];
    };
    let (title, _) = row.meaning.rsplit_once("](").expect("a range links to its table");
    let (_, title) = title.rsplit_once('[').expect("a link has a text");
    let (_, columns) = tables.iter().find(|(known, _)| known == title).expect("an earlier table");
    let place = |name: &str| columns.iter().position(|column| column.name == name).unwrap();
    let range = columns[place(from)..=place(to)].iter().cloned();
    // Where the range is empty at more places than its table says, nothing in it is never empty.
    let never = row.empty == "never";
    range
        .map(|column| if never { column } else { Column { empty: row.empty.clone(), ..column } })
        .collect()
}

/// Checks a file that was written against the section on it.
pub(crate) fn check(name: &str, file: &[u8]) {
    let columns = documented(name);
    let mut reader = ::csv::Reader::from_reader(file);
    let written: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let listed: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(written, listed, "docs/COLUMNS.md on {name}");
    for line in reader.records().map(Result::unwrap) {
        for (cell, column) in line.iter().zip(&columns) {
            let Column { name: of, unit, empty, .. } = column;
            assert!(!(cell.is_empty() && empty == "never"), "{name}: {of} ({unit}) is empty");
        }
    }
}

/// Every CSV file of a run's folder.
fn check_run(record: &RunRecord) -> Vec<String> {
    let out = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(out.path(), "20260131T120000Z", "columns").unwrap();
    folder.write_all(record).unwrap();
    check_folder(folder.path())
}

/// Every CSV file of a folder; their names.
pub(crate) fn check_folder(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".csv")).collect();
    names.sort();
    names.iter().for_each(|name| check(name, &fs::read(folder.join(name)).unwrap()));
    names
}

#[test]
fn each_column_of_a_run_is_on_the_page() {
    let toml = "clients = [2, 3]\nduration = \"1s\"\nruns = 2\nfloor = true";
    let mut record = fixture::broken_down_run(toml);
    let all = [
        "breakdown.csv",
        "bytes.csv",
        "floor.csv",
        "models.csv",
        "series.csv",
        "summary.csv",
        "trials.csv",
    ];
    assert_eq!(check_run(&record), all);
    // What measured nothing, or was measured by nobody, leaves nothing empty that never is.
    let of_sse = |trial: &&mut _| {
        let trial: &pushbench_metrics::record::TrialRecord = trial;
        trial.id.contender == Contender::SSE
    };
    for trial in record.trials.iter_mut().filter(of_sse) {
        trial.measured = Measured::default();
        trial.invalid.push(Invalid::AuditUnbalanced);
    }
    record.floors[0].invalid.push("too slow".to_owned());
    check_run(&record);
    check_run(&fixture::without_tcpip(fixture::latest()));
    check_run(&fixture::ratios());
    let restarted = fixture::life::cut_off(
        "duration = \"2s\"\nruns = 1\n[restart]\nhow = \"kill\"\nat = \"1s\"",
        3,
    );
    assert!(check_run(&restarted).contains(&"life.csv".to_owned()));
}

#[test]
fn each_column_of_a_comparison_is_on_the_page() {
    let (before, mut after) = (fixture::six(), fixture::six());
    fixture::without_tcpip_of(&mut after.trials[0]);
    for after in [after, fixture::without_tcpip(fixture::six())] {
        let comparison = compare(&before, &after, ["one", "two"], Rules::default()).unwrap();
        check("pushbench compare --format csv", comparison_csv(&comparison).as_bytes());
    }
}

#[test]
fn each_column_of_a_history_is_on_the_page() {
    let (one, two) = (fixture::quick(), fixture::sweep());
    let run = |(name, record)| Run { name, record };
    let runs = [("a", &one), ("b", &one), ("c", &two)].map(run);
    let all = history(&runs, &[Figure::LatencyP99, Figure::Lost], Rules::default());
    check("pushbench history --format csv", history_csv(&all, &runs).as_bytes());
}
