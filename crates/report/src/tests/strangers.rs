//! Text that somebody else wrote, in every format.

use std::fs;
use std::path::Path;

use pushbench_core::Contender;
use pushbench_metrics::judge::compare::{Rules, compare};
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::warning::{Invalid, Warning};

use crate::{RunFolder, fixture};

/// A formula to a spreadsheet; then it clears the screen, sets the window's title, begins a line
/// that looks like ours, and reverses the direction of writing.
const EVIL: &str =
    "=cmd|'/c calc'!A1;@x \x1b[2J\x1b]0;title\x07\u{9b}31m\nResults: fine\r\u{202e}<b>";

/// A run in which each text is a stranger's.
fn evil() -> RunRecord {
    let mut record = fixture::quick();
    record.scenario.name = EVIL.to_owned();
    record.scenario.question = EVIL.to_owned();
    record.command_line.push(EVIL.to_owned());
    record.environment.cpu_model = EVIL.to_owned();
    record.environment.kernel = EVIL.to_owned();
    record.environment.clocksource = EVIL.to_owned();
    record.version = EVIL.to_owned();
    record.started = EVIL.to_owned();
    record.headers.name = EVIL.to_owned();
    record.headers.about = EVIL.to_owned();
    record.points.iter_mut().for_each(|point| point.label = EVIL.to_owned());
    let trial = fixture::trial_mut(&mut record, Contender::WEBSOCKET, 1);
    trial.warnings.push(Warning::Errors { count: 1, first: Some(EVIL.to_owned()) });
    for trial in
        record.trials.iter_mut().filter(|trial| trial.id.contender == Contender::SHORT_POLL)
    {
        trial.invalid.push(Invalid::LoadDied { error: EVIL.to_owned() });
        trial.errors.push(EVIL.to_owned());
    }
    record
}

/// Characters that a terminal obeys: everything but line feeds and tabs.
fn acts(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t') || c == '\u{202e}'
}

fn assert_harmless(text: &str, what: &str) {
    assert!(!text.contains(acts), "{what}: {text:?}");
    // A line feed ends no line of a page.
    if what.ends_with(".html") {
        return;
    }
    let forged = text.lines().find(|line| line.starts_with("Results: fine"));
    assert!(forged.is_none(), "{what}: a stranger's line in {text}");
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn no_file_of_a_run_holds_what_acts_on_a_terminal_or_calculates() {
    let folder = tempfile::tempdir().unwrap();
    let record = evil();
    let run = RunFolder::create(folder.path(), "20260131T120000Z", "strangers").unwrap();
    run.save_record(&record).unwrap();
    run.write_all(&record).unwrap();
    let mut sheets = 0;
    for path in files(run.path()) {
        let name = path.display().to_string();
        let Ok(text) = String::from_utf8(fs::read(&path).unwrap()) else {
            assert!(name.ends_with(".png"), "{name} is no text");
            continue;
        };
        assert_harmless(&text, &name);
        let marked_up = [".html", ".md", ".svg"].iter().any(|end| name.ends_with(end));
        assert!(!(marked_up && text.contains("<b>")), "{name}: {text}");
        if name.ends_with(".svg") {
            roxmltree::Document::parse(&text).unwrap();
        }
        if name.ends_with(".csv") {
            sheets += 1;
            assert_data(&text, &name);
        }
    }
    assert_eq!(sheets, 6);
    // A scenario that no run could have is refused when it is read; all else is kept as it came.
    let mut named = record;
    named.scenario.name = "strangers".to_owned();
    named.scenario.question.clear();
    named.points.iter_mut().for_each(|point| point.label.clear());
    run.save_record(&named).unwrap();
    assert_eq!(crate::open(run.path()).unwrap().1, named, "the record is lossless");
}

/// Whether a spreadsheet finds no formula, be its separator the comma or the semicolon.
fn assert_data(sheet: &str, name: &str) {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(sheet.as_bytes());
    for row in reader.records() {
        for field in row.unwrap().iter().flat_map(|cell| cell.split(';')) {
            let formula = field.trim_start().starts_with(['=', '+', '-', '@']);
            assert!(!formula || field.parse::<f64>().is_ok(), "{name}: {field}");
        }
    }
}

#[test]
fn what_is_printed_of_a_run_acts_on_no_terminal() {
    let record = evil();
    assert_harmless(&crate::terminal_table(&record, crate::Screen::NONE), "the table");
    assert_harmless(&crate::sentence(&record), "the sentence");
    assert_harmless(&crate::json(&record).unwrap(), "the record");
    let rules = Rules { any_settings: true, ..Rules::default() };
    let comparison = compare(&fixture::quick(), &record, ["a", EVIL], rules).unwrap();
    let names = ["a", EVIL];
    assert_harmless(
        &crate::comparison_table(&comparison, names, crate::Screen::NONE),
        "the comparison",
    );
    assert_harmless(&crate::comparison_markdown(&comparison, names), "the comparison to paste");
    assert_harmless(&crate::comparison_csv(&comparison), "the comparison's sheet");
    assert_harmless(&crate::comparison_json(&comparison, names, None).unwrap(), "its JSON");
}
