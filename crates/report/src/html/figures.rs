//! The figures of a run: one table of all points whose columns are the same.

use std::fmt::Write as _;

use pushbench_core::feed::stamp::LatencyFrom;
use pushbench_metrics::judge::figures::Counts;
use pushbench_metrics::record::RunRecord;

use super::table::{self, Cell, Header, Line};
use crate::notes;
use crate::rows::{Block, Row};
use crate::table::{Column, cells, columns};

/// The columns of a block, and what their latencies are counted from.
type Shape = (Vec<Column>, LatencyFrom);

fn shape(block: &Block<'_>) -> Shape {
    (columns(block, true), block.latency_from())
}

/// Adds the tables.
pub(super) fn push(page: &mut String, record: &RunRecord, blocks: &[Block<'_>]) {
    page.push_str("<h2>Figures</h2>\n");
    for group in blocks.chunk_by(|one, other| shape(one) == shape(other)) {
        let (columns, from) = shape(&group[0]);
        let has_points = blocks.len() > 1;
        let point = has_points.then(|| Header::name("point"));
        let figures = columns.iter().map(|column| Header {
            is_name: *column == Column::Contender,
            ..Header::new(column.header(from))
        });
        let header: Vec<Header> = point.into_iter().chain(figures).collect();
        let lines: Vec<Line> =
            group.iter().flat_map(|block| lines(record, block, &columns, has_points)).collect();
        table::push(page, "figures", &header, &lines);
        let _ = writeln!(
            page,
            "<p class=\"none faint\" hidden>Nothing here is among what is shown.</p>"
        );
    }
}

fn lines(record: &RunRecord, block: &Block<'_>, columns: &[Column], has_points: bool) -> Vec<Line> {
    let notes = notes::notes(record, block.point.id);
    let line = |row: &Row<'_>| {
        let texts = cells(row, columns, &notes);
        let cell = |(column, text): (&Column, String)| match column {
            Column::Contender => Cell::contender(row.contender(), &text),
            _ => Cell::value(&text, sorted_by(*column, row)),
        };
        let order = f64::from(block.point.id);
        let point = has_points.then(|| Cell::name(&block.heading, Some(order)));
        Line {
            contender: Some(row.contender()),
            point: has_points.then_some(block.point.id),
            is_out: !row.has_figures(),
            cells: point.into_iter().chain(columns.iter().zip(texts).map(cell)).collect(),
        }
    };
    block.rows.iter().map(line).collect()
}

/// The number that a cell of `column` is sorted by.
fn sorted_by(column: Column, row: &Row<'_>) -> Option<f64> {
    let Counts { audit, counters, .. } = &row.summary.counts;
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
    let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    match column {
        Column::Contender => None,
        _ if !row.has_figures() => None,
        #[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
        Column::Delivered if !audit.is_numbered() => Some(audit.delivered as f64),
        Column::Delivered => share(audit.delivered, audit.expected),
        Column::Superseded => share(audit.superseded, audit.expected),
        Column::Figure(figure) | Column::Spread(figure) => {
            row.get(figure).or_else(|| row.at_least(figure))
        }
        Column::Cost => row.cost().map(|cost| cost.middle),
        Column::AgeMax => row.age_max_us(),
        Column::Bytes => row.bytes().map(|bytes| bytes.middle),
        Column::Empty => share(counters.empty_responses, counters.requests),
    }
}
