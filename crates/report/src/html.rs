//! `report.html`: the whole run on one page that opens offline and prints.
//!
//! The answer stands first, then what a decision needs; all else is folded. Style, script and drawings
//! are inside the page, so that it loads nothing, and without its script it shows everything. Whatever
//! comes from outside (names, errors, arguments) is escaped on its way in.

mod advice;
pub(crate) mod answer;
mod capacity;
pub(crate) mod document;
pub(crate) mod drawing;
mod figures;
mod invalid;
pub(crate) mod origin;
mod points;
mod reading;
pub(crate) mod table;
pub(crate) mod tools;

pub(crate) use pushbench_core::text::html as escaped;
use pushbench_metrics::record::RunRecord;

use crate::charts::{self, Chart};
use crate::crossings;
use crate::error::ReportError;
use crate::rows::{Block, blocks};
use crate::screen::unbroken;

/// A sentence on a page: no line of it begins with the unit of a number on the one before, and what stands
/// between backticks is code.
pub(crate) fn prose(text: &str) -> String {
    let words = unbroken(text).into_iter().map(|word| word.replace(' ', "\u{a0}"));
    let text = escaped(&words.collect::<Vec<_>>().join(" "));
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text;
    }
    let part = |(place, part): (usize, &&str)| {
        if place.is_multiple_of(2) { (*part).to_owned() } else { format!("<code>{part}</code>") }
    };
    parts.iter().enumerate().map(part).collect()
}

pub(crate) fn page(record: &RunRecord) -> Result<String, ReportError> {
    let blocks = blocks(record);
    let mut body = String::new();
    answer::push(&mut body, record);
    tools::push(&mut body, &blocks);
    push_over_points(&mut body, record, &blocks)?;
    body.push_str(&crossings::page_section(record));
    figures::push(&mut body, record, &blocks);
    points::push(&mut body, record, &blocks)?;
    reading::push(&mut body, record, &blocks);
    invalid::push(&mut body, record);
    origin::push(&mut body, record);
    Ok(document::whole(&format!("pushbench: {}", record.scenario.name), &body))
}

/// The drawings over points that a decision needs.
const FIRST_OVER_POINTS: [&str; 8] = [
    "sweep-latency",
    "sweep-latency-p99",
    "sweep-age",
    "sweep-bytes",
    "sweep-server-cpu",
    "sweep-cpu",
    "sweep-client-bytes",
    "sweep-client-cpu",
];

/// Adds what varies over points, which is what a run with several was made for.
fn push_over_points(
    page: &mut String,
    record: &RunRecord,
    blocks: &[Block<'_>],
) -> Result<(), ReportError> {
    let charts = charts::over_points(record, blocks);
    if charts.is_empty() {
        return Ok(());
    }
    page.push_str("<h2>Over the points</h2>\n");
    let is_first = |chart: &Chart| FIRST_OVER_POINTS.contains(&chart.name.as_str());
    drawing::push(page, &charts, "", is_first)
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn a_number_keeps_its_unit_and_code_is_code() {
        assert_eq!(
            prose("it takes 1.5 ms, with `--delivery latest` & more"),
            "it takes 1.5\u{a0}ms, with <code>--delivery latest</code> &amp; more"
        );
        assert_eq!(prose("a ` alone is none"), "a ` alone is none");
        assert_eq!(prose("`<b>`"), "<code>&lt;b&gt;</code>");
    }
}
