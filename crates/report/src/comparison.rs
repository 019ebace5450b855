//! Two runs side by side: on a terminal, as Markdown, CSV and JSON.

mod data;

use pushbench_core::Contender;
use pushbench_metrics::judge::compare::{ComparedFigure, Comparison, DISCOVERY, Verdict, percent};

pub use self::data::{comparison_csv, comparison_json};
use crate::grid::{Cell, Grid};
use crate::human::{self, NOTHING};
use crate::markdown::escaped;
use crate::screen::{Paint, Screen};

/// How a verdict looks on a terminal that shows colours.
const fn colour(verdict: Verdict) -> Paint {
    match verdict {
        Verdict::Better => Paint::Best,
        Verdict::Worse => Paint::Worst,
        Verdict::NoneShown | Verdict::TooFew => Paint::Faint,
    }
}

/// A verdict in words.
pub(crate) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::NoneShown => "no difference shown",
        Verdict::TooFew => "too few trials",
    }
}

/// The table that `compare` prints in the width of `screen`: what was found, the figures, and notes below.
#[must_use]
pub fn comparison_table(comparison: &Comparison, names: [&str; 2], screen: Screen) -> String {
    let mut text = screen.wrapped(&found(comparison));
    text.push_str(&screen.beside("before  ", 8, names[0]));
    text.push_str(&screen.beside("after   ", 8, names[1]));
    text.push('\n');
    for (heading, rows) in blocks(comparison) {
        if !heading.is_empty() {
            text.push_str(&screen.wrapped(heading));
        }
        text.push_str(&block(rows, screen));
        text.push('\n');
    }
    for line in legend(comparison) {
        text.push_str(&screen.wrapped(&line));
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
    for line in std::iter::once(found(comparison)).chain(legend(comparison)) {
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

/// The table of a point. In a terminal that is too narrow, each transport has one of its own, under its name
/// and without a column for it; then columns give way.
fn block(rows: &[ComparedFigure], screen: Screen) -> String {
    let rows: Vec<&ComparedFigure> = rows.iter().filter(|row| is_something(row)).collect();
    let whole = grid(&rows);
    if whole.width() <= screen.width() {
        return whole.shown(screen) + "\n";
    }
    let of_one = rows.chunk_by(|one, other| one.contender == other.contender);
    let tables = of_one.map(|rows| {
        let grid = grid(rows).without(&[0]);
        let gone = grid.too_much(screen.width(), |at| GIVE_WAY_LATER[at]);
        let shown = match gone {
            Some(gone) => grid.without(&gone).shown(screen),
            None => grid.in_blocks(screen),
        };
        format!("{}\n{shown}\n", rows[0].contender)
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn grid(rows: &[&ComparedFigure]) -> Grid {
    let mut last: Option<Contender> = None;
    let rows = rows.iter().map(|row| {
        let mut cells: Vec<Cell> = cells(row).map(Cell::from).to_vec();
        if last.replace(row.contender) == Some(row.contender) {
            cells[0] = Cell::from(String::new());
        }
        if let Some(said) = row.change.verdict {
            cells[HEADER.len() - 1] = Cell::new(verdict(said), Some(colour(said)));
        }
        cells
    });
    Grid::new(HEADER.map(str::to_owned).into_iter(), rows).with_words(&[1, HEADER.len() - 1])
}

/// The names of the columns.
const HEADER: [&str; 8] =
    ["transport", "figure", "before", "after", "change", "%", "[low, high] %", "verdict"];

/// The order in which the columns behind the transport's give way; the least goes first.
const GIVE_WAY_LATER: [usize; HEADER.len() - 1] = [9, 2, 3, 0, 8, 1, 9];

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

/// The meaning of the columns, and notes to read before believing them.
fn legend(comparison: &Comparison) -> Vec<String> {
    let mut lines: Vec<String> = power(comparison).into_iter().collect();
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
