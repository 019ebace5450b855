//! `report.html` of what `pushbench headers` found: the finding, a table and a drawing for each case, the
//! claim where it was asked for; the rest folded.

use std::fmt::Write as _;

use pushbench_core::Contender;
use pushbench_metrics::record::headers::{HeaderCase, HeadersRecord, Level};

use super::{claim, rows, sentence};
use crate::charts::{self, Chart};
use crate::error::ReportError;
use crate::html::table::{self, Cell, Header, Line};
use crate::html::{answer, document, drawing, escaped, origin, tools};

pub(super) fn page(record: &HeadersRecord) -> Result<String, ReportError> {
    let mut body = String::new();
    answer::push_finding(&mut body, &sentence(record));
    let played = |contender: &Contender| {
        let mut rows = record.cases.iter().flat_map(|case| &case.rows);
        rows.any(|row| row.contender == *contender)
    };
    tools::push_choices(&mut body, Contender::all().filter(played), "");
    let charts = charts::headers::charts(record);
    for (index, case) in record.cases.iter().enumerate() {
        let name = charts::headers::chart_name(record, index);
        push_case(&mut body, case, charts.iter().find(|chart| chart.name == name))?;
    }
    push_claim(&mut body, record);
    push_legend(&mut body, record);
    push_origin(&mut body, record);
    Ok(document::whole("pushbench: what headers cost for each message", &body))
}

fn push_case(
    page: &mut String,
    case: &HeaderCase,
    chart: Option<&Chart>,
) -> Result<(), ReportError> {
    let name = rows::name(case);
    let _ = writeln!(
        page,
        "<h2>{}</h2>\n<p class=\"faint\">{}. Messages of {} bytes, delivery {}.</p>",
        escaped(&name),
        escaped(&case.about),
        case.payload_bytes,
        case.delivery,
    );
    let exchanges = case.rows.iter().map(|row| (row.contender, rows::exchange(case, row)));
    push_table(page, &format!("{name}: one message"), &rows::EXCHANGE, exchanges);
    drawing::push(page, chart.map(std::slice::from_ref).unwrap_or_default(), "", |_| true)?;
    page.push_str("<details><summary>Once for each connection</summary>\n");
    let once = case.rows.iter().map(|row| (row.contender, rows::once(row)));
    push_table(page, &format!("{name}: once for each connection"), &rows::ONCE, once);
    page.push_str("</details>\n");
    if rows::is_secured(case) {
        page.push_str(
            "<details><summary>TLS of a connection's opening, and of each message</summary>\n",
        );
        let tls = |row| rows::tls(row).map(|cells| (row.contender, cells));
        let tls = case.rows.iter().flat_map(tls);
        push_table(page, &format!("{name}: TLS"), &rows::TLS, tls);
        page.push_str("</details>\n");
    }
    Ok(())
}

/// Adds a table whose lines begin with what they are of.
fn push_table(
    page: &mut String,
    label: &str,
    columns: &[(&str, &str)],
    lines: impl Iterator<Item = (Contender, Vec<String>)>,
) {
    let header: Vec<Header> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| Header { is_name: index == 0, ..Header::new(*column) })
        .collect();
    let line = |(contender, cells): (Contender, Vec<String>)| {
        let mut texts = cells.iter();
        let name = texts.next().map(|name| Cell::contender(contender, name));
        let cells = name.into_iter().chain(texts.map(|text| Cell::value(text, leading(text))));
        Line { contender: Some(contender), point: None, is_out: false, cells: cells.collect() }
    };
    table::push(page, label, &header, &lines.map(line).collect::<Vec<_>>());
}

/// The number that a cell begins with; the sum of two, such as those of request and response.
fn leading(text: &str) -> Option<f64> {
    let first = text.split(' ').next().unwrap_or_default().replace(',', "");
    first.split('+').map(|part| part.parse::<f64>().ok()).sum()
}

fn push_claim(page: &mut String, record: &HeadersRecord) {
    let Some(claimed) = &record.claim else { return };
    page.push_str(
        "<h2>The published use cases</h2>\n<p class=\"faint\">A poll or a message a second for each \
         client.</p>\n",
    );
    let mut names = claim::header(claimed).into_iter();
    let first = names.next().map(|name| Header::name(&name));
    let others = names.map(|name| Header::new((&name, "")));
    let header: Vec<Header> = first.into_iter().chain(others).collect();
    let line = |cells: Vec<String>| {
        let cells = cells.iter().enumerate().map(|(index, text)| match index {
            0 => Cell::name(text, None),
            _ => Cell::value(text, None),
        });
        Line { contender: None, point: None, is_out: false, cells: cells.collect() }
    };
    let lines: Vec<Line> = claim::cells(claimed).into_iter().map(line).collect();
    table::push(page, "the published use cases", &header, &lines);
    page.push_str("<ul>\n");
    for note in claim::notes(claimed) {
        let _ = writeln!(page, "<li>{}</li>", escaped(&note));
    }
    page.push_str("</ul>\n");
}

fn push_legend(page: &mut String, record: &HeadersRecord) {
    page.push_str("<details class=\"section\"><summary>How to read the figures</summary>\n");
    for line in rows::legend(record) {
        let _ = writeln!(page, "<p class=\"legend\">{}</p>", escaped(&line));
    }
    page.push_str("</details>\n");
}

fn push_origin(page: &mut String, record: &HeadersRecord) {
    page.push_str("<details class=\"section\"><summary>How it was measured</summary>\n");
    let facts = [
        ("started", record.started.clone()),
        ("command", record.command_line.join(" ")),
        ("pushbench", format!("{} (record format {})", record.version, record.format)),
        ("server on", record.address.to_string()),
        ("levels in headers.csv", Level::ALL.map(Level::name).join(", ")),
    ];
    origin::push_facts(page, facts.into_iter().chain(origin::machine_rows(&record.environment)));
    page.push_str(
        "<p class=\"faint\">Beside this page: <code>headers.json</code> has everything, \
         <code>headers.csv</code> the figures, <code>charts/</code> the pictures. \
         <code>pushbench report</code> rebuilds all of them from <code>headers.json</code>.</p>\n\
         </details>\n",
    );
}
