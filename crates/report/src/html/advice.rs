//! Advice on a page: the answer, what would change it, and the table that it rests on.

use std::fmt::Write as _;

use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::advised::AdviceGiven;

use super::answer::push_finding;
use super::{escaped, prose};
use crate::advice::TURNS;

/// Adds the advice, above what its trials delivered; nothing where none was asked for.
pub(super) fn push(page: &mut String, record: &RunRecord) {
    let Some(advice) = &record.advice else { return };
    push_finding(page, &advice.answer);
    push_list(page, TURNS, &advice.turns);
    push_table(page, advice);
    for remark in &advice.remarks {
        let _ = writeln!(page, "<p class=\"faint\">{}</p>", prose(remark));
    }
    push_list(page, "Not measured", &advice.not_measured);
    page.push_str("<h2>The trials</h2>\n");
}

fn push_list(page: &mut String, heading: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let items = items.iter().map(|item| format!("<li>{}</li>\n", prose(item)));
    let _ = write!(page, "<h2>{heading}</h2>\n<ul>\n{}</ul>\n", items.collect::<String>());
}

fn push_table(page: &mut String, advice: &AdviceGiven) {
    let titles =
        advice.titles.iter().map(|title| format!("<th scope=\"col\">{}</th>", escaped(title)));
    let row = |cells: &Vec<String>| {
        let mut cells = cells.iter().map(|cell| escaped(cell));
        let name = cells.next().unwrap_or_default();
        let rest = cells.map(|cell| format!("<td>{cell}</td>")).collect::<String>();
        format!("<tr><th scope=\"row\" class=\"name\">{name}</th>{rest}</tr>\n")
    };
    page.push_str(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"advice\">\
         <table id=\"advice\" class=\"figures\">\n",
    );
    let titles = titles.collect::<String>();
    let rows = advice.rows.iter().map(row).collect::<String>();
    let _ = write!(page, "<thead><tr>{titles}</tr></thead>\n<tbody>\n{rows}");
    page.push_str("</tbody>\n</table></div>\n");
}
