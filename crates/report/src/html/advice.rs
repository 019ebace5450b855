//! Advice on a page: the answer, what would change it, and the table that it rests on.

use std::fmt::Write as _;

use pushbench_metrics::record::RunRecord;
use pushbench_metrics::record::advised::AdviceGiven;

use super::answer::push_finding;
use super::escaped;

/// Adds the advice, above what its trials delivered; nothing where none was asked for.
pub(super) fn push(page: &mut String, record: &RunRecord) {
    let Some(advice) = &record.advice else { return };
    push_finding(page, &advice.answer);
    push_list(page, "What would change it", &advice.turns);
    push_table(page, advice);
    for remark in &advice.remarks {
        let _ = writeln!(page, "<p class=\"faint\">{}</p>", escaped(remark));
    }
    push_list(page, "Not measured", &advice.not_measured);
    page.push_str("<h2>The trials</h2>\n");
}

fn push_list(page: &mut String, heading: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let items = items.iter().map(|item| format!("<li>{}</li>\n", escaped(item)));
    let _ = write!(page, "<h2>{heading}</h2>\n<ul>\n{}</ul>\n", items.collect::<String>());
}

fn push_table(page: &mut String, advice: &AdviceGiven) {
    let row = |tag: &str, cells: &[String]| {
        let mut cells = cells.iter().map(|cell| escaped(cell));
        let name = cells.next().unwrap_or_default();
        let rest = cells.map(|cell| format!("<{tag}>{cell}</{tag}>")).collect::<String>();
        format!("<tr><th class=\"name\">{name}</th>{rest}</tr>\n")
    };
    page.push_str(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"advice\">\
         <table id=\"advice\" class=\"figures\">\n",
    );
    let _ = write!(page, "<thead>{}</thead>\n<tbody>\n", row("th", &advice.titles));
    advice.rows.iter().for_each(|cells| page.push_str(&row("td", cells)));
    page.push_str("</tbody>\n</table></div>\n");
}
