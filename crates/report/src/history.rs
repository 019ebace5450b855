//! A figure over many runs: on a terminal, as Markdown, CSV and JSON.

use pushbench_core::text;
use pushbench_metrics::judge::compare::{Verdict, percent};
use pushbench_metrics::judge::history::{Entry, Mark, Run, Series};
use serde_json::{Value, json};

use crate::comparison::{in_percent, verdict};
use crate::csv::Sheet;
use crate::error::ReportError;
use crate::grid::Grid;
use crate::human::{self, NOTHING};
use crate::markdown::{escaped, push_table};
use crate::screen::Screen;
use crate::settings;

/// The columns of the CSV file; the settings of the point follow.
const COLUMNS: &str = "run,started,point,transport,figure,value,trials,noise,change_percent,verdict,\
change_percent_since_first,verdict_since_first";

/// The columns of the tables.
const HEADER: [&str; 8] =
    ["run", "started", "value", "trials", "noise", "change", "verdict", "since the first"];

/// The tables that `history` prints in the width of `screen`.
#[must_use]
pub fn history_table(all: &[Series], runs: &[Run<'_>], screen: Screen) -> String {
    let mut text = String::new();
    for series in all {
        text.push_str(&format!("{}\n", text::line(&heading(series))));
        let rows = series.entries.iter().map(|entry| cells(series, entry, runs).to_vec());
        let grid = Grid::new(HEADER.map(str::to_owned).into_iter(), rows);
        text.push_str(&grid.shown(screen));
        text.push_str("\n\n");
    }
    legend(all).iter().for_each(|line| text.push_str(&screen.wrapped(line)));
    text
}

/// The same as Markdown.
#[must_use]
pub fn history_markdown(all: &[Series], runs: &[Run<'_>]) -> String {
    let mut text = String::new();
    for series in all {
        text.push_str(&format!("## {}\n\n", escaped(&heading(series))));
        let rows = series
            .entries
            .iter()
            .map(|entry| cells(series, entry, runs).map(|cell| escaped(&cell)).to_vec());
        push_table(&mut text, &HEADER.map(str::to_owned), rows);
        text.push('\n');
    }
    legend(all).iter().for_each(|line| text.push_str(&format!("{}\n", escaped(line))));
    text
}

/// `latency p99 of websocket, clients=10`.
fn heading(series: &Series) -> String {
    let Series { point, contender, figure, .. } = series;
    let at = if point.label.is_empty() { String::new() } else { format!(", {}", point.label) };
    format!("{} of {contender}{at}", figure.label())
}

fn cells(series: &Series, entry: &Entry, runs: &[Run<'_>]) -> [String; 8] {
    let run = &runs[entry.run];
    let value = entry.value.map(|value| human::quantity(series.figure.unit(), value));
    let first = match &entry.since_first {
        Mark::Nothing => String::new(),
        mark => format!("{} {}", change(mark), words(mark)).trim().to_owned(),
    };
    [
        run.name.to_owned(),
        run.record.started.clone(),
        value.unwrap_or_else(|| NOTHING.to_owned()),
        entry.trials.to_string(),
        entry.noise.name().to_owned(),
        change(&entry.since_last),
        words(&entry.since_last),
        first,
    ]
}

fn change(mark: &Mark) -> String {
    match mark {
        Mark::Change(Some(share), _) => format!("{} %", in_percent(*share)),
        Mark::Change(None, _) | Mark::Nothing | Mark::Refused(_) => String::new(),
    }
}

fn words(mark: &Mark) -> String {
    match mark {
        Mark::Nothing => String::new(),
        Mark::Refused(_) => "not compared".to_owned(),
        Mark::Change(_, None) => "not judged".to_owned(),
        Mark::Change(_, Some(said)) => verdict(*said).to_owned(),
    }
}

/// The meaning of the words, and why runs were not compared.
fn legend(all: &[Series]) -> Vec<String> {
    let mut lines = vec![
        "Each run is held against the one before it, and against the first, by the tests of `pushbench compare`; \
         of many comparisons some call luck a change. Noise is how far a run's trials lie from each other: quiet \
         up to 2 % of their median (as a standard deviation), noisy up to 10 %, wild beyond."
            .to_owned(),
    ];
    let marks = all.iter().flat_map(|series| &series.entries);
    for mark in marks.flat_map(|entry| [&entry.since_last, &entry.since_first]) {
        let Mark::Refused(why) = mark else { continue };
        let line = format!("Not compared: {why}.");
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// A line for each run of each figure.
#[must_use]
pub fn history_csv(all: &[Series], runs: &[Run<'_>]) -> String {
    let mut sheet = Sheet::new(&[COLUMNS, &settings::columns(0)]);
    for series in all {
        for entry in &series.entries {
            let values = values(series, entry, runs);
            let fields = COLUMNS.split(',').map(|column| match &values[column] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            let settings = settings::fields(Some(&series.point), series.contender);
            sheet.line(fields.chain(settings));
        }
    }
    String::from_utf8(sheet.finish()).expect("each field is text")
}

fn values(series: &Series, entry: &Entry, runs: &[Run<'_>]) -> Value {
    let run = &runs[entry.run];
    let (last, first) = (&entry.since_last, &entry.since_first);
    json!({
        "run": run.name,
        "started": run.record.started,
        "point": series.point.label,
        "transport": series.contender,
        "figure": series.figure.column(),
        "value": entry.value,
        "trials": entry.trials,
        "noise": entry.noise.name(),
        "change_percent": share(last).map(percent),
        "verdict": said(last).map(verdict),
        "change_percent_since_first": share(first).map(percent),
        "verdict_since_first": said(first).map(verdict),
    })
}

const fn share(mark: &Mark) -> Option<f64> {
    match mark {
        Mark::Change(share, _) => *share,
        Mark::Nothing | Mark::Refused(_) => None,
    }
}

const fn said(mark: &Mark) -> Option<Verdict> {
    match mark {
        Mark::Change(_, verdict) => *verdict,
        Mark::Nothing | Mark::Refused(_) => None,
    }
}

/// The same as one JSON object, with why runs were not compared.
///
/// # Errors
///
/// [`ReportError::Encode`] where a figure cannot be written.
pub fn history_json(all: &[Series], runs: &[Run<'_>]) -> Result<String, ReportError> {
    let entries =
        all.iter().flat_map(|series| series.entries.iter().map(move |entry| (series, entry)));
    let figures: Vec<Value> = entries.map(|(series, entry)| values(series, entry, runs)).collect();
    let value = json!({ "figures": figures, "notes": legend(all)[1..] });
    crate::document(serde_json::to_string_pretty(&value))
}
