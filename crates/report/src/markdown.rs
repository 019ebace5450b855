//! `report.md`: the sentence, the table and its notes, to paste into an issue.

use std::fmt::Write as _;

pub(crate) use pushbench_core::text::markdown as escaped;
use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::advised::AdviceGiven;

use crate::rows::{Block, blocks};
use crate::thresholds::Line;
use crate::{breakdown, charts, crossings, instrument, notes, settings, table, thresholds};

/// The sentence, the table and its notes to paste into an issue: `report.md`.
#[must_use]
pub fn markdown(record: &RunRecord) -> String {
    let mut text = format!("# pushbench: {}\n\n", escaped(&record.scenario.name));
    if let Some(advice) = &record.advice {
        push_advice(&mut text, advice);
    }
    for line in crate::sentence(record).lines() {
        let _ = writeln!(text, "> {}", escaped(line));
    }
    if let Some(partial) = notes::partial(record) {
        let _ = writeln!(text, "\n**{}**", escaped(&partial));
    }
    push_thresholds(&mut text, record);
    let blocks = blocks(record);
    for block in &blocks {
        if !block.heading.is_empty() {
            let _ = writeln!(text, "\n## {}", escaped(&block.heading));
        }
        push_block(&mut text, record, block);
        let breakdown = breakdown::markdown(block);
        if breakdown.is_empty() {
            continue;
        }
        let _ = write!(text, "\n{breakdown}");
        if charts::are_drawn(&blocks, block) {
            let file = charts::file_name(record, block, "breakdown");
            let _ = writeln!(text, "\n![Where latency is spent](charts/{file}.svg)");
        }
    }
    push_crossings(&mut text, record);
    let _ = writeln!(text, "\n{}", escaped(&table::legend(record, &blocks).join(" ")));
    for line in [instrument::lags(record), instrument::layout(record)].into_iter().flatten() {
        let _ = writeln!(text, "{}", escaped(&line));
    }
    push_origin(&mut text, record);
    text
}

/// Adds the advice, above what its trials delivered.
fn push_advice(text: &mut String, advice: &AdviceGiven) {
    let _ = writeln!(text, "> {}", escaped(&advice.answer));
    push_list(text, crate::advice::TURNS, &advice.turns);
    text.push('\n');
    let escape = |cells: &Vec<String>| cells.iter().map(|cell| escaped(cell)).collect();
    push_table(text, &advice.titles, advice.rows.iter().map(escape));
    for remark in &advice.remarks {
        let _ = writeln!(text, "\n{}", escaped(remark));
    }
    push_list(text, "Not measured", &advice.not_measured);
    text.push_str("\n## The trials\n\n");
}

fn push_list(text: &mut String, heading: &str, items: &[String]) {
    if !items.is_empty() {
        let _ = writeln!(text, "\n**{heading}**\n");
    }
    for item in items {
        let _ = writeln!(text, "- {}", escaped(item));
    }
}

fn push_crossings(text: &mut String, record: &RunRecord) {
    let rows = crossings::rows(record);
    if rows.is_empty() {
        return;
    }
    text.push_str("\n## Crossings\n\n");
    let header = crossings::HEADER.map(str::to_owned);
    let escape = |cells: Vec<String>| cells.iter().map(|cell| escaped(cell)).collect();
    push_table(text, &header, rows.into_iter().map(escape));
}

fn push_thresholds(text: &mut String, record: &RunRecord) {
    let lines = thresholds::lines(record);
    if !lines.is_empty() {
        text.push('\n');
    }
    for Line { sign, threshold, measured } in lines {
        let _ = writeln!(text, "- {sign} `{threshold}`: {}", escaped(&measured));
    }
}

fn push_block(text: &mut String, record: &RunRecord, block: &Block<'_>) {
    let notes = notes::notes(record, block.point.id);
    let columns = table::columns(block, true);
    let header: Vec<String> =
        columns.iter().map(|column| title(column.header(block.latency_from()))).collect();
    text.push('\n');
    push_table(text, &header, block.rows.iter().map(|row| table::cells(row, &columns, &notes)));
    text.push('\n');
    let conditions = settings::conditions(&record.scenario, &block.point);
    let _ = writeln!(text, "{}.", escaped(&conditions));
    if !notes.is_empty() {
        text.push('\n');
    }
    for note in &notes {
        let _ = writeln!(text, "- `{}` {}", note.mark.sign(), escaped(&note.to_string()));
    }
    for line in table::below(record, block) {
        let _ = writeln!(text, "\n{}", escaped(&line));
    }
}

/// The two lines of a column's header as one.
pub(crate) fn title((first, second): (&str, &str)) -> String {
    format!("{first} {second}").trim_end().to_owned()
}

/// Adds a table of figures, which stand to the right, below what each row is of.
pub(crate) fn push_table(
    text: &mut String,
    header: &[String],
    rows: impl Iterator<Item = Vec<String>>,
) {
    let _ = writeln!(text, "| {} |", header.join(" | "));
    let _ = writeln!(text, "|---|{}", "---:|".repeat(header.len() - 1));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
}

fn push_origin(text: &mut String, record: &RunRecord) {
    let environment = &record.environment;
    let cores = environment.cores.map(|cores| format!(", {cores} cores")).unwrap_or_default();
    let _ = writeln!(
        text,
        "\npushbench {}, {}, seed {}; Linux {} on {}{cores}.",
        escaped(&record.version),
        escaped(&record.started),
        record.scenario.seed,
        escaped(&environment.kernel),
        escaped(&environment.cpu_model),
    );
    if let Some(abilities) = instrument::abilities(environment) {
        let _ = writeln!(text, "Instrument: {}.", escaped(&abilities));
    }
}
