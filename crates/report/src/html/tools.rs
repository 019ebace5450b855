//! The choices of a page: contenders, and where a run has several, points. The script shows it.

use std::fmt::Write as _;

use pushbench_core::Contender;
use pushbench_core::scenario::Point;

use super::escaped;
use crate::charts;
use crate::rows::Block;
use crate::settings;

/// Adds the choices; nothing where there is nothing to choose from.
pub(super) fn push(page: &mut String, blocks: &[Block<'_>]) {
    let points: Vec<Point> = blocks.iter().map(|block| block.point.clone()).collect();
    let played = |contender: &Contender| {
        blocks.iter().flat_map(|block| &block.rows).any(|row| row.contender() == *contender)
    };
    let choices = filters(&points);
    push_choices(page, Contender::all().filter(played), &choices);
}

/// Adds the choice of contenders, and others as HTML.
pub(crate) fn push_choices(
    page: &mut String,
    contenders: impl Iterator<Item = Contender>,
    others: &str,
) {
    let contenders: Vec<Contender> = contenders.collect();
    if contenders.len() < 2 && others.is_empty() {
        return;
    }
    page.push_str(
        "<div id=\"tools\" role=\"group\" aria-label=\"shown\" hidden>\n<span>Shown:</span>\n",
    );
    for contender in contenders {
        let name = escaped(contender.name());
        let _ = writeln!(
            page,
            "<button type=\"button\" aria-pressed=\"true\" data-contender=\"{name}\">\
             <span class=\"mark\">{}</span>{name}</button>",
            charts::marker(contender)
        );
    }
    let _ = writeln!(page, "{others}</div>");
}

/// A choice for each setting that varies: the points that have a value of it.
fn filters(points: &[Point]) -> String {
    let mut choices = String::new();
    for axis in settings::varying(points) {
        let title = escaped(axis.title());
        let _ = write!(choices, "<label>{title} <select>\n<option value=\"\">all</option>\n");
        let mut values: Vec<(String, &Point)> = Vec::new();
        for point in points {
            let value = axis.text(point);
            if values.iter().all(|(other, _)| *other != value) {
                values.push((value, point));
            }
        }
        for (value, first) in values {
            let of_it = points.iter().filter(|point| axis.text(point) == value);
            let ids: Vec<String> = of_it.map(|point| point.id.to_string()).collect();
            let words = escaped(&settings::words(axis, first));
            let _ = writeln!(choices, "<option value=\"{}\">{words}</option>", ids.join(" "));
        }
        choices.push_str("</select></label>\n");
    }
    choices
}
