//! `breakdown.csv`: where latency is spent, pooled over the valid trials of each point and
//! transport.

use pushbench_metrics::judge::breakdown::{Breakdown, Part};
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::record::RunRecord;

use super::{Sheet, decimals};
use crate::breakdown::pooled;
use crate::rows::{Row, blocks};
use crate::settings;

/// The first columns of `breakdown.csv`; the settings of the point follow.
const BREAKDOWN_COLUMNS: &str = "point,transport,part,stat,value_us,samples";

/// `breakdown.csv`. Means of the five parts add up to the mean of `latency`; percentiles do not,
/// being of different samples.
pub(crate) fn breakdown(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::new(&[BREAKDOWN_COLUMNS, &settings::columns(0)]);
    for row in blocks(record).iter().flat_map(|block| &block.rows) {
        if let Some(pooled) = pooled(row) {
            push(&mut sheet, row, &pooled);
        }
    }
    sheet.finish()
}

fn push(sheet: &mut Sheet, row: &Row<'_>, pooled: &Breakdown) {
    let parts = Part::ALL.map(|part| (part.name(), pooled.part(part)));
    for (name, share) in parts.into_iter().chain([("latency", &pooled.latency)]) {
        push_part(sheet, row, name, &share.histogram, share.mean_us());
    }
    for (name, histogram) in [
        ("latency_without_load", &pooled.without_load),
        ("latency_since_written", &pooled.since_written),
    ] {
        push_part(sheet, row, name, histogram, histogram.mean_us());
    }
}

/// The lines of one part; none where it is not known.
fn push_part(
    sheet: &mut Sheet,
    row: &Row<'_>,
    part: &str,
    histogram: &LatencyHistogram,
    mean: Option<f64>,
) {
    let percentile = |quantile| histogram.supported_percentile_us(quantile);
    let stats = [("mean", mean), ("p50", percentile(0.5)), ("p99", percentile(0.99))];
    for (stat, value) in stats.into_iter().filter(|_| !histogram.is_empty()) {
        let line = [
            row.summary.point.id.to_string(),
            row.contender().to_string(),
            part.to_owned(),
            stat.to_owned(),
            decimals(value, 3),
            histogram.count().to_string(),
        ];
        sheet.line(line.into_iter().chain(settings::fields(Some(&row.summary.point))));
    }
}
