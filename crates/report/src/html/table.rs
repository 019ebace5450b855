//! A table of a page, whose lines the script sorts.

use std::fmt::Write as _;

use pushbench_core::Contender;

use super::escaped;
use crate::charts;

/// Lines from which on a table is scrolled within the page.
const MOST_LINES: usize = 24;

/// A column's header, in two lines.
pub(crate) struct Header {
    pub(crate) first: String,
    pub(crate) second: String,
    /// Whether it names what a line is of.
    pub(crate) is_name: bool,
}

pub(crate) struct Cell {
    /// As HTML.
    html: String,
    /// The number that it is sorted by; by its text where there is none.
    sort: Option<f64>,
    is_name: bool,
}

pub(crate) struct Line {
    pub(crate) contender: Option<Contender>,
    pub(crate) point: Option<u32>,
    /// Whether it has no figures.
    pub(crate) is_out: bool,
    pub(crate) cells: Vec<Cell>,
}

impl Header {
    /// Of figures, with what they are of in the second line.
    pub(crate) fn new((first, second): (&str, &str)) -> Self {
        Self { first: first.to_owned(), second: second.to_owned(), is_name: false }
    }

    /// Of names.
    pub(crate) fn name(text: &str) -> Self {
        Self { is_name: true, ..Self::new((text, "")) }
    }
}

impl Cell {
    pub(crate) fn value(text: &str, sort: Option<f64>) -> Self {
        Self { html: escaped(text), sort, is_name: false }
    }

    pub(crate) fn name(text: &str, sort: Option<f64>) -> Self {
        Self { is_name: true, ..Self::value(text, sort) }
    }

    /// A contender's name behind its marker; it may go on in another line where a part of its stack begins.
    pub(crate) fn contender(contender: Contender, name: &str) -> Self {
        let marker = format!("<span class=\"mark\">{}</span>", charts::marker(contender));
        let parts: Vec<String> = name.split('+').map(escaped).collect();
        let html = format!("<span>{marker}{}</span>", parts.join("</span><wbr><span>+"));
        Self { html, sort: None, is_name: true }
    }
}

/// Adds the table, which `label` names for readers that cannot see it.
pub(crate) fn push(page: &mut String, label: &str, header: &[Header], lines: &[Line]) {
    let tall = if lines.len() > MOST_LINES { " tall" } else { "" };
    let _ = write!(
        page,
        "<div class=\"scroll{tall}\" role=\"region\" tabindex=\"0\" aria-label=\"{}\">\
         <table class=\"figures sortable\">\n<thead><tr>",
        escaped(label)
    );
    for Header { first, second, is_name } in header {
        let second = match second.as_str() {
            "" => String::new(),
            second => format!("<br><small>{}</small>", escaped(second)),
        };
        let class = class(*is_name);
        let _ = write!(page, "<th scope=\"col\"{class}>{}{second}</th>", escaped(first));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    lines.iter().for_each(|line| push_line(page, line));
    page.push_str("</tbody></table></div>\n");
}

fn push_line(page: &mut String, line: &Line) {
    page.push_str(if line.is_out { "<tr class=\"out\"" } else { "<tr" });
    if let Some(contender) = line.contender {
        let _ = write!(page, " data-contender=\"{}\"", escaped(contender.name()));
    }
    if let Some(point) = line.point {
        let _ = write!(page, " data-point=\"{point}\"");
    }
    page.push('>');
    for Cell { html, sort, is_name } in &line.cells {
        let sort = sort.map(|sort| format!(" data-sort=\"{sort}\"")).unwrap_or_default();
        let class = class(*is_name);
        let (opened, closed) = if *is_name { ("th scope=\"row\"", "th") } else { ("td", "td") };
        let _ = write!(page, "<{opened}{class}{sort}>{html}</{closed}>");
    }
    page.push_str("</tr>\n");
}

const fn class(is_name: bool) -> &'static str {
    if is_name { " class=\"name\"" } else { "" }
}
