//! The points of a run one by one: the conditions, the notes to read before believing, the drawings.

use std::fmt::Write as _;

use pushbench_metrics::record::RunRecord;

use super::{drawing, escaped};
use crate::charts::{self, Chart};
use crate::error::ReportError;
use crate::notes::{self, Note};
use crate::rows::Block;
use crate::{human, settings, table};

/// So many notes are not folded.
const NOTES_SHOWN: usize = 3;

/// The drawings of a point that a decision needs, and those where connections end because that was
/// asked for.
const FIRST: [&str; 4] = ["latency", "age", "bytes", "cpu"];
const FIRST_OF_LIFE: [&str; 4] = ["latency", "arrivals", "openings", "bytes"];

/// Adds the only point as it is, several folded.
pub(super) fn push(
    page: &mut String,
    record: &RunRecord,
    blocks: &[Block<'_>],
) -> Result<(), ReportError> {
    if let [only] = blocks {
        return push_point(page, record, blocks, only);
    }
    if !blocks.is_empty() {
        page.push_str("<h2>Point by point</h2>\n");
    }
    for block in blocks {
        let notes = notes::notes(record, block.point.id).len();
        let notes =
            if notes == 0 { String::new() } else { format!(", {}", human::plural(notes, "note")) };
        let _ = writeln!(
            page,
            "<details data-point=\"{}\"><summary>{}{notes}</summary>",
            block.point.id,
            escaped(&block.heading),
        );
        push_point(page, record, blocks, block)?;
        page.push_str("</details>\n");
    }
    Ok(())
}

fn push_point(
    page: &mut String,
    record: &RunRecord,
    blocks: &[Block<'_>],
    block: &Block<'_>,
) -> Result<(), ReportError> {
    let conditions = settings::conditions(&record.scenario, &block.point);
    let _ = writeln!(page, "<p class=\"faint\">{}</p>", escaped(&conditions));
    for line in table::below(record, block) {
        let _ = writeln!(page, "<p class=\"faint\">{}</p>", escaped(&line));
    }
    push_notes(page, &notes::notes(record, block.point.id));
    if !charts::are_drawn(blocks, block) {
        return Ok(());
    }
    let first = if block.point.life.is_eventful() { FIRST_OF_LIFE } else { FIRST };
    let is_first = |chart: &Chart| {
        first.iter().any(|name| charts::file_name(record, block, name) == chart.name)
    };
    drawing::push(page, &charts::of_point(record, block), &conditions, is_first)
}

/// The notes, folded where they are many.
fn push_notes(page: &mut String, notes: &[Note]) {
    if notes.is_empty() {
        return;
    }
    let open = if notes.len() > NOTES_SHOWN { "" } else { " open" };
    let _ = writeln!(
        page,
        "<details class=\"notes\"{open}><summary>{} to read before believing a figure: ! left out, * in \
         doubt</summary>\n<ul class=\"marked\">",
        human::plural(notes.len(), "note"),
    );
    for note in notes {
        let _ = writeln!(page, "<li>{} {}</li>", note.mark.sign(), escaped(&note.to_string()));
    }
    page.push_str("</ul></details>\n");
}
