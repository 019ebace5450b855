//! Whole outputs beside the files in `snapshots/`: whoever changes what users read sees it there.

use insta::{Settings, assert_snapshot};
use pushbench_metrics::judge::compare::{Rules, compare};
use pushbench_metrics::record::RunRecord;

use crate::{
    RunFolder, comparison_csv, comparison_markdown, comparison_table, fixture, markdown, sentence,
    terminal_table,
};

/// Lines of a CSV file that are kept: its header and the first rows.
const ROWS: usize = 4;

fn held(name: &str, text: &str) {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| assert_snapshot!(name, text));
}

fn head(file: &str) -> String {
    file.lines().take(ROWS).collect::<Vec<_>>().join("\n")
}

/// A run with every file: several points and trials, a floor, stamps.
fn whole() -> RunRecord {
    fixture::broken_down_run("clients = [2, 3]\nduration = \"1s\"\nruns = 2\nfloor = true")
}

#[test]
fn each_csv_file_begins_as_it_did() {
    let out = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(out.path(), "20260131T120000Z", "golden").unwrap();
    folder.write_all(&whole()).unwrap();
    let files = ["summary", "trials", "bytes", "series", "models", "breakdown", "floor"];
    for file in files {
        let text = std::fs::read_to_string(folder.path().join(format!("{file}.csv"))).unwrap();
        held(&format!("{file}.csv"), &head(&text));
    }
}

#[test]
fn what_people_read_of_a_run_is_what_they_did() {
    for (name, record) in [
        ("six", fixture::six()),
        ("sweep", fixture::sweep()),
        ("latest", fixture::latest()),
        ("stacks", fixture::stacks()),
        ("floor", whole()),
    ] {
        held(&format!("{name}.table"), &terminal_table(&record, crate::Screen::NONE));
        held(&format!("{name}.sentence"), &sentence(&record));
        held(&format!("{name}.md"), &markdown(&record));
    }
}

#[test]
fn what_people_read_of_two_runs_is_what_they_did() {
    let (before, mut after) = (fixture::six(), fixture::six());
    fixture::without_tcpip_of(&mut after.trials[0]);
    let names = ["results/before", "results/after"];
    let comparison = compare(&before, &after, names, Rules::default()).unwrap();
    held("comparison.table", &comparison_table(&comparison, names, crate::Screen::NONE));
    held("comparison.md", &comparison_markdown(&comparison, names));
    held("comparison.csv", &head(&comparison_csv(&comparison)));
}
