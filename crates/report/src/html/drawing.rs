//! Drawings of a page: those that a decision needs first, the others folded.

use std::fmt::Write as _;

use super::escaped;
use crate::charts::Chart;
use crate::error::ReportError;

/// Adds drawings: those in front that `is_first` says, the rest folded. What is said above them already,
/// the conditions, is not said again in each.
pub(crate) fn push(
    page: &mut String,
    charts: &[Chart],
    said: &str,
    is_first: impl Fn(&Chart) -> bool,
) -> Result<(), ReportError> {
    let (first, rest): (Vec<_>, Vec<_>) = charts.iter().partition(|chart| is_first(chart));
    push_grid(page, &first, said)?;
    if rest.is_empty() {
        return Ok(());
    }
    let _ =
        writeln!(page, "<details class=\"more\"><summary>More charts ({})</summary>", rest.len());
    push_grid(page, &rest, said)?;
    page.push_str("</details>\n");
    Ok(())
}

fn push_grid(page: &mut String, charts: &[&Chart], said: &str) -> Result<(), ReportError> {
    if charts.is_empty() {
        return Ok(());
    }
    page.push_str("<div class=\"charts\">\n");
    charts.iter().try_for_each(|chart| push_figure(page, chart, said))?;
    page.push_str("</div>\n");
    Ok(())
}

fn push_figure(page: &mut String, chart: &Chart, said: &str) -> Result<(), ReportError> {
    let figure = chart.figure()?;
    let what = figure
        .subtitle
        .strip_suffix(said)
        .map_or(figure.subtitle, |rest| rest.trim_end_matches(": "));
    let _ = writeln!(
        page,
        "<figure id=\"chart-{}\">\n<figcaption><strong>{}</strong><span class=\"faint\">{}</span></figcaption>",
        escaped(&chart.name),
        escaped(figure.title),
        escaped(what),
    );
    page.push_str("<ul class=\"keys\">\n");
    for key in &figure.keys {
        let of = key.contender.map(|it| format!(" data-contender=\"{}\"", escaped(it.name())));
        let (of, name) = (of.unwrap_or_default(), escaped(key.name));
        let _ = writeln!(page, "<li{of}><span class=\"key\">{}</span>{name}</li>", key.svg);
    }
    let _ = writeln!(
        page,
        "</ul>\n<div class=\"plot\">{}</div>\n<details><summary>How to read it</summary><p>{}</p></details>\n\
         </figure>",
        figure.svg,
        escaped(&chart.caption),
    );
    Ok(())
}
