//! `crossings.csv`: a line for each crossing, and for each two contenders without one.

use pushbench_core::scenario::{Axis, AxisUnit};
use pushbench_metrics::judge::crossing::{Crossing, Finding};
use pushbench_metrics::judge::sweep::{Comparison, Reading, Sweep, sweeps};
use pushbench_metrics::record::RunRecord;

use super::{Told, held};
use crate::csv::Sheet;

const COLUMNS: &str = "axis,unit,held,figure,finding,less_above,more_above,at,at_lo,at_hi,shown_below,\
shown_above,factor_below,factor_above,rounds,poll_over_publish,less_above_value,more_above_value,\
less_above_age_mean_us,more_above_age_mean_us,less_above_fresh_p99_us,more_above_fresh_p99_us";

/// The file; `None` of a run that sweeps nothing, or compares nothing.
pub(crate) fn csv(record: &RunRecord) -> Option<Vec<u8>> {
    let sweeps = sweeps(record);
    if sweeps.iter().all(|sweep| sweep.comparisons.is_empty()) {
        return None;
    }
    let mut sheet = Sheet::new(&[COLUMNS]);
    for sweep in &sweeps {
        sweep.comparisons.iter().for_each(|it| push(&mut sheet, record, sweep, it));
    }
    Some(sheet.finish())
}

fn push(sheet: &mut Sheet, record: &RunRecord, sweep: &Sweep<'_>, comparison: &Comparison) {
    let names = |finding: &str| {
        let figure = comparison.reading.column();
        [sweep.axis.key(), unit(sweep.axis), &held(sweep), figure, finding].map(str::to_owned)
    };
    let (finding, (lesser, greater)) = match &comparison.finding {
        Finding::Crosses(crossings) => {
            for crossing in crossings {
                let told = Told { sweep, comparison, crossing };
                sheet.line(names("crosses").into_iter().chain(fields(record, &told)));
            }
            return;
        }
        Finding::Throughout(lesser) => ("throughout", comparison.ordered(*lesser)),
        Finding::Untold(_) => ("untold", (comparison.one, comparison.other)),
    };
    let contenders = [lesser.to_string(), greater.to_string()];
    let empty = std::iter::repeat_n(String::new(), 15);
    sheet.line(names(finding).into_iter().chain(contenders).chain(empty));
}

fn fields(record: &RunRecord, told: &Told<'_>) -> impl Iterator<Item = String> {
    let Crossing { at, low, high, shown, factors, rounds, .. } = *told.crossing;
    let (lesser, greater) = told.ordered();
    let levels = told.levels(told.comparison.reading);
    let ages = told.levels(Reading::FRESHNESS);
    let fresh = told.levels(Reading::FRESH_P99);
    let values = [
        told.ratio(record),
        levels.map(|it| it.0),
        levels.map(|it| it.1),
        ages.map(|it| it.0),
        ages.map(|it| it.1),
        fresh.map(|it| it.0),
        fresh.map(|it| it.1),
    ];
    let numbers = [at, low, high, shown.0, shown.1].map(significant);
    let factors = [factors.0, factors.1].map(|factor| format!("{factor:.3}"));
    [lesser.to_string(), greater.to_string()]
        .into_iter()
        .chain(numbers)
        .chain(factors)
        .chain([rounds.to_string()])
        .chain(values.map(|value| value.map_or_else(String::new, significant)))
}

/// The unit of `at` and of what stands beside it.
const fn unit(axis: Axis) -> &'static str {
    match axis.unit() {
        AxisUnit::PerSecond => "1/s",
        AxisUnit::Bytes => "bytes",
        AxisUnit::Micros => "us",
        AxisUnit::Factor => "factor",
        AxisUnit::Percent => "percent",
        AxisUnit::BitsPerSecond => "bit/s",
        AxisUnit::Count | AxisUnit::Name => "count",
    }
}

/// A number to six digits: values of settings span many decades.
fn significant(value: f64) -> String {
    let digits = format!("{value:.5e}");
    digits.parse::<f64>().map_or(digits, |rounded| rounded.to_string())
}
