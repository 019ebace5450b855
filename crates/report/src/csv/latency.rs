//! `breakdown.csv`, where latency is spent, pooled over the valid trials of each point and
//! transport; and `models.csv`, what each trial measured beside what its model expected.

use pushbench_core::Figure;
use pushbench_metrics::judge::breakdown::{Breakdown, Part};
use pushbench_metrics::judge::figures::Figures;
use pushbench_metrics::judge::models::check::Compared;
use pushbench_metrics::observe::histogram::LatencyHistogram;
use pushbench_metrics::record::{RunRecord, TrialRecord};

use super::{Sheet, decimals};
use crate::breakdown::pooled;
use crate::rows::{Row, blocks};

/// `breakdown.csv`. Means of the five parts add up to the mean of `latency`; percentiles do not,
/// being of different samples.
pub(crate) fn breakdown(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::of_rows("part,stat,value_us,samples");
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
        let fields =
            [part.to_owned(), stat.to_owned(), decimals(value, 3), histogram.count().to_string()];
        sheet.of_row(row, fields);
    }
}

/// A line's quantity, what was measured, what was expected, and what chance makes of it.
type Line = (&'static str, Option<f64>, Option<f64>, Option<f64>);

/// `models.csv`: a line for each trial and quantity that has a model. `p` is how often chance alone
/// is as far from the expected.
pub(crate) fn models(record: &RunRecord) -> Vec<u8> {
    let mut sheet = Sheet::of_trials("quantity,measured,expected,p");
    for trial in &record.trials {
        for (quantity, measured, expected, p) in lines(trial) {
            let (Some(measured), Some(expected)) = (measured, expected) else { continue };
            let measured = decimals(Some(measured), 4);
            let fields =
                [quantity.to_owned(), measured, decimals(Some(expected), 4), decimals(p, 3)];
            sheet.of_trial(record, trial, fields);
        }
    }
    sheet.finish()
}

fn lines(trial: &TrialRecord) -> [Line; 6] {
    let (check, measured) = (&trial.check, &trial.measured);
    let (model, figures) = (check.latency, Figures::of_trial(trial));
    let share = |name, compared: Option<Compared>| {
        let Some(Compared { measured, expected, p }) = compared else {
            return (name, None, None, None);
        };
        (name, Some(measured), Some(expected), p)
    };
    let p99 = figures.get(Figure::LatencyP99);
    let (ks, p) = (check.distance.map(|far| far.ks), check.distance.and_then(|far| far.p));
    [
        (Figure::LatencyMean.column(), figures.get(Figure::LatencyMean), check.mean_us(), None),
        (Figure::LatencyP99.column(), p99, model.map(|model| model.quantile(0.99)), None),
        ("latency_ks_distance", ks, Some(0.0), p),
        (Figure::AgeMean.column(), measured.age.mean_us(), check.age_mean_us, None),
        share("missed_share", check.missed),
        share("empty_share", check.empty),
    ]
}
