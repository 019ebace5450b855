//! Two runs side by side: on a terminal, as Markdown, CSV and JSON.

mod data;

use comfy_table::{CellAlignment, ContentArrangement, Table};
use pushbench_core::text;
use pushbench_metrics::judge::compare::{ComparedFigure, Comparison, DISCOVERY, Verdict, percent};

pub use self::data::{comparison_csv, comparison_json};
use crate::human::{self, NOTHING};
use crate::markdown::escaped;
use crate::table::{STYLE, wrapped};

/// How a verdict looks on a terminal that shows colours.
const fn colour(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "\u{1b}[32m",
        Verdict::Worse => "\u{1b}[31m",
        Verdict::NoneShown | Verdict::TooFew => "\u{1b}[2m",
    }
}

const PLAIN: &str = "\u{1b}[0m";

/// A verdict in words.
pub(crate) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::NoneShown => "no difference shown",
        Verdict::TooFew => "too few trials",
    }
}

/// The table that `compare` prints, notes below; with escape sequences only if `coloured`.
#[must_use]
pub fn comparison_table(comparison: &Comparison, names: [&str; 2], coloured: bool) -> String {
    let mut text =
        format!("before  {}\nafter   {}\n\n", text::line(names[0]), text::line(names[1]));
    for (heading, rows) in blocks(comparison) {
        if !heading.is_empty() {
            text.push_str(&format!("{}\n", text::line(heading)));
        }
        text.push_str(&block(rows, coloured));
        text.push('\n');
    }
    for line in legend(comparison) {
        text.push_str(&wrapped(&line));
    }
    text
}

/// The same as Markdown, to paste into an issue.
#[must_use]
pub fn comparison_markdown(comparison: &Comparison, names: [&str; 2]) -> String {
    let mut text = format!("before: {}, after: {}\n", escaped(names[0]), escaped(names[1]));
    for (heading, rows) in blocks(comparison) {
        if !heading.is_empty() {
            text.push_str(&format!("\n## {}\n", escaped(heading)));
        }
        text.push_str(&format!("\n| {} |\n|---|---", HEADER.join(" | ")));
        text.push_str(&"|---:".repeat(HEADER.len() - 3));
        text.push_str("|---|\n");
        for cells in rows.iter().filter(|row| is_something(row)).map(cells) {
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    for line in legend(comparison) {
        text.push_str(&format!("\n{}\n", escaped(&line)));
    }
    text
}

/// The rows of each point, under what sets it apart.
fn blocks(comparison: &Comparison) -> impl Iterator<Item = (&str, &[ComparedFigure])> {
    let blocks = comparison.rows.chunk_by(|one, other| one.point.id == other.point.id);
    blocks.map(|rows| (rows[0].point.label.as_str(), rows))
}

/// Whether there is anything of the figure in either run: layers that a transport has not, or that
/// nobody used, say nothing to people.
fn is_something(row: &ComparedFigure) -> bool {
    row.change.medians.iter().any(|median| median.is_some_and(|value| value != 0.0))
}

fn block(rows: &[ComparedFigure], coloured: bool) -> String {
    let rows: Vec<&ComparedFigure> = rows.iter().filter(|row| is_something(row)).collect();
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(HEADER);
    let mut last = None;
    for row in &rows {
        let mut cells = cells(row);
        if last.replace(row.contender) == Some(row.contender) {
            cells[0].clear();
        }
        table.add_row(cells);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if (2..HEADER.len() - 1).contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // The verdict stands last, so that its colour shifts no column. Two lines are the header's.
    let verdicts = [None; 2].into_iter().chain(rows.iter().map(|row| row.change.verdict));
    let lines = table.lines().zip(verdicts).map(|(line, said)| {
        let line = line.trim_end();
        match said.filter(|_| coloured) {
            Some(said) => painted(line, said),
            None => line.to_owned(),
        }
    });
    lines.map(|line| line + "\n").collect()
}

fn painted(line: &str, said: Verdict) -> String {
    let words = verdict(said);
    let painted = |rest| format!("{rest}{}{words}{PLAIN}", colour(said));
    line.strip_suffix(words).map_or_else(|| line.to_owned(), painted)
}

/// The names of the columns.
const HEADER: [&str; 8] =
    ["transport", "figure", "before", "after", "change", "%", "[low, high] %", "verdict"];

/// The row's cells, in the order of [`HEADER`].
fn cells(row: &ComparedFigure) -> [String; 8] {
    let (change, shift) = (&row.change, row.change.shift);
    let quantity = |value| human::quantity(row.figure.unit(), value);
    let amount = |value: Option<f64>| value.map(quantity);
    let moved = shift.map(|shift| signed(shift.estimate, quantity));
    let percent = |amount| change.share_of_before(amount).map(in_percent);
    let interval = shift.and_then(|shift| {
        let (low, high) = shift.interval?;
        Some(format!("[{}, {}]", percent(low)?, percent(high)?))
    });
    let or_nothing = |cell: Option<String>| cell.unwrap_or_else(|| NOTHING.to_owned());
    [
        row.contender.to_string(),
        row.label(),
        or_nothing(amount(change.medians[0])),
        or_nothing(amount(change.medians[1])),
        or_nothing(moved),
        or_nothing(shift.and_then(|shift| percent(shift.estimate))),
        or_nothing(interval),
        change.verdict.map(verdict).unwrap_or_default().to_owned(),
    ]
}

/// `+1.2 ms`, `−3 B`, `0 B`.
fn signed(value: f64, words: impl Fn(f64) -> String) -> String {
    let sign = match value {
        _ if value > 0.0 => "+",
        _ if value < 0.0 => "−",
        _ => "",
    };
    format!("{sign}{}", words(value.abs()))
}

pub(crate) fn in_percent(share: f64) -> String {
    let percent = share * 100.0;
    let places = if percent.abs() < 10.0 { 10.0 } else { 1.0 };
    signed((percent * places).round() / places, |size| human::short_number(size, 3))
}

/// The finding, the meaning of the columns, and notes to read before believing them.
fn legend(comparison: &Comparison) -> Vec<String> {
    let mut lines = vec![found(comparison)];
    lines.extend(power(comparison));
    let (false_share, worth) = (percent(DISCOVERY), percent(comparison.worth));
    lines.push(format!(
        "Judged are latency p50 and p99, mean age, wire bytes and server CPU; better or worse is \
         said where p (Mann–Whitney, adjusted for the number judged so after Benjamini and \
         Hochberg) is at most {false_share} % and the change above {worth} %. Payload, framing and \
         HTTP bytes have no noise, unless chance says how many messages share a poll's answer: \
         they are better or worse where each trial of the one run lies beyond each of the other and the \
         change is above {worth} %. before and after are medians \
         of trials, the change is the Hodges–Lehmann estimate, [low, high] its 95 % interval."
    ));
    lines.push(
        "What else changed on the machine between the two runs is part of a change: repeat one \
         that matters, in the other order."
            .to_owned(),
    );
    lines.extend(comparison.notes.iter().map(|note| format!("note: {note}")));
    lines
}

fn found(comparison: &Comparison) -> String {
    let count = |verdict| comparison.with(verdict).count();
    let judged = comparison.rows.iter().filter(|row| row.change.verdict.is_some()).count();
    if judged == 0 {
        return "No figure could be judged: none of those judged is in both runs.".to_owned();
    }
    format!(
        "Of {}: {} worse, {} better, {} with no difference shown{}.",
        human::plural(judged, "judged figure"),
        count(Verdict::Worse),
        count(Verdict::Better),
        count(Verdict::NoneShown),
        match count(Verdict::TooFew) {
            0 => String::new(),
            few => format!(", {few} with too few trials"),
        }
    )
}

/// The least that so few trials can show, and how many could show more.
fn power(comparison: &Comparison) -> Option<String> {
    let power = &comparison.power;
    let [before, after] = power.trials;
    let one = power.runs_needed(1);
    let least = human::short_number(power.least_p, 2);
    match power.figures_needed() {
        _ if power.judged == 0 => None,
        Some(1) => None,
        Some(figures) => Some(format!(
            "With {before} and {after} trials p is {least} at the least: a change is shown only \
             where at least {figures} of the {} figures judged together change; with --runs {one} \
             in both, one is enough.",
            power.judged
        )),
        None => Some(format!(
            "With {before} and {after} trials p is {least} at the least, so no change of what has \
             noise can be shown, however large: run both with --runs {} or more; to show a change \
             of one figure among {}, with --runs {one}.",
            power.runs_needed(power.judged),
            power.judged
        )),
    }
}
